//! The thread that writes: what many callers ask at the same time goes to the disk in one transaction (Q1).

use std::{
    cell::Cell,
    sync::{Arc, mpsc},
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    clock::StoreClock,
    file,
    statements::Statements,
    step::Step,
    watch::{LOOK_EVERY, Lookout},
};
use crate::{
    error::{Error, Result},
    store::{Signal, StoreOptions, bell::Bell},
};

/// The most requests that share a transaction.
const MAX_GROUP: usize = 256;

/// The way to the thread; it ends when the last one is dropped.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Request>>);

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        db: Connection,
        options: StoreOptions,
        clock: StoreClock,
        bell: Arc<Bell>,
    ) -> Result<Self> {
        let (requests, incoming) = mpsc::channel();
        // From now on, not from when the thread gets to run: what others commit in between wakes those who wait here.
        let lookout = Lookout::new(&db);
        let failed = Cell::new(false);
        let thread = Thread { db, options, clock, bell, incoming, failed };
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || thread.run(lookout))
            .map_err(|error| Error::Unavailable(error.into()))?;
        Ok(Self(requests))
    }

    /// Runs `work` in a transaction and returns when its effects are on disk, or not there at all.
    ///
    /// It is run again if another request of the same transaction fails, so it must not change anything outside.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Step<'_, '_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::Unavailable("the store's thread has ended".into());
        self.0.send(Box::new(Call { work, done: None, answer })).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// What one caller asks for.
trait Request: Send {
    /// Does it, within a transaction that may yet fail.
    fn attempt(&mut self, step: &mut Step<'_, '_>) -> rusqlite::Result<()>;

    /// Tells the caller how it ended.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

struct Call<F, T> {
    work: F,
    done: Option<T>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Request for Call<F, T>
where
    T: Send,
    F: Fn(&mut Step<'_, '_>) -> rusqlite::Result<T> + Send,
{
    fn attempt(&mut self, step: &mut Step<'_, '_>) -> rusqlite::Result<()> {
        self.done = Some((self.work)(step)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<()>) {
        let Self { done, answer, .. } = *self;
        let done = outcome
            .and_then(|()| done.ok_or_else(|| Error::Unavailable("it was not tried".into())));
        // A caller that has gone away needs no answer; what it asked for is done all the same.
        drop(answer.send(done));
    }
}

struct Thread {
    db: Connection,
    options: StoreOptions,
    clock: StoreClock,
    bell: Arc<Bell>,
    incoming: mpsc::Receiver<Box<dyn Request>>,
    /// Whether the last transaction failed for a reason outside of it, such as a full disk.
    failed: Cell<bool>,
}

impl Thread {
    fn run(self, mut lookout: Lookout) {
        let statements = Statements::new(&self.db);
        loop {
            match self.incoming.recv_timeout(LOOK_EVERY) {
                Ok(first) => {
                    let others = self.incoming.try_iter().take(MAX_GROUP - 1);
                    self.write(&statements, std::iter::once(first).chain(others).collect());
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            lookout.look(&self.db, &self.bell);
        }
    }

    /// Does all that is asked in one transaction; if that fails, each in one of its own, so that each fails alone.
    fn write(&self, statements: &Statements<'_>, mut group: Vec<Box<dyn Request>>) {
        let written = match Step::begin(statements, &self.options, &self.clock) {
            // A file that is locked or away fails for all alike.
            Err(error) => Err(self.undo(error)),
            Ok(step) => match self.attempt(step, &mut group) {
                Err(_) if group.len() > 1 => {
                    return group
                        .into_iter()
                        .for_each(|request| self.write(statements, vec![request]));
                }
                written => written,
            },
        };
        if let Ok(signals) = &written {
            self.bell.ring(signals);
        }
        for request in group {
            request.answer(written.as_ref().map(drop).map_err(Error::shared));
        }
    }

    fn attempt(
        &self,
        mut step: Step<'_, '_>,
        group: &mut [Box<dyn Request>],
    ) -> Result<Vec<Signal>> {
        let attempted = group.iter_mut().try_for_each(|request| request.attempt(&mut step));
        // What writes nothing does not tell whether writes work again.
        let written = attempted.and_then(|()| step.commit(self.failed.get()));
        let written = written.map_err(|error| self.undo(file::meaning(error)));
        self.failed.set(written.as_ref().is_err_and(Error::is_retryable));
        written
    }

    /// Ends a transaction that failed, unless SQLite has done so already.
    fn undo(&self, error: Error) -> Error {
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
        error
    }
}
