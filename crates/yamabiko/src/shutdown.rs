//! Stopping: the first signal asks, the second one ends.

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

/// Asks to stop on SIGTERM or Ctrl-C, and ends the process at once on the second signal.
pub(crate) fn listen(stopper: Stopper) -> Result {
    let mut signals = Signals::new()?;
    tokio::spawn(async move {
        signals.next().await;
        tracing::info!("stopping; another signal ends at once");
        stopper.stop();
        signals.next().await;
        #[expect(clippy::exit, reason = "what a second signal is for")]
        std::process::exit(130);
    });
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
