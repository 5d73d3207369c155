//! Webhooks: events as LINE completes them, signed, sent in order, sent again when refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use yamabiko_line::signature;

use crate::config::MarkAsRead;
use crate::id;
use crate::log::{Answer, Direction, Entry};
use crate::platform::{Memory, Platform};

/// The next webhook of a chat is sent when the one before is answered, or after so long.
const HEAD_START: Duration = Duration::from_millis(200);
/// As much of the bot's answer is kept for the log.
const KEPT_ANSWER: usize = 2_048;
/// Events that can be answered with a reply token.
const ANSWERABLE: [&str; 10] = [
    "message",
    "messageEdited",
    "follow",
    "join",
    "memberJoined",
    "postback",
    "videoPlayComplete",
    "beacon",
    "accountLink",
    "membership",
];

/// Is an event that is on its way to the bot.
#[derive(Debug)]
pub(crate) struct Sent {
    /// `None` if the bot hears nothing of it, since it is not in the group.
    pub(crate) webhook_event_id: Option<String>,
    pub(crate) message_id: Option<String>,
    /// Ends with the answer to the first delivery.
    pub(crate) answer: oneshot::Receiver<Answer>,
}

impl Platform {
    /// Completes an event that a user caused and sends it after the chat's earlier ones.
    pub(crate) fn send_event(
        self: &Arc<Self>,
        memory: &mut Memory,
        chat_id: &str,
        user_id: Option<&str>,
        mut event: Map<String, Value>,
    ) -> Sent {
        let now = self.now();
        let (tell, answer) = oneshot::channel();
        let chat = memory.chats.get(chat_id).filter(|chat| chat.open);
        let Some(source) = chat.map(|chat| chat.source(user_id)) else {
            return Sent { webhook_event_id: None, message_id: None, answer };
        };
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        // Of an account that could not be linked LINE names no user, and takes no answer.
        let failed = event.get("link").is_some_and(|link| link["result"] == "failed");
        let mut add = |name: &str, value: Value| {
            event.entry(name).or_insert(value);
        };
        add("mode", "active".into());
        add("timestamp", now.into());
        if !failed {
            add("source", source);
        }
        add("webhookEventId", id::ulid(now).into());
        add("deliveryContext", json!({ "isRedelivery": false }));
        if ANSWERABLE.contains(&kind.as_str()) && !failed {
            add("replyToken", id::hex32().into());
        }
        let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
        let webhook_event_id = text("webhookEventId").unwrap_or_default();
        let reply_token = text("replyToken");
        if let Some(token) = &reply_token {
            memory.reply_tokens.grant(token, chat_id, now, memory.reply_token_life_ms());
        }

        let (sent, my_turn_is_over) = oneshot::channel();
        let chat = memory.chats.get_mut(chat_id);
        let before = chat.and_then(|chat| chat.last_sent.replace(my_turn_is_over));
        let platform = Arc::clone(self);
        let (chat_id, event_id) = (chat_id.to_owned(), webhook_event_id.clone());
        tokio::spawn(async move {
            if let Some(before) = before {
                // An error means that the one before is over, too.
                before.await.ok();
            }
            let delivery = platform.deliver(&event, reply_token.as_deref());
            tokio::pin!(delivery);
            let answer = match tokio::time::timeout(HEAD_START, &mut delivery).await {
                Ok(answer) => {
                    drop(sent);
                    answer
                }
                Err(_) => {
                    drop(sent);
                    delivery.await
                }
            };
            let accepted = is_success(answer.status);
            if accepted {
                platform.mark_read(&chat_id, &event_id);
            }
            // Nobody has to wait for the answer.
            tell.send(answer).ok();
            if !accepted {
                platform.deliver_again(&chat_id, &event, reply_token.as_deref()).await;
            }
        });
        Sent { webhook_event_id: Some(webhook_event_id), message_id: None, answer }
    }

    /// Sends a refused event again, after longer and longer waits, until it is accepted.
    async fn deliver_again(
        self: &Arc<Self>,
        chat_id: &str,
        event: &Map<String, Value>,
        token: Option<&str>,
    ) {
        let mut event = event.clone();
        let settings = self.read(|memory| memory.settings.clone());
        let mut wait = Duration::from_millis(settings.redelivery_first_ms);
        event.insert("deliveryContext".into(), json!({ "isRedelivery": true }));
        let event_id = event.get("webhookEventId").and_then(Value::as_str).unwrap_or_default();
        for _ in 0..settings.redelivery_attempts {
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
            if is_success(self.deliver(&event, token).await.status) {
                self.mark_read(chat_id, event_id);
                return;
            }
        }
    }

