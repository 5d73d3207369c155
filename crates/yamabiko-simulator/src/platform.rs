//! The platform's memory, shared by the API, the webhooks, the page and the control API.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::chats::{Chat, Chats};
use crate::clock::Clock;
use crate::config::{NewGroup, NewUser, Settings, SimulatorConfig};
use crate::faults::Faults;
use crate::id;
use crate::limits::Limits;
use crate::log::Log;
use crate::media::MediaStore;
use crate::quota::Quota;
use crate::tokens::{AccessTokens, ReplyTokens, RetryKeys};

/// Is LINE's platform as one bot sees it.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) config: SimulatorConfig,
    pub(crate) clock: Clock,
    /// The bot's own user id.
    pub(crate) bot_id: String,
    pub(crate) http: reqwest::Client,
    memory: Mutex<Memory>,
    changed: watch::Sender<u64>,
}

/// Is all that changes.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Differs after every start and reset, so that an open page knows to begin anew.
    pub(crate) epoch: String,
    /// Is dropped at a reset, which ends all calls and deliveries that wait.
    pub(crate) life: watch::Sender<()>,
    revision: u64,
    pub(crate) bot_url: String,
    pub(crate) chats: Chats,
    pub(crate) log: Log,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) reply_tokens: ReplyTokens,
    pub(crate) retry_keys: RetryKeys,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) quota: Quota,
    pub(crate) media: MediaStore,
}

impl Memory {
    fn new(config: &SimulatorConfig) -> Self {
        let mut memory = Self {
            epoch: id::hex32(),
            life: watch::Sender::new(()),
            revision: 0,
            bot_url: config.bot_url.clone(),
            chats: Chats::default(),
            log: Log::default(),
            settings: config.settings.clone(),
            faults: Faults::default(),
            limits: Limits::default(),
            reply_tokens: ReplyTokens::default(),
            retry_keys: RetryKeys::default(),
            access_tokens: AccessTokens::default(),
            quota: Quota::default(),
            media: MediaStore::default(),
        };
        for user in &config.users {
            memory.add_user(user.clone());
        }
        for group in &config.groups {
            let id = memory.add_group(group.clone()).map(|group| group.id.clone());
            if let Some(chat) = id.and_then(|id| memory.chats.get_mut(&id)) {
                chat.open = true;
            }
        }
        memory
    }

    /// Adds a user; `None` if the id is taken.
    pub(crate) fn add_user(&mut self, user: NewUser) -> Option<&Chat> {
        let revision = self.touch();
        self.chats.add_user(user, revision)
    }

    /// Adds a group or a room, which the bot has not joined yet; `None` if the id is taken.
    pub(crate) fn add_group(&mut self, group: NewGroup) -> Option<&Chat> {
        let revision = self.touch();
        self.chats.add_group(group, revision)
    }

    /// Notes a change and gives its number.
    pub(crate) fn touch(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    /// The number of the last change.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// How long a reply token lives after its webhook was sent.
    pub(crate) fn reply_token_life_ms(&self) -> i64 {
        i64::from(self.settings.reply_token_seconds) * 1_000
    }
}

impl Platform {
    /// Makes the platform of a configuration, with its users.
    pub(crate) fn new(config: SimulatorConfig, http: reqwest::Client) -> Self {
        Self {
            clock: config.clock.clone(),
            bot_id: format!("U{}", id::hex32()),
            http,
            memory: Mutex::new(Memory::new(&config)),
            changed: watch::Sender::new(0),
            config,
        }
    }

    /// Looks into the memory.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&Memory) -> T) -> T {
        look(&self.lock())
    }

    /// Changes the memory, then wakes all who wait for a change.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        let (result, revision) = {
            let mut memory = self.lock();
            (change(&mut memory), memory.revision)
        };
        self.changed.send_replace(revision);
        result
    }

    /// Forgets everything but the configuration.
    pub(crate) fn reset(&self) {
        self.update(|memory| {
            // Revisions go on, so that whoever waits sees the reset as a change.
            let revision = memory.revision;
            *memory = Memory::new(&self.config);
            memory.revision += revision + 1;
        });
    }

    /// Hears of changes from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The time of the simulator, in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
