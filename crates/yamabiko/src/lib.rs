//! A runtime for LINE bots that answer later.
//!
//! A bot author writes handlers for events and jobs for what takes longer.
//! Whatever they ask for through their [`Context`] happens together, in one atomic step, or not at all.
//!
//! ```
//! use std::time::Duration;
//! use serde::{Deserialize, Serialize};
//! use yamabiko::{App, Context, Job, Result, TextMessage};
//!
//! fn app() -> App {
//!     App::new("echo-later").on_text(on_text).job::<Echo>()
//! }
//!
//! async fn on_text(cx: Context, message: TextMessage) -> Result {
//!     cx.after(Duration::from_secs(3), Echo { text: message.text });
//!     Ok(())
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Echo {
//!     text: String,
//! }
//!
//! impl Job for Echo {
//!     const KIND: &'static str = "echo";
//!
//!     async fn run(self, cx: Context) -> Result {
//!         cx.push(self.text);
//!         Ok(())
//!     }
//! }
//! # let _ = app();
//! ```

mod admin;
mod app;
mod blocking;
mod caught;
mod cli;
mod config;
mod context;
mod dead;
mod delivery;
mod doctor;
mod ending;
mod endpoint;
mod handlers;
mod health;
mod job;
mod log;
mod media;
mod platform;
mod queues;
mod registry;
mod roles;
mod server;
mod shutdown;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
mod webhook;

pub use app::App;
pub use config::{AdminSettings, LateReplies, MediaSettings, Setting, Settings, UncertainReply};
pub use context::{Content, Context, Reply, Started, Timer};
pub use dead::Dead;
pub use ending::{Cancel, Permanent, Snooze};
pub use job::{Job, Lane};
pub use state::ChatState;
pub use yamabiko_line::{
    event::*,
    id::{ChatId, ChatKind, MessageId, UserId},
    message::{Message, QuickReplyItem},
};
pub use yamabiko_queue::{JobId, Timestamp};

/// What handlers and jobs return.
pub type Result<T = (), E = anyhow::Error> = std::result::Result<T, E>;
