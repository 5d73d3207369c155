//! LINE as the test kit plays it, and what a test may do to it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use uuid::Uuid;
use yamabiko_line::{
    client::{BotInfo, Content, Profile, Quota, Sent, TIMEOUT},
    error::Error,
    id::{ChatId, MessageId, UserId},
    message::Message,
    secret::ReplyToken,
};
use yamabiko_queue::{Clock, ManualClock};

use super::{
    fault::{Call, Fault},
    world::World,
};
use crate::platform::Platform;

/// Longer than any test goes on.
const ENDLESS: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// LINE around a bot under test; from [`TestBot::line`](super::TestBot::line).
///
/// It keeps LINE's rules: a reply token is good once and for 60 s, a retry key that was accepted says nothing again,
/// and each recipient of a push is counted.
#[derive(Debug)]
pub struct TestLine {
    line: Arc<StandIn>,
}

impl TestLine {
    pub(super) fn new(line: Arc<StandIn>) -> Self {
        Self { line }
    }

    /// Lets the next reply, push, profile or download fail; said twice, the next two.
    pub fn fail_next(&self, fault: Fault) {
        self.line.world().faults.add(None, fault);
    }

    /// Lets the next call of this sort fail.
    pub fn fail_next_call(&self, call: Call, fault: Fault) {
        self.line.world().faults.add(Some(call), fault);
    }

    /// Lets every reply, push, profile and download fail until [`recover`](Self::recover).
    pub fn fail_all(&self, fault: Fault) {
        self.line.world().faults.set_all(fault);
    }

    /// Lets every call of this sort fail until [`recover`](Self::recover).
    pub fn fail_all_calls(&self, call: Call, fault: Fault) {
        self.line.world().faults.set_all_calls(call, fault);
    }

    /// Ends what [`fail_all`](Self::fail_all), [`fail_all_calls`](Self::fail_all_calls) and
    /// [`refuse_property`](Self::refuse_property) began.
    pub fn recover(&self) {
        let mut world = self.line.world();
        world.faults.recover();
        world.refused_properties.clear();
    }

    /// Lets LINE refuse every message that has this property, such as `quoteToken`, with a 400 that names it, until
    /// [`recover`](Self::recover).
    pub fn refuse_property(&self, name: &str) {
        self.line.world().refused_properties.insert(name.to_owned());
    }

    /// Lets LINE refuse a retry key that comes with another body than before, also if it has not accepted it.
    ///
    /// LINE's reference does not tell what it answers; without this, such a request is like one with the same body.
    pub fn refuse_used_retry_keys(&self) {
        self.line.world().retry_keys.refuse_other_bodies = true;
    }

    /// Limits the messages of each month (in Tokyo), counted by recipients. Without it there is no limit.
    pub fn set_quota(&self, limit: u64) {
        self.line.world().quota = Some(limit);
    }

    /// Returns how many messages were pushed in this month, one for each recipient.
    #[must_use]
    pub fn quota_used(&self) -> u64 {
        self.line.world().used()
    }

    /// Returns how often LINE was called in this way so far, failures included.
    #[must_use]
    pub fn calls(&self, call: Call) -> usize {
        self.line.world().calls(call)
    }
}

/// The stand-in for LINE.
#[derive(Debug)]
pub(super) struct StandIn {
    clock: Clock,
    world: Mutex<World>,
}

impl StandIn {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self { clock: Clock::Manual(clock.clone()), world: Mutex::new(World::new(clock)) }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call, which may fail.
    async fn call<T>(
        &self,
        call: Call,
        act: impl FnOnce(&mut World) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let fault = self.world().begin(call);
        let Some(fault) = fault else { return act(&mut self.world()) };
        if fault == Fault::TimeoutAfter {
            // What LINE makes of the call, nobody hears.
            drop(act(&mut self.world()));
        }
        if matches!(fault, Fault::TimeoutBefore | Fault::TimeoutAfter) {
            self.clock.sleep(TIMEOUT).await;
        }
        if fault == Fault::Endless {
            self.clock.sleep(ENDLESS).await;
        }
        Err(fault.error())
    }
}

#[async_trait]
impl Platform for StandIn {
    async fn reply(&self, token: &ReplyToken, messages: &[Message]) -> Result<Sent, Error> {
        self.call(Call::Reply, |world| world.reply(token.expose(), messages)).await
    }

    async fn push(
        &self,
        to: &ChatId,
        messages: &[Message],
        retry_key: Uuid,
    ) -> Result<Sent, Error> {
        self.call(Call::Push, |world| world.push(to, messages, retry_key)).await
    }

    async fn show_loading(&self, chat: &ChatId, seconds: u8) -> Result<(), Error> {
        self.call(Call::Loading, |world| world.show_loading(chat, seconds)).await
    }

    async fn profile(&self, chat: Option<&ChatId>, user: &UserId) -> Result<Profile, Error> {
        let (name, language) =
            self.call(Call::Profile, |world| world.profile(chat, user.as_str())).await?;
        let mut profile = Profile::default();
        profile.user_id = user.clone();
        profile.display_name = name;
        profile.language = language;
        Ok(profile)
    }

    async fn content(&self, message: &MessageId, max_bytes: usize) -> Result<Content, Error> {
        let ready = |world: &mut World| world.content(message, max_bytes);
        match self.call(Call::Content, ready).await {
            Err(error) if error.status() == Some(202) => Ok(Content::Preparing),
            answer => answer,
        }
    }

    async fn quota(&self) -> Result<Quota, Error> {
        let limit = self.call(Call::Quota, |world| Ok(world.quota)).await?;
        let mut quota = Quota::default();
        quota.limit = limit;
        Ok(quota)
    }

    async fn quota_used(&self) -> Result<u64, Error> {
        self.call(Call::Quota, |world| Ok(world.used())).await
    }

    async fn bot_info(&self) -> Result<BotInfo, Error> {
        self.call(Call::Info, |_| Ok(BotInfo::default())).await
    }
}
