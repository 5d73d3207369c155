//! Finds places for jobs that lost theirs, because a key that has places was set aside.
//!
//! A job's record says most of what its place did: its queue, its lane, when it is due. So nothing is lost with a key of
//! places that can be known without it.
//!
//! The step that sets a key aside notes that a search is due; a tick hands it out to its process, and ten seconds after that
//! one was last heard of to another, until one has ended it.

use std::{collections::HashSet, convert::Infallible, time::Duration};

use futures_util::future::BoxFuture;
use redis::{AsyncCommands as _, RedisResult};

use super::{
    RedisStore, encode,
    link::Link,
    meaning::error,
    scripts::{Script, call},
};
use crate::{
    clock::Timestamp,
    error::{ErrorKind, Result},
};

/// Records that one command reads.
const READ_AT_ONCE: usize = 500;
/// Jobs and lanes that one call of the step looks after.
const MENDED_AT_ONCE: usize = 50;
/// How long to wait where the search met an outage.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How often to say that the search goes on.
const GOES_ON_EVERY: Duration = Duration::from_secs(3);

/// Looks after the jobs of one bot.
#[derive(Debug)]
struct Mender {
    connection: Link,
    step: Script,
    prefix: String,
    /// The time, if the test's clock gives it.
    now: Option<Timestamp>,
    lease: Duration,
}

impl RedisStore {
    /// Starts a background search for jobs that lost their places with keys that were set aside.
    pub(super) fn mend(&self) {
        let mender = Mender {
            connection: self.connection.clone(),
            step: self.scripts.mend.clone(),
            prefix: self.prefix.clone(),
            now: self.options.clock.given(),
            lease: self.options.lease(),
        };
        mender.start();
    }
}

/// What the keys that were set aside leave in doubt.
#[derive(Clone, Copy, Debug, Default)]
struct Doubts {
    /// Which jobs are over.
    over: bool,
    /// Which jobs have been run.
    run: bool,
    /// Which jobs have their lanes.
    holders: bool,
}

impl Doubts {
    /// Reads the names of the keys that were set aside: `damaged:`, a number, a colon, and the name that it had.
    fn of(names: &[String]) -> Self {
        let was = |key: &str| names.iter().any(|name| name.splitn(3, ':').nth(2) == Some(key));
        Self { over: was("dead") || was("done"), run: was("claims"), holders: was("holder") }
    }
}

impl Mender {
    fn start(self) {
        tokio::spawn(async move {
            let found = tokio::select! {
                found = self.mend() => found,
                never = self.tell_that_it_goes_on() => match never {},
            };
            match found {
                Ok(0) => {}
                Ok(jobs) => tracing::warn!(
                    jobs,
                    "found places for jobs that had lost theirs with a damaged key of the store"
                ),
                Err(error) => tracing::warn!(
                    error = crate::finding::because(&error),
                    "could not look for jobs that lost their places with a damaged key of the store; a process tries again soon"
                ),
            }
        });
    }

    async fn tell_that_it_goes_on(&self) -> Infallible {
        loop {
            tokio::time::sleep(GOES_ON_EVERY).await;
            // In an outage the search waits as well.
            self.call(Doubts::default(), None, &[]).await.ok();
        }
    }

    /// Searches; each part again where it met an outage.
    async fn mend(&self) -> Result<u64> {
        let names = through_outages(|| Box::pin(self.damaged())).await?;
        let doubts = Doubts::of(&names);
        // First what holds up its chat.
        through_outages(|| Box::pin(self.mend_claims(doubts))).await?;
        let found = through_outages(|| Box::pin(self.mend_jobs(doubts))).await?;
        let in_lanes = through_outages(|| Box::pin(self.mend_lanes(doubts))).await?;
        through_outages(|| Box::pin(self.call(doubts, Some(names.len()), &[]))).await?;
        Ok(found + in_lanes)
    }

    /// Returns the names of the keys that were set aside.
    async fn damaged(&self) -> Result<Vec<String>> {
        or_none(self.connection.clone().zrange(self.key("damaged"), 0, -1).await)
    }

    /// Looks after the jobs that run.
    async fn mend_claims(&self, doubts: Doubts) -> Result<u64> {
        let claimed = self.members("HSCAN", &self.key("claims")).await?;
        self.call_in_parts(doubts, claimed.into_iter().map(|id| (b'c', id)).collect()).await
    }

    /// Looks after the lanes in which jobs wait.
    async fn mend_lanes(&self, doubts: Doubts) -> Result<u64> {
        let (lines, prefix) = (self.keys("line:", "zset").await?, self.key("line:").len());
        let lanes = lines.iter().map(|key| (b'l', key[prefix..].to_vec())).collect();
        self.call_in_parts(doubts, lanes).await
    }

