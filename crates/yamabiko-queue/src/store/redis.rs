//! The store on a Redis server: one script call for each atomic step.

use std::{
    sync::{Arc, Mutex, Once, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use redis::{FromRedisValue, Value};

use crate::{
    clock::{Timestamp, micros, since_boot},
    error::{Error, Result},
    job::{JobId, JobRecord, MAX_DELAY, NewJob, check_delay},
    state::State,
    store::{
        Cancelled, Commit, Counts, Held, Inserted, Losses, MAX_SCAN, Page, Process, Query,
        RunToken, Sending, Signal, Store, StoreOptions, TURN_LATER, Tick, Turn, Want,
        check_commits,
        grace::{Grace, Spans},
    },
};

mod clock;
mod counted;
mod cursor;
mod damage;
mod decode;
mod encode;
mod fsync;
mod identity;
mod inspect;
mod link;
mod live;
mod meaning;
mod mend;
mod scripts;
mod server;
mod watch;

use clock::ServerClock;
use counted::Counted;
use cursor::Cursor;
use decode::{not_understood, part};
use identity::Met;
pub(super) use inspect::inspect;
use link::Link;
use meaning::error;
use scripts::{Call, Script, Scripts, call};
use server::Server;
use watch::Watch;

/// The version of the keys' layout; `migrate.lua` brings an older one up to it.
const SCHEMA: u32 = 3;
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// Jobs that one call concerns: the server does nothing else meanwhile, so what would take longer is several calls.
const AT_ONCE: usize = 100;
/// Runs whose leases one call extends.
const BEATEN_AT_ONCE: usize = 1000;
/// Records that one call of a listing looks at.
const LOOK_AT: usize = 200;

/// Jobs on a Redis server; all keys carry the bot's name as their hash tag (R1).
#[derive(Debug)]
pub struct RedisStore {
    connection: Link,
    /// Where jobs are stored and turns are taken; one of its own where each waits for the disk.
    writes: Link,
    scripts: Arc<Scripts>,
    prefix: String,
    options: StoreOptions,
    grace: Mutex<Grace>,
    clock: Arc<ServerClock>,
    met: Met,
    watch: Watch,
}

impl RedisStore {
    /// Opens the store at `url`: `redis://…`, `rediss://…`, `redis+unix://…`, or
    /// `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE` for the master that sentinels name.
    ///
    /// # Errors
    /// `NewerSchema` if a newer version wrote the keys, `Address` if the address is not understood,
    /// `Denied` if the server refuses the credentials, `Unavailable` if it cannot be reached.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self> {
        install_crypto();
        let server = Server::read(url, options.insecure_tls)?;
        let mut store = Self::connect(server, Arc::new(Scripts::new()), options).await?;
        store.check_schema().await?;
        store.clock =
            Arc::new(ServerClock::new(clock::latest(&store.connection, &store.prefix).await?));
        store.meet_again().await;
        if store.options.fsync {
            fsync::check(&mut store.writes.clone()).await?;
        }
        Ok(store)
    }

    async fn connect(server: Server, scripts: Arc<Scripts>, options: StoreOptions) -> Result<Self> {
        let connection = Link::open(server.clone(), PATIENCE).await.map_err(error)?;
        let writes = if options.fsync {
            Link::open(server, PATIENCE + fsync::PATIENCE).await.map_err(error)?
        } else {
            connection.clone()
        };
        let prefix = format!("yamabiko:{{{}}}:", options.name);
        let watch = Watch::new(connection.clone(), Arc::clone(&scripts), prefix.clone());
        Ok(Self {
            connection,
            writes,
            scripts,
            prefix,
            options,
            grace: Mutex::default(),
            clock: Arc::default(),
            met: Met::default(),
            watch,
        })
    }

    /// Refuses keys that a newer version wrote, and brings those of an older one to this layout.
    async fn check_schema(&self) -> Result<()> {
        let mut connection = self.connection.clone();
        let keys = ["schema", "migration"].map(|name| format!("{}{name}", self.prefix));
        let (mut found, unfinished): (Option<u32>, Option<String>) =
            redis::cmd("MGET").arg(&keys).query_async(&mut connection).await.map_err(error)?;
        if found.is_none() {
            // A full server would refuse this even where it changed nothing.
            let set = redis::cmd("SET").arg(&keys[0]).arg(SCHEMA).arg("NX").arg("GET").to_owned();
            found = set.query_async(&mut connection).await.map_err(error)?;
        }
        match found {
            Some(found) if found > SCHEMA => Err(Error::NewerSchema { found, known: SCHEMA }),
            Some(found) if found < SCHEMA || unfinished.is_some() => self.migrate().await,
            _ => Ok(()),
        }
    }

    /// Notes which server has the data, and returns what is known of those that had it.
    async fn meet(&self) -> Result<Losses> {
        let Some(server) = identity::identity(&self.connection).await? else {
            return Ok(Losses::default());
        };
        let mut meet = self.begin(&self.scripts.meet);
        meet.arg(server.run_id).arg(u8::from(server.was_promoted));
        let (last, promoted): (String, Vec<u8>) = call(&self.connection, &meet).await?;
        Ok(Losses { last: decode::time(&last), promoted: decode::times(&promoted) })
    }

    /// Does the same if the connection is another one than before.
    async fn meet_again(&self) {
        if self.met.is_other(&self.connection) && self.meet().await.is_err() {
            self.met.failed();
        }
    }

    async fn migrate(&self) -> Result<()> {
        tracing::info!(version = SCHEMA, "the store's keys are brought to this schema version");
        while !call::<bool>(&self.connection, &self.begin(&self.scripts.migrate)).await? {}
        Ok(())
    }

    /// Waits until what was written before is on disk, where that is asked for (R3).
    async fn fsync(&self) -> Result<()> {
        if self.options.fsync { fsync::wait(&mut self.writes.clone()).await } else { Ok(()) }
    }

    /// Begins a call: the prefix, and the time if the test's clock gives it (T3).
    fn begin<'a>(&self, script: &'a Script) -> Call<'a> {
        let mut call = script.key(&self.prefix);
        encode::time(&mut call, self.options.clock.given());
        call
    }

    /// Adds what a tick needs to know.
    fn ticking(&self, call: &mut Call<'_>) {
        let grace = *self.grace.lock().unwrap_or_else(PoisonError::into_inner);
        let options = &self.options;
        let Spans { gap, spared, again } = Spans::of(options);
        let expected = self.expected();
        let is_own = options.clock.given().is_none() && expected.is_some();
        let notes_time = is_own && self.clock.take_note(since_boot());
        let numbers = [
            micros(options.lease()),
            grace.since.as_micros(),
            encode::number_of(grace.last),
            micros(gap),
            micros(spared),
            micros(again),
            micros(options.keep_dead),
            options.keep_dead_max.into(),
            micros(options.keep_completed),
            options.keep_completed_max.into(),
            i64::try_from(options.cancel_batch.max(1)).unwrap_or(i64::MAX),
            options.remember_max.into(),
            encode::number_of(expected),
            notes_time.into(),
        ];
        encode::numbers(call, numbers);
    }

    /// Returns what the clock must show if it was not set; `None` if it is in doubt.
    fn expected(&self) -> Option<Timestamp> {
        self.options.clock.given().or_else(|| self.clock.expected(since_boot()))
    }

    /// Notes a tick that was asked for at `sent`.
    fn ticked(&self, tick: Tick, sent: Duration) {
        if self.options.clock.given().is_none() {
            self.clock.read(tick.now, sent, since_boot());
        }
        let mut grace = self.grace.lock().unwrap_or_else(PoisonError::into_inner);
        grace.step(tick.now, Spans::of(&self.options));
    }

    /// Calls a step that ticks, and notes if that fails.
    async fn call_ticking<T: FromRedisValue>(&self, link: &Link, step: &Call<'_>) -> Result<T> {
        let answer = call(link, step).await;
        if answer.is_err() {
            self.grace.lock().unwrap_or_else(PoisonError::into_inner).failed();
        }
        answer
    }

    async fn ids<T: FromRedisValue>(&self, script: &Script, ids: &[JobId]) -> Result<T> {
        let mut call = self.begin(script);
        for id in ids {
            call.arg(id.as_bytes());
        }
        scripts::call(&self.connection, &call).await
    }

    async fn flags(&self, script: &Script, ids: &[JobId]) -> Result<Vec<bool>> {
        let mut flags = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            flags.extend(self.ids::<Vec<bool>>(script, ids).await?);
        }
        Ok(flags)
    }

    /// Returns those of the jobs that are stored, or live, with their places at the time of the call that came to each.
    async fn records(&self, mut ids: &[JobId], only_live: bool) -> Result<Vec<JobRecord>> {
        let mut records = Vec::with_capacity(ids.len());
        while !ids.is_empty() {
            let asked = &ids[..ids.len().min(AT_ONCE)];
            let mut get = self.begin(&self.scripts.get);
            get.arg(u8::from(only_live));
            for id in asked {
                get.arg(id.as_bytes());
            }
            let (shown, rows): (usize, Value) = call(&self.connection, &get).await?;
            records.extend(decode::records(rows)?);
            ids = ids.get(shown.max(1)..).unwrap_or_default();
        }
        Ok(records)
    }
}

