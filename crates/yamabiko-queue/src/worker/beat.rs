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
    store::{Held, Process, RunToken, Store},
    timer::TRY_AGAIN,
};

/// The time between two beats.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Beat {
    kept: Arc<Mutex<Kept>>,
    _alive: std_mpsc::Sender<()>,
}

/// What the beats keep alive.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The runs that hold their jobs.
    pub(super) runs: HashSet<Claimed>,
    /// The exchanges whose answers are still to come, and with them claims (C5).
    pub(super) awaited: HashSet<RunToken>,
}

impl Beat {
    pub(super) fn start(
        store: Arc<dyn Store>,
        process: Process,
        reports: mpsc::UnboundedSender<Report>,
        clock: Clock,
    ) -> Self {
        let kept = Arc::new(Mutex::default());
        let (alive, ended) = std_mpsc::channel();
        let beats = Beats { kept: Arc::clone(&kept), process, reports, ended, clock };
        thread::Builder::new()
            .name("beat".to_owned())
            .spawn(move || beats.run(&*store))
            .expect("a process that cannot start a thread cannot work");
        Self { kept, _alive: alive }
    }

    /// Changes what is kept alive, in one go.
    pub(super) fn keep(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

struct Beats {
    kept: Arc<Mutex<Kept>>,
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
            let beaten = runtime.block_on(async {
                // The handle is made here, since a connection lives on the runtime that opened it.
                if own.is_none() {
                    own = store.handle().await.ok();
                }
                match &own {
                    Some(store) => self.beat(&**store).await,
                    None => false,
                }
            });
            // After an outage, claims are spared only as long as it takes to beat soon (C3).
            let pause = if beaten { EVERY } else { TRY_AGAIN };
            if self.ended.recv_timeout(self.clock.real(pause))
                != Err(std_mpsc::RecvTimeoutError::Timeout)
            {
                return;
            }
        }
    }

    /// Beats, and returns whether the store took it.
    async fn beat(&self, store: &dyn Store) -> bool {
        let (runs, awaited): (Vec<_>, Vec<_>) = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            (kept.runs.iter().copied().collect(), kept.awaited.iter().copied().collect())
        };
        // An outage is logged by the worker.
        let Ok(answers) = store.beat(&self.process, &runs, &awaited).await else { return false };
        for (run, held) in runs.into_iter().zip(answers) {
            if held != Held::Yes {
                // The worker is gone only when the process ends.
                drop(self.reports.send(Report::Dropped(run, held)));
            }
        }
        true
    }
}
