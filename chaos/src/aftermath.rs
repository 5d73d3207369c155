//! What the store holds when all is over.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;
use uuid::Uuid;
use yamabiko_chaos::Said;
use yamabiko_queue::{
    Clock, JobId, JobRecord, ManualClock, State, Store, StoreOptions, Timestamp,
    store::{self, Depth, Query},
};

use crate::{
    book::Page,
    check::Loss,
    clocks::Step,
    conversation::{Call, Conversation, Index},
    leftovers::leftovers,
    patience::patiently,
    place::Place,
    refusals::{Refusals, UsedUp},
};

/// After this, nothing that is over is kept: dead jobs are the last to go.
const FORGOTTEN: Duration = Duration::from_secs(40 * 24 * 60 * 60);
/// For how long a reply token is used, but for as much as a worker's time may differ from the store's.
const TOKEN_USED_FOR: Duration = Duration::from_secs(49);
/// For how long after its arrival a reply token may have been used, and the server been lost, and its successor met; in
/// milliseconds.
const USED_WITHIN: i64 = 115_000;
/// How soon after a replica was promoted the bot has met it, in milliseconds.
const MET_WITHIN: i64 = 10_000;
/// How often a job's process may die before the job is given up (C4).
const MAX_LOST: u32 = 3;
/// So many live jobs may be such as outlive another.
const FEW: u64 = 100;
/// How the payload begins of a job that was started in standby.
const STANDBY_MARK: &[u8] = br#"{"line.standby":"#;
/// What is left of a payload when the user has taken the message back (I4).
const SCRUBBED: &[u8] = b"null";
/// How often to prune at most; each time takes a bounded number.
const PRUNES: u32 = 1_000_000;

/// A look at the store from outside.
#[derive(Debug)]
pub(crate) struct Aftermath {
    store: Arc<dyn Store>,
}

/// What was found in the store about the chats, by their users.
#[derive(Debug)]
pub(crate) struct Facts<C: Conversation> {
    /// What was dropped because nobody can tell whether it was said.
    pub(crate) uncertain: HashMap<String, Vec<Said<C::What>>>,
    /// What was free only and came too late for its reply token (O9).
    pub(crate) too_late: HashMap<String, Vec<Said<C::What>>>,
    /// What LINE refused for good (O5).
    pub(crate) refused: HashMap<String, Vec<Said<C::What>>>,
    /// How many apologies were dropped as uncertain (O3) or too late for their reply tokens (O9), or were refused for good (O5).
    pub(crate) unsent_apologies: HashMap<String, usize>,
    /// The requests that deliveries belong to, by the retry keys of their pushes.
    pub(crate) pushed: HashMap<String, u64>,
    /// Requests that were given up after their process had died three times, or since they failed in all of their time.
    pub(crate) given_up: HashSet<u64>,
    /// Requests of which a job was set aside, or is dead, since its record was damaged.
    pub(crate) damaged: HashSet<u64>,
    /// Dead jobs that nobody asked to fail, as text.
    pub(crate) dead: Vec<String>,
    /// Jobs that do not carry the mode of the event that they come from (I4).
    pub(crate) wrongly_marked: Vec<JobRecord>,
    /// How many runs each chat's state has counted.
    pub(crate) runs: HashMap<String, u64>,
}

impl Aftermath {
    pub(crate) async fn open(place: &Place, bot: &str) -> anyhow::Result<Self> {
        let mut options = StoreOptions::new(bot);
        options.keep_completed = FORGOTTEN;
        options.keep_completed_max = u32::MAX;
        Ok(Self { store: open(&place.direct_url(), &options).await? })
    }

    /// Says whether all is over; that is cheap to ask as long as much is left to do.
    pub(crate) async fn is_over<C: Conversation>(&self) -> anyhow::Result<bool> {
        let states = patiently(async || self.store.counts().await).await?.states;
        let over = [State::Completed, State::Dead, State::Cancelled];
        let live: u64 =
            states.iter().filter(|(state, _)| !over.contains(state)).map(|(_, count)| count).sum();
        match live {
            0 => Ok(true),
            1..=FEW => Ok(self.live::<C>().await?.0.is_empty()),
            _ => Ok(false),
        }
    }

    /// Returns the jobs that are not over yet, and those that may be live though all is over.
    pub(crate) async fn live<C: Conversation>(
        &self,
    ) -> anyhow::Result<(Vec<JobRecord>, Vec<JobRecord>)> {
        let mut live = Vec::new();
        for state in [State::Running, State::Ready, State::Waiting, State::Scheduled] {
            live.extend(self.list(state).await?);
        }
        let dead = self.list(State::Dead).await?;
        Ok(live.into_iter().partition(|record| !C::outlives(record, &dead)))
    }

