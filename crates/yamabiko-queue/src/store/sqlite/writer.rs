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
    damage::{Care, LastDamage, Record, Suspect, Work, may_be_damage},
    file,
    statements::Statements,
    step::Step,
    watch::{LOOK_EVERY, Lookout},
};
use crate::{
    error::{Error, ErrorKind, Result},
    finding,
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
        damage: Arc<LastDamage>,
    ) -> Result<Self> {
        let (requests, incoming) = mpsc::channel();
        // From now on, not from when the thread gets to run: what others commit in between wakes those who wait here.
        let lookout = Lookout::new(&db);
        let (failed, care) = (Cell::new(false), Care::default());
        let thread = Thread { db, options, clock, bell, incoming, failed, care, damage };
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
    care: Care,
    damage: Arc<LastDamage>,
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
        let mut written = self.attempt(statements, false, |step| {
            group.iter_mut().try_for_each(|request| request.attempt(step))
        });
        if let Err(failure) = &written
            && !failure.is_of_all
            && group.len() > 1
        {
            return group.into_iter().for_each(|request| self.write(statements, vec![request]));
        }
        if written.as_ref().is_err_and(|failure| failure.may_be_damage) {
            written = self.write_carefully(statements, &mut *group[0]);
        }
        let written = written.map_err(|failure| failure.error);
        match &written {
            Ok(signals) => self.bell.ring(signals),
            Err(Error::Damaged(why)) => self.damage.note(why.to_string()),
            Err(_) => {}
        }
        for request in group {
            request.answer(written.as_ref().map(drop).map_err(Error::shared));
        }
    }

    /// Takes a step with care, setting aside what it cannot work on, until it succeeds or fails for another reason.
    fn write_carefully(
        &self,
        statements: &Statements<'_>,
        request: &mut dyn Request,
    ) -> Result<Vec<Signal>, Failure> {
        loop {
            match self.attempt(statements, true, |step| request.attempt(step)) {
                Err(failure) if failure.may_be_damage => {
                    if !self.finds_a_way(statements, &failure)? {
                        return Err(failure);
                    }
                }
                written => return written,
            }
        }
    }

    /// Says whether a step that failed by damage may go on: the record to blame is set aside, or known not to be removable.
    fn finds_a_way(&self, statements: &Statements<'_>, failure: &Failure) -> Result<bool, Failure> {
        let Some(suspect) = self.care.suspect() else { return Ok(false) };
        let why = suspect.record.why_unreadable(statements.db).map_err(Failure::of)?;
        let why = match (why, suspect) {
            (Some(why), _) => why,
            (None, Suspect { work: Work::Read, .. }) => return Ok(false),
            (None, Suspect { work: Work::End, record: Record::Job(seq) }) => {
                return Ok(self.care.is_stuck_now(seq));
            }
            (None, _) => finding::because(&failure.error),
        };
        loop {
            let mut is_news = false;
            let written = self.attempt(statements, true, |step| {
                is_news = step.set_aside(suspect, &why)?;
                Ok(())
            });
            match written {
                Ok(signals) => {
                    self.bell.ring(&signals);
                    return Ok(is_news);
                }
                // What waits next for its lane may be damaged as well.
                Err(failure) if failure.may_be_damage => {
                    let is_another = self.care.suspect().is_some_and(|other| other != suspect);
                    if !(is_another && self.finds_a_way(statements, &failure)?) {
                        return Err(failure);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Does some work in a transaction.
    fn attempt(
        &self,
        statements: &Statements<'_>,
        with_care: bool,
        work: impl FnOnce(&mut Step<'_, '_>) -> rusqlite::Result<()>,
    ) -> Result<Vec<Signal>, Failure> {
        self.care.begin(with_care);
        let written = match Step::begin(statements, &self.options, &self.clock, &self.care) {
            // A file that is locked or away fails for all alike.
            Err(error) => Err(Failure { error, is_of_all: true, may_be_damage: false }),
            Ok(mut step) => work(&mut step)
                // What writes nothing does not tell whether writes work again.
                .and_then(|()| step.commit(self.failed.get()))
                .map_err(Failure::of),
        };
        if written.is_err() {
            self.undo();
        } else {
            self.care.set_aside.borrow_mut().drain(..).for_each(|record| record.log());
        }
        self.failed.set(written.as_ref().is_err_and(Failure::is_from_outside));
        written
    }

    /// Ends a transaction that failed, unless SQLite has done so already.
    fn undo(&self) {
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

/// How a transaction failed.
#[derive(Debug)]
struct Failure {
    error: Error,
    /// Whether any other would have failed as well.
    is_of_all: bool,
    /// Whether a damaged record may be the reason.
    may_be_damage: bool,
}

impl Failure {
    fn of(error: rusqlite::Error) -> Self {
        let may_be_damage = may_be_damage(&error);
        Self { error: file::meaning(error), is_of_all: false, may_be_damage }
    }

    /// Says whether the reason lies outside of what was asked, and of what the file holds.
    fn is_from_outside(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::Unavailable | ErrorKind::Full | ErrorKind::Denied)
    }
}