    /// Looks after all jobs that have no place.
    async fn mend_jobs(&self, doubts: Doubts) -> Result<u64> {
        // The lists first: what leaves one meanwhile is found in another place afterwards.
        let mut ready = Vec::new();
        for kind in ["ready:", "front:"] {
            for key in self.keys(kind, "list").await? {
                ready.extend(self.list(&key).await?);
            }
        }
        let mut waiting = Vec::new();
        for key in self.keys("line:", "zset").await? {
            waiting.extend(self.members("ZSCAN", &key).await?);
        }
        let claimed = self.members("HSCAN", &self.key("claims")).await?;
        let mut placed: HashSet<Vec<u8>> =
            ready.iter().chain(&waiting).chain(&claimed).map(|entry| id_of(entry)).collect();
        for name in ["timers", "lease", "dead", "done"] {
            placed.extend(self.members("ZSCAN", &self.key(name)).await?);
        }
        let holders = if doubts.holders { ready } else { Vec::new() };
        let all = claimed.into_iter().map(|id| (b'c', id));
        let all = all.chain(holders.iter().map(|entry| (b'h', id_of(entry)))).collect();
        let mut found = self.call_in_parts(doubts, all).await?;
        let mut cursor = 0;
        loop {
            let part = self.scan("HSCAN", &self.key("job"), cursor).await?;
            let ids = part.1.into_iter().step_by(2).filter(|id| !placed.contains(id));
            found += self.call_in_parts(doubts, ids.map(|id| (b'j', id)).collect()).await?;
            cursor = part.0;
            if cursor == 0 {
                return Ok(found);
            }
        }
    }

    async fn call_in_parts(&self, doubts: Doubts, all: Vec<(u8, Vec<u8>)>) -> Result<u64> {
        let mut found = 0;
        for part in all.chunks(MENDED_AT_ONCE) {
            found += self.call(doubts, None, part).await?;
        }
        Ok(found)
    }

    /// Calls the step for some jobs and lanes; `searched` ends the search, which had begun with so many keys set aside.
    async fn call(
        &self,
        doubts: Doubts,
        searched: Option<usize>,
        some: &[(u8, Vec<u8>)],
    ) -> Result<u64> {
        let mut step = self.step.key(&self.prefix);
        encode::time(&mut step, self.now);
        encode::span(&mut step, self.lease);
        step.arg(u8::from(doubts.over)).arg(u8::from(doubts.run));
        match searched {
            Some(keys) => step.arg(keys),
            None => step.arg(-1),
        };
        for (letter, name) in some {
            step.arg([*letter].as_slice()).arg(name.as_slice());
        }
        Box::pin(call::<u64>(&self.connection, &step)).await
    }

    fn key(&self, name: &str) -> Vec<u8> {
        format!("{}{name}", self.prefix).into_bytes()
    }

    /// Returns the keys of a kind whose type is right.
    async fn keys(&self, kind: &str, of_type: &str) -> Result<Vec<Vec<u8>>> {
        let mut pattern = String::new();
        for letter in format!("{}{kind}", self.prefix).chars() {
            if "*?[]\\^".contains(letter) {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        let (mut cursor, mut all) = (0_u64, Vec::new());
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{pattern}*"));
            scan.arg("COUNT").arg(READ_AT_ONCE).arg("TYPE").arg(of_type);
            let part: (u64, Vec<Vec<u8>>) =
                scan.query_async(&mut self.connection.clone()).await.map_err(error)?;
            all.extend(part.1);
            cursor = part.0;
            if cursor == 0 {
                return Ok(all);
            }
        }
    }

    /// Reads a list from its tail, for it is taken from at its head: what moves meanwhile is read twice, not missed.
    async fn list(&self, key: &[u8]) -> Result<Vec<Vec<u8>>> {
        let step = isize::try_from(READ_AT_ONCE).unwrap_or(1);
        let (mut end, mut all) = (-1, Vec::new());
        loop {
            let part = self.connection.clone().lrange(key, end - step + 1, end).await;
            let part: Vec<Vec<u8>> = or_none(part)?;
            if part.is_empty() {
                return Ok(all);
            }
            all.extend(part);
            end -= step;
        }
    }

    /// Returns the names of what a hash or a sorted set has.
    async fn members(&self, scan: &str, key: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (mut cursor, mut all) = (0, Vec::new());
        loop {
            let part = self.scan(scan, key, cursor).await?;
            all.extend(part.1.into_iter().step_by(2));
            cursor = part.0;
            if cursor == 0 {
                return Ok(all);
            }
        }
    }

    async fn scan(&self, scan: &str, key: &[u8], cursor: u64) -> Result<(u64, Vec<Vec<u8>>)> {
        let mut command = redis::cmd(scan);
        command.arg(key).arg(cursor).arg("COUNT").arg(READ_AT_ONCE);
        or_none(command.query_async(&mut self.connection.clone()).await)
    }
}

/// Does a part of the search until it meets no outage.
async fn through_outages<'a, T>(part: impl Fn() -> BoxFuture<'a, Result<T>>) -> Result<T> {
    loop {
        match part().await {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            done => return done,
        }
    }
}

/// Returns nothing for a key of another type, which the next step that needs it sets aside.
fn or_none<T: Default>(read: RedisResult<T>) -> Result<T> {
    match read {
        Err(error) if error.code() == Some("WRONGTYPE") => Ok(T::default()),
        read => read.map_err(error),
    }
}

/// Returns the job that an entry of a line names.
fn id_of(entry: &[u8]) -> Vec<u8> {
    entry[..entry.len().min(16)].to_vec()
}
