//! Keeps a worker's claims alive from a thread of its own, which busy handlers cannot starve (C2).

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{
    clock::Clock,
    run::{Claimed, Report},
    store::{Held, Process, Store},
};

/// The time between two beats.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Beat {
    held: Arc<Mutex<HashSet<Claimed>>>,
    _alive: std_mpsc::Sender<()>,
}

impl Beat {
    pub(super) fn start(
        store: Arc<dyn Store>,
        process: Process,
        reports: mpsc::UnboundedSender<Report>,
        clock: Clock,
    ) -> Self {
        let held = Arc::new(Mutex::new(HashSet::new()));
        let (alive, ended) = std_mpsc::channel();
        let beats = Beats { held: Arc::clone(&held), process, reports, ended, clock };
        thread::Builder::new()
            .name("beat".to_owned())
            .spawn(move || beats.run(&*store))
            .expect("a process that cannot start a thread cannot work");
        Self { held, _alive: alive }
    }

    /// Notes that a run holds its job, or no longer does.
    pub(super) fn track(&self, claimed: Claimed, holds: bool) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if holds {
            held.insert(claimed);
        } else {
            held.remove(&claimed);
        }
    }
}

struct Beats {
    held: Arc<Mutex<HashSet<Claimed>>>,
    process: Process,
    reports: mpsc::UnboundedSender<Report>,
    ended: std_mpsc::Receiver<()>,
    clock: Clock,
}

impl Beats {
    fn run(&self, store: &dyn Store) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a process that cannot make a runtime cannot work");
        let mut own = None;
        loop {
            runtime.block_on(async {
                // The handle is made here, since a connection lives on the runtime that opened it.
                if own.is_none() {
                    own = store.handle().await.ok();
                }
                if let Some(store) = &own {
                    self.beat(&**store).await;
                }
            });
            if self.ended.recv_timeout(self.clock.real(EVERY))
                != Err(std_mpsc::RecvTimeoutError::Timeout)
            {
                return;
            }
        }
    }

    async fn beat(&self, store: &dyn Store) {
        let runs: Vec<_> =
            self.held.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        // An outage is logged by the worker; the next beat is in a second.
        let Ok(answers) = store.beat(&self.process, &runs).await else { return };
        for (run, held) in runs.into_iter().zip(answers) {
            if held != Held::Yes {
                // The worker is gone only when the process ends.
                drop(self.reports.send(Report::Dropped(run, held)));
            }
        }
    }
}
