//! What users do: each deed is one call of the control API.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::outcome::Problem;
use super::play::Player;
use super::step::{Act, Deed, Media};

impl Player {
    /// Does what a user does, and notes what it brought.
    pub(super) async fn act(&mut self, act: &Act) -> Result<(), Problem> {
        let user_id = match &act.who {
            Some(who) => Some(self.cast.user(who, None).await?),
            None => None,
        };
        let chat_id = match (&act.chat, &user_id) {
            (Some(chat), _) => self.cast.chat(chat)?,
            (None, Some(user_id)) => user_id.clone(),
            (None, None) => return Err(Problem::from("it is not said where".to_owned())),
        };
        let mut query = Vec::new();
        if let Some(user_id) = user_id.as_deref().filter(|_| act.chat.is_some()) {
            query.push(("userId", user_id));
        }
        if act.answered.is_some() {
            query.push(("wait", "webhook"));
        }
        let own = user_id.as_deref().unwrap_or_default();
        let done = self.do_in(&chat_id, act, own, query).await;
        done.map_err(|came| Problem { came, chat_id: Some(chat_id) })
    }

    async fn do_in(
        &mut self,
        chat_id: &str,
        act: &Act,
        own: &str,
        query: Vec<(&str, &str)>,
    ) -> Result<(), String> {
        let sent = self.deed(&act.deed, chat_id, own, query).await?;
        if let Some(message_id) = sent["messageId"].as_str() {
            let told = self.told(chat_id);
            told.last_of_users = Some(message_id.into());
            told.own.insert(own.into(), message_id.into());
            if let Some(label) = &act.label {
                self.name_message(label, message_id);
            }
        } else if act.label.is_some() {
            return Err("only a message can be named with: as".to_owned());
        }
        match &act.answered {
            Some(wanted) => answered(wanted, &sent["webhook"]),
            None => Ok(()),
        }
    }

    async fn deed(
        &mut self,
        deed: &Deed,
        chat_id: &str,
        own: &str,
        mut query: Vec<(&str, &str)>,
    ) -> Result<Value, String> {
        let told = self.told(chat_id).clone();
        let path = format!("/control/chats/{chat_id}");
        let last_own = told.own.get(own);
        match deed {
            Deed::Say { message, quotes } => {
                let mut message = message.clone();
                if let Some(which) = quotes {
                    let quoted = self.message(which, told.last_of_bot.as_ref())?;
                    message.insert("quotedMessageId".into(), quoted.into());
                }
                self.client.post(&format!("{path}/messages"), &query, &message.into()).await
            }
            Deed::Send { media, quotes } => {
                let quoted = quotes.as_ref().map(|q| self.message(q, told.last_of_bot.as_ref()));
                let quoted = quoted.transpose()?;
                query.extend(quoted.as_deref().map(|quoted| ("quotedMessageId", quoted)));
                self.send(media, &format!("{path}/media"), query).await
            }
            Deed::Tap { label, params } => {
                let act = self.tapped(chat_id, label, params.as_ref()).await?;
                let place = if act["type"] == "postback" { "events" } else { "messages" };
                self.client.post(&format!("{path}/{place}"), &query, &act).await
            }
            Deed::Unsend(which) => {
                let event =
                    json!({ "type": "unsend", "messageId": self.message(which, last_own)? });
                self.client.post(&format!("{path}/events"), &query, &event).await
            }
            Deed::Edit(which, text) => {
                let path = format!("{path}/messages/{}", self.message(which, last_own)?);
                self.client.put(&path, &query, &json!({ "text": text })).await
            }
            Deed::Happen(event) => {
                let event = Value::Object(event.clone());
                self.client.post(&format!("{path}/events"), &query, &event).await
            }
            Deed::Mode(mode) => {
                self.client.put(&format!("{path}/mode"), &[], &json!({ "mode": mode })).await
            }
            Deed::Member { joins } => {
                let kind = if *joins { "memberJoined" } else { "memberLeft" };
                let event = json!({ "type": kind, "userIds": [own] });
                // LINE does not say who caused it.
                query.retain(|(name, _)| *name != "userId");
                self.client.post(&format!("{path}/events"), &query, &event).await
            }
        }
    }

