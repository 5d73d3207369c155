//! Looks at the server: its version, its role, what it keeps on disk, its memory and its clock.

use std::{collections::HashMap, sync::Arc, time::Duration};

use redis::{AsyncCommands as _, RedisResult, aio::ConnectionLike};

use super::{
    RedisStore, SCHEMA, fsync, install_crypto, meaning::error, scripts::Scripts, server::Server,
};
use crate::{
    clock::{Timestamp, wall_clock},
    error::{Error, Result},
    finding::{Finding, size, span},
    store::{
        Depth, Inspection, Store as _, StoreOptions,
        upkeep::{CLOCK, STORE, damaged_records, unusable},
    },
};

/// The oldest major version with all that the scripts need.
const OLDEST: u32 = 7;
/// Clocks differ by this much where nobody cares.
const APART: Duration = Duration::from_secs(2);
/// Clocks that differ by more are wrong.
const FAR_APART: Duration = Duration::from_secs(60);
/// What is looked at to learn what the server may lose.
const DURABILITY: &str = "durability";
/// What is looked at to learn whether the server has room.
const MEMORY: &str = "memory";

/// Looks at the server at `url`.
pub(in crate::store) async fn inspect(
    url: &str,
    options: &StoreOptions,
    depth: Depth,
) -> Inspection {
    look(url, options, depth).await.unwrap_or_else(|error| unusable(&error))
}

async fn look(url: &str, options: &StoreOptions, depth: Depth) -> Result<Inspection> {
    install_crypto();
    let server = Server::read(url, options.insecure_tls)?;
    // One that writes nothing, not even its schema's version.
    let store = RedisStore::connect(server, Arc::new(Scripts::new()), options.clone()).await?;
    let mut connection = store.connection.clone();
    let schema: Option<u32> =
        connection.get(format!("yamabiko:{{{}}}:schema", options.name)).await.map_err(error)?;
    if let Some(found) = schema.filter(|&found| found > SCHEMA) {
        return Err(Error::NewerSchema { found, known: SCHEMA });
    }
    let (seconds, micros): (i64, i64) =
        redis::cmd("TIME").query_async(&mut connection).await.map_err(error)?;
    let now = Timestamp::from_micros(seconds * 1_000_000 + micros);
    // The same is asked with CONFIG, but a hosted server often refuses that.
    let info: RedisResult<String> = redis::cmd("INFO").query_async(&mut connection).await;
    let mut findings = match info {
        Ok(info) => about(&Info::read(&info), schema),
        Err(refused) => vec![Finding::warning(
            STORE,
            format!("the Redis server answers, but tells nothing of itself ({refused})"),
            "allow the bot's user the commands INFO and CONFIG GET",
        )],
    };
    findings.push(fsync_policy(&mut connection, options).await);
    findings.extend(set_aside(&mut connection, &options.name).await.map_err(error)?);
    findings.push(clock(now, wall_clock()));
    let mut inspection = Inspection { findings, now: Some(now), counts: None };
    // The counts of an older version stand elsewhere.
    if depth == Depth::Thorough && schema.is_none_or(|schema| schema == SCHEMA) {
        inspection.count(store.counts().await);
    }
    Ok(inspection)
}

/// What the server says of itself.
struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    fn read(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.trim_end().split_once(':')).collect())
    }

    fn text(&self, name: &str) -> &'a str {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }
}

fn about(info: &Info<'_>, schema: Option<u32>) -> Vec<Finding> {
    let mut findings = vec![server(info, schema), persistence(info)];
    findings.extend(failures(info));
    findings.extend([eviction(info), memory(info)]);
    findings
}

