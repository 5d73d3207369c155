//! The client against a server on this machine.
#![cfg(test)]

mod account;
mod failures;
mod send;
mod server;
mod token;