    /// Sends the content of a file or of a `data:` URL.
    async fn send(
        &self,
        media: &Media,
        path: &str,
        mut query: Vec<(&str, &str)>,
    ) -> Result<Value, String> {
        let (bytes, content_type) = self.content(&media.source)?;
        let beside = media.source.rsplit('/').next().unwrap_or_default();
        let name = media.file_name.as_deref();
        let name = name.or((!media.source.starts_with("data:")).then_some(beside));
        let duration = media.duration.map(|duration| duration.as_millis().to_string());
        query.push(("type", &media.kind));
        query.extend(content_type.as_deref().map(|kind| ("contentType", kind)));
        query.extend(name.map(|name| ("fileName", name)));
        query.extend(duration.as_deref().map(|duration| ("durationMs", duration)));
        self.client.upload(path, &query, bytes).await
    }

    /// The bytes of a file or of a `data:` URL, and their type if it is known.
    fn content(&self, source: &str) -> Result<(Vec<u8>, Option<String>), String> {
        if let Some(data) = source.strip_prefix("data:") {
            let (kind, data) =
                data.split_once(";base64,").ok_or("only data:TYPE;base64,… is understood")?;
            let bytes = base64::engine::general_purpose::STANDARD.decode(data);
            return Ok((bytes.map_err(|error| error.to_string())?, Some(kind.to_owned())));
        }
        let folder = self.folder.as_ref().ok_or("there are no files beside this script")?;
        let bytes = std::fs::read(folder.join(source)).map_err(|e| format!("{source}: {e}"))?;
        let kind = match source.rsplit('.').next() {
            Some("png") => Some("image/png"),
            Some("gif") => Some("image/gif"),
            Some("mp3") => Some("audio/mpeg"),
            Some("wav") => Some("audio/wav"),
            Some("pdf") => Some("application/pdf"),
            // LINE's usual types fit the others.
            _ => None,
        };
        Ok((bytes, kind.map(str::to_owned)))
    }

    /// What a tap on the button with a label does: a message or a postback.
    async fn tapped(
        &self,
        chat_id: &str,
        label: &str,
        params: Option<&Value>,
    ) -> Result<Value, String> {
        let chat = self.client.get(&format!("/control/chats/{chat_id}"), &[]).await?;
        let messages = chat["messages"].as_array().cloned().unwrap_or_default();
        let newest_first = messages.iter().rev().filter(|message| message["from"] == "bot");
        let button = newest_first.filter_map(|message| button(&message["message"], label)).next();
        let button = button.ok_or_else(|| format!("the bot has shown no button {label:?}"))?;
        match button["type"].as_str() {
            Some("message") => Ok(json!({ "type": "text", "text": button["text"] })),
            Some("postback" | "datetimepicker") => {
                let mut event = json!({ "type": "postback", "data": button["data"] });
                let shown = button.get("displayText").or_else(|| button.get("text"));
                if let Some(shown) = shown {
                    event["displayText"] = shown.clone();
                }
                if let Some(params) = params {
                    event["params"] = params.clone();
                }
                Ok(event)
            }
            kind => Err(format!("a button of type {} tells the bot nothing", kind.unwrap_or("?"))),
        }
    }
}

/// Finds the action of a button anywhere in a message.
fn button<'a>(within: &'a Value, label: &str) -> Option<&'a Map<String, Value>> {
    match within {
        Value::Object(object) => {
            let is_button = object.get("type").is_some_and(Value::is_string)
                && object.get("label").is_some_and(|found| found == label);
            let deeper = || object.values().find_map(|value| button(value, label));
            if is_button { Some(object) } else { deeper() }
        }
        Value::Array(list) => list.iter().find_map(|value| button(value, label)),
        _ => None,
    }
}

/// Compares the bot's answer to a webhook with what was expected.
fn answered(wanted: &str, webhook: &Value) -> Result<(), String> {
    let status = webhook["status"].as_u64().map(|status| status.to_string());
    let reason = webhook["reason"].as_str();
    if status.as_deref() == Some(wanted) || reason == Some(wanted) {
        return Ok(());
    }
    let came = status.as_deref().or(reason).unwrap_or("no webhook, the bot is not in this chat");
    Err(format!("the webhook was answered: {came}"))
}
