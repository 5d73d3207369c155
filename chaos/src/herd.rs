//! The bot's processes: started, killed, stopped, frozen, and started again.

use std::{
    os::unix::process::ExitStatusExt as _,
    sync::{Arc, Mutex as StdMutex, MutexGuard as StdMutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::Child,
    sync::{Mutex, OwnedMutexGuard},
};

use crate::{
    crowd,
    locks::WriteLock,
    log_reader::LogReader,
    ports,
    process::{Ports, Setup, spawn},
    tally::Tally,
};

/// How long a process may take to end after SIGTERM.
pub(crate) const STOP: Duration = Duration::from_secs(30);
/// How long a claim holds, as the processes are told.
pub(crate) const LEASE: Duration = Duration::from_secs(2);
/// How often a process in the middle of a commit is looked for at most, where each may just be done something else to.
const FREEZES: u32 = 6;
/// How long an endpoint may take to answer.
const ENDPOINT: Duration = Duration::from_secs(10);
/// What the ledger calls a process that was killed, whenever that was.
pub(crate) const KILLED: &str = "process killed (SIGKILL)";

/// The roles of the processes: each part of the bot is done by several of them.
const ROLES: [&str; 8] = ["web", "web", "worker", "worker", "worker", "timer", "timer", "all"];

/// The bot's processes.
#[derive(Clone, Debug)]
pub(crate) struct Herd {
    slots: Arc<Vec<Slot>>,
    tally: Arc<Tally>,
}

/// The place of one process; whoever does something to it holds its lock meanwhile.
#[derive(Debug)]
struct Slot {
    name: String,
    role: &'static str,
    ports: Ports,
    setup: Setup,
    child: Arc<Mutex<Child>>,
    log: StdMutex<LogReader>,
}

/// A process that nobody else does anything to.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    slot: &'a Slot,
    child: OwnedMutexGuard<Child>,
}

impl Herd {
    /// Starts all processes.
    pub(crate) fn start(
        setup: &Setup,
        ports: &[Ports],
        tally: &Arc<Tally>,
    ) -> anyhow::Result<Self> {
        let mut slots = Vec::new();
        for (number, (role, ports)) in ROLES.into_iter().zip(ports.iter().copied()).enumerate() {
            let name = format!("{role}-{number}");
            let (child, log) = spawn(setup, &name, role, ports)?;
            let (child, log) = (Arc::new(Mutex::new(child)), StdMutex::new(log));
            slots.push(Slot { name, role, ports, setup: setup.clone(), child, log });
        }
        Ok(Self { slots: Arc::new(slots), tally: Arc::clone(tally) })
    }

    /// Returns where each process listens, and the ports among them that take webhooks.
    pub(crate) fn ports() -> std::io::Result<(Vec<Ports>, Vec<u16>)> {
        let ports = ports::free(2 * ROLES.len())?;
        let (ports, _) = ports.as_chunks::<2>();
        let ports: Vec<_> = ports.iter().map(|&[web, admin]| Ports { web, admin }).collect();
        let web = ROLES.iter().zip(&ports).filter(|(role, _)| takes_webhooks(role));
        let web = web.map(|(_, ports)| ports.web).collect();
        Ok((ports, web))
    }

