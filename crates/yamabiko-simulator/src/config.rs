//! What a simulator is started with, and the settings that can change while it runs.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use yamabiko_line::secret::{AccessToken, ChannelSecret};

use crate::clock::Clock;

/// Says which bot to talk to, and how.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// Address of the bot's webhook, such as `http://127.0.0.1:3000/callback`.
    pub bot_url: String,
    /// Signs the webhooks.
    pub channel_secret: ChannelSecret,
    /// What the bot must show to call the API.
    pub access_token: AccessToken,
    /// What the bot gives, with the secret, for a stateless token. Defaults to `1234567890`.
    pub channel_id: String,
    /// The bot's name in the chats. Defaults to `Bot`.
    pub bot_name: String,
    /// Where to listen. Defaults to `127.0.0.1` on a free port.
    pub listen: SocketAddr,
    /// Who is a friend of the bot at the start. Defaults to three users, さくら, Alice and 健太.
    pub users: Vec<NewUser>,
    /// The groups that the bot is in at the start. Defaults to one, 山の会, of the three users.
    pub groups: Vec<NewGroup>,
    /// Whether a new user's arrival is told to the bot by a `follow` event. Defaults to false.
    pub greet: bool,
    /// What tells the time. Defaults to the machine's clock.
    pub clock: Clock,
    /// What can change while the simulator runs.
    pub settings: Settings,
}

impl SimulatorConfig {
    /// Describes a simulator for one bot, with the defaults for everything else.
    #[must_use]
    pub fn new(
        bot_url: impl Into<String>,
        channel_secret: ChannelSecret,
        access_token: AccessToken,
    ) -> Self {
        Self {
            bot_url: bot_url.into(),
            channel_secret,
            access_token,
            channel_id: "1234567890".into(),
            bot_name: "Bot".into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            users: NewUser::defaults(),
            groups: NewGroup::defaults(),
            greet: false,
            clock: Clock::default(),
            settings: Settings::default(),
        }
    }
}

/// Describes a user to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUser {
    /// `U` and 32 hexadecimal digits. Defaults to a random one.
    #[serde(default)]
    pub user_id: Option<String>,
    /// The name that the bot reads from the profile.
    pub display_name: String,
    /// The language of the profile. Defaults to Japanese.
    #[serde(default)]
    pub language: Language,
    /// The address of the profile's picture. Defaults to none.
    #[serde(default)]
    pub picture_url: Option<String>,
    /// The profile's status message. Defaults to none.
    #[serde(default)]
    pub status_message: Option<String>,
}

impl NewUser {
    /// Describes a user with a random id.
    #[must_use]
    pub fn new(display_name: impl Into<String>, language: Language) -> Self {
        Self {
            user_id: None,
            display_name: display_name.into(),
            language,
            picture_url: None,
            status_message: None,
        }
    }

    /// The three users of the defaults; their ids never change, so a script may name them.
    fn defaults() -> Vec<Self> {
        let user = |digit: &str, name: &str, language| Self {
            user_id: Some(format!("U{}", digit.repeat(32))),
            ..Self::new(name, language)
        };
        vec![
            user("1", "さくら", Language::Ja),
            user("2", "Alice", Language::En),
            user("3", "健太", Language::Ja),
        ]
    }
}

/// Describes a group or a room to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewGroup {
    /// `C` (a room: `R`) and 32 hexadecimal digits. Defaults to a random one.
    #[serde(default)]
    pub group_id: Option<String>,
    /// The name that the bot reads from the group's summary; a room shows it on the page only.
    pub group_name: String,
    /// The ids of its members, users that are there already.
    pub members: Vec<String>,
    /// The address of the group's picture. Defaults to none.
    #[serde(default)]
    pub picture_url: Option<String>,
    /// Whether it is a room. Defaults to false.
    #[serde(default)]
    pub room: bool,
}

impl NewGroup {
    /// Describes a group with a random id.
    #[must_use]
    pub fn new(group_name: impl Into<String>, members: Vec<String>) -> Self {
        Self {
            group_id: None,
            group_name: group_name.into(),
            members,
            picture_url: None,
            room: false,
        }
    }

    /// The group of the defaults.
    fn defaults() -> Vec<Self> {
        let members = NewUser::defaults().into_iter().filter_map(|user| user.user_id).collect();
        let id = Some(format!("C{}", "1".repeat(32)));
        vec![Self { group_id: id, ..Self::new("山の会", members) }]
    }
}

/// Names the language of a profile or of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    #[default]
    Ja,
    /// English.
    En,
}

impl Language {
    /// The language's code as in a profile.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }
}

/// Holds the platform's rules that a test may want to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Seconds a reply token lives after its webhook was sent. Defaults to 60, as LINE promises.
    pub reply_token_seconds: u32,
    /// Pushes a month; `None` is without a limit. Defaults to `None`; LINE's free plan has 200.
    pub monthly_limit: Option<u64>,
    /// How many pushes `quota/consumption` does not tell of yet. Defaults to 0; LINE's lags too.
    pub consumption_lag: u64,
    /// What is answered to a retry key that comes with another body than before. Defaults to `accepted`.
    pub used_retry_key: UsedRetryKey,
    /// Milliseconds of real time the bot has to answer a webhook. Defaults to 2,000, as at LINE.
    pub webhook_timeout_ms: u64,
    /// How often a webhook without a 2xx answer is sent again; 0 is never. Defaults to 5.
    pub redelivery_attempts: u32,
    /// Milliseconds before the first redelivery, in the simulator's time; each next wait is twice
    /// as long. Defaults to 1,000.
    pub redelivery_first_ms: u64,
    /// How a user's message becomes read. Defaults to `auto`.
    pub mark_as_read_mode: MarkAsRead,
    /// Milliseconds for which a video's or an audio's content is being prepared. Defaults to 0.
    pub preparing_ms: u64,
    /// Whether calls over LINE's rate limits are refused with 429. Defaults to true.
    pub rate_limits: bool,
    /// Whether LINE's console has a webhook, and uses it. Defaults to `on`.
    pub webhook: WebhookUse,
}

/// Says what is answered to a retry key that comes with another body than before; LINE does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UsedRetryKey {
    /// As to the same body: 409 if a request with the key was accepted, else it is a new request.
    #[default]
    Accepted,
    /// 400, also if no request with the key was accepted.
    Refused,
}

/// Says whether LINE's console has a webhook, and uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookUse {
    /// It has an address, and *Use webhook* is on.
    #[default]
    On,
    /// It has an address, and *Use webhook* is off: the bot hears of nothing.
    Off,
    /// It has no address.
    Unset,
}

/// Says how a user's message becomes read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkAsRead {
    /// By the bot's answer to its webhook, as where LINE's console has *Chat* off.
    #[default]
    Auto,
    /// By the bot's call with the message's `markAsReadToken`, as where *Chat* is on.
    Manual,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reply_token_seconds: 60,
            monthly_limit: None,
            consumption_lag: 0,
            used_retry_key: UsedRetryKey::default(),
            webhook_timeout_ms: 2_000,
            redelivery_attempts: 5,
            redelivery_first_ms: 1_000,
            mark_as_read_mode: MarkAsRead::Auto,
            preparing_ms: 0,
            rate_limits: true,
            webhook: WebhookUse::On,
        }
    }
}