    /// Sends an event that was sent before once more, as a redelivery; `None` if it is not known.
    pub(crate) async fn redeliver(&self, event_id: &str) -> Option<Answer> {
        let body = self.read(|memory| memory.log.webhook(event_id).map(str::to_owned))?;
        let mut body: Value = serde_json::from_str(&body).ok()?;
        let mut event = body["events"][0].as_object_mut().map(std::mem::take)?;
        event.insert("deliveryContext".into(), json!({ "isRedelivery": true }));
        let token = event.get("replyToken").and_then(Value::as_str).map(str::to_owned);
        Some(self.deliver(&event, token.as_deref()).await)
    }

    /// Sends one event in an envelope of its own, and starts its reply token's life.
    async fn deliver(&self, event: &Map<String, Value>, reply_token: Option<&str>) -> Answer {
        if let Some(token) = reply_token {
            let now = self.now();
            self.update(|memory| {
                let life = memory.reply_token_life_ms();
                memory.reply_tokens.sent(token, now, life);
            });
        }
        let body = json!({ "destination": self.bot_id, "events": [event] }).to_string();
        let signature = signature::sign(&self.config.channel_secret, body.as_bytes());
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let mut entry = Entry::new(
            Direction::Webhook,
            match event.get("message").and_then(|message| message["type"].as_str()) {
                Some(kind) => format!("message {kind}"),
                None => text("type").unwrap_or("event").into(),
            },
            body,
            self.now(),
        );
        entry.webhook_event_id = text("webhookEventId").map(str::to_owned);
        entry.redelivery = event["deliveryContext"]["isRedelivery"] == true;
        self.send(entry, Some(&signature)).await
    }

    /// Sends a logged request to the bot and waits for its answer, but not longer than LINE would.
    pub(crate) async fn send(&self, entry: Entry, signature: Option<&str>) -> Answer {
        let body = entry.request.clone();
        let (n, url, timeout) = self.update(|memory| {
            let revision = memory.touch();
            let n = memory.log.add(entry, revision);
            (n, memory.bot_url.clone(), memory.settings.webhook_timeout_ms)
        });
        let answer = self.post(&url, body, signature, Duration::from_millis(timeout)).await;
        self.update(|memory| {
            let revision = memory.touch();
            memory.log.answered(n, &answer, revision);
        });
        answer
    }

    /// Posts a body to a bot.
    pub(crate) async fn post(
        &self,
        url: &str,
        body: String,
        signature: Option<&str>,
        timeout: Duration,
    ) -> Answer {
        let start = Instant::now();
        let mut request = self
            .http
            .post(url)
            .timeout(timeout)
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "LineBotWebhook/2.0")
            .body(body);
        if let Some(signature) = signature {
            request = request.header("x-line-signature", signature);
        }
        let result = async {
            let response = request.send().await?;
            Ok((response.status(), response.text().await?))
        }
        .await;
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok((status, text)) => Answer {
                status: Some(status.as_u16()),
                duration_ms,
                reason: (!status.is_success()).then_some("error_status_code"),
                response: text.chars().take(KEPT_ANSWER).collect(),
            },
            Err(error) => Answer {
                status: None,
                duration_ms,
                reason: Some(reason(&error)),
                response: String::new(),
            },
        }
    }

    fn mark_read(&self, chat_id: &str, event_id: &str) {
        self.update(|memory| {
            if memory.settings.mark_as_read_mode == MarkAsRead::Manual {
                return;
            }
            let revision = memory.touch();
            let Some(chat) = memory.chats.get_mut(chat_id) else { return };
            let mut newest_first = chat.messages.iter_mut().rev();
            let message =
                newest_first.find(|message| message.webhook_event_id.as_deref() == Some(event_id));
            if let Some(message) = message {
                message.read = true;
                message.revision = revision;
            }
        });
    }
}

fn is_success(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

/// LINE's word for what went wrong.
fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "could_not_connect"
    } else if error.is_timeout() {
        "request_timeout"
    } else {
        "unclassified"
    }
}
