//! What LINE's API tells of the bot's account.

use std::time::{SystemTime, UNIX_EPOCH};

use yamabiko_line::{
    client::{BotInfo, Client, WebhookTest},
    error::{Error, ErrorKind},
};
use yamabiko_queue::{
    Finding, Timestamp,
    finding::{because, span},
};

use super::Reading;
use crate::config::Settings;

/// LINE's clock is told to the second, and the answer takes its time to come here.
const APART: std::time::Duration = std::time::Duration::from_secs(3);
/// Clocks that differ by more are wrong.
const FAR_APART: std::time::Duration = std::time::Duration::from_secs(60);

const TOKEN: &str = "access token";
const SECRET: &str = "channel secret";
const WEBHOOK: &str = "webhook";
const REACHABLE: &str = "webhook test";
const QUOTA: &str = "quota";
/// Where settings of a channel are that no call of LINE's API tells or changes.
const CONSOLE: &str = "the channel's *Messaging API* tab in the LINE Developers Console";

/// Asks LINE, and reads its clock.
pub(super) async fn look(settings: &Settings) -> (Vec<Finding>, Option<Reading>) {
    let client = match settings.client() {
        Ok(client) => client,
        Err(error) => {
            let finding = Finding::problem(TOKEN, format!("{error:#}"), "set it");
            return (vec![finding, secret(settings, None).await], None);
        }
    };
    let bot = match client.bot_info().await {
        Ok(bot) => bot,
        Err(error) => return (vec![refused(&error), secret(settings, None).await], None),
    };
    let clock = bot.answered_at.and_then(timestamp).map(Reading::now);
    let BotInfo { display_name, basic_id, .. } = &bot;
    let text = format!("LINE takes it: the bot is {display_name} ({basic_id})");
    let mut findings = vec![Finding::ok(TOKEN, text), secret(settings, Some(&bot)).await];
    findings.extend(webhook(&client).await);
    findings.push(redelivery());
    findings.push(quota(&client).await);
    (findings, clock)
}

fn refused(error: &Error) -> Finding {
    let advice = match error.kind() {
        ErrorKind::Unauthorized | ErrorKind::Forbidden => {
            "issue a new token in the LINE Developers Console and set LINE_CHANNEL_ACCESS_TOKEN, or correct LINE_CHANNEL_ID and LINE_CHANNEL_SECRET"
        }
        ErrorKind::Config => "correct LINE_CHANNEL_ACCESS_TOKEN or LINE_API_URL",
        ErrorKind::Network | ErrorKind::Timeout => {
            "let this machine reach api.line.me (DNS, firewall, proxy), or correct LINE_API_URL"
        }
        _ => "try again later; https://status.line.biz tells of LINE's own failures",
    };
    Finding::problem(TOKEN, because(error), advice)
}

/// Only `web` needs the secret; LINE confirms it where a token is asked for by it.
async fn secret(settings: &Settings, bot: Option<&BotInfo>) -> Finding {
    if let Err(error) = settings.channel_secret() {
        return Finding::problem(SECRET, format!("{error:#}"), "set it where `web` runs");
    }
    let advice = "set LINE_CHANNEL_SECRET and LINE_CHANNEL_ID of the channel's *Basic settings* in the LINE Developers Console";
    let by_secret = match settings.client_by_secret() {
        Ok(Some(client)) => client.bot_info().await,
        Ok(None) => {
            let text = "it is set; only the webhook test tells whether it is the right one";
            return Finding::ok(SECRET, text);
        }
        Err(error) => return Finding::problem(SECRET, format!("{error:#}"), advice),
    };
    match by_secret {
        Ok(by_secret) if bot.is_some_and(|bot| bot.user_id != by_secret.user_id) => {
            let text = format!("it belongs to another bot, {}", by_secret.display_name);
            Finding::problem(SECRET, text, advice)
        }
        Ok(_) => Finding::ok(SECRET, "LINE gives an access token for it"),
        Err(error) if error.kind() == ErrorKind::Unauthorized => {
            Finding::problem(SECRET, because(&error), advice)
        }
        Err(error) => Finding::note(SECRET, because(&error), "ask again when LINE answers"),
    }
}

