//! What the users did, written down as they did it.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use yamabiko_queue::JobId;

use crate::conversation::Conversation;

/// What a user asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked<A> {
    pub(crate) request: u64,
    pub(crate) ask: A,
    pub(crate) event: String,
    pub(crate) message: String,
    /// Whether the channel was in standby.
    pub(crate) in_standby: bool,
    /// The event that took the message back, if one did.
    pub(crate) unsent_by: Option<String>,
}

/// What was done in a chat.
#[derive(Clone, Debug)]
pub(crate) struct Page<A> {
    pub(crate) user: String,
    pub(crate) asked: Vec<Asked<A>>,
    /// Whether the user does nothing but pile up timers, and end them all.
    pub(crate) is_hoarder: bool,
    /// The timers whose records were damaged, by their requests.
    pub(crate) damaged: Vec<(u64, JobId)>,
    /// The events by which the user blocked the bot.
    pub(crate) unfollows: Vec<String>,
}

/// What was done in all chats.
#[derive(Debug)]
pub(crate) struct Book<C: Conversation> {
    pages: Mutex<Vec<Page<C::Ask>>>,
    requests: AtomicU64,
}

impl<C: Conversation> Book<C> {
    pub(crate) fn new() -> Self {
        Self { pages: Mutex::default(), requests: AtomicU64::new(0) }
    }

    fn pages(&self) -> MutexGuard<'_, Vec<Page<C::Ask>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a page for a chat and returns its number.
    pub(crate) fn open(&self, user: String, is_hoarder: bool) -> usize {
        let mut pages = self.pages();
        pages.push(Page {
            user,
            asked: Vec::new(),
            is_hoarder,
            damaged: Vec::new(),
            unfollows: Vec::new(),
        });
        pages.len() - 1
    }

    /// Returns a number for a request, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Changes the page of a chat.
    pub(crate) fn write<T>(&self, page: usize, change: impl FnOnce(&mut Page<C::Ask>) -> T) -> T {
        change(&mut self.pages()[page])
    }

    pub(crate) fn read(&self) -> Vec<Page<C::Ask>> {
        self.pages().clone()
    }
}
