//! The thread of a bot under test: its process, its clock, and LINE around it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use yamabiko_line::{client::Content, event::Event};
use yamabiko_queue::{
    Clock, JobId, JobRecord, ManualClock, Registry, State, Timestamp, store::Query,
};

use super::{handle::Act, line::StandIn, media::TestPicture, process::Process};
use crate::{
    App,
    blocking::Pool,
    context::LateCall,
    delivery::{Courier, ReplyPolicy},
    health::Health,
    media::{Media, Where},
    platform::Platform,
    queues::OwnQueues,
    registry::Surroundings,
    state::ChatState,
    webhook,
};

#[cfg(test)]
mod records;

/// Where the clock stands at first: 2027-01-15 17:00:00 in Tokyo.
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// The bot's own user id.
pub(super) const BOT: &str = "Ubot";
/// How long what is published is kept: the default of `MEDIA_RETENTION`.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The states of jobs that are not over.
const LIVE: [State; 4] = [State::Scheduled, State::Ready, State::Waiting, State::Running];

/// A bot with all that it needs.
pub(super) struct Bot {
    process: Process,
    media: Media,
    registry: Arc<Registry>,
    queues: OwnQueues,
    pub(super) line: Arc<StandIn>,
    pub(super) clock: ManualClock,
    /// Whether the channel is in standby.
    pub(super) standby: bool,
    /// Whether webhooks are lost on their way.
    pub(super) loses_webhooks: bool,
    events: u64,
    last_event: Option<Value>,
    late_calls: Arc<Mutex<Vec<String>>>,
    /// The failures that the test has looked at: a job, and whether it was dead.
    looked_at: HashSet<(JobId, bool)>,
    folder: TempDir,
}

impl Bot {
    pub(super) fn start<S: ChatState>(app: App<S>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let clock = ManualClock::new(START);
        let line = Arc::new(StandIn::new(clock.clone()));
        let late_calls = Arc::default();
        let queues = app.queues.clone();
        let media = media(&clock);
        let registry = registry(app, &media, &line, &late_calls);
        let process = Process::start(folder.path(), &clock, Arc::clone(&registry), queues.clone());
        Self {
            process,
            media,
            registry,
            queues,
            line,
            clock,
            standby: false,
            loses_webhooks: false,
            events: 0,
            last_event: None,
            late_calls,
            looked_at: HashSet::new(),
            folder,
        }
    }

    pub(super) fn serve(mut self, acts: &mpsc::Receiver<Act>) {
        while let Ok(act) = acts.recv() {
            if act(&mut self).is_break() {
                return;
            }
        }
    }

    /// Delivers an event, completed by what LINE adds, and returns it.
    pub(super) fn happens(&mut self, mut event: Value, source: Option<Value>) -> Value {
        self.events += 1;
        let number = self.events;
        let add = |target: &mut Value, key: &str, value: Value| {
            if let Some(object) = target.as_object_mut() {
                object.entry(key).or_insert(value);
            }
        };
        add(&mut event, "mode", json!(if self.standby { "standby" } else { "active" }));
        add(&mut event, "timestamp", json!(self.clock.now().as_millis()));
        add(&mut event, "webhookEventId", json!(format!("{number:026}")));
        add(&mut event, "deliveryContext", json!({"isRedelivery": false}));
        if let Some(source) = source {
            add(&mut event, "source", source);
        }
        let unanswerable =
            matches!(event["type"].as_str(), Some("unfollow" | "leave" | "memberLeft" | "unsend"));
        if !unanswerable && event["mode"] != "standby" {
            add(&mut event, "replyToken", json!(format!("{number:032x}")));
        }
        if event["message"].is_object() {
            add(&mut event["message"], "id", json!(number.to_string()));
            add(&mut event["message"], "quoteToken", json!(format!("quote-{number}")));
        }
        self.line.world().witness(&event);
        if !self.loses_webhooks {
            self.deliver(&event);
        }
        self.last_event = Some(event.clone());
        event
    }

    /// Delivers an event of a message with content, which LINE holds from then on.
    pub(super) fn happens_with(&mut self, event: Value, source: Value, content: Content) -> Value {
        self.line.world().upload = Some(content);
        self.happens(event, Some(source))
    }

    /// Delivers an event again, as LINE does when it has heard no 200.
    pub(super) fn redeliver(&mut self, mut event: Value) {
        event["deliveryContext"] = json!({"isRedelivery": true});
        self.deliver(&event);
    }

    pub(super) fn redeliver_last(&mut self) -> bool {
        let last = self.last_event.clone();
        last.map(|event| self.redeliver(event)).is_some()
    }

    fn deliver(&mut self, event: &Value) {
        let event = Event::from_value(event.clone());
        if let Some(token) = &event.reply_token {
            let chat = event.source.as_ref().and_then(yamabiko_line::event::Source::chat);
            self.line.world().grant(token.expose(), chat.map(|chat| chat.to_string()));
        }
        let job = webhook::job(&event, Some(BOT));
        self.process.ask(async |store| store.insert(job.as_slice()).await);
        self.process.settle();
    }

    /// Moves the clock from due time to due time: of jobs, of claims and pauses, and of runs that sleep.
    pub(super) fn advance(&mut self, time: Duration) {
        let target = self.clock.now() + time;
        loop {
            self.process.settle();
            let tick = self.process.tick();
            if tick.promoted > 0 || tick.ended > 0 {
                continue;
            }
            match [tick.next, self.clock.next_waking()].into_iter().flatten().min() {
                Some(next) if next <= target => self.clock.set(next.max(self.clock.now())),
                _ => break,
            }
        }
        self.clock.set(target);
        self.process.settle();
    }

    /// Kills the process and starts another on the same store.
    pub(super) fn crash(&mut self) {
        self.begin_again().kill();
        self.process.settle();
    }

