//! The line from a test to the thread of its bot.

use std::{fmt, ops::ControlFlow, sync::mpsc};

use super::bot::Bot;

/// What a test wants done on the bot's thread.
pub(super) type Act = Box<dyn FnOnce(&mut Bot) -> ControlFlow<()> + Send>;

/// Reaches a bot under test; clones reach the same.
#[derive(Clone)]
pub(super) struct Handle(mpsc::Sender<Act>);

impl Handle {
    pub(super) fn new() -> (Self, mpsc::Receiver<Act>) {
        let (acts, incoming) = mpsc::channel();
        (Self(acts), incoming)
    }

    /// Does something on the bot's thread and returns what came of it.
    ///
    /// # Panics
    /// If the thread is gone.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Bot) -> T + Send + 'static,
    ) -> T {
        self.try_ask(act).expect("the bot under test is gone: the panic above says why")
    }

    /// Does something on the bot's thread, if that is not gone.
    pub(super) fn try_ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Bot) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = mpsc::channel();
        let act = move |bot: &mut Bot| {
            // A test that no longer listens has ended.
            answer.send(act(bot)).ok();
            ControlFlow::Continue(())
        };
        self.0.send(Box::new(act)).ok()?;
        answered.recv().ok()
    }

    /// Ends the bot's thread.
    pub(super) fn stop(&self) {
        // It may have ended by a panic.
        self.0.send(Box::new(|_| ControlFlow::Break(()))).ok();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}
