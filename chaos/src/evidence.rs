//! Puts together what is known of each chat: what its user did, what LINE delivered, what the bot said.

use std::collections::HashMap;

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    aftermath::Facts,
    book::{self, Page},
    check::{Asked, CalledOff, Chat, Finding, Heard, Loss, Wrong},
    clocks::Step,
    conversation::{Call, Conversation, Index},
    webhooks::Delivered,
};

/// What the chats tell.
#[derive(Debug)]
pub(crate) struct Evidence<C: Conversation> {
    pub(crate) chats: Vec<Chat<C>>,
    /// Messages of the bot that nobody can read: it should say no such thing.
    pub(crate) strays: Vec<Finding>,
}

/// Returns the chats as the checks want them.
pub(crate) fn gather<C: Conversation>(
    pages: &[Page<C::Ask>],
    webhooks: &HashMap<String, Delivered>,
    messages: &[Value],
    facts: &Facts<C>,
    clock_steps: &[Step],
    losses: &[Loss],
) -> anyhow::Result<Evidence<C>> {
    let index = Index::<C>::of(pages);
    let mut written = HashMap::new();
    let mut heard: HashMap<&str, Vec<Heard<C::What>>> = HashMap::new();
    let mut apologies: HashMap<&str, usize> = HashMap::new();
    let mut strays = Vec::new();
    for message in messages.iter().filter(|message| message["from"] == "user") {
        written.insert(id(message)?, time(message)?);
    }
    // The messages of a call follow each other.
    for call in messages.chunk_by(|one, next| one["requestId"] == next["requestId"]) {
        let chat = call[0]["chatId"].as_str().context("a message has its chat")?;
        let (apologized, said): (Vec<_>, Vec<_>) = call
            .iter()
            .filter(|message| message["from"] == "bot" && !C::is_aside(message))
            .partition(|message| C::is_apology(message));
        *apologies.entry(chat).or_default() += apologized.len();
        if said.is_empty() {
            continue;
        }
        let request = answered(said[0], &index, facts);
        for part in C::read(&Call { messages: said, request }, &index) {
            match part {
                Some(said) => {
                    let at = time(&call[0])?;
                    let by_reply = call[0]["via"] == "reply";
                    heard.entry(chat).or_default().push(Heard { said, at, by_reply });
                }
                None => strays.push(Finding {
                    wrong: Wrong::HalfDone,
                    user: chat.to_owned(),
                    text: format!("not understood: {call:?}"),
                }),
            }
        }
    }
    let chat = |page: &Page<C::Ask>| {
        let asked = page.asked.iter().map(|asked| self::asked(asked, &written, webhooks));
        Ok(Chat {
            user: page.user.clone(),
            asked: asked.collect::<anyhow::Result<_>>()?,
            heard: heard.remove(page.user.as_str()).unwrap_or_default(),
            unfollows: page.unfollows.iter().map(|event| called_off(event, webhooks)).collect(),
            uncertain: facts.uncertain.get(&page.user).cloned().unwrap_or_default(),
            too_late: facts.too_late.get(&page.user).cloned().unwrap_or_default(),
            refused: facts.refused.get(&page.user).cloned().unwrap_or_default(),
            given_up: facts.given_up.clone(),
            damaged: facts.damaged.clone(),
            apologies: apologies.remove(page.user.as_str()).unwrap_or(0)
                + facts.unsent_apologies.get(&page.user).copied().unwrap_or(0),
            losses: losses.to_vec(),
            clock_steps: clock_steps.to_vec(),
            runs: facts.runs.get(&page.user).copied().unwrap_or(0),
        })
    };
    let chats = pages.iter().map(chat).collect::<anyhow::Result<_>>()?;
    Ok(Evidence { chats, strays })
}

/// Returns the request that the call of a message answers: by the event of its reply token, or by its job.
fn answered<C: Conversation>(
    message: &Value,
    index: &Index<'_, C>,
    facts: &Facts<C>,
) -> Option<u64> {
    match message["via"].as_str()? {
        "reply" => index.of_event(message["afterWebhookEventId"].as_str()?),
        _ => facts.pushed.get(message["retryKey"].as_str()?).copied(),
    }
}

fn id(message: &Value) -> anyhow::Result<&str> {
    message["id"].as_str().context("a message has its id")
}

fn time(message: &Value) -> anyhow::Result<i64> {
    message["at"].as_i64().context("a message has its time")
}

fn asked<A: Clone>(
    asked: &book::Asked<A>,
    written: &HashMap<&str, i64>,
    webhooks: &HashMap<String, Delivered>,
) -> anyhow::Result<Asked<A>> {
    let delivered = webhooks.get(&asked.event).copied().unwrap_or_default();
    Ok(Asked {
        request: asked.request,
        ask: asked.ask.clone(),
        at: *written.get(asked.message.as_str()).context("what a user wrote is in the ledger")?,
        sent: delivered.sent,
        taken: delivered.taken,
        in_standby: asked.in_standby,
        unsent: asked.unsent_by.as_ref().map(|event| called_off(event, webhooks)),
    })
}

fn called_off(event: &str, webhooks: &HashMap<String, Delivered>) -> CalledOff {
    let delivered = webhooks.get(event).copied().unwrap_or_default();
    CalledOff { at: delivered.happened.unwrap_or(i64::MAX), taken: delivered.taken }
}