/// Chooses the TLS provider once for the process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another library may have chosen already; that one serves as well.
        rustls::crypto::ring::default_provider().install_default().ok();
    });
}

#[async_trait]
impl Store for RedisStore {
    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        jobs.iter().try_for_each(NewJob::check)?;
        let mut inserted = Vec::with_capacity(jobs.len());
        let mut rest = jobs;
        loop {
            let (some, others) = rest.split_at(encode::at_once(rest));
            let mut insert = self.begin(&self.scripts.insert);
            let numbers = [
                encode::number_of(self.expected()),
                micros(MAX_DELAY),
                encode::latest_due(rest).map_or(0, Timestamp::as_micros),
                rest.first().map_or(0, |job| micros(job.remember)),
            ];
            encode::numbers(&mut insert, numbers);
            for job in some {
                encode::job(&mut insert, job);
            }
            let answer: Value = call(&self.writes, &insert).await?;
            if let Value::Int(away) = answer {
                return Err(Error::TooFar(Duration::from_micros(away.unsigned_abs())));
            }
            inserted.extend(decode::inserted(&part::<String>(answer)?)?);
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        if !jobs.is_empty() {
            self.fsync().await?;
        }
        Ok(inserted)
    }

    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn> {
        check_commits(commits)?;
        let mut turn = self.begin(&self.scripts.turn);
        turn.arg(sending.token.as_bytes()).arg(u8::from(sending.again));
        self.ticking(&mut turn);
        turn.arg(micros(TURN_LATER));
        encode::commits(&mut turn, commits);
        encode::wants(&mut turn, wants);
        let sent = since_boot();
        let answer: Vec<Value> = self.call_ticking(&self.writes, &turn).await?;
        let answer =
            <[Value; 9]>::try_from(answer).map_err(|_| not_understood("not nine parts"))?;
        let [now, promoted, ended, next, answers, ids, records, more, states] = answer;
        let tick = decode::tick(now, promoted, ended, next)?;
        self.ticked(tick, sent);
        if !commits.is_empty() {
            self.fsync().await?;
        }
        let claims = decode::claims(tick.now, sending.token, [ids, records, more, states])?;
        Ok(Turn { answers: decode::answers(&part::<String>(answers)?)?, claims, tick })
    }