    /// Ends jobs that may be live though all is over.
    pub(crate) async fn end(&self, outliving: &[JobRecord]) -> anyhow::Result<()> {
        let ids: Vec<_> = outliving.iter().map(|record| record.job.id).collect();
        patiently(async || self.store.cancel(&ids).await).await?;
        Ok(())
    }

    async fn list(&self, state: State) -> anyhow::Result<Vec<JobRecord>> {
        self.all(Query::new(state)).await
    }

    async fn all(&self, query: Query) -> anyhow::Result<Vec<JobRecord>> {
        let mut query = Query { limit: 1000, ..query };
        let mut all = Vec::new();
        loop {
            let page = patiently(async || self.store.list(&query).await).await?;
            all.extend(page.records);
            query.after = page.next;
            if query.after.is_none() {
                return Ok(all);
            }
        }
    }

    /// Describes all that is kept of a chat's jobs.
    pub(crate) async fn describe_chat(&self, user: &str) -> anyhow::Result<Vec<String>> {
        let mut jobs = Vec::new();
        for state in State::ALL.into_iter().filter(|state| *state != State::Cancelled) {
            let records = self.all(Query { chat: Some(user.to_owned()), ..Query::new(state) });
            jobs.extend(records.await?.iter().map(describe));
        }
        Ok(jobs)
    }

    /// Reads what the checks need.
    pub(crate) async fn facts<C: Conversation>(
        &self,
        pages: &[Page<C::Ask>],
        refusals: &Refusals,
        clock_steps: &[Step],
        set_aside: &[JobId],
        used_up: &[UsedUp],
        losses: &[Loss],
    ) -> anyhow::Result<Facts<C>> {
        let index = Index::<C>::of(pages);
        let read = |messages: Vec<&Value>, request| {
            C::read(&Call { messages, request }, &index).into_iter().flatten()
        };
        let mut facts = Facts {
            uncertain: HashMap::new(),
            too_late: HashMap::new(),
            refused: HashMap::new(),
            unsent_apologies: HashMap::new(),
            pushed: HashMap::new(),
            given_up: HashSet::new(),
            damaged: HashSet::new(),
            dead: Vec::new(),
            wrongly_marked: Vec::new(),
            runs: HashMap::new(),
        };
        for record in self.list(State::Completed).await? {
            let request = index.of_job(&record);
            if is_wrongly_marked(&record, request.is_some_and(|one| index.is_in_standby(one))) {
                facts.wrongly_marked.push(record.clone());
            }
            for key in retry_keys(record.job.id) {
                facts.pushed.extend(request.map(|request| (key.clone(), request)));
            }
            let Some(chat) = record.job.chat.clone() else { continue };
            if let Some(messages) = dropped_as_uncertain(&record, refusals, clock_steps, losses) {
                let messages = facts.without_apologies(&chat, &messages);
                facts.uncertain.entry(chat).or_default().extend(read(messages, request));
            } else if let Some(messages) = dropped_as_too_late(&record, clock_steps) {
                let messages = facts.without_apologies(&chat, &messages);
                facts.too_late.entry(chat).or_default().extend(read(messages, request));
            }
        }
        let damaged: HashMap<_, _> = pages
            .iter()
            .flat_map(|page| &page.damaged)
            .map(|(request, id)| (id, *request))
            .collect();
        for id in set_aside {
            match damaged.get(id) {
                Some(request) => drop(facts.damaged.insert(*request)),
                None => facts.dead.push(format!("{id} was set aside, and is not damaged")),
            }
        }
        for record in self.list(State::Dead).await? {
            let request = index.of_job(&record);
            if record.job.unreadable.is_some()
                && let Some(request) = damaged.get(&record.job.id)
            {
                facts.damaged.insert(*request);
            } else if let Some((chat, messages)) = refused(&record, refusals, used_up) {
                let messages = facts.without_apologies(&chat, &messages);
                facts.refused.entry(chat).or_default().extend(read(messages, request));
            } else if record.job.payload == SCRUBBED
                && request.is_some_and(|request| index.is_taken_back(request))
            {
                // What it was to say is no longer known, nor asked for.
            } else if record.job.lost >= MAX_LOST || C::has_failed_too_often(&record.history) {
                facts.given_up.extend(request);
            } else if !request.and_then(|request| index.ask(request)).is_some_and(C::is_to_fail) {
                facts.dead.push(describe(&record));
            }
        }
        for page in pages {
            let runs = match patiently(async || self.store.state(&page.user).await).await? {
                Some(state) => {
                    let state: Value = serde_json::from_slice(&state)?;
                    state["s"]["count"].as_u64().with_context(|| format!("a state: {state}"))?
                }
                None => 0,
            };
            facts.runs.insert(page.user.clone(), runs);
        }
        Ok(facts)
    }
}

