//! What the breaker and its bot say to each other.
//!
//! The breaker (`yamabiko-chaos`) starts several processes of a bot (`chaos-bot`), breaks everything around them,
//! and then matches each message of the bot to the request that asked for it.
//! So every request has a number, and every message names it.

mod panics;
mod words;

pub use panics::{Fragile, ON_PURPOSE, Place};
pub use words::{Ask, Said, What, filling};
