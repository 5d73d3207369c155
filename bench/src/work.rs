//! A worker and a timer in this process.

use std::{future, sync::Arc};

use tokio::{sync::watch, task::JoinSet};
use yamabiko_queue::{Ending, Finish, Registry, RetryPolicy, Store, Worker, store::Claim, timer};

use crate::options::{KIND, Options};

/// A worker and a timer at work.
#[derive(Debug)]
pub(crate) struct Work {
    stopper: watch::Sender<()>,
    tasks: JoinSet<()>,
}

impl Work {
    /// Starts them on a store; each job does nothing but call `on_run`.
    pub(crate) fn start(
        store: &Arc<dyn Store>,
        options: &Options,
        on_run: impl Fn(&Claim) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let mut registry = Registry::new();
        registry.register(KIND, RetryPolicy::default(), move |run| {
            on_run(&run.claim);
            Box::pin(future::ready(Finish { ending: Ending::Done, effects: Vec::new() }))
        })?;
        let worker = Worker::new(Arc::clone(store), Arc::new(registry), options.worker_options());
        let stopper = watch::Sender::new(());
        let mut tasks = JoinSet::new();
        tasks.spawn(worker.run(stopped(&stopper)));
        tasks.spawn(timer::run(Arc::clone(store), stopped(&stopper)));
        Ok(Self { stopper, tasks })
    }

    /// Stops both, and returns when all runs are committed.
    pub(crate) async fn stop(self) {
        drop(self.stopper);
        self.tasks.join_all().await;
    }

    /// Waits for an end that nobody asks for.
    pub(crate) async fn ended(self) {
        self.tasks.join_all().await;
    }
}

/// Resolves when the sender is dropped.
fn stopped(stopper: &watch::Sender<()>) -> impl Future<Output = ()> + use<> {
    let mut stop = stopper.subscribe();
    async move { while stop.changed().await.is_ok() {} }
}