impl<C: Conversation> Facts<C> {
    /// Counts the apologies among messages that a chat did not get, and returns the others.
    fn without_apologies<'a>(&mut self, chat: &str, messages: &'a [Value]) -> Vec<&'a Value> {
        let (apologies, others): (Vec<_>, Vec<_>) =
            messages.iter().partition(|message| C::is_apology(message));
        *self.unsent_apologies.entry(chat.to_owned()).or_default() += apologies.len();
        others
    }
}

async fn open(url: &str, options: &StoreOptions) -> anyhow::Result<Arc<dyn Store>> {
    Ok(patiently(async || store::open(url, options.clone()).await).await?)
}

/// Returns a chat's scheduled job whose payload has this text; none while the store is unavailable.
pub(crate) async fn timer_with(
    place: &Place,
    bot: &str,
    chat: &str,
    text: &str,
) -> anyhow::Result<Option<JobId>> {
    let live = match store::open(&place.direct_url(), StoreOptions::new(bot)).await {
        Ok(store) => store.live(chat).await,
        Err(error) => Err(error),
    };
    let live = match live {
        Err(error) if error.is_retryable() => return Ok(None),
        live => live?,
    };
    let is_it = |record: &&JobRecord| {
        let payload = &record.job.payload;
        record.state == State::Scheduled
            && payload.windows(text.len()).any(|part| part == text.as_bytes())
    };
    Ok(live.iter().find(is_it).map(|record| record.job.id))
}

/// Returns what the doctor does not tell of the jobs that the store has set aside.
pub(crate) async fn untold(place: &Place, bot: &str, set_aside: &[JobId]) -> Option<String> {
    let found = store::inspect(&place.direct_url(), &StoreOptions::new(bot), Depth::Glance).await;
    let told = found.findings.iter().find(|finding| finding.topic == "damaged records");
    let told = told.map(|finding| finding.text.as_str()).unwrap_or_default();
    let first = set_aside.first()?;
    let is_told =
        told.starts_with(&format!("{} ", set_aside.len())) && told.contains(&first.to_string());
    (!is_told)
        .then(|| format!("{} jobs were set aside, and the doctor says {told:?}", set_aside.len()))
}

/// Prunes all jobs that have ended, repairs what was set aside so that it ends too, and returns what is left.
///
/// On Redis, a record that was damaged no longer tells its chat, so it stays among the jobs of the chat.
pub(crate) async fn left_over<A>(
    place: &Place,
    bot: &str,
    set_aside: &[JobId],
    pages: &[Page<A>],
) -> anyhow::Result<Vec<String>> {
    let damaged = pages.iter().filter(|page| !page.damaged.is_empty());
    let may_stay: HashSet<_> = damaged.map(|page| format!("chat:{}", page.user)).collect();
    place.repair().await?;
    let url = place.direct_url();
    let store = open(&url, &StoreOptions::new(bot)).await?;
    patiently(async || store.cancel(set_aside).await).await?;
    let now = patiently(async || store.tick().await).await?.now;
    let mut options = StoreOptions::new(bot);
    options.clock = Clock::Manual(ManualClock::new(now + FORGOTTEN));
    let store = open(&url, &options).await?;
    let mut before = u64::MAX;
    let mut idle = 0;
    for _ in 0..PRUNES {
        patiently(async || store.tick().await).await?;
        let left: u64 = patiently(async || store.counts().await).await?.states.values().sum();
        // What is remembered of jobs is pruned as well, and is in no count.
        idle = if left < before { 0 } else { idle + 1 };
        before = left;
        let left = || {
            let mut left = leftovers(&url, bot);
            left.retain(|name| !may_stay.contains(name));
            left
        };
        if idle > 64 && left().is_empty() || idle > 4096 {
            return Ok(left());
        }
    }
    bail!("the store prunes without end")
}

