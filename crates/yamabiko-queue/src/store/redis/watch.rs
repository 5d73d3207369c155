//! Hears of work by the markers that scripts set (W1): a blocking pop on a connection of its own.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::aio::MultiplexedConnection;
use tokio::{sync::Notify, task::JoinHandle};

use super::{
    link::Link,
    scripts::{self, Scripts},
};
use crate::store::{
    Signal,
    bell::{Bell, Heard},
};

/// How long one pop blocks.
const BLOCK: Duration = Duration::from_secs(1);
/// How long the server may take beyond that.
const PATIENCE: Duration = Duration::from_secs(1);
/// The wait between two tries to reach the server.
const TRY_AGAIN: Duration = Duration::from_millis(200);
/// How long a marker that was taken may lie unheard before it is put back for others.
const UNHEARD: Duration = Duration::from_millis(20);

/// The listening of one handle; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    shared: Arc<Shared>,
    task: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    commands: Link,
    scripts: Arc<Scripts>,
    prefix: String,
    bell: Bell,
    heard: Heard,
    /// What somebody has waited for since it was last put back.
    wanted: Mutex<BTreeSet<Signal>>,
    more_is_wanted: Notify,
}

impl Watch {
    pub(super) fn new(commands: Link, scripts: Arc<Scripts>, prefix: String) -> Self {
        let shared = Shared {
            commands,
            scripts,
            prefix,
            bell: Bell::default(),
            heard: Heard::default(),
            wanted: Mutex::default(),
            more_is_wanted: Notify::new(),
        };
        Self { shared: Arc::new(shared), task: Mutex::default() }
    }

    /// Waits until one of the signals is given, at most `at_most`.
    pub(super) async fn wait(&self, signals: &[Signal], at_most: Duration) {
        self.shared.want(signals);
        {
            let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
            if task.as_ref().is_none_or(JoinHandle::is_finished) {
                *task = Some(tokio::spawn(listen(Arc::clone(&self.shared))));
            }
        }
        self.shared.bell.wait(&self.shared.heard, signals, at_most).await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Shared {
    fn want(&self, signals: &[Signal]) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = wanted.len();
        wanted.extend(signals.iter().cloned());
        if wanted.len() > before {
            self.more_is_wanted.notify_one();
        }
    }

    fn wanted(&self) -> Vec<Signal> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn key(&self, signal: &Signal) -> String {
        match signal {
            Signal::Queue(queue) => format!("{}wake:{queue}", self.prefix),
            Signal::Timers => format!("{}alarm", self.prefix),
        }
    }

    async fn connect(&self) -> Option<MultiplexedConnection> {
        self.commands.server().connect(BLOCK + PATIENCE).await.ok()
    }

    /// Puts markers back for other processes that were taken here and that nobody comes to hear.
    async fn put_back_unheard(&self) {
        let wanted = self.wanted();
        let heard = self.bell.all_heard(&self.heard, &wanted);
        if tokio::time::timeout(UNHEARD, heard).await.is_ok() {
            return;
        }
        let is_unheard = |signal: &Signal| !self.bell.is_heard(&self.heard, signal);
        for signal in wanted.into_iter().filter(is_unheard) {
            self.wanted.lock().unwrap_or_else(PoisonError::into_inner).remove(&signal);
            let mut wake = self.scripts.wake.key(&self.prefix);
            wake.arg("");
            if let Signal::Queue(queue) = &signal {
                wake.arg(queue);
            }
            // Everyone looks once a second anyway: a marker that cannot be put back costs no more than that.
            scripts::call::<redis::Value>(&self.commands, &wake).await.ok();
        }
    }
}

async fn listen(shared: Arc<Shared>) {
    let mut connection = None;
    loop {
        let wanted = shared.wanted();
        if wanted.is_empty() {
            shared.more_is_wanted.notified().await;
            continue;
        }
        let Some(open) = &mut connection else {
            connection = shared.connect().await;
            if connection.is_none() {
                tokio::time::sleep(TRY_AGAIN).await;
            } else {
                // Markers may have come and gone meanwhile.
                shared.bell.ring(&wanted);
            }
            continue;
        };
        let mut pop = redis::cmd("BZPOPMIN");
        for signal in &wanted {
            pop.arg(shared.key(signal));
        }
        pop.arg(BLOCK.as_secs());
        let popped = {
            let pop = pop.query_async::<Option<(String, String, f64)>>(open);
            tokio::pin!(pop);
            loop {
                tokio::select! {
                    popped = &mut pop => break Some(popped),
                    () = shared.more_is_wanted.notified() => break None,
                    () = shared.bell.missed() => shared.put_back_unheard().await,
                }
            }
        };
        match popped {
            Some(Ok(None)) => {}
            Some(Ok(Some((key, ..)))) => {
                if let Some(signal) = wanted.into_iter().find(|signal| shared.key(signal) == key) {
                    shared.bell.ring(std::slice::from_ref(&signal));
                    // Whoever was woken goes first: its turn is more urgent than the next pop.
                    tokio::task::yield_now().await;
                    if !shared.bell.is_awaited(&signal) {
                        shared.put_back_unheard().await;
                    }
                }
            }
            // A pop that is given up would take a marker for nobody: its connection goes with it.
            None | Some(Err(_)) => connection = None,
        }
    }
}
