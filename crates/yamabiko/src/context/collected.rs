//! What a run has asked for so far.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use yamabiko_queue::{Effect, JobId, NewJob, Timestamp, store::Claim};

use super::{Envelope, envelope::Token};
use crate::{
    Result,
    delivery::{self, Said, WhenLate},
    ending::Permanent,
    state::{ChatState, StateFormat},
};

/// What a run has asked for so far; shared by the clones of its context.
pub(crate) struct Collected<S> {
    asked: Mutex<Asked<S>>,
    late_call: LateCall,
}

/// What happens when a context is used after its run has ended (K8); told the kind of job.
pub(crate) type LateCall = Arc<dyn Fn(&str) + Send + Sync>;

/// Returns what a running bot does about a late call: it says so in the log.
pub(crate) fn log_late_call() -> LateCall {
    Arc::new(|kind| {
        tracing::error!(
            job.kind = kind,
            "a context was used after its run had ended; what it asked for does not happen"
        );
    })
}

struct Asked<S> {
    said: Vec<Said>,
    /// How many messages earlier checkpoints have taken.
    said_before: usize,
    effects: Vec<Effect>,
    /// The job that keeps the reply token.
    kept_by: Option<JobId>,
    /// Until when the loading animation is to be shown.
    loading: Option<Timestamp>,
    /// How many checkpoints have been begun, which the ids of what is asked for from now on carry (K4).
    checkpoints: u32,
    /// The index of the next job since then (K4).
    index: u32,
    state: S,
    state_changed: bool,
    /// The first mistake; it surfaces at the commit, and is permanent (K8).
    mistake: Option<String>,
    /// Once the run has ended: its kind.
    sealed: Option<String>,
}

impl<S: ChatState> Collected<S> {
    pub(crate) fn new(state: S, checkpoints: u32, late_call: LateCall) -> Self {
        let asked = Asked {
            said: Vec::new(),
            said_before: 0,
            effects: Vec::new(),
            kept_by: None,
            loading: None,
            checkpoints,
            index: 0,
            state,
            state_changed: false,
            mistake: None,
            sealed: None,
        };
        Self { asked: Mutex::new(asked), late_call }
    }

    fn asked(&self) -> MutexGuard<'_, Asked<S>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is collected; once the run has ended, that is a late call.
    fn open(&self) -> MutexGuard<'_, Asked<S>> {
        let sealed = self.asked().sealed.clone();
        if let Some(kind) = sealed {
            (self.late_call)(&kind);
        }
        self.asked()
    }

    /// Adds a message and returns its number in the run.
    pub(crate) fn say(&self, said: Said) -> usize {
        let mut asked = self.open();
        asked.said.push(said);
        asked.said_before + asked.said.len() - 1
    }

    /// Makes a message free only.
    pub(crate) fn free_only(&self, number: usize) {
        let mut asked = self.open();
        let index = number.checked_sub(asked.said_before);
        match index.and_then(|index| asked.said.get_mut(index)) {
            Some(said) => said.when_late = WhenLate::Drop,
            None => {
                drop(asked);
                self.fail(
                    "free_only was said of a message that a checkpoint has sent: say it before",
                );
            }
        }
    }

    pub(crate) fn effect(&self, effect: Effect) {
        self.open().effects.push(effect);
    }

    /// Adds a job; `id` gets the number of checkpoints and the index since the last.
    pub(crate) fn insert(&self, mut job: NewJob, id: impl Fn(u32, u32) -> JobId) -> JobId {
        let mut asked = self.open();
        job.id = id(asked.checkpoints, asked.index);
        asked.index += 1;
        let id = job.id;
        asked.effects.push(Effect::Insert(job));
        id
    }

    pub(crate) fn keep_reply(&self, job: JobId) {
        let other = self.open().kept_by.replace(job).filter(|other| *other != job);
        if other.is_some() {
            self.fail("a reply token is good once: keep_reply can be said of one job only");
        }
    }

    pub(crate) fn show_loading(&self, until: Timestamp) {
        self.open().loading = Some(until);
    }

    pub(crate) fn fail(&self, mistake: impl Into<String>) {
        self.open().mistake.get_or_insert(mistake.into());
    }

    pub(crate) fn state(&self) -> S {
        self.asked().state.clone()
    }

    pub(crate) fn set_state(&self, state: S) {
        let mut asked = self.open();
        asked.state = state;
        asked.state_changed = true;
    }

    /// Takes what was asked for since the last checkpoint, as effects for the store.
    ///
    /// What is asked for from now on belongs to the next one, also while this one is on its way to the store.
    pub(crate) fn take(
        &self,
        envelope: &Envelope,
        claim: &Claim,
        format: &StateFormat<S>,
    ) -> Result<Vec<Effect>> {
        let mut asked = self.open();
        if let Some(mistake) = asked.mistake.take() {
            return Err(Permanent(mistake).into());
        }
        let checkpoints = asked.checkpoints;
        let mut effects = std::mem::take(&mut asked.effects);
        let said = std::mem::take(&mut asked.said);
        asked.said_before += said.len();
        let loading = asked.loading.take();
        let kept_by = asked.kept_by.take();
        if envelope.standby {
            tracing::debug!(messages = said.len(), "the channel is in standby, nothing is sent");
        } else {
            for one in &said {
                one.message.validate().map_err(|error| Permanent(error.to_string()))?;
            }
            let mut rest = envelope.clone();
            // What was said before a checkpoint may have used the token.
            rest.token = rest.token.filter(|_| checkpoints == 0);
            if let Some(keeper) = kept_by {
                hand_over(rest.token.take(), keeper, &mut effects);
            }
            let mut ids = (asked.index..)
                .map(|index| claim.job.id.of_effect(claim.job.reruns, checkpoints, index));
            let deliveries = delivery::pack(said, &rest, claim, &mut ids);
            effects.extend(deliveries.into_iter().map(Effect::Insert));
            if let (Some(until), Some(chat)) = (loading, &envelope.chat) {
                let id = ids.next().expect("there are always more ids");
                effects.push(Effect::Insert(delivery::animation(chat, until, claim, id)));
            }
        }
        // Without a chat there is no state to keep.
        if std::mem::take(&mut asked.state_changed) && claim.job.lane.is_some() {
            let state = format.encode(&asked.state).map_err(|error| {
                Permanent(format!("the chat's state cannot be stored: {error}"))
            })?;
            effects.push(Effect::SetState(Some(state)));
        }
        asked.checkpoints += 1;
        asked.index = 0;
        Ok(effects)
    }

    pub(crate) fn seal(&self, kind: &str) {
        self.asked().sealed = Some(kind.to_owned());
    }
}

/// Puts a reply token into the job that keeps it.
fn hand_over(token: Option<Token>, keeper: JobId, effects: &mut [Effect]) {
    let keeper = effects.iter_mut().find_map(|effect| match effect {
        Effect::Insert(job) if job.id == keeper => Some(job),
        _ => None,
    });
    if let (Some(job), Some(token)) = (keeper, token) {
        job.secret = Some(token.to_secret());
    }
}

impl<S> fmt::Debug for Collected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected").finish_non_exhaustive()
    }
}
