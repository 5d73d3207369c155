//! LINE's Messaging API as data and as a client.
//!
//! Facts are taken from LINE's public Messaging API reference, state of mid 2026.
//! This crate knows no queue and no server.

pub mod client;
pub mod error;
pub mod event;
pub mod id;
mod json;
pub mod message;
pub mod secret;
pub mod signature;

pub use client::Client;
pub use error::Error;
