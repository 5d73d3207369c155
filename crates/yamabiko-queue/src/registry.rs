//! Which code runs which kind of job, and how runs end.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use crate::{
    error::{Error, Result},
    retry::RetryPolicy,
    run::Run,
    store::{Claim, Effect, Hold},
};

/// A run in progress.
pub type RunFuture = Pin<Box<dyn Future<Output = Finish> + Send>>;

/// The code of one kind of job.
pub type Handler = Arc<dyn Fn(Run) -> RunFuture + Send + Sync>;

/// Tells what a job's death leaves behind, in the step that makes it dead (K7).
pub type OnDead = Arc<dyn Fn(&Claim, &str) -> Vec<Effect> + Send + Sync>;

/// The end of a run.
#[derive(Debug)]
pub struct Finish {
    /// How it ended.
    pub ending: Ending,
    /// What it asked for; dropped if it failed (K7).
    pub effects: Vec<Effect>,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Done,
    /// It calls the job off.
    Cancelled,
    /// It wants to run again later; counts as no failure.
    Snoozed {
        /// After how long.
        after: Duration,
        /// What becomes of the job's lane meanwhile.
        hold: Hold,
        /// Whether limits of time start again.
        afresh: bool,
        /// Why, for people.
        reason: Option<String>,
    },
    /// It failed, and may be tried again.
    Failed {
        /// What went wrong.
        error: String,
        /// Whether it lends its lane meanwhile, if its policy keeps it (O8).
        lends: bool,
        /// The wait before the next attempt, if not the policy's.
        after: Option<Duration>,
        /// Whether it may have done something outside that it could not report (O3).
        unsure: bool,
    },
    /// It gives back the lane that it has on loan, and waits in its place; counts as no failure (O8).
    GaveBack {
        /// Whether limits of time start again.
        afresh: bool,
    },
    /// It failed, and trying again cannot help.
    Dead {
        /// What went wrong.
        error: String,
    },
}

/// One kind of job.
#[derive(Clone)]
pub struct Registration {
    /// How often and when it is tried.
    pub policy: RetryPolicy,
    /// Its code.
    pub handler: Handler,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// All kinds of jobs that a worker can run.
#[derive(Default)]
pub struct Registry {
    kinds: HashMap<String, Registration>,
    on_dead: Option<OnDead>,
}

impl Registry {
    /// Makes an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind of job.
    ///
    /// # Errors
    /// `RegisteredTwice` if the kind is there already.
    pub fn register(
        &mut self,
        kind: impl Into<String>,
        policy: RetryPolicy,
        handler: impl Fn(Run) -> RunFuture + Send + Sync + 'static,
    ) -> Result<()> {
        let kind = kind.into();
        if self.kinds.contains_key(&kind) {
            return Err(Error::RegisteredTwice(kind));
        }
        self.kinds.insert(kind, Registration { policy, handler: Arc::new(handler) });
        Ok(())
    }

    /// Sets what a job's death leaves behind.
    pub fn on_dead(
        &mut self,
        effects: impl Fn(&Claim, &str) -> Vec<Effect> + Send + Sync + 'static,
    ) {
        self.on_dead = Some(Arc::new(effects));
    }

    /// Returns the registration of a kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&Registration> {
        self.kinds.get(kind)
    }

    /// Returns what the death of a job leaves behind: nothing, if the code that says so panics.
    #[must_use]
    pub fn death(&self, claim: &Claim, error: &str) -> Vec<Effect> {
        let Some(on_dead) = &self.on_dead else { return Vec::new() };
        catch_unwind(AssertUnwindSafe(|| on_dead(claim, error))).unwrap_or_else(|panic| {
            let panic = panic_message(&*panic);
            tracing::error!(job.id = %claim.job.id, job.kind = claim.job.kind, panic, "what tells of a job's death panicked, nothing is told");
            Vec::new()
        })
    }
}

/// Returns what a panic says.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("kinds", &self.kinds.keys()).finish_non_exhaustive()
    }
}
