//! Panics on purpose in whatever Yamabiko calls of a bot's own code.

use std::thread;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};

/// How the message of each such panic begins; the place follows.
pub const ON_PURPOSE: &str = "on purpose: ";

/// A place in a bot's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A handler of an event.
    Handler,
    /// `Job::run`.
    Run,
    /// The work of `cx.blocking`.
    Blocking,
    /// What a job or a state is read by.
    Deserialize,
    /// What a job or a state is written by.
    Serialize,
    /// What copies a state.
    Clone,
    /// What makes a chat's first state.
    Default,
    /// What drops a job or a state.
    Drop,
    /// What makes a message.
    Message,
    /// What makes an error's text.
    Display,
    /// `App::on_dead`.
    OnDead,
    /// A function of the admin side.
    Endpoint,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Handler,
        Self::Run,
        Self::Blocking,
        Self::Deserialize,
        Self::Serialize,
        Self::Clone,
        Self::Default,
        Self::Drop,
        Self::Message,
        Self::Display,
        Self::OnDead,
        Self::Endpoint,
    ];

    /// Returns what the ledger calls a panic there.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handler => "panic in a handler",
            Self::Run => "panic in Job::run",
            Self::Blocking => "panic in blocking work",
            Self::Deserialize => "panic in Deserialize of a job or a state",
            Self::Serialize => "panic in Serialize of a job or a state",
            Self::Clone => "panic in Clone of a state",
            Self::Default => "panic in Default of a state",
            Self::Drop => "panic in Drop of a job or a state",
            Self::Message => "panic in Into<Message>",
            Self::Display => "panic in Display of an error",
            Self::OnDead => "panic in App::on_dead",
            Self::Endpoint => "panic in an endpoint",
        }
    }

    /// Returns how many times it is called for each time that it panics.
    const fn calls(self) -> u32 {
        match self {
            Self::OnDead => 1,
            Self::Endpoint | Self::Blocking | Self::Display | Self::Default => 20,
            Self::Handler | Self::Run | Self::Message => 300,
            Self::Deserialize | Self::Serialize => 600,
            Self::Clone | Self::Drop => 1_500,
        }
    }

    /// Panics now and then.
    ///
    /// # Panics
    /// At random, but never during another panic: that would end the process, as Rust has it.
    pub fn reached(self) {
        let is_hit = fastrand::u32(..self.calls()) == 0;
        assert!(!is_hit || thread::panicking(), "{ON_PURPOSE}{}", self.name());
    }
}

/// A part of a job or a state that panics now and then, whatever is done with it.
#[derive(Debug)]
pub struct Fragile;

impl Default for Fragile {
    fn default() -> Self {
        Place::Default.reached();
        Self
    }
}

impl Clone for Fragile {
    fn clone(&self) -> Self {
        Place::Clone.reached();
        Self
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        Place::Drop.reached();
    }
}

impl Serialize for Fragile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Place::Serialize.reached();
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Place::Deserialize.reached();
        Ok(Self)
    }
}
