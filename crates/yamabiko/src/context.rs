//! What a handler or a job may ask for; nothing of it happens before the commit.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use anyhow::anyhow;
use serde::de::DeserializeOwned;
use yamabiko_line::{
    client::Profile,
    id::{ChatId, ChatKind, UserId},
    message::Message,
};
use yamabiko_queue::{
    Due, Effect, JobId, JobRecord, NewJob, Run, State, Timestamp, job::EVENTS, store::Group,
};

use crate::{
    Result,
    blocking::Over,
    delivery::{KEPT_TOKEN_GOOD_FOR, Said, WhenLate},
    ending::Cancel,
    job::{Job, Lane},
    registry::Shared,
    state::ChatState,
};

mod collected;
mod envelope;
mod media;
mod reply;
pub(crate) mod standby;
mod started;

pub(crate) use collected::{Collected, LateCall, log_late_call};
pub(crate) use envelope::{EVENT_KIND, Envelope, PAYLOAD_VERSION, StoredEvent, newer_version};
pub use media::Content;
pub use reply::Reply;
pub use started::Started;

/// The hand of a handler or a job: what it asks for is collected, and happens together with the end of the run.
///
/// Clones belong to the same run. Once the run has ended, nothing more is collected.
///
/// ```
/// use std::time::Duration;
/// # use serde::{Deserialize, Serialize};
/// use yamabiko::{Context, Job, Result, TextMessage};
///
/// async fn on_text(cx: Context, message: TextMessage) -> Result {
///     cx.reply("I will think about it");
///     cx.after(Duration::from_secs(60), Thought { about: message.text });
///     Ok(())
/// }
/// # #[derive(Serialize, Deserialize)] struct Thought { about: String }
/// # impl Job for Thought {
/// #     const KIND: &'static str = "thought";
/// #     async fn run(self, cx: Context) -> Result { cx.push(self.about); Ok(()) }
/// # }
/// # let _ = yamabiko::App::new("thinker").on_text(on_text).job::<Thought>();
/// ```
pub struct Context<S = ()> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    run: Run,
    envelope: Envelope,
    shared: Arc<Shared<S>>,
    over: Over,
    collected: Collected<S>,
}

impl<S> Clone for Context<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<S> fmt::Debug for Context<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("job", &self.inner.run.claim.job).finish_non_exhaustive()
    }
}

/// A job of a chat that is due later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its id, for `cx.cancel`.
    pub id: JobId,
    /// The job's kind.
    pub kind: String,
    /// When it is due.
    pub due: Timestamp,
    /// When it was asked for.
    pub created: Timestamp,
    /// Whether it keeps the reply token of the event that it was asked for in.
    pub keeps_reply: bool,
    /// Whether it was asked for while the channel was in standby: nothing that it says is sent.
    pub standby: bool,
    payload: Vec<u8>,
}

impl Timer {
    /// Takes a live job, if it is due later.
    pub(crate) fn of(record: JobRecord) -> Option<Self> {
        let due = record.job.due.filter(|_| record.state == State::Scheduled)?;
        let job = record.job;
        let (payload, standby) = standby::read(&job.payload);
        Some(Self {
            id: job.id,
            due,
            created: job.arrived,
            keeps_reply: job.secret.is_some(),
            standby,
            payload: payload.to_vec(),
            kind: job.kind,
        })
    }

    /// Returns the timer's job, if it is one of this kind.
    #[must_use]
    pub fn job<J: DeserializeOwned>(&self) -> Option<J> {
        serde_json::from_slice(&self.payload).ok()
    }
}

impl<S: ChatState> Context<S> {
    pub(crate) fn new(
        run: Run,
        envelope: Envelope,
        shared: Arc<Shared<S>>,
        state: S,
        over: Over,
    ) -> Self {
        let checkpoints = run.claim.job.checkpoint;
        let collected = Collected::new(state, checkpoints, Arc::clone(&shared.late_call));
        Self { inner: Arc::new(Inner { run, envelope, shared, over, collected }) }
    }

