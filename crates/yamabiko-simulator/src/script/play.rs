//! The player: takes one step after the other, and keeps track of what was said.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::cast::Cast;
use super::client::Client;
use super::outcome::Problem;
use super::step::{Action, Step, Which};
use super::write;

/// So many messages of the chat are shown with a failure.
const SHOWN: usize = 20;

/// Plays one script.
#[derive(Debug)]
pub(crate) struct Player {
    pub(super) client: Client,
    pub(super) cast: Cast,
    pub(super) patience: Duration,
    /// Where the files of the script are; `None` if it may not read any.
    pub(super) folder: Option<PathBuf>,
    chats: HashMap<String, Told>,
    labels: HashMap<String, String>,
    /// The last entry of the log that loading animations were looked for in.
    pub(super) loading_seen: u64,
    /// How many steps were done.
    pub(crate) done: usize,
}

/// Is what the player knows of one chat.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// The number of the last message that was there before, or that an expectation has met.
    pub(super) heard: u64,
    /// The message that the bot said last, as far as the script has heard.
    pub(super) last_of_bot: Option<String>,
    /// The message that a user said last.
    pub(super) last_of_users: Option<String>,
    /// The same for each user.
    pub(super) own: HashMap<String, String>,
}

impl Player {
    pub(crate) async fn new(
        client: Client,
        patience: Duration,
        folder: Option<PathBuf>,
    ) -> Result<Self, String> {
        let cast = Cast::assemble(&client).await?;
        let status = client.get("/control/status", &[]).await?;
        let loading_seen = status["log"].as_u64().unwrap_or_default();
        let (chats, labels) = (HashMap::new(), HashMap::new());
        Ok(Self { client, cast, patience, folder, chats, labels, loading_seen, done: 0 })
    }

    /// Plays steps until one goes wrong, and says which.
    pub(crate) async fn play<'a>(&mut self, steps: &'a [Step]) -> Result<(), (&'a Step, Problem)> {
        for step in steps {
            if let Action::Repeat { times, steps } = &step.action {
                for _ in 0..*times {
                    Box::pin(self.play(steps)).await?;
                }
                continue;
            }
            self.take(&step.action).await.map_err(|problem| (step, problem))?;
            self.done += 1;
        }
        Ok(())
    }

    async fn take(&mut self, action: &Action) -> Result<(), Problem> {
        match action {
            Action::Users(users) => {
                for (name, language) in users {
                    self.cast.user(name, *language).await?;
                }
            }
            Action::Groups { room, groups } => {
                for (name, members) in groups {
                    self.cast.group(name, members, *room).await?;
                }
            }
            Action::Act(act) => return self.act(act).await,
            Action::Expect(expect) => return self.expect(std::slice::from_ref(&expect)).await,
            Action::AnyOrder(steps) => {
                let all: Vec<_> = steps
                    .iter()
                    .filter_map(|step| match &step.action {
                        Action::Expect(expect) => Some(expect),
                        _ => None,
                    })
                    .collect();
                return self.expect(&all).await;
            }
            Action::ShowsLoading { chat, within } => return self.loading(chat, *within).await,
            Action::Nothing { chat, within } => {
                return self.nothing(chat.as_deref(), *within).await;
            }
            Action::Repeat { .. } => {}
            Action::Wait(time) => tokio::time::sleep(*time).await,
            Action::Tell { path, body } => {
                self.client.post(path, &[], &Value::Object(body.clone())).await?;
            }
            Action::FaultsOff => {
                self.client.delete("/control/faults").await?;
            }
            Action::Reset => {
                self.client.post("/control/reset", &[], &json!({})).await?;
                self.cast = Cast::assemble(&self.client).await?;
                self.chats.clear();
                self.loading_seen = 0;
                self.labels.clear();
            }
        }
        Ok(())
    }

    /// What is known of a chat, which begins with the chat's first use.
    pub(super) fn told(&mut self, chat_id: &str) -> &mut Told {
        let heard = self.cast.messages_before(chat_id);
        let begin = || Told { heard, ..Told::default() };
        self.chats.entry(chat_id.to_owned()).or_insert_with(begin)
    }

    /// The message that a user said last in a chat.
    pub(super) fn last_of_users(&self, chat_id: &str) -> Option<&String> {
        self.chats.get(chat_id).and_then(|told| told.last_of_users.as_ref())
    }

    /// Gives a message a name for later steps.
    pub(super) fn name_message(&mut self, label: &str, message_id: &str) {
        self.labels.insert(label.into(), message_id.into());
    }

    /// Finds the message that is meant; `last` is the message that counts as the last one here.
    pub(super) fn message(&self, which: &Which, last: Option<&String>) -> Result<String, String> {
        match which {
            Which::Last => last.cloned().ok_or_else(|| "there is no last message yet".to_owned()),
            Which::Label(label) => {
                let unknown = || format!("no message was called {label:?} with: as {label}");
                self.labels.get(label).cloned().ok_or_else(unknown)
            }
        }
    }

    /// The chat since the script began, in the words of a script.
    pub(crate) async fn so_far(&mut self, chat_id: &str) -> Vec<String> {
        let after = self.cast.messages_before(chat_id).to_string();
        let path = format!("/control/chats/{chat_id}");
        let chat = self.client.get(&path, &[("after", &after)]).await.unwrap_or_default();
        let messages = chat["messages"].as_array().cloned().unwrap_or_default();
        let newest = messages.iter().skip(messages.len().saturating_sub(SHOWN));
        newest.map(|message| self.in_words(chat_id, message)).collect()
    }

    /// A message in the words of a script.
    pub(super) fn in_words(&self, chat_id: &str, message: &Value) -> String {
        let chat = self.cast.name_of(chat_id);
        if message["from"] == "bot" {
            return write::bot_says(&chat, message);
        }
        let user = message["userId"].as_str().unwrap_or_default();
        let group = (user != chat_id).then_some(chat.as_str());
        let who = write::actor(&self.cast.name_of(user), group);
        if message["unsent"] == true {
            return format!("{who}: (taken back)");
        }
        write::user_says(&who, &message["message"], "…")
    }
}
