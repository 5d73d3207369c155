//! Stopping: the first signal asks; only a second Ctrl-C ends at once.

use tokio::sync::watch;

use crate::Result;

/// Tells whether the process is to stop; clones tell the same.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Asks the process to stop.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

/// Makes a pair that stops when it is told to.
pub(crate) fn channel() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Asks to stop.
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Returns whether the process is to stop.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when the process is to stop.
    pub(crate) fn requested(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut receiver = self.0.clone();
        async move {
            // The stopper lives as long as the process; without it, stopping is right as well.
            drop(receiver.wait_for(|stop| *stop).await);
        }
    }
}

/// Stops the process on SIGTERM or Ctrl-C, and ends it at once on a second Ctrl-C.
///
/// A second SIGTERM changes nothing: some hosts send several, and process managers send one after a Ctrl-C.
#[cfg(unix)]
pub(crate) fn listen(stopper: Stopper) -> Result {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let is_interrupt = tokio::select! {
            _ = interrupt.recv() => true,
            _ = terminate.recv() => false,
        };
        tracing::info!("stopping; a second Ctrl-C ends at once");
        stopper.stop();
        if !is_interrupt {
            interrupt.recv().await;
        }
        interrupt.recv().await;
        #[expect(clippy::exit, reason = "what a second Ctrl-C is for")]
        std::process::exit(130);
    });
    Ok(())
}