    /// Answers the event in its chat, by its reply token, which is free.
    ///
    /// A reply that comes too late for the token is pushed or dropped, as `LATE_REPLIES` says;
    /// [`free_only`](Reply::free_only) drops this one. What the run sends beside the first five messages, and in a run without
    /// a token, is pushed.
    ///
    /// ```
    /// use yamabiko::{Context, Result, TextMessage};
    ///
    /// async fn on_text(cx: Context, message: TextMessage) -> Result {
    ///     let Ok(number) = message.text.parse::<f64>() else {
    ///         cx.reply("Send me a number").free_only();
    ///         return Ok(());
    ///     };
    ///     cx.reply((number * number).to_string());
    ///     Ok(())
    /// }
    /// # let _ = yamabiko::App::new("square").on_text(on_text);
    /// ```
    pub fn reply(&self, message: impl Into<Message>) -> Reply<'_, S> {
        let number = self.say(self.inner.envelope.chat.clone(), message.into(), WhenLate::AsSet);
        Reply { cx: self, number }
    }

    /// Sends a message to the chat that the run belongs to, however late.
    ///
    /// All that one run sends to a chat leaves in order, in as few calls as possible; the first of them uses the reply
    /// token where there is one, since replies are free.
    pub fn push(&self, message: impl Into<Message>) {
        self.say(self.inner.envelope.chat.clone(), message.into(), WhenLate::Push);
    }

    /// Sends a message to another chat.
    pub fn push_to(&self, chat: &ChatId, message: impl Into<Message>) {
        self.say(Some(chat.clone()), message.into(), WhenLate::Push);
    }

    fn say(&self, chat: Option<ChatId>, message: Message, when_late: WhenLate) -> usize {
        let Envelope { token, standby, .. } = &self.inner.envelope;
        if chat.is_none() && token.is_none() && !standby {
            self.inner.collected.fail("this run belongs to no chat: use cx.push_to(chat, …)");
        }
        self.inner.collected.say(Said { chat, message, when_late })
    }

    /// Runs a job as soon as possible.
    #[expect(clippy::needless_pass_by_value, reason = "a job is handed over")]
    pub fn enqueue<J: Job<S>>(&self, job: J) -> Started<'_, S> {
        self.add(&job, None)
    }

    /// Runs a job after this time.
    ///
    /// In a handler it counts from LINE's time of the event, so that a late webhook makes no late timer;
    /// in a job, from the start of the run. At most 10 years.
    pub fn after<J: Job<S>>(&self, after: Duration, job: J) -> Started<'_, S> {
        self.at(self.inner.envelope.counts_from + after, job)
    }

    /// Runs a job at this moment, at once if it has passed. At most 10 years ahead.
    #[expect(clippy::needless_pass_by_value, reason = "a job is handed over")]
    pub fn at<J: Job<S>>(&self, due: Timestamp, job: J) -> Started<'_, S> {
        self.add(&job, Some(due))
    }

    fn add<J: Job<S>>(&self, job: &J, due: Option<Timestamp>) -> Started<'_, S> {
        let payload = self.payload(job).unwrap_or_else(|error| {
            self.inner
                .collected
                .fail(format!("the job {} cannot be stored as JSON: {error}", J::KIND));
            Vec::new()
        });
        let started_by = &self.inner.run.claim.job;
        let mut new = NewJob::new(J::KIND, payload);
        new.due = due.map_or(Due::Now, Due::At);
        new.parent = Some(started_by.id);
        new.origin.clone_from(&started_by.origin);
        new.origin_time = started_by.origin_time;
        if let Some(chat) = &self.inner.envelope.chat {
            new.chat = Some(chat.to_string());
            new.lane = (J::LANE == Lane::Chat).then(|| chat_lane(chat));
        }
        J::QUEUE.clone_into(&mut new.queue);
        if new.lane.is_some() {
            EVENTS.clone_into(&mut new.queue);
        }
        let ids =
            |checkpoints, index| started_by.id.of_effect(started_by.reruns, checkpoints, index);
        Started { cx: self, id: self.inner.collected.insert(new, ids), due }
    }

    /// Returns the payload of a job that this run starts, or goes on as; one in standby marks it (I4).
    fn payload<J: Job<S>>(&self, job: &J) -> serde_json::Result<Vec<u8>> {
        let payload = serde_json::to_vec(job)?;
        Ok(if self.inner.envelope.standby { standby::mark(&payload) } else { payload })
    }

    /// Keeps the reply token for a job, if it will still be used by then (O2).
    fn keep_reply(&self, job: JobId, due: Option<Timestamp>) {
        let Some(token) = &self.inner.envelope.token else { return };
        if due.is_none_or(|due| due.since(token.arrived) <= KEPT_TOKEN_GOOD_FOR) {
            self.inner.collected.keep_reply(job);
        }
    }

    /// Shows LINE's loading animation for this long, up to a minute, or until the bot says something.
    ///
    /// It comes after what this run says. LINE has it in chats with one user only, and shows it to who has the chat open;
    /// elsewhere, or where LINE fails, nothing is shown and nothing else changes.
    pub fn show_loading(&self, time: Duration) {
        if self.chat().is_some_and(|chat| chat.kind() == ChatKind::User) {
            self.inner.collected.show_loading(self.now() + time);
        }
    }

    /// Cancels a timer or a job; what is running already is stopped, and commits nothing.
    pub fn cancel(&self, id: JobId) {
        self.inner.collected.effect(Effect::Cancel(id));
    }

    /// Cancels all jobs of this kind that the chat has, however many: timers, and what waits or is running, but not this run.
    ///
    /// What this run has asked for before is cancelled too; what it asks for later is not. From the end of this run on none
    /// of them starts, and [`timers`](Self::timers) shows none, though the store may take some seconds to remove very many.
    pub fn cancel_all<J: Job<S>>(&self) {
        let group = Group::Kind(J::KIND.to_owned());
        self.inner.collected.effect(Effect::CancelAll { group, origin_by: None });
    }

    /// Returns the chat's state, as it is after what this run has set.
    #[must_use]
    pub fn state(&self) -> S {
        self.inner.collected.state()
    }

    /// Replaces the chat's state.
    ///
    /// Only a run in the chat's lane may do so; in a laneless job it is an error of the run, for good.
    /// Where LINE names no chat, there is nothing to keep it for: it is forgotten with the run.
    pub fn set_state(&self, state: S) {
        if self.inner.run.claim.job.lane.is_none() && self.inner.envelope.chat.is_some() {
            self.inner.collected.fail("a laneless job cannot write its chat's state: enqueue a job with LANE = Lane::Chat that does");
            return;
        }
        self.inner.collected.set_state(state);
    }

    /// Commits what was asked for so far, and makes a retry of this job start from `job`.
    ///
    /// # Errors
    /// If the job was cancelled or its claim is lost: return it with `?`, the run has to end.
    pub async fn checkpoint<J: Job<S>>(&self, job: &J) -> Result {
        if self.inner.run.claim.job.kind != J::KIND {
            return Err(anyhow!(
                "a checkpoint of {} cannot hold a {}",
                self.inner.run.claim.job.kind,
                J::KIND
            ));
        }
        let payload = self.payload(job)?;
        let effects = self.take_effects()?;
        self.inner.run.checkpoint(payload, effects).await.map_err(|error| match error {
            yamabiko_queue::run::CheckpointError::Cancelled => Cancel.into(),
            error => anyhow::Error::new(error),
        })
    }

    /// Returns the chat's timers, from the store, the next one first.
    ///
    /// Those that this run has asked for are not among them yet.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn timers(&self) -> Result<Vec<Timer>> {
        let Some(chat) = &self.inner.envelope.chat else { return Ok(Vec::new()) };
        let live = self.inner.run.live(chat.as_str()).await?;
        Ok(live.into_iter().filter_map(Timer::of).collect())
    }

    /// Says whether the chat has a job of this kind that is not over, from the store; one that this run has asked for is not there yet.
    ///
    /// # Errors
    /// If the store cannot be reached.
    pub async fn has_job<J: Job<S>>(&self) -> Result<bool> {
        let Some(chat) = &self.inner.envelope.chat else { return Ok(false) };
        let live = self.inner.run.live(chat.as_str()).await?;
        Ok(live.iter().any(|record| record.job.kind == J::KIND))
    }

    /// Waits for this long; in a test, by the clock that the test moves.
    ///
    /// The run goes on meanwhile, with its limit of time, and a run in the chat's lane keeps the chat waiting:
    /// what shall happen later is better asked for by `after`.
    pub async fn sleep(&self, time: Duration) {
        self.inner.run.sleep(time).await;
    }

    /// Does work that keeps a core busy on a bounded pool of threads, so that it delays no timer and no webhook.
    ///
    /// The pool has `BLOCKING_THREADS` threads; what is over waits. Its threads give way to all others of the process.
    /// A thread cannot be stopped: when the run ends before the work (its time is up, it was cancelled), the work goes on
    /// until it looks at [`Context::cancelled`], and what it returns is dropped (D1).
    ///
    /// # Errors
    /// If the process stops meanwhile. A panic of the work is one of the run.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.inner.run.part(self.inner.shared.pool.run(work)).await
    }

    /// Says whether the run has ended, so that work on a thread of its own may stop.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.inner.over.is_over()
    }

    /// Says whether the run can answer by reply: its event has a reply token, or the job has kept one.
    #[must_use]
    pub fn can_reply(&self) -> bool {
        self.inner.envelope.token.is_some() && !self.inner.envelope.standby
    }

    /// Returns whether the run can push to its chat: LINE has named one, and the channel is active in it.
    ///
    /// Where it cannot, the reply token is all that there is to answer with, and nothing can be said later.
    #[must_use]
    pub fn can_push(&self) -> bool {
        self.inner.envelope.chat.is_some() && !self.inner.envelope.standby
    }

    /// Returns the chat that the run belongs to; `None` where LINE names none that could be pushed to.
    #[must_use]
    pub fn chat(&self) -> Option<&ChatId> {
        self.inner.envelope.chat.as_ref()
    }

    /// Returns the user who caused the event, if the run is a handler's and LINE says so.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.inner.envelope.event.as_ref()?.source.as_ref()?.user()
    }

    /// Returns the user's profile, from LINE.
    ///
    /// In a group or room, that of the member: it has no language.
    ///
    /// # Errors
    /// If LINE does not give it, or the run knows no user.
    pub async fn profile(&self) -> Result<Profile> {
        let user = self.user().ok_or_else(|| anyhow!("this run knows no user"))?;
        Ok(self.inner.run.part(self.inner.shared.platform.profile(self.chat(), &user)).await?)
    }

    /// Returns what was shared by `App::data`.
    ///
    /// # Errors
    /// If no such value was shared.
    pub fn data<T: Any + Send + Sync>(&self) -> Result<&T> {
        let name = std::any::type_name::<T>();
        let value = self.inner.shared.data.get::<T>();
        value.ok_or_else(|| anyhow!("no {name} is shared: add .data({name} {{ … }}) to the App"))
    }

    /// Returns the id of the job, the same in each of its runs: what makes calls to third parties idempotent.
    #[must_use]
    pub fn job_id(&self) -> JobId {
        self.inner.run.claim.job.id
    }

    /// Returns which attempt the run is, from 1: one more than the runs that have failed before.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.run.claim.job.failures + 1
    }

    /// Returns when the run started, by the store's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.run.claim.claimed_at
    }

    /// Returns the moment from which `cx.after` counts: LINE's time of the event, or the start of the job's run.
    #[must_use]
    pub fn counts_from(&self) -> Timestamp {
        self.inner.envelope.counts_from
    }

    /// Returns when the job was due, if it was started for later.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.inner.run.claim.job.due
    }

    /// Returns how long after its due time the run started.
    ///
    /// LINE may take what the run sends later still, so a message that names this lateness may be wrong when it is read; one
    /// that names the due time ([`due`](Self::due)) is not.
    #[must_use]
    pub fn late_by(&self) -> Duration {
        self.due().map_or(Duration::ZERO, |due| self.inner.run.claim.claimed_at.since(due))
    }

    /// Returns the time zone for clock times said to users; set by `TIME_ZONE`.
    #[must_use]
    pub fn time_zone(&self) -> jiff::tz::TimeZone {
        self.inner.shared.time_zone.clone()
    }

    /// Takes what was collected, as effects for the store.
    fn take_effects(&self) -> Result<Vec<Effect>> {
        let inner = &self.inner;
        inner.collected.take(&inner.envelope, &inner.run.claim, &inner.shared.state)
    }

    /// Ends the collecting: what is asked for later is lost, and said so (K8).
    pub(crate) fn seal(&self) -> Result<Vec<Effect>> {
        let effects = self.take_effects();
        self.inner.collected.seal(&self.inner.run.claim.job.kind);
        effects
    }
}

/// Returns the lane of a chat's events and in-lane jobs (L1).
pub(crate) fn chat_lane(chat: &ChatId) -> String {
    chat.to_string()
}
