//! The scripts, one for each atomic step, and the connection that calls them.

use redis::{ErrorKind, FromRedisValue, RedisError, Script, ScriptInvocation, ServerErrorKind};

use super::link::Link;
use crate::error::{Error, Result};

const COMMON: &str = include_str!("common.lua");
const MOVES: &str = include_str!("moves.lua");
const TICKING: &str = include_str!("ticking.lua");
const ROWS: &str = include_str!("rows.lua");

/// All scripts, with what stands in front of each.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) insert: Script,
    pub(super) turn: Script,
    pub(super) beat: Script,
    pub(super) tick: Script,
    pub(super) cancel: Script,
    pub(super) retry: Script,
    pub(super) delete: Script,
    pub(super) pause: Script,
    pub(super) resume: Script,
    pub(super) live: Script,
    pub(super) counts: Script,
    pub(super) list: Script,
    pub(super) get: Script,
    pub(super) wake: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            insert: script(&[], include_str!("insert.lua")),
            turn: script(&[TICKING], include_str!("turn.lua")),
            beat: script(&[], include_str!("beat.lua")),
            tick: script(&[TICKING], include_str!("tick.lua")),
            cancel: script(&[], include_str!("cancel.lua")),
            retry: script(&[], include_str!("retry.lua")),
            delete: script(&[], include_str!("delete.lua")),
            pause: script(&[], include_str!("pause.lua")),
            resume: script(&[], include_str!("resume.lua")),
            live: script(&[ROWS], include_str!("live.lua")),
            counts: script(&[], include_str!("counts.lua")),
            list: script(&[ROWS], include_str!("list.lua")),
            get: script(&[ROWS], include_str!("get.lua")),
            wake: script(&[], include_str!("wake.lua")),
        }
    }
}

/// Puts the common parts between a script's first line, which has its flags, and the rest.
fn script(parts: &[&str], own: &str) -> Script {
    let (flags, rest) = own.split_once('\n').unwrap_or((own, ""));
    let all: Vec<_> = [flags, COMMON, MOVES].iter().chain(parts).copied().chain([rest]).collect();
    Script::new(&all.join("\n"))
}

/// Calls a script; its answer is lost if the connection breaks, whether it has run or not.
pub(super) async fn call<T: FromRedisValue>(
    connection: &Link,
    call: &ScriptInvocation<'_>,
) -> Result<T> {
    call.invoke_async(&mut connection.clone()).await.map_err(error)
}

/// What an error of the server means for the caller.
pub(super) fn error(error: RedisError) -> Error {
    match error.code() {
        Some("OOM" | "MISCONF") => Error::Full(error.into()),
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => Error::Denied(error.into()),
        _ if error.kind() == ErrorKind::AuthenticationFailed => Error::Denied(error.into()),
        _ if matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ResponseError)) => {
            Error::Corrupt(error.into())
        }
        _ if matches!(error.kind(), ErrorKind::UnexpectedReturnType | ErrorKind::Parse) => {
            Error::Corrupt(error.into())
        }
        _ => Error::Unavailable(error.into()),
    }
}
