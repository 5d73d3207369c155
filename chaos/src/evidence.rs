//! Puts together what is known of each chat: what its user did, what LINE delivered, what the bot said.

use std::collections::HashMap;

use anyhow::Context as _;
use serde_json::Value;
use yamabiko_chaos::Said;

use crate::{
    aftermath::Facts,
    book::{self, Page},
    check::{Asked, CalledOff, Chat, Finding, Heard, Wrong},
    webhooks::Delivered,
};

/// Says whether a message tells that a request is given up by C4.
fn is_apology(message: &Value) -> bool {
    let text = message["text"].as_str().and_then(|text| text.strip_prefix("the process died "));
    text.is_some_and(|rest| rest.ends_with(" times running this"))
}

/// Returns the chats as the checks want them.
pub(crate) fn chats(
    pages: &[Page],
    webhooks: &HashMap<String, Delivered>,
    messages: &[Value],
    facts: &Facts,
) -> anyhow::Result<Vec<Chat>> {
    let mut written = HashMap::new();
    let mut heard: HashMap<&str, Vec<Heard>> = HashMap::new();
    let mut apologies: HashMap<&str, usize> = HashMap::new();
    for message in messages {
        let at = message["at"].as_i64().context("a message has its time")?;
        if message["from"] == "user" {
            written.insert(message["id"].as_str().context("a message has its id")?, at);
        } else if let Some(said) = said(message) {
            let chat = message["chatId"].as_str().context("a message has its chat")?;
            heard.entry(chat).or_default().push(Heard { said, at });
        } else if is_apology(message) {
            let chat = message["chatId"].as_str().context("a message has its chat")?;
            *apologies.entry(chat).or_default() += 1;
        }
    }
    let chat = |page: &Page| {
        let asked = page.asked.iter().map(|asked| self::asked(asked, &written, webhooks));
        Ok(Chat {
            user: page.user.clone(),
            asked: asked.collect::<anyhow::Result<_>>()?,
            heard: heard.remove(page.user.as_str()).unwrap_or_default(),
            unfollows: page.unfollows.iter().map(|event| called_off(event, webhooks)).collect(),
            uncertain: facts.uncertain.get(&page.user).cloned().unwrap_or_default(),
            given_up: facts.given_up.clone(),
            apologies: apologies.remove(page.user.as_str()).unwrap_or(0),
            runs: facts.runs.get(&page.user).copied().unwrap_or(0),
        })
    };
    pages.iter().map(chat).collect()
}

fn asked(
    asked: &book::Asked,
    written: &HashMap<&str, i64>,
    webhooks: &HashMap<String, Delivered>,
) -> anyhow::Result<Asked> {
    let delivered = webhooks.get(&asked.event).copied().unwrap_or_default();
    Ok(Asked {
        request: asked.request,
        ask: asked.ask.clone(),
        at: *written.get(asked.message.as_str()).context("what a user wrote is in the ledger")?,
        sent: delivered.sent,
        taken: delivered.taken,
        unsent: asked.unsent_by.as_ref().map(|event| called_off(event, webhooks)),
    })
}

fn called_off(event: &str, webhooks: &HashMap<String, Delivered>) -> CalledOff {
    let delivered = webhooks.get(event).copied().unwrap_or_default();
    CalledOff { at: delivered.happened.unwrap_or(i64::MAX), taken: delivered.taken }
}

fn said(message: &Value) -> Option<Said> {
    message["text"].as_str()?.parse().ok()
}

/// Returns the bot's messages that nobody can read: it should say no such thing.
pub(crate) fn strays(messages: &[Value]) -> Vec<Finding> {
    let by_bot = messages.iter().filter(|message| message["from"] == "bot");
    let strays = by_bot.filter(|message| said(message).is_none() && !is_apology(message));
    strays
        .map(|message| Finding {
            wrong: Wrong::HalfDone,
            user: message["chatId"].as_str().unwrap_or_default().to_owned(),
            text: format!("not understood: {message}"),
        })
        .collect()
}