fn server(info: &Info<'_>, schema: Option<u32>) -> Finding {
    let (version, role) = (info.text("redis_version"), info.text("role"));
    let text = format!("Redis {version} answers, as {role}");
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    if major.is_some_and(|major: u32| major < OLDEST) {
        return Finding::problem(STORE, text, "install Redis 7.0 or newer");
    }
    if !matches!(role, "master" | "") {
        let advice = "give STORE_URL the master's address, or the sentinels' (redis+sentinel://…)";
        return Finding::problem(STORE, format!("{text}, which takes no writes"), advice);
    }
    let schema = match schema {
        None => "no bot of this name has stored anything yet".to_owned(),
        Some(SCHEMA) => format!("the schema version is {SCHEMA}"),
        Some(older) => format!(
            "the schema version is {older}; the bot brings it to version {SCHEMA} when it starts"
        ),
    };
    Finding::ok(STORE, format!("{text}; {schema}"))
}

fn persistence(info: &Info<'_>) -> Finding {
    if info.text("aof_enabled") == "1" {
        return Finding::ok(DURABILITY, "the server logs every write to its disk (AOF)");
    }
    Finding::problem(
        DURABILITY,
        "the server logs no writes to its disk (AOF is off): when it stops or crashes, all jobs since its last snapshot are lost",
        "set `appendonly yes` in redis.conf, and at once by `CONFIG SET appendonly yes`",
    )
}

/// After such a failure Redis may refuse writes, or lose them.
fn failures(info: &Info<'_>) -> Vec<Finding> {
    [
        ("aof_last_write_status", "the last write to the log of writes (AOF) failed"),
        ("aof_last_bgrewrite_status", "the last rewrite of the log of writes (AOF) failed"),
        ("rdb_last_bgsave_status", "the last snapshot failed"),
    ]
    .into_iter()
    .filter(|(name, _)| info.text(name) == "err")
    .map(|(_, text)| {
        Finding::problem(
            DURABILITY,
            text,
            "read the server's log; mostly its disk is full, or it lacks memory to fork",
        )
    })
    .collect()
}

fn eviction(info: &Info<'_>) -> Finding {
    const EVICTION: &str = "eviction";
    match info.text("maxmemory_policy") {
        "noeviction" => Finding::ok(EVICTION, "the server throws no keys away (noeviction)"),
        policy => Finding::problem(
            EVICTION,
            format!(
                "maxmemory-policy is {policy}: when memory is short, the server may throw away jobs"
            ),
            "set `maxmemory-policy noeviction` in redis.conf, and at once by `CONFIG SET`",
        ),
    }
}

fn memory(info: &Info<'_>) -> Finding {
    let (used, allowed) = (info.number("used_memory"), info.number("maxmemory"));
    let (limit, whose) = match allowed {
        0 => (info.number("total_system_memory"), "that the machine has (there is no maxmemory)"),
        _ => (allowed, "that it may use (maxmemory)"),
    };
    let text = format!("the server uses {} of the {} {whose}", size(used), size(limit));
    let advice = "give it more memory; without any left it takes no new events, and webhooks are answered 503";
    if limit > 0 && used >= limit {
        Finding::problem(MEMORY, text, advice)
    } else if limit > 0 && used / 4 >= limit / 5 {
        Finding::warning(MEMORY, text, advice)
    } else {
        Finding::ok(MEMORY, text)
    }
}

/// What steps have set aside because it had another type than they need.
async fn set_aside(
    connection: &mut (impl ConnectionLike + Send + Sync),
    bot: &str,
) -> RedisResult<Option<Finding>> {
    let key = format!("yamabiko:{{{bot}}}:damaged");
    let names: Vec<String> = match connection.zrange(&key, 0, -1).await {
        // The next key that is set aside takes this one with it.
        Err(error) if error.code() == Some("WRONGTYPE") => vec!["damaged".to_owned()],
        names => names?,
    };
    let keys: Vec<_> = names.iter().map(|name| format!("yamabiko:{{{bot}}}:{name}")).collect();
    let advice = "find out who writes to the bot's keys, look at these, and remove them and their names in the sorted set `damaged`";
    Ok(damaged_records(
        &keys,
        "keys had another type than the bot's and have other names now",
        advice,
    ))
}

