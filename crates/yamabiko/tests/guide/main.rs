//! The examples of docs/testing.md, as they stand there.

mod chats;
mod deploys;
mod first;
mod line;
mod time;
