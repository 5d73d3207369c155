//! The steps, which are functions of one library on the server, and the connection that calls them.

use std::sync::Arc;

use redis::{Arg, Cmd, FromRedisValue, RedisError, RedisResult, ToRedisArgs, Value};
use uuid::Uuid;

use super::{SCHEMA, damage, decode::part, link::Link, meaning::error};
use crate::error::Result;

/// What the steps have in common, in the order in which the parts need each other.
const PARTS: [&str; 14] = [
    include_str!("common.lua"),
    include_str!("record.lua"),
    include_str!("lines.lua"),
    include_str!("groups.lua"),
    include_str!("remembered.lua"),
    include_str!("places.lua"),
    include_str!("moves.lua"),
    include_str!("cancels.lua"),
    include_str!("sweeping.lua"),
    include_str!("scrubbing.lua"),
    include_str!("ticking.lua"),
    include_str!("commits.lua"),
    include_str!("claims.lua"),
    include_str!("rows.lua"),
];
const LIBRARY: &str = include_str!("library.lua");
/// Makes names of libraries; drawn once at random.
const NAMES: Uuid = Uuid::from_u128(0x8b7d_4b5e_26d9_4c0f_9a64_2d6a_51f0_c3e8);

/// All steps.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) insert: Script,
    pub(super) turn: Script,
    pub(super) release: Script,
    pub(super) beat: Script,
    pub(super) tick: Script,
    pub(super) cancel: Script,
    pub(super) state: Script,
    pub(super) retry: Script,
    pub(super) delete: Script,
    pub(super) pause: Script,
    pub(super) resume: Script,
    pub(super) live: Script,
    pub(super) counts: Script,
    pub(super) list: Script,
    pub(super) get: Script,
    pub(super) wake: Script,
    pub(super) migrate: Script,
    pub(super) meet: Script,
    pub(super) mend: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let mut steps = Vec::new();
        let mut step = |name, text| {
            let step = Step::read(name, text);
            steps.push(step);
            step
        };
        let insert = step("insert", include_str!("insert.lua"));
        let turn = step("turn", include_str!("turn.lua"));
        let release = step("release", include_str!("release.lua"));
        let beat = step("beat", include_str!("beat.lua"));
        let tick = step("tick", include_str!("tick.lua"));
        let cancel = step("cancel", include_str!("cancel.lua"));
        let state = step("state", include_str!("state.lua"));
        let retry = step("retry", include_str!("retry.lua"));
        let delete = step("delete", include_str!("delete.lua"));
        let pause = step("pause", include_str!("pause.lua"));
        let resume = step("resume", include_str!("resume.lua"));
        let live = step("live", include_str!("live.lua"));
        let counts = step("counts", include_str!("counts.lua"));
        let list = step("list", include_str!("list.lua"));
        let get = step("get", include_str!("get.lua"));
        let wake = step("wake", include_str!("wake.lua"));
        let migrate = step("migrate", include_str!("migrate.lua"));
        let meet = step("meet", include_str!("meet.lua"));
        let mend = step("mend", include_str!("mend.lua"));
        let library = Arc::new(Library::of(&steps));
        let script = |step| Script { library: Arc::clone(&library), step };
        Self {
            insert: script(insert),
            turn: script(turn),
            release: script(release),
            beat: script(beat),
            tick: script(tick),
            cancel: script(cancel),
            state: script(state),
            retry: script(retry),
            delete: script(delete),
            pause: script(pause),
            resume: script(resume),
            live: script(live),
            counts: script(counts),
            list: script(list),
            get: script(get),
            wake: script(wake),
            migrate: script(migrate),
            meet: script(meet),
            mend: script(mend),
        }
    }
}

/// What stands before every step; it begins with the version of the keys that the steps know.
fn parts() -> String {
    format!("local VERSION = '{SCHEMA}'\n{}", PARTS.join("\n"))
}

/// The text of a step.
#[derive(Clone, Copy, Debug)]
struct Step {
    name: &'static str,
    /// The first line, which has the flags as a script has them.
    head: &'static str,
    body: &'static str,
}

impl Step {
    fn read(name: &'static str, text: &'static str) -> Self {
        let (head, body) = text.split_once('\n').unwrap_or((text, ""));
        Self { name, head, body }
    }