/// Says what a loss of power costs (R3).
async fn fsync_policy(connection: &mut impl ConnectionLike, options: &StoreOptions) -> Finding {
    const POLICY: &str = "fsync";
    if options.fsync {
        return match fsync::check(connection).await {
            Ok(()) => Finding::ok(
                POLICY,
                "the bot waits until the server's disk has what it stores (STORE_DURABILITY=fsync)",
            ),
            Err(error) => Finding::problem(
                POLICY,
                crate::finding::because(&error),
                "change the server, or STORE_DURABILITY",
            ),
        };
    }
    match fsync::setting(connection, "appendfsync").await.as_deref() {
        Some("always") => {
            Finding::ok(POLICY, "what is acknowledged is on disk (appendfsync always)")
        }
        Some("everysec") => Finding::ok(
            POLICY,
            "a loss of the machine's power costs about the last second, 2 s at worst (appendfsync everysec)",
        ),
        Some(policy) => Finding::warning(
            POLICY,
            format!("a loss of the machine's power may cost 30 s or more (appendfsync {policy})"),
            "set `appendfsync everysec` or `always` in redis.conf, and at once by `CONFIG SET`",
        ),
        None => Finding::note(
            POLICY,
            "the server does not tell its appendfsync (CONFIG GET is refused)",
            "look it up where the server is hosted: `everysec` or `always`",
        ),
    }
}

fn clock(server: Timestamp, here: Timestamp) -> Finding {
    let apart = server.since(here).max(here.since(server));
    let side = if server > here { "ahead of" } else { "behind" };
    let text =
        format!("the server's clock, which counts, is {} {side} this machine's", span(apart));
    let advice = "set both clocks right, and keep them so (NTP)";
    if apart > FAR_APART {
        Finding::problem(CLOCK, text, advice)
    } else if apart > APART {
        Finding::warning(CLOCK, text, advice)
    } else {
        Finding::ok(CLOCK, "the server's clock, which counts, agrees with this machine's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Mark;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn marks(info: &str, find: impl Fn(&Info<'_>) -> Finding) -> Mark {
        find(&Info::read(info)).mark
    }

    #[test]
    fn an_old_server_and_a_replica_are_problems() {
        let server = |info: &str| marks(info, |info| server(info, None));
        assert_eq!(server("redis_version:6.2.14\r\nrole:master\r\n"), Mark::Problem);
        assert_eq!(server("redis_version:7.0.0\r\nrole:slave\r\n"), Mark::Problem);
        assert_eq!(server("redis_version:7.0.0\r\nrole:master\r\n"), Mark::Ok);
        assert_eq!(server("redis_version:8.2.1\r\nrole:master\r\n"), Mark::Ok);
    }

    #[test]
    fn each_failure_of_the_servers_disk_is_a_problem() {
        let info = "aof_last_write_status:err\r\nrdb_last_bgsave_status:err\r\naof_last_bgrewrite_status:ok\r\n";
        let found = failures(&Info::read(info));
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|finding| finding.mark == Mark::Problem));
    }

    #[test]
    fn memory_is_judged_by_its_limit_or_by_the_machines() {
        let memory = |used: u32, max: u32| {
            let info =
                format!("used_memory:{used}\r\nmaxmemory:{max}\r\ntotal_system_memory:1000\r\n");
            marks(&info, memory)
        };
        assert_eq!(
            [memory(799, 0), memory(800, 0), memory(1_000, 0)],
            [Mark::Ok, Mark::Warning, Mark::Problem]
        );
        assert_eq!(
            [memory(79, 100), memory(80, 100), memory(100, 100)],
            [Mark::Ok, Mark::Warning, Mark::Problem]
        );
    }

    #[test]
    fn clocks_that_differ_are_a_warning_and_far_apart_a_problem() {
        let apart = |seconds| {
            let span = Duration::from_secs(seconds);
            assert_eq!(clock(NOON + span, NOON).mark, clock(NOON, NOON + span).mark);
            clock(NOON + span, NOON).mark
        };
        assert_eq!(
            [apart(2), apart(3), apart(60), apart(61)],
            [Mark::Ok, Mark::Warning, Mark::Warning, Mark::Problem]
        );
    }
}