pub(crate) fn describe(record: &JobRecord) -> String {
    let job = &record.job;
    format!(
        "{} since {:?}: {} {} (parent {:?}, arrived {:?}, due {:?}, first claimed {:?}, failures {}, lost {}, unsure {}) {:?} {}",
        record.state,
        record.time,
        job.kind,
        job.id,
        job.parent,
        job.arrived,
        job.due,
        job.first_claimed,
        job.failures,
        job.lost,
        job.unsure,
        record.history.iter().map(|failure| &failure.error).collect::<Vec<_>>(),
        String::from_utf8_lossy(&job.payload)
    )
}

/// Returns the retry keys that a delivery's push may have: its job's id and, once its ornaments are taken off, one made
/// from it (O9).
fn retry_keys(id: JobId) -> [String; 2] {
    let trimmed = Uuid::new_v5(&id.as_uuid(), b"trimmed");
    [id.to_string(), trimmed.to_string()]
}

/// Says whether a job does not carry the mode of the event that it comes from: in standby there are no deliveries, and
/// all other jobs are marked (I4).
fn is_wrongly_marked(record: &JobRecord, is_in_standby: bool) -> bool {
    let is_marked = record.job.payload.starts_with(STANDBY_MARK);
    match record.job.kind.as_str() {
        "line.event" => false,
        "line.delivery" => is_in_standby || is_marked,
        _ => is_in_standby != is_marked,
    }
}

/// Returns the chat and the messages of a dead delivery that LINE refused for good.
fn refused(
    record: &JobRecord,
    refusals: &Refusals,
    used_up: &[UsedUp],
) -> Option<(String, Vec<Value>)> {
    let error = &record.history.last()?.error;
    Some((record.job.chat.clone()?, refusals.explain(error, &record.job.payload, used_up)?))
}

/// Returns what a delivery was to say, if it is over without anybody being able to tell whether it was said (O3): an
/// earlier attempt may have arrived, or a promoted server may lack that it was sent, and when it ended its reply token was too
/// old to find out; or LINE refused the token, and the store may have lost that it was used.
fn dropped_as_uncertain(
    record: &JobRecord,
    refusals: &Refusals,
    clock_steps: &[Step],
    losses: &[Loss],
) -> Option<Vec<Value>> {
    let maybe_said = |reply: &Value| record.job.unsure || is_of_a_loss(reply, losses);
    let payload = of_late_reply(record, clock_steps).filter(maybe_said).or_else(|| {
        let reply = of_reply(record).filter(|_| !record.job.unsure)?;
        refusals.has_refused_call(&reply["messages"]).then_some(reply)
    })?;
    payload["messages"].as_array().cloned()
}

/// Returns whether a promoted server may lack that a reply was sent: its token was good shortly before a loss.
fn is_of_a_loss(reply: &Value, losses: &[Loss]) -> bool {
    let time = |name: &str| reply[name].as_i64().map(|micros| micros / 1000);
    let Some(arrived) = time("token_arrived") else { return false };
    let first = time("token_first_sent").map_or(arrived, |sent| sent.min(arrived));
    let is_its =
        |loss: &Loss| first <= loss.until + MET_WITHIN && loss.from <= arrived + USED_WITHIN;
    losses.iter().any(is_its)
}

/// Returns what a delivery was to say for nothing, if it came too late for its reply token (O9).
fn dropped_as_too_late(record: &JobRecord, clock_steps: &[Step]) -> Option<Vec<Value>> {
    let payload = of_late_reply(record, clock_steps).filter(|_| !record.job.unsure)?;
    let is_free_only = payload["when_late"].as_array()?.iter().all(|when_late| when_late == "drop");
    payload["messages"].as_array().filter(|_| is_free_only).cloned()
}

/// Returns the payload of a delivery that ended with a reply token that was too old to be used, or that looked so by a clock
/// that was set ahead or back.
fn of_late_reply(record: &JobRecord, clock_steps: &[Step]) -> Option<Value> {
    let payload = of_reply(record)?;
    let (time, arrived) =
        (record.time?, Timestamp::from_micros(payload["token_arrived"].as_i64()?));
    let looked_old =
        |step: &Step| step.ahead > 0 && step.covers(arrived.as_millis(), time.as_millis());
    let is_late = time.since(arrived) > TOKEN_USED_FOR
        || arrived > time
        || clock_steps.iter().any(looked_old);
    is_late.then_some(payload)
}

/// Returns the payload of a delivery that ended without giving its reply token up.
fn of_reply(record: &JobRecord) -> Option<Value> {
    let payload: Value = serde_json::from_slice(&record.job.payload).ok()?;
    payload["token_arrived"].is_i64().then_some(payload)
}
