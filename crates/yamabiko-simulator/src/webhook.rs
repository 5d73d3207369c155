//! Webhooks: events as LINE completes them, signed, sent in order, sent again when refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use yamabiko_line::signature;

use crate::config::{MarkAsRead, WebhookUse};
use crate::deliveries::{Deliveries, Delivery};
use crate::id;
use crate::log::{Answer, Direction, Entry};
use crate::platform::{Memory, Platform};

/// As much of the bot's answer is kept for the log.
const KEPT_ANSWER: usize = 2_048;
/// LINE's word for a webhook that did not reach the bot.
const COULD_NOT_CONNECT: &str = "could_not_connect";
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
    /// `None` if the bot hears nothing of it, since it is not in the group or its webhook is not used.
    pub(crate) webhook_event_id: Option<String>,
    pub(crate) message_id: Option<String>,
    /// Ends with the answer to the first delivery.
    pub(crate) answer: oneshot::Receiver<Answer>,
}

impl Platform {
    /// Completes an event that a user caused, but for what is named in `without`, and sends it after the chat's earlier ones.
    pub(crate) fn send_event(
        self: &Arc<Self>,
        memory: &mut Memory,
        chat_id: &str,
        user_id: Option<&str>,
        mut event: Map<String, Value>,
        without: &[String],
    ) -> Sent {
        let now = self.now();
        let (tell, answer) = oneshot::channel();
        let used = memory.settings.webhook == WebhookUse::On;
        let chat = memory.chats.get(chat_id).filter(|chat| chat.open && used);
        let Some((source, mode)) = chat.map(|chat| (chat.source(user_id), chat.mode())) else {
            return Sent { webhook_event_id: None, message_id: None, answer };
        };
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        // Of an account that could not be linked LINE names no user, and takes no answer.
        let failed = event.get("link").is_some_and(|link| link["result"] == "failed");
        let add = |event: &mut Map<String, Value>, name: &str, value: Value| {
            if !without.iter().any(|left_out| left_out == name) {
                event.entry(name).or_insert(value);
            }
        };
        add(&mut event, "mode", mode.into());
        add(&mut event, "timestamp", now.into());
        if !failed {
            add(&mut event, "source", source);
        }
        add(&mut event, "webhookEventId", id::ulid(now).into());
        add(&mut event, "deliveryContext", json!({ "isRedelivery": false }));
        let is_standby = event.get("mode").is_some_and(|mode| mode == "standby");
        if ANSWERABLE.contains(&kind.as_str()) && !failed && !is_standby {
            add(&mut event, "replyToken", id::hex32().into());
        }
        let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
        let webhook_event_id = text("webhookEventId").unwrap_or_default();
        let reply_token = text("replyToken");
        if let Some(token) = &reply_token {
            let life = memory.reply_token_life_ms();
            memory.reply_tokens.grant(token, chat_id, &webhook_event_id, now, life);
        }

        let fault = memory.faults.hit_webhook(chat_id);
        let chat = memory.chats.get_mut(chat_id);
        let turn = chat.map(|chat| chat.deliveries.turn(fault.reorder)).unwrap_or_default();
        let delivery = Delivery {
            chat_id: chat_id.into(),
            event,
            event_id: webhook_event_id.clone(),
            reply_token,
            turn,
            fault,
            at: now,
        };
        let mut end = memory.life.subscribe();
        let run = delivery.run(Arc::clone(self), tell);
        tokio::spawn(async move {
            tokio::select! {
                () = run => {}
                _ = end.changed() => {}
            }
        });
        Sent { webhook_event_id: Some(webhook_event_id), message_id: None, answer }
    }

    /// Sends a refused event again, after longer and longer waits, until it is accepted.
    pub(crate) async fn deliver_again(
        self: &Arc<Self>,
        chat_id: &str,
        event: &Map<String, Value>,
        token: Option<&str>,
        refused_at: i64,
    ) {
        let mut event = event.clone();
        let settings = self.read(|memory| memory.settings.clone());
        let mut wait = i64::try_from(settings.redelivery_first_ms).unwrap_or(i64::MAX);
        let mut refused_at = refused_at;
        event.insert("deliveryContext".into(), json!({ "isRedelivery": true }));
        let event_id = event.get("webhookEventId").and_then(Value::as_str).unwrap_or_default();
        for _ in 0..settings.redelivery_attempts {
            self.clock.reach(refused_at.saturating_add(wait)).await;
            wait = wait.saturating_mul(2);
            if self.deliver(&event, token).await.is_success() {
                self.mark_read(chat_id, event_id);
                return;
            }
            refused_at = self.now();
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
    pub(crate) async fn deliver(
        &self,
        event: &Map<String, Value>,
        reply_token: Option<&str>,
    ) -> Answer {
        let now = self.now();
        let event_id = event.get("webhookEventId").and_then(Value::as_str).unwrap_or_default();
        self.update(|memory| {
            if let Some(token) = reply_token {
                let life = memory.reply_token_life_ms();
                memory.reply_tokens.sent(token, now, life);
            }
            if let Some(deliveries) = deliveries(memory, event) {
                deliveries.sent(event_id);
            }
        });
        let (entry, signature) = self.webhook(event);
        let answer = self.send(entry, Some(&signature)).await;
        if answer.reason == Some(COULD_NOT_CONNECT) {
            self.update(|memory| {
                if let Some(deliveries) = deliveries(memory, event) {
                    deliveries.failed(event_id);
                }
            });
        }
        answer
    }

    /// Writes an event down as one that was sent and never arrived.
    pub(crate) fn lose(&self, event: &Map<String, Value>) -> Answer {
        let (entry, _) = self.webhook(event);
        let answer =
            Answer { status: None, duration_ms: 0, reason: Some("lost"), response: String::new() };
        self.update(|memory| {
            let revision = memory.touch();
            let n = memory.log.add(entry, revision);
            memory.log.answered(n, &answer, revision);
        });
        answer
    }

    /// Makes the request for one event, with its signature.
    fn webhook(&self, event: &Map<String, Value>) -> (Entry, String) {
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
        let context = event.get("deliveryContext");
        entry.redelivery = context.is_some_and(|context| context["isRedelivery"] == true);
        (entry, signature)
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

    pub(crate) fn mark_read(&self, chat_id: &str, event_id: &str) {
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

/// The deliveries of the chat that an event comes from; it may name one that is not known.
fn deliveries<'a>(
    memory: &'a mut Memory,
    event: &Map<String, Value>,
) -> Option<&'a mut Deliveries> {
    let source = event.get("source")?;
    let id = ["groupId", "roomId", "userId"].iter().find_map(|name| source[name].as_str())?;
    memory.chats.get_mut(id).map(|chat| &mut chat.deliveries)
}

/// LINE's word for what went wrong.
fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        COULD_NOT_CONNECT
    } else if error.is_timeout() {
        "request_timeout"
    } else {
        "unclassified"
    }
}
