//! Drives the simulator over HTTP with a small bot, as scripts and bots do.

mod account;
mod content;
mod control;
mod groups;
mod many;
mod messages;
mod openapi;
mod page;
mod scripts;
mod transcripts;
mod webhooks;
mod world;
