//! Drives the simulator over HTTP with a small bot, as scripts and bots do.

mod account;
mod any_script;
mod built;
mod content;
mod control;
mod faults;
mod groups;
mod hostile;
mod ledger;
mod limits;
mod many;
mod messages;
mod openapi;
mod page;
mod scripts;
mod time;
mod transcripts;
mod webhook_faults;
mod webhooks;
mod world;
