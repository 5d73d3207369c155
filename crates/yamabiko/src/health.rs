//! Whether this process can do its work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use yamabiko_queue::Store;

/// How long a look at the store may take.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);

/// What is known of this process and its surroundings.
#[derive(Debug, Default)]
pub(crate) struct Health {
    stopping: AtomicBool,
    refused: AtomicBool,
}

impl Health {
    /// The process is told to stop.
    pub(crate) fn stops(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// LINE refused the channel's credentials.
    pub(crate) fn credentials_refused(&self) {
        self.refused.store(true, Ordering::SeqCst);
    }

    /// LINE took a call.
    pub(crate) fn credentials_work(&self) {
        self.refused.store(false, Ordering::SeqCst);
    }

    /// Returns why the process is not ready, if it is not.
    pub(crate) async fn problem(&self, store: &Arc<dyn Store>) -> Option<&'static str> {
        if self.stopping.load(Ordering::SeqCst) {
            return Some("stopping");
        }
        if self.refused.load(Ordering::SeqCst) {
            return Some("LINE refuses the credentials");
        }
        let reached = tokio::time::timeout(STORE_TIMEOUT, store.state("")).await;
        (!matches!(reached, Ok(Ok(_)))).then_some("the store is away")
    }
}
