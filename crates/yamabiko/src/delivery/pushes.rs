//! Whether LINE takes pushes of this account at all: where it forbids those of many chats, pushes wait (O5).

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use yamabiko_line::id::ChatId;
use yamabiko_queue::{Clock, clock::Stopwatch};

/// The name under which the store tells all processes that pushes wait: the pause of a queue in which no job ever is.
pub(crate) const PUSHES: &str = "outbox.pushes";
/// From how many chats on a forbidden push is taken for the account's, not the chat's.
const CHATS: usize = 20;
/// How often a process tries a push while they wait, and how long a push waits at least.
const TRY_EVERY: Duration = Duration::from_secs(30);
/// How long a push waits at most before it looks again.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// What this process knows of LINE's answers to pushes.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The chats to which a push was forbidden since LINE last took one of any chat.
    forbidden: HashSet<ChatId>,
    waiting: Option<Waiting>,
}

/// Pushes wait.
#[derive(Debug)]
struct Waiting {
    since: Stopwatch,
    tried: Stopwatch,
}

impl Waiting {
    fn begin(clock: &Clock) -> Self {
        Self { since: clock.stopwatch(), tried: clock.stopwatch() }
    }

    /// Returns how long a push waits: the longer, the longer they have all been waiting.
    fn wait(&self) -> Duration {
        (self.since.elapsed() / 2).clamp(TRY_EVERY, LONGEST_WAIT)
    }
}

impl Pushes {
    /// Returns for how long a push has to wait; `None` if it may be tried now.
    pub(super) fn wait(&self, clock: &Clock) -> Option<Duration> {
        let mut known = self.known();
        let waiting = known.waiting.as_mut()?;
        if waiting.tried.elapsed() < TRY_EVERY {
            return Some(waiting.wait());
        }
        waiting.tried = clock.stopwatch();
        None
    }

    /// Notes that LINE has taken a push, and returns whether they were waiting.
    pub(super) fn accepted(&self) -> bool {
        let mut known = self.known();
        known.forbidden.clear();
        let waited = known.waiting.take().is_some();
        if waited {
            tracing::info!("LINE takes pushes again");
        }
        waited
    }

    /// Notes that LINE forbids a push to a chat, and returns for how long it waits; `None` where it concerns the chat alone.
    pub(super) fn forbidden(&self, chat: &ChatId, clock: &Clock) -> Option<Duration> {
        let mut known = self.known();
        if known.waiting.is_none() {
            known.forbidden.insert(chat.clone());
            if known.forbidden.len() >= CHATS {
                tracing::error!(
                    chats = CHATS,
                    "LINE forbids all pushes: they wait, and replies go on"
                );
                known.waiting = Some(Waiting::begin(clock));
            }
        }
        known.waiting.as_ref().map(Waiting::wait)
    }

    /// Notes that pushes wait in another process, and returns for how long this one does.
    pub(super) fn wait_elsewhere(&self, clock: &Clock) -> Duration {
        self.known().waiting.get_or_insert_with(|| Waiting::begin(clock)).wait()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
