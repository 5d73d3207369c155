//! Handing in jobs: what many callers store at the same time goes to the store in few writes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{runtime::Handle, sync::oneshot};

use crate::{
    error::{Error, ErrorKind, Result},
    job::NewJob,
    store::{Inserted, MAX_STEP_BYTES, Store},
};

/// The most jobs that go to the store in one write, unless one caller has more.
const MAX_BATCH: usize = 500;
/// So many jobs are worth a second write while the first is under way.
const MANY: usize = 32;
/// The most writes under way: the store works on one while the next is made.
const MAX_WRITES: usize = 2;
/// What a stored job costs beside its payload, roughly, in bytes.
const OVERHEAD: usize = 256;

/// Stores jobs from outside of a run; clones gather what they store.
///
/// A caller who is alone writes for himself. Those who come while a write is under way wait for the next.
#[derive(Clone, Debug)]
pub struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<dyn Store>,
    line: Mutex<Line>,
}

/// Those who wait for a write.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Request>,
    /// How many jobs they bring.
    jobs: usize,
    /// How many writes are under way; nobody waits while there is none.
    writes: usize,
}

#[derive(Debug)]
struct Request {
    jobs: Vec<NewJob>,
    answer: oneshot::Sender<Result<Vec<Inserted>>>,
}

impl Queue {
    /// Makes a queue that writes to `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Shared { store, line: Mutex::default() }))
    }

    /// Stores jobs durably, all or none, and answers for each whether it is new.
    ///
    /// A caller that goes away while it waits does not know what became of its jobs; they may be stored or not.
    ///
    /// # Errors
    /// `TooLarge` or `TooFar` if a job is over a limit, `Unavailable` or `Full` if the store cannot take them now.
    pub async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Inserted>> {
        for job in &jobs {
            job.check()?;
        }
        if let Some(write) = Shared::begin_alone(&self.0) {
            return write.shared.store.insert(&jobs).await;
        }
        let (answer, answered) = oneshot::channel();
        if let Some((write, batch)) = Shared::join(&self.0, Request { jobs, answer }) {
            tokio::spawn(write_batch(write, batch));
        }
        answered.await.map_err(|_| Error::Unavailable("the queue has stopped".into()))?
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a write for a caller of its own if none is under way.
    fn begin_alone(shared: &Arc<Self>) -> Option<Write> {
        let mut line = shared.line();
        (line.writes == 0).then(|| {
            line.writes += 1;
            Write { shared: Arc::clone(shared) }
        })
    }

    /// Gets in line, and returns the write that is to be made if there are enough for another.
    fn join(shared: &Arc<Self>, request: Request) -> Option<(Write, Vec<Request>)> {
        let mut line = shared.line();
        line.jobs += request.jobs.len();
        line.waiting.push_back(request);
        shared.next(&mut line)
    }

    fn next(self: &Arc<Self>, line: &mut Line) -> Option<(Write, Vec<Request>)> {
        let is_due = line.writes == 0 || line.writes < MAX_WRITES && line.jobs >= MANY;
        let batch = if is_due { line.take_batch() } else { Vec::new() };
        (!batch.is_empty()).then(|| {
            line.writes += 1;
            (Write { shared: Arc::clone(self) }, batch)
        })
    }
}

impl Line {
    /// Takes those who fit into one write.
    fn take_batch(&mut self) -> Vec<Request> {
        let (mut count, mut bytes) = (0, 0);
        let mut batch = Vec::new();
        while let Some(request) = self.waiting.front() {
            count += request.jobs.len();
            bytes += request.jobs.iter().map(|job| job.payload.len() + OVERHEAD).sum::<usize>();
            if !batch.is_empty() && (count > MAX_BATCH || bytes > MAX_STEP_BYTES) {
                break;
            }
            self.jobs -= request.jobs.len();
            batch.extend(self.waiting.pop_front());
        }
        batch
    }
}

/// A write under way; its end, be it that its caller goes away, begins the next.
struct Write {
    shared: Arc<Shared>,
}

impl Drop for Write {
    fn drop(&mut self) {
        let mut line = self.shared.line();
        line.writes -= 1;
        let Some((write, batch)) = self.shared.next(&mut line) else { return };
        drop(line);
        // Without a runtime the process ends, and nobody waits any more.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(write_batch(write, batch));
        }
    }
}

async fn write_batch(write: Write, mut batch: Vec<Request>) {
    let store = &*write.shared.store;
    let sizes: Vec<_> = batch.iter().map(|request| request.jobs.len()).collect();
    let jobs: Vec<_> =
        batch.iter_mut().flat_map(|request| std::mem::take(&mut request.jobs)).collect();
    let result = store.insert(&jobs).await;
    let is_shared = batch.len() > 1;
    let mut start = 0;
    for (request, size) in batch.into_iter().zip(sizes) {
        let result = match &result {
            Ok(inserted) => Ok(inserted[start..start + size].to_vec()),
            // One caller's bad job must not fail the others.
            Err(error) if is_shared && error.kind() == ErrorKind::Refused => {
                store.insert(&jobs[start..start + size]).await
            }
            Err(error) => Err(error.shared()),
        };
        start += size;
        // A caller that has gone away needs no answer; the jobs are stored all the same.
        drop(request.answer.send(result));
    }
}
