//! Expectations: what the bot says next in a chat, what it shows, and that it says nothing.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::time::Instant;

use super::client::Client;
use super::outcome::Problem;
use super::play::Player;
use super::step::{Expect, What};
use super::write;

/// How long the simulator's long poll lasts at most.
const LONGEST_POLL: Duration = Duration::from_secs(50);
/// How often it is looked whether a call of the bot has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Is where the messages of a chat were read up to, and the next one of the bot.
struct Next {
    heard: u64,
    message: Option<Value>,
}

/// Waits for the bot's next message in a chat.
async fn next(
    client: &Client,
    chat_id: &str,
    mut heard: u64,
    deadline: Instant,
) -> Result<Next, String> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let (after, wait) = (heard.to_string(), left.min(LONGEST_POLL).as_millis().to_string());
        let path = format!("/control/chats/{chat_id}");
        let chat = client.get(&path, &[("after", &after), ("wait_ms", &wait)]).await?;
        for message in chat["messages"].as_array().into_iter().flatten() {
            heard = message["n"].as_u64().unwrap_or(heard);
            if message["from"] == "bot" {
                return Ok(Next { heard, message: Some(message.clone()) });
            }
        }
        if left.is_zero() {
            return Ok(Next { heard, message: None });
        }
    }
}

impl Player {
    /// Waits until all of the messages have come, each chat's in any order.
    pub(super) async fn expect(&mut self, all: &[&Expect]) -> Result<(), Problem> {
        let mut left = all.to_vec();
        let patience = all.iter().find_map(|expect| expect.within).unwrap_or(self.patience);
        let deadline = Instant::now() + patience;
        while let Some(first) = left.first() {
            let chat_id = self.cast.chat(&first.chat)?;
            let wrong = |came: String| Problem { came, chat_id: Some(chat_id.clone()) };
            let heard = self.told(&chat_id).heard;
            let next = next(&self.client, &chat_id, heard, deadline).await?;
            self.told(&chat_id).heard = next.heard;
            let Some(message) = next.message else {
                let several = all.len() > 1;
                let left = if several { format!(", {} left", left.len()) } else { String::new() };
                return Err(wrong(format!("nothing within {}{left}", short(patience))));
            };
            let mut differences = Vec::new();
            let mut here = (0..left.len()).filter(|&at| left[at].chat == first.chat);
            let met = here.find(|&at| {
                let difference = self.difference(left[at], &chat_id, &message);
                let fits = difference.is_none();
                differences.extend(difference);
                fits
            });
            let Some(met) = met else {
                let came = self.in_words(&chat_id, &message);
                return Err(wrong(format!("{came}\n({})", differences.join("; "))));
            };
            let met = left.remove(met);
            let message_id = message["id"].as_str().unwrap_or_default();
            self.told(&chat_id).last_of_bot = Some(message_id.to_owned());
            if let Some(label) = &met.label {
                self.name_message(label, message_id);
            }
        }
        Ok(())
    }

    /// Says in what a message differs from what is expected.
    fn difference(&self, expect: &Expect, chat_id: &str, message: &Value) -> Option<String> {
        match &expect.what {
            What::Text(pattern) if message["text"].as_str().is_some_and(|t| pattern.fits(t)) => {}
            What::Type(kind) if message["type"] == kind.as_str() => {}
            What::Text(_) => return Some("the text differs".into()),
            What::Type(_) => return Some("the type differs".into()),
        }
        if expect.via.as_ref().is_some_and(|via| message["via"] != via.as_str()) {
            return Some(format!("it came by {}", message["via"].as_str().unwrap_or_default()));
        }
        let quoted = message["quotedMessageId"].as_str();
        match &expect.quotes {
            None => {}
            Some(None) if quoted.is_none() => {}
            Some(None) => return Some("it quotes a message".into()),
            Some(Some(which)) => match self.message(which, self.last_of_users(chat_id)) {
                Ok(wanted) if quoted == Some(wanted.as_str()) => {}
                Ok(_) if quoted.is_none() => return Some("it quotes nothing".into()),
                Ok(_) => return Some("it quotes another message".into()),
                Err(problem) => return Some(problem),
            },
        }
        let object = &message["message"];
        let offered = write::offered(object);
        if expect.offers.as_ref().is_some_and(|labels| *labels != offered) {
            return Some(format!("it offers {}", offered.join(", ")));
        }
        let missing = expect.has.iter().find(|has| !has.fits(object))?;
        let found: Vec<_> = missing.path.query(object).iter().map(ToString::to_string).collect();
        Some(format!("{} is {}", missing.path, found.join(", ")))
    }

    /// Waits whether the bot keeps silent, in one chat or in all that the script has named.
    pub(super) async fn nothing(
        &mut self,
        chat: Option<&str>,
        within: Duration,
    ) -> Result<(), Problem> {
        let chats = match chat {
            Some(chat) => vec![self.cast.chat(chat)?],
            None => self.cast.chats(),
        };
        let deadline = Instant::now() + within;
        let heard: Vec<_> = chats.iter().map(|chat_id| self.told(chat_id).heard).collect();
        let player = &*self;
        let silences = chats.iter().zip(heard).map(|(chat_id, heard)| async move {
            let next = next(&player.client, chat_id, heard, deadline).await?;
            match next.message {
                None => Ok((chat_id, next.heard)),
                Some(message) => {
                    let came = player.in_words(chat_id, &message);
                    Err(Problem { came, chat_id: Some(chat_id.clone()) })
                }
            }
        });
        for (chat_id, heard) in try_join_all(silences).await? {
            self.told(chat_id).heard = heard;
        }
        Ok(())
    }

    /// Waits until the bot has asked for the loading animation once more.
    pub(super) async fn loading(
        &mut self,
        chat: &str,
        within: Option<Duration>,
    ) -> Result<(), Problem> {
        let chat_id = self.cast.chat(chat)?;
        let deadline = Instant::now() + within.unwrap_or(self.patience);
        let mut after = self.loading_seen;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (from, wait) = (after.to_string(), left.min(LONGEST_POLL).as_millis().to_string());
            let query = [("after", from.as_str()), ("wait_ms", wait.as_str())];
            let log = self.client.get("/control/log", &query).await?;
            let mut open = false;
            for entry in log["entries"].as_array().into_iter().flatten() {
                let is_meant = entry["what"] == "POST /v2/bot/chat/loading/start"
                    && entry["request"]["chatId"] == chat_id.as_str();
                let status = entry["status"].as_u64();
                if is_meant && status.is_some_and(|status| status < 300) {
                    self.loading_seen = entry["n"].as_u64().unwrap_or_default();
                    return Ok(());
                }
                open |= is_meant && status.is_none();
                if !open {
                    after = entry["n"].as_u64().unwrap_or(after);
                }
            }
            if left.is_zero() {
                let came = "no loading animation".to_owned();
                return Err(Problem { came, chat_id: Some(chat_id) });
            }
            if open {
                // The log does not wake anybody for the end of a call.
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

fn short(time: Duration) -> String {
    match u64::try_from(time.as_millis()) {
        Ok(ms) if ms % 1_000 == 0 => format!("{} s", ms / 1_000),
        _ => format!("{} ms", time.as_millis()),
    }
}
