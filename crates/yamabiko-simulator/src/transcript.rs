//! A chat written down as a script: what users did as steps, what the bot said as expectations.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;

use crate::chats::{Chat, Kind, Message};
use crate::log::Direction;
use crate::platform::Memory;
use crate::script::write;

/// Content that is larger stands beside the script.
const MOST_INLINE: usize = 64 * 1024;
/// What came sooner needs no word about its time.
const SOON: Duration = Duration::from_secs(5);
/// So much longer than it took in the chat may it take when it is played.
const GRACE: Duration = Duration::from_secs(10);

/// Is something that happened in the chat.
struct Moment<'a> {
    at: i64,
    /// Its place in the log, which decides between things of the same time.
    logged: u64,
    what: What<'a>,
}

enum What<'a> {
    /// The bot said something.
    Said(&'a Message),
    /// An event, as the bot was told of it.
    Event(Value),
}

/// Writes a chat down; `None` if there is none.
pub(crate) fn of(memory: &Memory, chat_id: &str) -> Option<String> {
    let chat = memory.chats.get(chat_id)?;
    let moments = moments(memory, chat);
    let named = named(&moments);
    let mut writer =
        Writer { memory, chat, named, before: None, last: Last::default(), standby: false };
    let mut script = writer.cast();
    for moment in &moments {
        script.push('\n');
        script.push_str(&writer.step(moment));
    }
    script.push('\n');
    Some(script)
}

/// All that happened in a chat, in order.
fn moments<'a>(memory: &Memory, chat: &'a Chat) -> Vec<Moment<'a>> {
    let mut moments = Vec::new();
    let mut events = HashSet::new();
    let mut calls = HashMap::new();
    for entry in memory.log.iter() {
        if entry.direction == Direction::Api {
            calls.extend(entry.request_id.as_deref().map(|id| (id, entry.n)));
            continue;
        }
        let Some(event_id) = entry.webhook_event_id.as_deref() else { continue };
        let body: Value = serde_json::from_str(&entry.request).unwrap_or_default();
        let event = &body["events"][0];
        let source = &event["source"];
        let place = ["groupId", "roomId", "userId"].iter().find_map(|name| source[name].as_str());
        if place == Some(chat.id.as_str()) && events.insert(event_id) {
            let at = event["timestamp"].as_i64().unwrap_or(entry.at);
            moments.push(Moment { at, logged: entry.n, what: What::Event(event.clone()) });
        }
    }
    let mut logged = 0;
    for message in &chat.messages {
        let event_id = message.webhook_event_id.as_deref();
        if message.is_from_bot() {
            let call = message.request_id.as_deref().and_then(|id| calls.get(id));
            logged = call.copied().unwrap_or(logged);
            moments.push(Moment { at: message.at, logged, what: What::Said(message) });
        } else if event_id.is_none() {
            show(message, &mut moments);
        } else if !event_id.is_some_and(|id| events.contains(id)) {
            // The bot did not hear it, or the log has forgotten.
            let mut event =
                serde_json::json!({ "type": "message", "message": message.event_json() });
            event["source"] = chat.source(message.sender.as_deref());
            moments.push(Moment { at: message.at, logged, what: What::Event(event) });
        }
    }
    moments.sort_by_key(|moment| (moment.at, moment.logged));
    moments
}

/// Gives a button's text, which stands in the chat just before its postback happens, to the postback.
fn show(shown: &Message, moments: &mut [Moment<'_>]) {
    let later = moments.iter_mut().filter(|moment| moment.at >= shown.at);
    let mut postbacks = later.filter_map(|moment| match &mut moment.what {
        What::Event(event) if event["type"] == "postback" => Some(&mut event["postback"]),
        _ => None,
    });
    let postback = postbacks.find(|postback| postback.get("displayText").is_none());
    if let Some(postback) = postback {
        postback["displayText"] = shown.text().unwrap_or_default().into();
    }
}

/// Keeps which messages count as the last ones, as the player does.
#[derive(Debug, Default)]
struct Last {
    of_bot: Option<String>,
    of_users: Option<String>,
    own: HashMap<String, String>,
}

impl Last {
    fn note(&mut self, moment: &Moment<'_>) {
        match &moment.what {
            What::Said(message) => self.of_bot = Some(message.id.clone()),
            What::Event(event) if event["type"] == "message" => {
                let id = text(&event["message"], "id").to_owned();
                self.of_users = Some(id.clone());
                self.own.insert(text(&event["source"], "userId").to_owned(), id);
            }
            What::Event(_) => {}
        }
    }

    /// The message that a step refers to, and the one that would count as the last for it.
    fn referred<'a>(&'a self, moment: &'a Moment<'_>) -> Option<(&'a str, Option<&'a String>)> {
        let event = match &moment.what {
            What::Said(message) => {
                return Some((message.quoted_message_id.as_deref()?, self.of_users.as_ref()));
            }
            What::Event(event) => event,
        };
        let own = || self.own.get(text(&event["source"], "userId"));
        match text(event, "type") {
            "message" => {
                Some((event["message"]["quotedMessageId"].as_str()?, self.of_bot.as_ref()))
            }
            "unsend" => Some((event["unsend"]["messageId"].as_str()?, own())),
            "messageEdited" => Some((event["message"]["id"].as_str()?, own())),
            _ => None,
        }
    }
}

