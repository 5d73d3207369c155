//! Who plays: the names of a script and the ids behind them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::client::Client;
use crate::config::Language;

/// Knows the users, groups and rooms of a simulator by name.
#[derive(Debug)]
pub(crate) struct Cast {
    client: Client,
    /// Those that the script has named so far.
    users: HashMap<String, String>,
    groups: HashMap<String, String>,
    /// All that were there at the beginning, as the control API shows them.
    there: Vec<Value>,
}

impl Cast {
    /// Asks who is there.
    pub(crate) async fn assemble(client: &Client) -> Result<Self, String> {
        let mut there = Vec::new();
        for (path, list) in [("/control/users", "users"), ("/control/groups", "groups")] {
            let answer = client.get(path, &[]).await?;
            there.extend(answer[list].as_array().cloned().unwrap_or_default());
        }
        let (users, groups) = (HashMap::new(), HashMap::new());
        Ok(Self { client: client.clone(), users, groups, there })
    }

    /// How many messages a chat had at the beginning.
    pub(crate) fn messages_before(&self, chat_id: &str) -> u64 {
        let chat = self.there.iter().find(|about| id(about) == Some(chat_id));
        chat.and_then(|about| about["messages"].as_u64()).unwrap_or(0)
    }

    /// All chats that the script has named so far.
    pub(crate) fn chats(&self) -> Vec<String> {
        self.users.values().chain(self.groups.values()).cloned().collect()
    }

    /// The name of a user or a group.
    pub(crate) fn name_of(&self, wanted: &str) -> String {
        let named = self.users.iter().chain(&self.groups).find(|(_, id)| *id == wanted);
        let there = || self.there.iter().find(|about| id(about) == Some(wanted)).and_then(title);
        match named {
            Some((name, _)) => name.clone(),
            None => there().unwrap_or(wanted).to_owned(),
        }
    }

    /// Finds a user, or makes one.
    pub(crate) async fn user(
        &mut self,
        name: &str,
        language: Option<Language>,
    ) -> Result<String, String> {
        if let (Some(id), None) = (self.users.get(name), language) {
            return Ok(id.clone());
        }
        let is_meant = |about: &&Value| {
            about["displayName"] == name
                && language.is_none_or(|language| about["language"] == language.code())
        };
        let found = self.there.iter().find(is_meant).and_then(id).map(str::to_owned);
        let user_id = match found {
            Some(id) => id,
            None => {
                let language = language.unwrap_or_default();
                let user = json!({ "displayName": name, "language": language });
                made(&self.client.post("/control/users", &[], &user).await?)?
            }
        };
        self.users.insert(name.into(), user_id.clone());
        Ok(user_id)
    }

    /// Finds a group or a room, or makes one, in which the bot is already.
    pub(crate) async fn group(
        &mut self,
        name: &str,
        members: &[String],
        room: bool,
    ) -> Result<(), String> {
        let mut ids = Vec::new();
        for member in members {
            ids.push(self.user(member, None).await?);
        }
        let named = if room { "roomName" } else { "groupName" };
        let is_meant = |about: &&Value| {
            let has = |id: &String| {
                about["members"].as_array().is_some_and(|all| all.iter().any(|one| one == id))
            };
            about[named] == name && ids.iter().all(has)
        };
        let found = self.there.iter().find(is_meant).and_then(id).map(str::to_owned);
        let group_id = match found {
            Some(id) => id,
            None => {
                let group =
                    json!({ "groupName": name, "members": ids, "room": room, "quiet": true });
                made(&self.client.post("/control/groups", &[], &group).await?)?
            }
        };
        self.groups.insert(name.into(), group_id);
        Ok(())
    }

    /// Finds the chat of a group, a room or a user by its name.
    pub(crate) fn chat(&mut self, name: &str) -> Result<String, String> {
        if let Some(id) = self.groups.get(name).or_else(|| self.users.get(name)) {
            return Ok(id.clone());
        }
        let about = self.there.iter().find(|about| title(about) == Some(name));
        let about = about.ok_or_else(|| format!("nobody here is called {name:?}"))?;
        let chat_id = id(about).unwrap_or_default().to_owned();
        let chats = if chat_id.starts_with('U') { &mut self.users } else { &mut self.groups };
        chats.insert(name.into(), chat_id.clone());
        Ok(chat_id)
    }
}

fn field<'a>(about: &'a Value, names: [&str; 3]) -> Option<&'a str> {
    names.iter().find_map(|name| about[name].as_str())
}

fn id(about: &Value) -> Option<&str> {
    field(about, ["userId", "groupId", "roomId"])
}

fn title(about: &Value) -> Option<&str> {
    field(about, ["displayName", "groupName", "roomName"])
}

fn made(about: &Value) -> Result<String, String> {
    id(about).map(str::to_owned).ok_or_else(|| "the simulator gave no id".to_owned())
}
