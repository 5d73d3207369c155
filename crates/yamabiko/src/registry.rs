//! From an author's app to what a worker runs.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use yamabiko_line::event::Event;
use yamabiko_queue::{
    Effect, Ending, Finish, Hold, Registry, RetryPolicy, Run,
    store::{Claim, Group},
};

use crate::{
    Context, Result,
    blocking::{Over, Pool},
    context::{
        EVENT_KIND, Envelope, LateCall, PAYLOAD_VERSION, StoredEvent, chat_lane, newer_version,
        standby,
    },
    delivery::{Courier, DELIVERY_KIND, LOADING_KIND, loading_policy},
    ending,
    handlers::Handlers,
    job::{Job, policy},
    platform::Platform,
    state::{ChatState, StateError, StateFormat},
};

/// How long a job waits for a newer version of the program that can read it.
const NEWER_AGAIN: Duration = Duration::from_secs(5);

/// What a bot finds in the process that it runs in.
pub(crate) struct Surroundings {
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) time_zone: jiff::tz::TimeZone,
    pub(crate) late_call: LateCall,
    /// The threads of `cx.blocking`.
    pub(crate) pool: Arc<Pool>,
}

/// What all runs of a process share.
pub(crate) struct Shared<S> {
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) data: Data,
    pub(crate) state: StateFormat<S>,
    pub(crate) time_zone: jiff::tz::TimeZone,
    pub(crate) late_call: LateCall,
    pub(crate) pool: Arc<Pool>,
}

/// The values of `App::data`, one of each type.
#[derive(Default)]
pub(crate) struct Data(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Data {
    pub(crate) fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(value));
    }

    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} shared values", self.0.len())
    }
}

/// The work of an author's function.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result> + Send>>;

/// Adds one kind of job to a registry.
pub(crate) type AddJob<S> =
    Box<dyn FnOnce(&mut Registry, &Arc<Shared<S>>) -> yamabiko_queue::Result<()> + Send>;

/// Returns what adds the author's job type to a registry.
pub(crate) fn add_job<S: ChatState, J: Job<S>>() -> AddJob<S> {
    Box::new(|registry, shared| {
        let shared = Arc::clone(shared);
        registry.register(J::KIND, policy::<S, J>(), move |run| {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                measure_lateness(&run);
                let envelope = Envelope::of(&run.claim);
                // A newer version may be deploying: what cannot be read is tried again like any failure.
                let (payload, _) = standby::read(&run.claim.job.payload);
                let job: J = match serde_json::from_slice(payload) {
                    Ok(job) => job,
                    Err(error) => {
                        return failed(format!(
                            "the payload cannot be read as {}: {error}",
                            J::KIND
                        ));
                    }
                };
                in_context(run, envelope, shared, |cx| Box::pin(job.run(cx))).await
            })
        })
    })
}

/// Adds the handlers of events to a registry.
pub(crate) fn add_events<S: ChatState>(
    registry: &mut Registry,
    shared: &Arc<Shared<S>>,
    handlers: Handlers<S>,
) -> yamabiko_queue::Result<()> {
    let (shared, handlers) = (Arc::clone(shared), Arc::new(handlers));
    registry.register(EVENT_KIND, RetryPolicy::events(), move |run| {
        let (shared, handlers) = (Arc::clone(&shared), Arc::clone(&handlers));
        Box::pin(async move {
            let payload = &run.claim.job.payload;
            if let Some(version) = newer_version(payload, PAYLOAD_VERSION) {
                return newer(format!("payload version {version} is newer than this program"));
            }
            if let Err(error) = StoredEvent::read(payload) {
                return Finish {
                    ending: Ending::Dead { error: format!("not an event: {error}") },
                    effects: Vec::new(),
                };
            }
            let envelope = Envelope::of(&run.claim);
            let Some(event) = envelope.event.clone() else {
                return failed("not an event".to_owned());
            };
            let built_in = built_in(&run.claim, &event);
            let mut finish =
                in_context(run, envelope, shared, |cx| handlers.handle(cx, event)).await;
            if finish.ending == Ending::Done {
                // First, so that what the handler starts stays.
                finish.effects.splice(0..0, built_in);
            }
            finish
        })
    })
}

/// Adds deliveries and loading animations to a registry.
pub(crate) fn add_deliveries(
    registry: &mut Registry,
    courier: Arc<Courier>,
) -> yamabiko_queue::Result<()> {
    let carrier = Arc::clone(&courier);
    registry.register(DELIVERY_KIND, RetryPolicy::deliveries(), move |run| {
        let courier = Arc::clone(&carrier);
        Box::pin(async move { courier.carry(run).await })
    })?;
    registry.register(LOADING_KIND, loading_policy(), move |run| {
        let courier = Arc::clone(&courier);
        Box::pin(async move { courier.show_loading(run).await })
    })
}

/// Runs an author's function and turns what it asked for into effects.
async fn in_context<S: ChatState>(
    run: Run,
    envelope: Envelope,
    shared: Arc<Shared<S>>,
    work: impl FnOnce(Context<S>) -> Work,
) -> Finish {
    let state = match state(&run, &envelope, &shared).await {
        Ok(state) => state,
        Err(finish) => return finish,
    };
    let kind = run.claim.job.kind.clone();
    let over = Over::default();
    let _ends = over.when_dropped();
    let cx = Context::new(run, envelope, shared, state, over);
    let ended = work(cx.clone()).await;
    let asked = cx.seal();
    let finish = match ended.and(asked) {
        Ok(effects) => Finish { ending: Ending::Done, effects },
        Err(error) => Finish { ending: ending::of_error(&error), effects: Vec::new() },
    };
    let ended = if finish.ending == Ending::Done { "done" } else { "not_done" };
    metrics::counter!("yamabiko_runs_total", "kind" => kind, "ended" => ended).increment(1);
    finish
}

