//! Handing in jobs: what many callers store at the same time goes to the store in one write.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::{
    error::{Error, Result},
    job::NewJob,
    store::{Inserted, MAX_STEP_BYTES, Store},
};

/// The most jobs that go to the store in one write.
const MAX_BATCH: usize = 500;
/// What a stored job costs beside its payload, roughly, in bytes.
const OVERHEAD: usize = 256;

/// Stores jobs from outside of a run; clones share one stream of writes.
#[derive(Clone, Debug)]
pub struct Queue {
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
struct Request {
    jobs: Vec<NewJob>,
    answer: oneshot::Sender<Result<Vec<Inserted>>>,
}

impl Queue {
    /// Starts the stream of writes to `store` on the current runtime; it ends with the last clone.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        let (requests, incoming) = mpsc::channel(1024);
        tokio::spawn(write(store, incoming));
        Self { requests }
    }

    /// Stores jobs durably, all or none, and answers for each whether it is new.
    ///
    /// # Errors
    /// `TooLarge` or `TooFar` if a job is over a limit, `Unavailable` or `Full` if the store cannot take them now.
    pub async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Inserted>> {
        for job in &jobs {
            job.check()?;
        }
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::Unavailable("the queue has stopped".into());
        self.requests.send(Request { jobs, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn write(store: Arc<dyn Store>, mut incoming: mpsc::Receiver<Request>) {
    let mut next = None;
    while let Some(first) = match next.take() {
        Some(request) => Some(request),
        None => incoming.recv().await,
    } {
        let mut batch = vec![first];
        let (mut count, mut bytes) = weight(&batch[0]);
        while let Ok(request) = incoming.try_recv() {
            let (more, more_bytes) = weight(&request);
            if count + more > MAX_BATCH || bytes + more_bytes > MAX_STEP_BYTES {
                next = Some(request);
                break;
            }
            count += more;
            bytes += more_bytes;
            batch.push(request);
        }
        store_batch(&*store, batch).await;
    }
}

fn weight(request: &Request) -> (usize, usize) {
    (request.jobs.len(), request.jobs.iter().map(|job| job.payload.len() + OVERHEAD).sum())
}

async fn store_batch(store: &dyn Store, mut batch: Vec<Request>) {
    if let [only] = &mut batch[..] {
        let jobs = std::mem::take(&mut only.jobs);
        let result = store.insert(&jobs).await;
        return batch
            .into_iter()
            .for_each(|request| answer(request, result_of(&result, 0, jobs.len())));
    }
    let sizes: Vec<_> = batch.iter().map(|request| request.jobs.len()).collect();
    let jobs: Vec<_> =
        batch.iter_mut().flat_map(|request| std::mem::take(&mut request.jobs)).collect();
    let result = store.insert(&jobs).await;
    let mut start = 0;
    for (request, size) in batch.into_iter().zip(sizes) {
        let result = match &result {
            // One caller's bad job must not fail the others.
            Err(error) if !error.is_retryable() => store.insert(&jobs[start..start + size]).await,
            result => result_of(result, start, size),
        };
        start += size;
        answer(request, result);
    }
}

fn answer(request: Request, result: Result<Vec<Inserted>>) {
    // A caller that has gone away needs no answer; the jobs are stored all the same.
    drop(request.answer.send(result));
}

fn result_of(result: &Result<Vec<Inserted>>, start: usize, size: usize) -> Result<Vec<Inserted>> {
    match result {
        Ok(inserted) => Ok(inserted[start..start + size].to_vec()),
        Err(error) => Err(error.shared()),
    }
}
