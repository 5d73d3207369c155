//! A bounded pool of threads for work that keeps a core busy.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::anyhow;
use tokio::{
    runtime::{Builder, Runtime},
    task::{AbortHandle, JoinError},
};

use crate::Result;

/// By how much the threads for runs yield to those that keep time and take webhooks, as `nice` counts.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Threads that do one piece of work each at a time; what is over waits in order.
pub(crate) struct Pool {
    /// Never driven: only its bounded set of threads is used. Taken when the pool ends.
    runtime: Option<Runtime>,
}

impl Pool {
    /// Starts a pool for runs: its threads give way to all others of the process.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub(crate) fn for_runs(threads: usize) -> io::Result<Self> {
        Self::start(threads, give_way)
    }

    /// Starts a pool for requests that somebody waits for.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub(crate) fn for_requests(threads: usize) -> io::Result<Self> {
        Self::start(threads, || {})
    }

    fn start(threads: usize, at_start: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(threads).thread_name("blocking").on_thread_start(at_start);
        Ok(Self { runtime: Some(builder.build()?) })
    }

    /// Does the work on a thread of the pool; a panic in it goes on in the caller.
    ///
    /// If the caller goes away, work that has not begun is left; what has begun keeps its thread until it ends.
    ///
    /// # Errors
    /// If the pool ends before the work is done.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let runtime = self.runtime.as_ref().expect("it is taken only at the end");
        let task = runtime.spawn_blocking(work);
        let _left = LeftBehind(task.abort_handle());
        task.await.map_err(|error| match JoinError::try_into_panic(error) {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => anyhow!("the process is stopping"),
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Waiting for its threads would stop the runtime that this is dropped in.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

/// Work whose caller may go away.
struct LeftBehind(AbortHandle);

impl Drop for LeftBehind {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes this thread the last to get a core when others want it.
fn give_way() {
    // On Linux a priority belongs to a thread; elsewhere it would be the whole process's.
    #[cfg(target_os = "linux")]
    {
        use rustix::{
            process::{getpriority_process, setpriority_process},
            thread::gettid,
        };
        let thread = Some(gettid());
        let lowered = getpriority_process(thread)
            .and_then(|nice| setpriority_process(thread, nice.max(NICE)));
        if let Err(error) = lowered {
            tracing::debug!(%error, "threads for blocking work have the priority of all others");
        }
    }
}

/// Whether a run has ended, for work that goes on in a thread of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Over(Arc<AtomicBool>);

impl Over {
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns what says that the run is over when it is dropped.
    pub(crate) fn when_dropped(&self) -> impl Drop + use<> {
        Ends(self.clone())
    }
}

struct Ends(Over);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Barrier, atomic::AtomicUsize, mpsc},
        time::Duration,
    };

    use super::*;

    #[test]
    fn no_more_work_is_done_at_once_than_there_are_threads() {
        let threads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&threads);
        let mut pool = Pool::start(2, move || {
            counted.fetch_add(1, Ordering::SeqCst);
        })
        .unwrap();
        let gate = Arc::new(Barrier::new(3));
        let keep_a_thread = || {
            let gate = Arc::clone(&gate);
            pool.run(move || gate.wait().is_leader())
        };
        // Opened when the third is there and finds both threads taken.
        let open = async { gate.wait().is_leader() };
        let work = async {
            tokio::join!(biased; keep_a_thread(), keep_a_thread(), pool.run(|| "third"), open)
        };
        let (first, second, third, _) =
            Builder::new_current_thread().build().unwrap().block_on(work);
        assert!(first.is_ok() && second.is_ok() && third.unwrap() == "third");
        // It waits until all threads have ended, also one that was too many and has only just begun.
        pool.runtime.take().unwrap().shutdown_timeout(Duration::from_secs(60));
        assert_eq!(threads.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_goes_on_in_the_caller() {
        let pool = Arc::new(Pool::for_requests(1).unwrap());
        let caller = Arc::clone(&pool);
        let panicked =
            tokio::spawn(async move { caller.run(|| panic!("no such thing")).await.is_ok() }).await;
        assert!(panicked.unwrap_err().is_panic());
        assert_eq!(pool.run(|| 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn work_whose_caller_has_gone_is_left_if_it_has_not_begun() {
        let pool = Pool::for_requests(1).unwrap();
        let (go, gate) = mpsc::channel::<()>();
        let (done, order) = mpsc::channel();
        let said = done.clone();
        let first = pool.run(move || {
            gate.recv().unwrap();
            said.send("first").unwrap();
        });
        let said = done.clone();
        let left = pool.run(move || said.send("left").unwrap());
        let (_, ()) = tokio::join!(first, async {
            drop(tokio::time::timeout(Duration::ZERO, left).await);
            go.send(()).unwrap();
        });
        pool.run(move || done.send("last").unwrap()).await.unwrap();
        assert_eq!(order.iter().collect::<Vec<_>>(), ["first", "last"]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn threads_for_runs_give_way_to_others() {
        let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let here = nice();
        assert_eq!(Pool::for_requests(1).unwrap().run(nice).await.unwrap(), here);
        let expected = NICE.max(here);
        assert_eq!(Pool::for_runs(1).unwrap().run(nice).await.unwrap(), expected);
    }
}
