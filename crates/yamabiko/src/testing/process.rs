//! The process of a bot under test: a runtime, a handle to the store, and a worker.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::runtime::Runtime;
use yamabiko_queue::{
    Clock, ManualClock, Registry, Store, StoreOptions, Worker, WorkerOptions,
    store::{self, Tick},
};

use crate::queues::OwnQueues;

/// How long a run may really wait for something that is neither the clock nor the store.
const PATIENCE: Duration = Duration::from_secs(60);
/// For how long jobs are kept: longer than any test goes on.
const KEPT: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A running bot.
pub(super) struct Process {
    runtime: Runtime,
    store: Arc<dyn Store>,
    worker: Worker,
}

impl Process {
    /// Starts a process on the store in `folder`.
    pub(super) fn start(
        folder: &Path,
        clock: &ManualClock,
        registry: Arc<Registry>,
        queues: OwnQueues,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let mut options = StoreOptions::new("test");
        options.clock = Clock::Manual(clock.clone());
        (options.keep_completed, options.keep_dead) = (KEPT, KEPT);
        let url = format!("sqlite:{}", folder.join("test.db").display());
        let store = runtime.block_on(store::open(&url, options)).expect("the store can be opened");
        let process = store::Process {
            name: "test".into(),
            role: "all".into(),
            host: "test".into(),
            pid: 1,
            version: "0".into(),
            queues: Vec::new(),
        };
        let options = WorkerOptions {
            concurrency: 16,
            queues: queues.served(None),
            limits: queues.limits,
            shutdown: Duration::ZERO,
            process,
            clock: Clock::Manual(clock.clone()),
        };
        let worker = Worker::new(Arc::clone(&store), registry, options);
        Self { runtime, store, worker }
    }

    /// Works until nothing is ready, running or uncommitted, but for runs that sleep.
    ///
    /// # Panics
    /// If a run waits for a minute for something else.
    pub(super) fn settle(&mut self) {
        loop {
            let step = async { tokio::time::timeout(PATIENCE, self.worker.step()).await };
            match self.runtime.block_on(step) {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return,
                Ok(Err(error)) => gives_up(&format!("the store of a test fails: {error}")),
                Err(_) => gives_up(&format!(
                    "{} has been waiting for {PATIENCE:?} for something that never comes; handlers and jobs that wait for time to pass use cx.sleep",
                    self.worker.running().join(", ")
                )),
            }
        }
    }

    /// Makes due jobs ready.
    pub(super) fn tick(&self) -> Tick {
        self.ask(async |store| store.tick().await)
    }

    /// Asks the store something.
    pub(super) fn ask<T>(
        &self,
        call: impl AsyncFnOnce(&dyn Store) -> yamabiko_queue::Result<T>,
    ) -> T {
        self.runtime
            .block_on(call(&*self.store))
            .unwrap_or_else(|error| gives_up(&format!("the store of a test refuses: {error}")))
    }

    /// Waits for something that belongs to no job.
    pub(super) fn wait_for<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Ends as a killed process does: nothing is reported, what it has claimed comes back when the leases end.
    pub(super) fn kill(self) {
        self.runtime.shutdown_background();
    }

    /// Ends as a stopped process does: what runs goes back to the queue.
    pub(super) fn stop(self) {
        self.runtime.block_on(self.worker.stop());
    }
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn gives_up(why: &str) -> ! {
    panic!("{why}");
}