    /// Stops the process and starts another version of the bot on the same store.
    pub(super) fn restart<S: ChatState>(&mut self, app: App<S>) {
        self.queues = app.queues.clone();
        self.registry = registry(app, &self.media, &self.line, &self.late_calls);
        self.begin_again().stop();
        self.process.settle();
    }

    /// Starts another process and returns the one before.
    fn begin_again(&mut self) -> Process {
        let next = Process::start(
            self.folder.path(),
            &self.clock,
            Arc::clone(&self.registry),
            self.queues.clone(),
        );
        std::mem::replace(&mut self.process, next)
    }

    /// Fetches what was published.
    pub(super) fn fetch(&self, url: &str) -> Option<TestPicture> {
        let (content_type, bytes) = self.process.wait_for(self.media.fetch(url))?;
        Some(TestPicture { content_type, bytes })
    }

    /// Runs a dead job again, as a person does.
    pub(super) fn run_again(&mut self, id: JobId) -> bool {
        let done = self.process.ask(async |store| store.retry(&[id]).await);
        self.process.settle();
        done == [true]
    }

    pub(super) fn live(&self, chat: &str) -> Vec<JobRecord> {
        self.process.ask(async |store| store.live(chat).await)
    }

    pub(super) fn state(&self, chat: &str) -> Option<Vec<u8>> {
        self.process.ask(async |store| store.state(chat).await)
    }

    /// Returns the completed jobs, the first one first.
    pub(super) fn completed(&self) -> Vec<JobRecord> {
        self.list(State::Completed)
    }

    /// Returns the dead jobs, the first one first; the test has looked at them.
    pub(super) fn dead(&mut self) -> Vec<JobRecord> {
        let dead = self.list(State::Dead);
        self.looked_at.extend(dead.iter().map(|record| (record.job.id, true)));
        dead
    }

    /// Returns the jobs that have failed and are to be tried again; the test has looked at them.
    pub(super) fn failing(&mut self) -> Vec<JobRecord> {
        let mut failing: Vec<_> = LIVE.iter().flat_map(|state| self.list(*state)).collect();
        failing.retain(has_failed);
        self.looked_at.extend(failing.iter().map(|record| (record.job.id, false)));
        failing
    }

    /// Returns the kinds of the jobs whose contexts were used too late; the test has looked at them.
    pub(super) fn late_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.late_calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says what went wrong that the test has not looked at, a line each.
    pub(super) fn unseen(&mut self) -> Vec<String> {
        let seen = self.looked_at.clone();
        let unseen = |records: Vec<JobRecord>, is_dead, what: &str| -> Vec<String> {
            records
                .iter()
                .filter(|record| !seen.contains(&(record.job.id, is_dead)))
                .map(|record| format!("{} {what}: {}", record.job.kind, last_error(record)))
                .collect()
        };
        let mut lines = unseen(self.dead(), true, "is dead");
        lines.extend(unseen(self.failing(), false, "failed and is to be tried again"));
        lines.extend(
            self.late_calls()
                .iter()
                .map(|kind| format!("{kind} used its context after its run had ended")),
        );
        lines
    }

    fn list(&self, state: State) -> Vec<JobRecord> {
        let query = Query { limit: usize::from(u16::MAX), ..Query::new(state) };
        let mut records = self.process.ask(async |store| store.list(&query).await).records;
        if matches!(state, State::Dead | State::Completed) {
            records.reverse();
        }
        records
    }
}

/// Says whether a job has failed other than by a killed process, which its test has asked for.
fn has_failed(record: &JobRecord) -> bool {
    record.history.len() > usize::try_from(record.job.lost).unwrap_or(usize::MAX)
}

fn last_error(record: &JobRecord) -> &str {
    record.history.last().map_or("no error is kept", |failure| &failure.error)
}

/// Puts an app together as a process does, with LINE played by the kit and late calls that panic (K8).
fn registry<S: ChatState>(
    mut app: App<S>,
    media: &Media,
    line: &Arc<StandIn>,
    late_calls: &Arc<Mutex<Vec<String>>>,
) -> Arc<Registry> {
    if app.has_media {
        app.data.insert(media.clone());
    }
    let platform: Arc<dyn Platform> = Arc::clone(line) as _;
    let courier =
        Courier::new(Arc::clone(&platform), Arc::new(Health::default()), ReplyPolicy::default());
    let time_zone = jiff::tz::TimeZone::get("Asia/Tokyo").expect("the zone is known");
    let pool = Pool::for_runs(2).expect("the system has room for threads");
    let surroundings = Surroundings {
        platform,
        courier: Arc::new(courier),
        time_zone,
        late_call: note_late_call(Arc::clone(late_calls)),
        pool: Arc::new(pool),
    };
    let registry = app.into_registry(surroundings).unwrap_or_else(|error| wrong(&error));
    Arc::new(registry)
}

/// Returns where pictures are published to: as long as the bot lives, whatever becomes of its processes.
fn media(clock: &ManualClock) -> Media {
    let (url, clock) = ("https://bot.test/media".to_owned(), Clock::Manual(clock.clone()));
    Media::open(&Where::Memory, Some(url), RETENTION, clock).unwrap_or_else(|error| wrong(&error))
}

fn note_late_call(late_calls: Arc<Mutex<Vec<String>>>) -> LateCall {
    Arc::new(move |kind| {
        late_calls.lock().unwrap_or_else(PoisonError::into_inner).push(kind.to_owned());
        late(kind);
    })
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn late(kind: &str) -> ! {
    panic!("the context of a {kind} was used after its run had ended");
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn wrong(error: &anyhow::Error) -> ! {
    panic!("the bot is put together wrongly: {error}");
}
