//! The open connections of a server: at most so many, and none that keeps it waiting for too long.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{self, Instant},
};

use super::phase::{Limits, Phase, Wait};

/// How long to wait for room before another connection is looked for that can be closed.
const AGAIN: Duration = Duration::from_millis(20);
/// How often to log that clients are closed to make room.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// What all request bodies that are not complete may take: 64 MiB.
const MAX_BODIES: usize = 64 * 1024 * 1024;

/// The open connections of a server.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) limits: Limits,
    slots: Arc<Semaphore>,
    state: Mutex<State>,
    /// The bytes of all request bodies that are not complete.
    bodies: AtomicUsize,
    /// The server begins to drain.
    drains: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<u64, Arc<Connection>>,
    next: u64,
    /// Since when the server drains.
    draining: Option<Instant>,
    logged: Option<Instant>,
}

/// What the server knows of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    wait: Mutex<Wait>,
    /// The bytes of its request's body, while that is not complete.
    body: AtomicUsize,
    /// Its request's body came too slowly.
    too_slow: AtomicBool,
    closed: Notify,
}

/// A place among the open connections, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    connections: Arc<Connections>,
    pub(super) connection: Arc<Connection>,
    _slot: OwnedSemaphorePermit,
}

impl Connections {
    pub(super) fn new(at_most: usize, limits: Limits) -> Self {
        Self {
            limits,
            slots: Arc::new(Semaphore::new(at_most)),
            state: Mutex::default(),
            bodies: AtomicUsize::new(0),
            drains: Notify::new(),
        }
    }

    /// Takes a place for a new connection; where there is none, the most expendable connection is closed.
    pub(super) async fn place(self: &Arc<Self>) -> Place {
        let slot = loop {
            if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                break slot;
            }
            self.make_room();
            // While the bot works for all of them, room comes by itself.
            let slot = time::timeout(AGAIN, Arc::clone(&self.slots).acquire_owned()).await;
            if let Ok(slot) = slot {
                break slot.expect("it is never closed");
            }
        };
        let connection = Arc::new(Connection::new());
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.open.insert(number, Arc::clone(&connection));
        drop(state);
        Place { number, connections: Arc::clone(self), connection, _slot: slot }
    }

    /// Closes the most expendable connection, unless one is being closed already or the bot works for all.
    pub(super) fn make_room(&self) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.open.values().any(|one| one.wait().phase == Phase::Closed) {
            return;
        }
        let waits = state.open.values().map(|one| (one.wait().expendable(now), one));
        let Some((Some(_), first)) = waits.max_by_key(|(expendable, _)| *expendable) else {
            return;
        };
        if first.close_if(|wait| wait.expendable(now).is_some()) {
            count("crowded");
            if state.logged.is_none_or(|logged| now - logged >= LOG_EVERY) {
                tracing::warn!(
                    connections = state.open.len(),
                    "all connections are taken: those that keep the bot waiting are closed for new ones"
                );
                state.logged = Some(now);
            }
        }
    }

    /// Counts bytes of a body that is not complete; if there are too many, the largest such body is given up.
    pub(super) fn hold(&self, connection: &Connection, bytes: usize) {
        connection.body.fetch_add(bytes, Ordering::Relaxed);
        if self.bodies.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_BODIES {
            return;
        }
        let state = self.lock();
        let unfinished = state.open.values().filter(|one| one.wait().phase == Phase::Body);
        let largest = unfinished.max_by_key(|one| one.body.load(Ordering::Relaxed));
        if largest.is_some_and(|one| one.close_if(|wait| wait.phase == Phase::Body)) {
            count("bodies_too_large");
        }
    }

    /// Forgets the bytes of a body that is complete or given up.
    pub(super) fn release(&self, connection: &Connection) {
        let bytes = connection.body.swap(0, Ordering::Relaxed);
        self.bodies.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Begins to close the connections that are idle, and from now on those that become so.
    pub(super) fn drain(&self) {
        self.lock().draining = Some(Instant::now());
        self.drains.notify_one();
    }

    /// Closes connections whose client keeps the server waiting for too long; never ends.
    pub(super) async fn close_overdue(&self) -> std::convert::Infallible {
        loop {
            let now = Instant::now();
            let next = self.close_overdue_at(now);
            // A connection that is made or changes meanwhile is not overdue before that.
            let at_latest = now + self.limits.shortest();
            let next = next.map_or(at_latest, |next| next.min(at_latest));
            drop(time::timeout_at(next, self.drains.notified()).await);
        }
    }

    /// Closes what is overdue, and returns when the next connection will be.
    fn close_overdue_at(&self, now: Instant) -> Option<Instant> {
        let state = self.lock();
        let deadline = |wait: Wait| wait.deadline(&self.limits, state.draining);
        let is_overdue = |wait: Wait| deadline(wait).is_some_and(|deadline| deadline <= now);
        for connection in state.open.values() {
            let phase = connection.wait().phase;
            if connection.close_if(is_overdue) {
                count(match phase {
                    Phase::Head => "no_request",
                    Phase::Response => "response_not_taken",
                    _ => "idle",
                });
            }
        }
        state.open.values().filter_map(|connection| deadline(connection.wait())).min()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.number);
    }
}

