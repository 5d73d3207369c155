//! Drives the simulator over HTTP with a small bot, as scripts and bots do.

mod account;
mod control;
mod faults;
mod ledger;
mod limits;
mod messages;
mod page;
mod time;
mod webhook_faults;
mod webhooks;
mod world;