async fn webhook(client: &Client) -> Vec<Finding> {
    let endpoint = match client.webhook_endpoint().await {
        Ok(endpoint) if !endpoint.endpoint.is_empty() => endpoint,
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return vec![unanswered(WEBHOOK, &error)];
        }
        _ => {
            let advice =
                format!("set https://YOUR-HOST/callback in {CONSOLE}, and switch *Use webhook* on");
            return vec![Finding::problem(WEBHOOK, "LINE has no address for webhooks", advice)];
        }
    };
    let address = endpoint.endpoint;
    let used = if endpoint.active {
        Finding::ok(WEBHOOK, format!("LINE sends webhooks to {address}"))
    } else {
        let text = format!("LINE sends no webhooks, though it has an address for them ({address})");
        Finding::problem(WEBHOOK, text, format!("switch *Use webhook* on in {CONSOLE}"))
    };
    // It carries no event, and LINE allows 60 of them an hour.
    let tested = match client.test_webhook_endpoint(None).await {
        Ok(test) => reachable(&test),
        Err(error) => unanswered(REACHABLE, &error),
    };
    vec![used, tested]
}

fn reachable(test: &WebhookTest) -> Finding {
    if test.success {
        return Finding::ok(REACHABLE, "LINE reached the bot, which took LINE's signature");
    }
    let advice = match test.status_code {
        Some(401) => {
            "the bot refuses LINE's signature: set this channel's LINE_CHANNEL_SECRET where `web` runs"
        }
        Some(404) => "the bot answers at /callback: correct the address' path",
        Some(502..=504) => "the proxy before the bot does not reach it: start `web`",
        Some(code) if code > 0 => {
            "whatever answers there is no bot, or it fails: see the log of `web` and of the proxy before it"
        }
        _ => "start `web`, and let LINE reach it by HTTPS with a certificate of a public authority",
    };
    let text = format!("LINE's test failed: {}, {}", test.reason, test.detail);
    Finding::problem(REACHABLE, text, advice)
}

fn redelivery() -> Finding {
    Finding::note(
        "redelivery",
        "LINE's API does not tell whether webhooks that were not answered are sent again; by default they are lost",
        format!("switch *Webhook redelivery* on in {CONSOLE}"),
    )
}

async fn quota(client: &Client) -> Finding {
    let used = match client.quota_used().await {
        Ok(used) => used,
        Err(error) => return unanswered(QUOTA, &error),
    };
    let limit = match client.quota().await {
        Ok(quota) => quota.limit,
        Err(error) => return unanswered(QUOTA, &error),
    };
    let Some(limit) = limit else {
        return Finding::ok(
            QUOTA,
            format!("{used} messages were sent this month, without a limit"),
        );
    };
    let text = format!("{used} of this month's {limit} messages were sent");
    let advice = "choose a larger plan in LINE Official Account Manager; without one, pushes are refused until the month ends in Japan, while replies go on";
    if used >= limit {
        Finding::problem(QUOTA, text, advice)
    } else if used >= limit / 5 * 4 {
        Finding::warning(QUOTA, text, advice)
    } else {
        Finding::ok(QUOTA, text)
    }
}

fn unanswered(topic: &'static str, error: &Error) -> Finding {
    Finding::warning(topic, because(error), "ask again later")
}

fn timestamp(time: SystemTime) -> Option<Timestamp> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(since.as_millis().try_into().ok()?))
}

/// Compares LINE's clock with the store's: what a user asks for counts from LINE's time (T4).
pub(super) fn clock(line: Timestamp, store: Timestamp) -> Finding {
    const CLOCK: &str = "LINE's clock";
    let apart = line.since(store).max(store.since(line));
    let side = if line > store { "ahead of" } else { "behind" };
    let text = format!("it is {} {side} the store's, so timers come at a wrong time", span(apart));
    let advice = "set the clock of the store's machine right, and keep it so (NTP)";
    if apart > FAR_APART {
        Finding::problem(CLOCK, text, advice)
    } else if apart > APART {
        Finding::warning(CLOCK, text, advice)
    } else {
        Finding::ok(CLOCK, "it agrees with the store's")
    }
}
