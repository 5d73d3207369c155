//! LINE's platform on this machine: chats, signed webhooks, LINE's API, a page and a control API.
//!
//! [`Simulator::start`] serves everything on one listener; `docs/simulator.md` describes the
//! control API for scripts and tests in any language.

mod acts;
mod api;
mod chats;
mod clock;
mod config;
mod control;
mod deliveries;
mod error;
mod faults;
mod id;
mod limits;
mod listener;
mod log;
mod media;
mod page;
mod platform;
mod quota;
mod script;
mod server;
mod tokens;
mod transcript;
mod validate;
mod webhook;

pub use clock::Clock;
pub use config::{
    Language, MarkAsRead, NewGroup, NewUser, Settings, SimulatorConfig, UsedRetryKey, WebhookUse,
};
pub use error::Error;
pub use script::{Failure, Malformed, Outcome, Script, Stage};
pub use server::Simulator;
