//! Durable jobs, lanes and timers on an SQLite file or on Redis.
//!
//! A job is stored, claimed by a worker, run, and committed together with its effects in one atomic step.
//! Execution is at least once; a run without the current claim changes nothing, so effects happen once.
//! This crate knows neither LINE nor HTTP.

pub mod clock;
pub mod error;
pub mod finding;
pub mod job;
mod outage;
pub mod queue;
pub mod registry;
pub mod retry;
pub mod run;
pub mod state;
pub mod store;
pub mod timer;
pub mod worker;

pub use clock::{Clock, ManualClock, Pace, Timestamp};
pub use error::{Error, ErrorKind, Result};
pub use finding::{Finding, Mark};
pub use job::{Due, Failure, Job, JobId, JobRecord, NewJob};
pub use queue::Queue;
pub use registry::{Ending, Finish, Registry};
pub use retry::RetryPolicy;
pub use run::Run;
pub use state::State;
pub use store::{Effect, Hold, Outcome, Store, StoreOptions};
pub use worker::{Worker, WorkerOptions};
