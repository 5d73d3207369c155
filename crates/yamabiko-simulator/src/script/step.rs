//! What a script consists of.

use std::time::Duration;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::pattern::Pattern;
use crate::config::Language;

/// Is one step with its place in the script.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    /// The step as it stands in the script, without what is indented below it.
    pub(crate) source: String,
    pub(crate) action: Action,
}

/// Is what a step does.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Users(Vec<(String, Option<Language>)>),
    Groups {
        room: bool,
        groups: Vec<(String, Vec<String>)>,
    },
    Act(Act),
    Expect(Expect),
    /// Expects all of them, in whichever order they come.
    AnyOrder(Vec<Step>),
    ShowsLoading {
        chat: String,
        within: Option<Duration>,
    },
    Nothing {
        chat: Option<String>,
        within: Duration,
    },
    Repeat {
        times: usize,
        steps: Vec<Step>,
    },
    /// Lets real time pass.
    Wait(Duration),
    /// Tells a part of the control API something.
    Tell {
        path: &'static str,
        body: Map<String, Value>,
    },
    FaultsOff,
    Reset,
}

/// Is what a user does, or what happens to the bot.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    /// `None` if the bot comes or goes.
    pub(crate) who: Option<String>,
    /// The group or room; `None` is the user's own chat.
    pub(crate) chat: Option<String>,
    pub(crate) deed: Deed,
    /// What the message is called later in the script.
    pub(crate) label: Option<String>,
    /// How the bot answers the webhook: a status, or LINE's word for what went wrong.
    pub(crate) answered: Option<String>,
}

/// Is what somebody does.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Say {
        message: Map<String, Value>,
        quotes: Option<Which>,
    },
    Send {
        media: Media,
        quotes: Option<Which>,
    },
    Tap {
        label: String,
        params: Option<Value>,
    },
    Unsend(Which),
    Edit(Which, String),
    Happen(Map<String, Value>),
    /// Another channel takes the chat over, or gives it back: `standby` or `active`.
    Mode(&'static str),
    /// Comes into the group or leaves it.
    Member {
        joins: bool,
    },
}

/// Is a picture, a video, an audio or a file that is sent.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub(crate) kind: String,
    /// A file beside the script, or a `data:` URL.
    pub(crate) source: String,
    pub(crate) file_name: Option<String>,
    pub(crate) duration: Option<Duration>,
}

/// Names an earlier message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Last,
    Label(String),
}

/// Is a message that the bot has to send next in a chat.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    pub(crate) chat: String,
    pub(crate) what: What,
    pub(crate) via: Option<String>,
    /// `Some(None)` is a message that quotes nothing.
    pub(crate) quotes: Option<Option<Which>>,
    /// The labels of its quick replies.
    pub(crate) offers: Option<Vec<String>>,
    pub(crate) has: Vec<Has>,
    pub(crate) label: Option<String>,
    pub(crate) within: Option<Duration>,
}

/// Is the kind of message that is expected.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Text(Pattern),
    Type(String),
}

/// Is a field that LINE's message object has to have.
#[derive(Clone, Debug)]
pub(crate) struct Has {
    pub(crate) path: JsonPath,
    pub(crate) value: String,
}

impl Has {
    /// Tells whether one of the fields that the path leads to has the value.
    pub(crate) fn fits(&self, message: &Value) -> bool {
        let json: Option<Value> = serde_json::from_str(&self.value).ok();
        let pattern = Pattern::new(&self.value);
        let is_meant = |found: &Value| {
            Some(found) == json.as_ref() || found.as_str().is_some_and(|text| pattern.fits(text))
        };
        self.path.query(message).iter().any(|found| is_meant(found))
    }
}