impl Connection {
    fn new() -> Self {
        Self {
            wait: Mutex::new(Wait::new(Phase::New, Instant::now())),
            body: AtomicUsize::new(0),
            too_slow: AtomicBool::new(false),
            closed: Notify::new(),
        }
    }

    fn wait(&self) -> Wait {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Wait> {
        self.wait.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the connection if its wait is such; a request that has come meanwhile is not cut.
    fn close_if(&self, is_so: impl FnOnce(Wait) -> bool) -> bool {
        let mut wait = self.lock();
        let closes = wait.phase != Phase::Closed && is_so(*wait);
        if closes {
            wait.phase = Phase::Closed;
            self.closed.notify_one();
        }
        closes
    }

    /// Resolves when the connection is to be closed.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// The connection's client is read from.
    pub(super) fn starts(&self) {
        self.goes_on(|phase| phase == Phase::New, Phase::Head);
    }

    /// Bytes have come from the client.
    pub(super) fn received(&self) {
        let mut wait = self.lock();
        if wait.phase == Phase::Idle {
            *wait = Wait::new(Phase::Head, Instant::now());
        }
    }

    /// Bytes have gone to the client.
    pub(super) fn sent(&self) {
        let mut wait = self.lock();
        if matches!(wait.phase, Phase::Response | Phase::Idle) {
            wait.since = Instant::now();
        }
    }

    /// Bytes are to go to the client, which takes none.
    pub(super) fn is_blocked(&self) {
        self.goes_on(|phase| phase == Phase::Idle, Phase::Response);
    }

    /// A request's head is complete; returns whether the connection is still to be served.
    pub(super) fn begins(&self) -> bool {
        let mut wait = self.lock();
        match wait.phase {
            Phase::Closed => return false,
            // A client that trickles keeps the time at which it began.
            Phase::Head => wait.phase = Phase::Body,
            _ => *wait = Wait::new(Phase::Body, Instant::now()),
        }
        true
    }

    /// The request's body is given up, since it comes too slowly.
    pub(super) fn is_too_slow(&self) {
        self.too_slow.store(true, Ordering::Relaxed);
    }

    pub(super) fn was_too_slow(&self) -> bool {
        self.too_slow.load(Ordering::Relaxed)
    }

    /// The request's body is complete.
    pub(super) fn is_whole(&self) {
        self.goes_on(|phase| phase == Phase::Body, Phase::Handler);
    }

    /// The response has begun.
    pub(super) fn responds(&self) {
        self.goes_on(|_| true, Phase::Response);
    }

    /// The response is on its way as a whole.
    pub(super) fn has_responded(&self) {
        self.goes_on(|phase| phase == Phase::Response, Phase::Idle);
    }

    fn goes_on(&self, from: impl FnOnce(Phase) -> bool, to: Phase) {
        let mut wait = self.lock();
        if wait.phase != Phase::Closed && from(wait.phase) {
            *wait = Wait::new(to, Instant::now());
        }
    }
}

fn count(reason: &'static str) {
    metrics::counter!("yamabiko_connections_closed_total", "reason" => reason).increment(1);
}