    /// Takes a process at random that nobody does anything to; `None` if there is none.
    fn any(&self) -> Option<Held<'_>> {
        self.any_of(|_| true)
    }

    /// Takes one of the processes that `are_meant`.
    fn any_of(&self, are_meant: impl Fn(&Slot) -> bool) -> Option<Held<'_>> {
        let mut order: Vec<_> = self.slots.iter().filter(|slot| are_meant(slot)).collect();
        fastrand::shuffle(&mut order);
        order.into_iter().find_map(Slot::hold)
    }

    /// Kills a process and starts it again after `gap`.
    pub(crate) async fn kill(&self, gap: Duration) {
        if let Some(held) = self.any() {
            self.kill_held(held, gap).await;
        }
    }

    /// Kills a process while it holds the write lock of an SQLite file, thus in the middle of a commit; returns whether
    /// one was found.
    pub(crate) async fn kill_in_commit(&self, lock: &WriteLock, gap: Duration) -> bool {
        let Some(held) = self.frozen_in_commit(lock).await else { return false };
        self.kill_held(held, gap).await;
        true
    }

    /// Freezes a process for so long while it holds the write lock of an SQLite file, so that its commit is done when its
    /// lease has ended, and no other process can write meanwhile; returns whether one was found.
    pub(crate) async fn freeze_in_commit(&self, lock: &WriteLock, time: Duration) -> bool {
        for _ in 0..FREEZES {
            if let Some(held) = self.frozen_in_commit(lock).await {
                tokio::time::sleep(time).await;
                held.signal(Signal::CONT);
                return true;
            }
        }
        false
    }

    /// Returns a process that is frozen in the middle of a commit.
    async fn frozen_in_commit(&self, lock: &WriteLock) -> Option<Held<'_>> {
        let lock = lock.clone();
        let pid = tokio::task::spawn_blocking(move || lock.freeze_holder()).await.ok()??;
        let held =
            self.slots.iter().find_map(|slot| slot.hold().filter(|held| held.pid() == Some(pid)));
        if held.is_none() {
            // Something else is done to it already.
            kill_process(pid, Signal::CONT).ok();
        }
        held
    }

    async fn kill_held(&self, mut held: Held<'_>, gap: Duration) {
        self.tally.broke(KILLED);
        held.child.kill().await.ok();
        tokio::time::sleep(gap).await;
        self.start_again(&mut held);
    }

    /// Stops a process by SIGTERM and starts it again after `gap`; returns whether there was one.
    pub(crate) async fn stop(&self, gap: Duration) -> bool {
        let Some(mut held) = self.any() else { return false };
        self.stop_held(&mut held).await;
        tokio::time::sleep(gap).await;
        self.start_again(&mut held);
        true
    }

    async fn stop_held(&self, held: &mut Held<'_>) {
        let began = Instant::now();
        held.signal(Signal::TERM);
        match tokio::time::timeout(STOP, held.child.wait()).await {
            // A process that has not come to listen for the signal yet dies of it; it has taken nothing.
            Ok(Ok(status))
                if status.success() || status.signal() == Some(Signal::TERM.as_raw()) =>
            {
                self.tally.stopped(began.elapsed());
            }
            Ok(ended) => {
                self.tally.misdeed(format!("{} ended with {ended:?} when stopped", held.slot.name));
            }
            Err(_) => {
                self.tally.misdeed(format!("{} did not end within {STOP:?}", held.slot.name));
                held.child.kill().await.ok();
            }
        }
    }

    /// Freezes a process for so long; returns whether there was one.
    pub(crate) async fn freeze(&self, time: Duration) -> bool {
        let Some(held) = self.any() else { return false };
        held.signal(Signal::STOP);
        tokio::time::sleep(time).await;
        held.signal(Signal::CONT);
        true
    }

    /// Sends a crowd of silent clients to a process that takes webhooks, for so long; returns whether there was one.
    pub(crate) async fn beset(&self, time: Duration) -> bool {
        let Some(held) = self.any_of(|slot| takes_webhooks(slot.role)) else { return false };
        // A process that does not listen yet cannot be crowded.
        let Ok(is_answered) = crowd::beset(held.slot.ports.web, time).await else { return false };
        if !is_answered {
            self.tally.misdeed(format!("{} answers nobody beside a silent crowd", held.slot.name));
        }
        true
    }

    /// Asks an endpoint of a process, which doubles a number; a panic of the endpoint is answered 500.
    pub(crate) async fn ask(&self, http: &reqwest::Client, path: &str) {
        let Some(held) = self.any_of(|slot| takes_webhooks(slot.role)) else { return };
        let url = format!("http://127.0.0.1:{}{path}", held.slot.ports.web);
        // A process that does not listen yet answers nothing.
        let call = http.post(url).timeout(ENDPOINT).json(&21);
        let Ok(answer) = call.send().await else { return };
        let status = answer.status().as_u16();
        let is_right = match status {
            200 => answer.text().await.is_ok_and(|body| body == "42"),
            _ => status == 500,
        };
        if !is_right {
            self.tally.misdeed(format!("{} answers its endpoint with {status}", held.slot.name));
        }
    }

    /// Stops reading a process's log for so long, or until it is started again, whatever else is done to the process.
    pub(crate) async fn stall_log(&self, time: Option<Duration>) {
        let slot = &self.slots[fastrand::usize(..self.slots.len())];
        slot.log().stall();
        if let Some(time) = time {
            tokio::time::sleep(time).await;
            slot.log().go_on();
        }
    }

    /// Closes a process's log, until it is started again.
    pub(crate) fn close_log(&self) {
        self.slots[fastrand::usize(..self.slots.len())].log().go_away();
    }

    /// Notes processes that have ended by themselves, and starts them again.
    pub(crate) fn look_after(&self) {
        for slot in self.slots.iter() {
            let Some(mut held) = slot.hold() else { continue };
            if let Ok(Some(status)) = held.child.try_wait() {
                self.tally.misdeed(format!("{} ended by itself with {status}", slot.name));
                self.start_again(&mut held);
            }
        }
    }

    fn start_again(&self, held: &mut Held<'_>) {
        let slot = held.slot;
        match spawn(&slot.setup, &slot.name, slot.role, slot.ports) {
            Ok((child, log)) => {
                *held.child = child;
                *slot.log() = log;
            }
            Err(error) => self.tally.misdeed(format!("{}: {error:#}", slot.name)),
        }
    }

    /// Measures how long the processes take until they are ready; those that something is done to are left out, and
    /// all of them once `is_there` says that the store is not.
    pub(crate) async fn measure_return(
        &self,
        http: &reqwest::Client,
        since: Instant,
        is_there: impl Fn() -> bool + Clone + Send + 'static,
    ) {
        let looks = (0..self.slots.len()).map(|at| {
            let (herd, http, is_there) = (self.clone(), http.clone(), is_there.clone());
            tokio::spawn(async move {
                let slot = &herd.slots[at];
                let url = format!("http://127.0.0.1:{}/ready", slot.ports.admin);
                loop {
                    // Only a process that was there all the time can tell something.
                    let Some(held) = slot.hold() else { return };
                    if !is_there() {
                        return;
                    }
                    if http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                        herd.tally.returned(since.elapsed());
                        return;
                    }
                    drop(held);
                    if since.elapsed() > STOP {
                        herd.tally.misdeed(format!(
                            "{} is not ready {STOP:?} after the store is back",
                            slot.name
                        ));
                        return;
                    }
                    // The process tells nobody when it is ready; this only sets how often we look.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        });
        for look in looks.collect::<Vec<_>>() {
            look.await.ok();
        }
    }

    /// Stops all processes by SIGTERM, one after the other.
    pub(crate) async fn end(&self) {
        for slot in self.slots.iter() {
            let child = Arc::clone(&slot.child).lock_owned().await;
            self.stop_held(&mut Held { slot, child }).await;
        }
    }

    /// Waits until nobody does anything to any process.
    pub(crate) async fn calm(&self) {
        for slot in self.slots.iter() {
            drop(slot.child.lock().await);
        }
    }
}

impl Slot {
    fn log(&self) -> StdMutexGuard<'_, LogReader> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self) -> Option<Held<'_>> {
        let child = Arc::clone(&self.child).try_lock_owned().ok()?;
        Some(Held { slot: self, child })
    }
}

impl Held<'_> {
    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()?).ok()?)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            kill_process(pid, signal).ok();
        }
    }
}

fn takes_webhooks(role: &str) -> bool {
    matches!(role, "web" | "all")
}