    /// The definition of a function of a library.
    fn function(&self) -> String {
        let flag = self.head.strip_prefix("#!lua flags=").unwrap_or_default();
        format!("step('{}', '{flag}', function()\n{}\nend)", self.name, self.body)
    }

    /// The same as a script of its own.
    fn script(&self) -> String {
        let (writes, migrates) = (!self.head.contains("no-writes"), self.name == "migrate");
        format!(
            "{}\n{}\nlocal refused = begin(KEYS, ARGV, {writes}, {migrates}) if refused then return refused end\nreturn work(function()\n{}\nend)",
            self.head,
            parts(),
            self.body
        )
    }
}

/// The functions of all steps: the server reads them once, and not at each call as it does with scripts.
#[derive(Debug)]
struct Library {
    /// Names are the whole server's, so other versions of a bot on it have others.
    name: String,
    text: String,
}

impl Library {
    fn of(steps: &[Step]) -> Self {
        let functions = steps.iter().map(Step::function).collect::<Vec<_>>().join("\n");
        let body = [&parts(), LIBRARY, &functions].join("\n");
        let name = format!("yamabiko_{}", Uuid::new_v5(&NAMES, body.as_bytes()).simple());
        let text = format!("#!lua name={name}\nlocal LIBRARY = '{name}'\n{body}");
        Self { name, text }
    }

    async fn load(&self, connection: &mut Link) -> RedisResult<()> {
        let mut load = redis::cmd("FUNCTION");
        // Another process may have been faster; what it has loaded is the same.
        load.arg("LOAD").arg("REPLACE").arg(&self.text);
        load.exec_async(connection).await
    }
}

/// A step that can be called.
#[derive(Clone, Debug)]
pub(super) struct Script {
    library: Arc<Library>,
    step: Step,
}

impl Script {
    /// Begins a call on the keys with this prefix.
    pub(super) fn key(&self, prefix: &str) -> Call<'_> {
        let mut command = redis::cmd("FCALL");
        command.arg(format!("{}_{}", self.library.name, self.step.name)).arg(1).arg(prefix);
        Call { script: self, command }
    }
}

/// A call of a step, with its arguments.
#[derive(Debug)]
pub(super) struct Call<'a> {
    script: &'a Script,
    command: Cmd,
}

impl Call<'_> {
    /// Adds an argument.
    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.command.arg(argument);
        self
    }

    async fn send(&self, connection: &mut Link) -> RedisResult<Value> {
        let answer = self.command.query_async(connection).await;
        if !answer.as_ref().is_err_and(is_unknown) {
            return answer;
        }
        match self.script.library.load(connection).await {
            Ok(()) => self.command.query_async(connection).await,
            Err(refused) if takes_scripts_only(&refused) => {
                self.as_script().query_async(connection).await
            }
            Err(error) => Err(error),
        }
    }

    fn as_script(&self) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(self.script.step.script());
        for argument in self.command.args_iter().skip(2) {
            if let Arg::Simple(bytes) = argument {
                command.arg(bytes);
            }
        }
        command
    }
}

/// Says whether the server does not have the library: it is new, was emptied, or another took over.
fn is_unknown(error: &RedisError) -> bool {
    error.detail().is_some_and(|text| text.contains("Function not found"))
}

/// Says whether a server refuses libraries but not scripts: it is full, or a replica.
fn takes_scripts_only(error: &RedisError) -> bool {
    matches!(error.code(), Some("OOM" | "READONLY"))
}

/// Calls a step; its answer is lost if the connection breaks, whether it has run or not.
pub(super) async fn call<T: FromRedisValue>(connection: &Link, call: &Call<'_>) -> Result<T> {
    let answer = call.send(&mut connection.clone()).await.map_err(error)?;
    part(damage::reported(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands whose time grows with what is stored, however little is asked.
    const UNBOUNDED: [&str; 9] =
        ["LREM", "LPOS", "LINSERT", "HGETALL", "HKEYS", "HVALS", "SMEMBERS", "KEYS", "SORT"];

    #[test]
    fn no_step_walks_through_all_that_a_key_has() {
        let scripts = Scripts::new();
        for command in UNBOUNDED {
            assert!(!scripts.wake.library.text.contains(&format!("'{command}'")), "{command}");
        }
    }
}