/// The messages that later steps refer to and that are not the last ones then, with their labels.
fn named(moments: &[Moment<'_>]) -> HashMap<String, String> {
    let mut last = Last::default();
    let mut named = HashMap::new();
    for moment in moments {
        if let Some((id, newest)) = last.referred(moment)
            && newest.is_none_or(|newest| newest != id)
        {
            let label = format!("m{}", named.len() + 1);
            named.entry(id.to_owned()).or_insert(label);
        }
        last.note(moment);
    }
    named
}

struct Writer<'a> {
    memory: &'a Memory,
    chat: &'a Chat,
    named: HashMap<String, String>,
    before: Option<i64>,
    last: Last,
    /// Whether the channel was in standby for the last event.
    standby: bool,
}

impl Writer<'_> {
    /// Who takes part.
    fn cast(&self) -> String {
        let mut cast = "users".to_owned();
        for member in self.chat.members.iter().filter_map(|id| self.memory.chats.user(id)) {
            cast += &format!("\n  {} {}", write::write_name(&member.name), member.language.code());
        }
        let kind = match self.chat.kind {
            Kind::User => return cast + "\n",
            Kind::Group => "groups",
            Kind::Room => "rooms",
        };
        let members = self.chat.members.iter().map(|id| write::write_name(&self.name(id)));
        let members: Vec<_> = members.collect();
        let name = write::write_name(&self.chat.name);
        cast + &format!("\n{kind}\n  {name}: {}\n", members.join(", "))
    }

    fn name(&self, user_id: &str) -> String {
        let user = self.memory.chats.user(user_id);
        user.map_or_else(|| user_id.to_owned(), |user| user.name.clone())
    }

    fn step(&mut self, moment: &Moment<'_>) -> String {
        let which = self.last.referred(moment).map(|(id, newest)| match self.named.get(id) {
            Some(label) if newest.is_none_or(|newest| newest != id) => label.clone(),
            _ => "last".to_owned(),
        });
        let which = which.as_deref();
        let before = self.before.replace(moment.at).unwrap_or(moment.at);
        let took = Duration::from_millis((moment.at - before).try_into().unwrap_or(0));
        let mut step = String::new();
        let id = match &moment.what {
            What::Said(message) => {
                if took > SOON {
                    step += &format!("within {} s\n", (took + GRACE).as_secs());
                }
                step += &write::bot_says(&self.chat.name, &message.to_json());
                step += &which.map(|which| format!("\n  quotes {which}")).unwrap_or_default();
                message.id.as_str()
            }
            What::Event(event) => {
                step += &self.mode(event);
                step += &self.event(event, which);
                event["message"]["id"].as_str().unwrap_or_default()
            }
        };
        let is_edit =
            matches!(&moment.what, What::Event(event) if event["type"] == "messageEdited");
        if let Some(label) = self.named.get(id).filter(|_| !is_edit) {
            step += &format!("\n  as {label}");
        }
        self.last.note(moment);
        step
    }

    /// The step that makes the mode that of the event, if it was another before.
    fn mode(&mut self, event: &Value) -> String {
        let standby = event["mode"] == "standby";
        if std::mem::replace(&mut self.standby, standby) == standby {
            return String::new();
        }
        let how = if standby { "stands by" } else { "is active" };
        format!("Bot {how} in {}\n", write::write_name(&self.chat.name))
    }

    fn event(&self, event: &Value, which: Option<&str>) -> String {
        let user_id = text(&event["source"], "userId");
        let group = (self.chat.kind != Kind::User).then_some(self.chat.name.as_str());
        let chat = write::write_name(&self.chat.name);
        let who = write::actor(&self.name(user_id), group);
        let which = which.unwrap_or("last");
        let message = &event["message"];
        match text(event, "type") {
            "message" => {
                let mut step = write::user_says(&who, message, &self.content(message));
                if message["quotedMessageId"].is_string() {
                    step += &format!("\n  quotes {which}");
                }
                step
            }
            "messageEdited" => write::edits(&who, which, text(message, "text")),
            "unsend" => format!("{who} unsends {which}"),
            "postback" => write::posts_back(&who, &event["postback"]),
            kind @ ("follow" | "unfollow") => format!("{who} {kind}s"),
            "join" => format!("Bot joins {chat}"),
            "leave" => format!("Bot leaves {chat}"),
            "memberJoined" => self.members(&event["joined"], "joins", &chat),
            "memberLeft" => self.members(&event["left"], "leaves", &chat),
            _ => write::causes(&who, event),
        }
    }

    fn members(&self, list: &Value, verb: &str, chat: &str) -> String {
        let ids =
            list["members"].as_array().into_iter().flatten().filter_map(|m| m["userId"].as_str());
        let steps = ids.map(|id| format!("{} {verb} {chat}", write::write_name(&self.name(id))));
        steps.collect::<Vec<_>>().join("\n")
    }

    /// The content of a message as a `data:` URL, or as a file that has to be saved.
    fn content(&self, message: &Value) -> String {
        let id = text(message, "id");
        match self.memory.media.get(id) {
            Some(media) if media.bytes.len() <= MOST_INLINE => {
                let data = base64::engine::general_purpose::STANDARD.encode(&media.bytes);
                format!("data:{};base64,{data}", media.content_type)
            }
            _ => format!("{id}.{}", text(message, "type")),
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