/// Returns the chat's state: what came with the claim, or a copy for a laneless job (S1).
async fn state<S: ChatState>(
    run: &Run,
    envelope: &Envelope,
    shared: &Shared<S>,
) -> std::result::Result<S, Finish> {
    let copy;
    let stored = match &envelope.chat {
        Some(chat) if run.claim.job.lane.is_none() => {
            copy = run.store().state(&chat_lane(chat)).await.map_err(|error| met(&error))?;
            copy.as_deref()
        }
        _ => run.claim.state.as_deref(),
    };
    shared.state.decode(stored).map_err(|error| match error {
        StateError::Newer { .. } => newer(error.to_string()),
        StateError::Unreadable { .. } => {
            Finish { ending: Ending::Dead { error: error.to_string() }, effects: Vec::new() }
        }
    })
}

/// Returns what an event does whatever its handler does (I4).
fn built_in(claim: &Claim, event: &Event) -> Vec<Effect> {
    use yamabiko_line::event::EventKind;
    match &event.kind {
        EventKind::Unfollow | EventKind::Leave => {
            // LINE may tell of the end late, when the user has come back and asked for more: only its own clock has the order.
            let left = claim.job.origin_time.unwrap_or(claim.job.arrived);
            let group = Group::AllBut(EVENT_KIND.to_owned());
            vec![Effect::CancelAll { group, origin_by: Some(left) }]
        }
        EventKind::Unsend { message_id } => {
            let origin = message_id.to_string();
            let group = Group::Origin(origin.clone());
            vec![Effect::CancelAll { group, origin_by: None }, Effect::Scrub { origin }]
        }
        _ => Vec::new(),
    }
}

fn measure_lateness(run: &Run) {
    if let Some(late) = lateness(&run.claim) {
        metrics::histogram!("yamabiko_timer_lateness_seconds").record(late.as_secs_f64());
    }
}

/// Returns how late a job starts that was to start later; `None` for a run after its first.
///
/// A job keeps the due time that it was stored with, and what follows a failure or a snooze has another.
/// One that was snoozed before any checkpoint counts as new, as it does for all limits of time.
fn lateness(Claim { job, claimed_at, .. }: &Claim) -> Option<Duration> {
    let is_first = job.first_claimed == Some(*claimed_at)
        && (job.failures, job.lost, job.checkpoint, job.reruns) == (0, 0, 0, 0);
    job.due.filter(|_| is_first).map(|due| claimed_at.since(due))
}

fn failed(error: String) -> Finish {
    Finish {
        ending: Ending::Failed { error, lends: false, after: None, unsure: false },
        effects: Vec::new(),
    }
}

/// Returns the end of a run that met this error of the store.
fn met(error: &yamabiko_queue::Error) -> Finish {
    Finish { ending: ending::of_store_error(error), effects: Vec::new() }
}

fn newer(reason: String) -> Finish {
    let ending = Ending::Snoozed {
        after: NEWER_AGAIN,
        hold: Hold::Yes,
        afresh: false,
        reason: Some(reason),
    };
    Finish { ending, effects: Vec::new() }
}

#[cfg(test)]
mod tests {
    use yamabiko_queue::{
        Clock, Due, ManualClock, NewJob, Outcome, StoreOptions, Timestamp,
        store::{self, Commit, Sending, Want},
    };

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn only_the_first_run_of_a_timer_tells_how_late_timers_are() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("bot.db").display());
        let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
        let mut options = StoreOptions::new("bot");
        options.clock = Clock::Manual(clock.clone());
        let store = store::open(&url, options).await.unwrap();
        let timer = NewJob { due: Due::In(MINUTE), ..NewJob::new("timer", "1") };
        store.insert(&[timer, NewJob::new("at_once", "1")]).await.unwrap();
        let want = Want { queues: vec!["default".to_owned()], at_most: 2 };
        let claim = async |commits: &[Commit]| {
            let mut turn =
                store.turn(Sending::once(), commits, std::slice::from_ref(&want)).await.unwrap();
            turn.claims.pop().unwrap()
        };
        let commit =
            |Claim { job, token, .. }: &Claim, outcome| Commit::bare(job.id, *token, outcome);

        assert_eq!(lateness(&claim(&[]).await), None);
        clock.advance(MINUTE + Duration::from_secs(2));
        store.tick().await.unwrap();
        let first = claim(&[]).await;
        assert_eq!(lateness(&first), Some(Duration::from_secs(2)));
        let payload = b"2".to_vec();
        let checkpoint = commit(&first, Outcome::Checkpoint { payload });
        let after = Duration::ZERO;
        let snooze = Outcome::Snooze { after, hold: Hold::No, reason: None, afresh: true };
        store.turn(Sending::once(), &[checkpoint, commit(&first, snooze)], &[]).await.unwrap();
        clock.advance(MINUTE);
        store.tick().await.unwrap();
        assert_eq!(lateness(&claim(&[]).await), None);
    }
}