    async fn release(&self, token: RunToken) -> Result<usize> {
        let mut release = self.begin(&self.scripts.release);
        release.arg(token.as_bytes());
        call(&self.connection, &release).await
    }

    async fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
        awaited: &[RunToken],
    ) -> Result<Vec<Held>> {
        let about = serde_json::to_string(process).map_err(|error| Error::Refused(error.into()))?;
        let (mut held, mut rest, mut awaited) = (Vec::with_capacity(runs.len()), runs, awaited);
        loop {
            let (some, others) = rest.split_at(rest.len().min(BEATEN_AT_ONCE));
            let mut beat = self.begin(&self.scripts.beat);
            encode::span(&mut beat, self.options.lease());
            beat.arg(&process.name).arg(&about).arg(awaited.len());
            for token in awaited {
                beat.arg(token.as_bytes());
            }
            for (id, token) in some {
                beat.arg(id.as_bytes()).arg(token.as_bytes());
            }
            held.extend(decode::held(&call::<String>(&self.connection, &beat).await?)?);
            if others.is_empty() {
                self.meet_again().await;
                return Ok(held);
            }
            (rest, awaited) = (others, &[]);
        }
    }

    async fn tick(&self) -> Result<Tick> {
        let mut tick = self.begin(&self.scripts.tick);
        self.ticking(&mut tick);
        let sent = since_boot();
        type Parts = (Value, Value, Value, Value, usize, usize, bool);
        let (now, promoted, ended, next, dropped, forgotten, is_to_mend): Parts =
            self.call_ticking(&self.connection, &tick).await?;
        let tick = Tick { dropped, forgotten, ..decode::tick(now, promoted, ended, next)? };
        self.ticked(tick, sent);
        if is_to_mend {
            self.mend();
        }
        self.meet_again().await;
        Ok(tick)
    }

    async fn wait(&self, signals: &[Signal], at_most: Duration) -> Result<()> {
        self.watch.wait(signals, self.options.clock.real(at_most)).await;
        Ok(())
    }

    async fn cancel(&self, ids: &[JobId]) -> Result<Vec<Cancelled>> {
        let mut answers = Vec::with_capacity(ids.len());
        for ids in ids.chunks(AT_ONCE) {
            answers
                .extend(decode::cancelled(&self.ids::<String>(&self.scripts.cancel, ids).await?)?);
        }
        Ok(answers)
    }

    async fn retry(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.flags(&self.scripts.retry, ids).await
    }

    async fn delete(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.flags(&self.scripts.delete, ids).await
    }

    async fn pause(&self, queue: &str, time: Option<Duration>) -> Result<()> {
        time.map_or(Ok(()), check_delay)?;
        let mut pause = self.begin(&self.scripts.pause);
        pause.arg(queue);
        match time {
            Some(time) => encode::span(&mut pause, time),
            None => drop(pause.arg("")),
        }
        call::<Value>(&self.connection, &pause).await.map(drop)
    }

    async fn resume(&self, queue: &str) -> Result<()> {
        let mut resume = self.begin(&self.scripts.resume);
        resume.arg(queue);
        call::<Value>(&self.connection, &resume).await.map(drop)
    }

    async fn state(&self, lane: &str) -> Result<Option<Vec<u8>>> {
        let mut state = self.begin(&self.scripts.state);
        state.arg(lane);
        call(&self.connection, &state).await
    }

    async fn live(&self, chat: &str) -> Result<Vec<JobRecord>> {
        let mut records = self.records(&self.live_ids(chat).await?, true).await?;
        records.sort_by_key(|record| (record.job.due, record.job.id));
        Ok(records)
    }

    async fn counts(&self) -> Result<Counts> {
        let mut counted = Counted::default();
        loop {
            let (queue, paused) = counted.place();
            let mut counts = self.begin(&self.scripts.counts);
            counts.arg(queue).arg(paused);
            if counted.read(call(&self.connection, &counts).await?)? {
                return Ok(counted.finish());
            }
        }
    }

    async fn list(&self, query: &Query) -> Result<Page> {
        let mut page = Page::default();
        let mut cursor = query.after.as_deref().and_then(Cursor::read).unwrap_or_default();
        let mut left = MAX_SCAN;
        let only = match query.state {
            State::Ready => query.queue.as_deref(),
            State::Waiting => query.lane.as_deref(),
            _ => None,
        };
        while left > 0 && page.records.len() < query.limit {
            let mut list = self.begin(&self.scripts.list);
            list.arg(query.state.name()).arg(only.unwrap_or_default());
            list.arg(&cursor.line).arg(&cursor.entry).arg(&cursor.time);
            list.arg(left.min(LOOK_AT)).arg(query.limit - page.records.len());
            for filter in [&query.queue, &query.lane, &query.chat, &query.kind] {
                list.arg(filter.as_ref().map_or_else(String::new, |value| format!("={value}")));
            }
            type Part = (bool, usize, Vec<u8>, Vec<u8>, Vec<u8>, Value);
            let (is_all, examined, line, entry, time, rows): Part =
                call(&self.connection, &list).await?;
            page.records.extend(decode::records(rows)?);
            if is_all {
                return Ok(page);
            }
            cursor = Cursor { line, entry, time };
            left = left.saturating_sub(examined.max(1));
        }
        page.next = Some(cursor.write());
        Ok(page)
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>> {
        Ok(self.records(&[id], false).await?.pop())
    }

    async fn losses(&self) -> Result<Losses> {
        self.meet().await
    }

    async fn handle(&self) -> Result<Arc<dyn Store>> {
        let mut store = Self::connect(
            self.connection.server().clone(),
            Arc::clone(&self.scripts),
            self.options.clone(),
        )
        .await?;
        store.clock = Arc::clone(&self.clock);
        Ok(Arc::new(store))
    }
}
