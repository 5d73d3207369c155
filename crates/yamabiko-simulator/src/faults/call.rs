//! What faults need to know of a call of the bot.

use serde_json::Value;

use super::fault::Property;

/// Describes a call of the bot.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// The telling part of its path.
    pub(crate) endpoint: String,
    /// The chat that it speaks to or asks about, if any.
    pub(crate) chat: Option<String>,
    /// The properties of its messages that can be refused by themselves, with their places in the request.
    pub(crate) properties: Vec<(Property, String)>,
}

impl Call {
    /// Reads a request; `chat_of` finds the chat of a reply token.
    pub(crate) fn read(
        endpoint: &str,
        path: &str,
        body: &[u8],
        chat_of: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let chat = text("to")
            .or_else(|| text("chatId"))
            .or_else(|| chat_of(body["replyToken"].as_str()?))
            .or_else(|| asked_about(path));
        let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let properties = messages.iter().enumerate().flat_map(|(at, message)| {
            let there = Property::ALL.into_iter().filter(|one| !message[one.name()].is_null());
            there.map(move |one| (one, format!("messages[{at}].{}", one.name())))
        });
        Self { endpoint: endpoint.to_owned(), chat, properties: properties.collect() }
    }

    /// Tells where the call has a property.
    pub(crate) fn places(&self, property: Property) -> impl Iterator<Item = &str> {
        let of_it = self.properties.iter().filter(move |(one, _)| *one == property);
        of_it.map(|(_, place)| place.as_str())
    }
}

/// The user, group or room in an address.
fn asked_about(path: &str) -> Option<String> {
    let mut parts = path.strip_prefix("/v2/bot/")?.split('/');
    let is_of_a_chat = matches!(parts.next(), Some("profile" | "group" | "room"));
    parts.next().filter(|_| is_of_a_chat).map(str::to_owned)
}
