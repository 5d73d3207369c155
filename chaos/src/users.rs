//! Hundreds of users who write to the bot.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::{
    aftermath::timer_with,
    book::{Asked, Book},
    conversation::{Conversation, Pile, Utterance},
    harm::Targets,
    line::Line,
    place::Place,
    tally::Tally,
};

/// Every so many users there is one in a hurry.
const IN_A_HURRY: usize = 20;
/// What the ledger calls it when the bot's channel was in standby in a chat.
pub(crate) const STANDBY: &str = "channel in standby in a chat, and active again";
/// For how long a chat is handed over to another channel at most.
const HANDED_OVER: Duration = Duration::from_secs(4);
/// How many requests the bot gets meanwhile at most.
const IN_STANDBY: u32 = 4;
/// How many users there are whose timers' records are damaged.
const UNLUCKY: u64 = 2;
/// How often to look whether the bot has stored a timer, and for how long.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const STORED_WITHIN: Duration = Duration::from_secs(8);
/// How much such a user asks for beside a damaged record, until there is the next one.
const BESIDE_DAMAGE: u32 = 4;
/// How many requests pile up timers before all are ended.
const ASKED_AT_A_TIME: usize = 5;
/// What the ledger calls it when a chat has ended more timers than one commit can cancel.
pub(crate) const HOARD: &str = "chat with 1,500 live timers that cancels all, and leaves";
/// The longest time between two things that such a user does.
const HOARDED: Duration = Duration::from_secs(3);
/// What the ledger calls it when the bot has heard that a message was taken back before the message came.
pub(crate) const REVOKED: &str = "message that came after the user had taken it back";
/// For how long a user blocks the bot at most.
const BLOCKED: Duration = Duration::from_secs(4);

/// Users who are writing.
#[derive(Debug)]
pub(crate) struct Users {
    writing: JoinSet<anyhow::Result<()>>,
    stop: watch::Sender<bool>,
}

impl Users {
    /// Lets all users begin.
    pub(crate) async fn start<C: Conversation>(
        targets: &Targets,
        book: &Arc<Book<C>>,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let Targets { line, place, tally, .. } = targets;
        let stop = watch::Sender::new(false);
        let mut writing = JoinSet::new();
        for number in 0..C::LOAD.users {
            let id = line.user(&format!("user {number}")).await?;
            let user = User {
                page: book.open(id.clone(), false),
                id,
                pause: if number % IN_A_HURRY == 0 { C::LOAD.short_pause } else { C::LOAD.pause },
                line: line.clone(),
                book: Arc::clone(book),
                tally: Arc::clone(tally),
                dice: fastrand::Rng::with_seed(seed.wrapping_mul(100_003) + number as u64),
            };
            writing.spawn(user.write(stop.subscribe()));
        }
        if let Some(pile) = C::pile() {
            let id = line.user("hoarder").await?;
            let user = User {
                page: book.open(id.clone(), true),
                id,
                pause: HOARDED,
                line: line.clone(),
                book: Arc::clone(book),
                tally: Arc::clone(tally),
                dice: fastrand::Rng::with_seed(seed),
            };
            writing.spawn(user.hoard(pile, stop.subscribe()));
        }
        let has_bulky = C::bulky(&mut fastrand::Rng::with_seed(seed)).is_some();
        for number in (0..UNLUCKY).filter(|_| has_bulky) {
            let id = line.user(&format!("unlucky user {number}")).await?;
            let user = User {
                page: book.open(id.clone(), false),
                id,
                pause: C::LOAD.short_pause,
                line: line.clone(),
                book: Arc::clone(book),
                tally: Arc::clone(tally),
                dice: fastrand::Rng::with_seed(seed.wrapping_mul(31) + number),
            };
            writing.spawn(user.suffer(Arc::clone(place), stop.subscribe()));
        }
        Ok(Self { writing, stop })
    }

    /// Lets all users end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        while let Some(ended) = self.writing.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// Ends all timers that were piled up; without them, the bot has nothing left to wait for.
pub(crate) async fn end_piles<C: Conversation>(line: &Line, book: &Book<C>) -> anyhow::Result<()> {
    let Some(pile) = C::pile() else { return Ok(()) };
    for (page, chat) in book.read().into_iter().enumerate().filter(|(_, chat)| chat.is_hoarder) {
        ask(line, book, page, &chat.user, pile.cancel.clone(), false).await?;
    }
    Ok(())
}

/// Lets every user write once more.
pub(crate) async fn last_words<C: Conversation>(line: &Line, book: &Book<C>) -> anyhow::Result<()> {
    for (page, chat) in book.read().into_iter().enumerate() {
        ask(line, book, page, &chat.user, C::last_words(), false).await?;
    }
    Ok(())
}

struct User<C: Conversation> {
    id: String,
    page: usize,
    pause: Duration,
    line: Line,
    book: Arc<Book<C>>,
    tally: Arc<Tally>,
    dice: fastrand::Rng,
}

impl<C: Conversation> User<C> {
    async fn write(mut self, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        loop {
            let pause = self.pause.mul_f64(0.2 + 0.8 * self.dice.f64());
            if is_over(&mut stop, pause).await {
                return Ok(());
            }
            match self.dice.u32(0..100) {
                0 => self.block().await?,
                1..=6 => self.take_back().await?,
                7 => self.hand_over().await?,
                _ => {
                    let what = C::choose(&mut self.dice);
                    ask(&self.line, &self.book, self.page, &self.id, what, false).await?;
                }
            }
        }
    }

    /// Piles up more timers than one commit can cancel, ends them all, and leaves, again and again.
    async fn hoard(
        mut self,
        pile: Pile<C::Ask>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        loop {
            for what in [&pile.ask; ASKED_AT_A_TIME].into_iter().chain([&pile.cancel]) {
                ask(&self.line, &self.book, self.page, &self.id, what.clone(), false).await?;
                let pause = self.pause.mul_f64(0.2 + 0.8 * self.dice.f64());
                if is_over(&mut stop, pause).await {
                    return Ok(());
                }
            }
            self.block().await?;
            self.tally.broke(HOARD);
        }
    }

    /// Asks for timers whose records are damaged before they are due, and goes on beside them, again and again.
    async fn suffer(
        mut self,
        place: Arc<Place>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        for damage in place.damages().iter().copied().cycle() {
            let Some(what) = C::bulky(&mut self.dice) else { break };
            let asked_at = Instant::now();
            let request = ask(&self.line, &self.book, self.page, &self.id, what, false).await?;
            let filling = yamabiko_chaos::filling(request);
            let stored = loop {
                let stored = timer_with(&place, C::BOT, &self.id, &filling).await?;
                if stored.is_some() || asked_at.elapsed() > STORED_WITHIN {
                    break stored;
                }
                if is_over(&mut stop, LOOK_EVERY).await {
                    return Ok(());
                }
            };
            if let Some(id) = stored
                && place.damage(damage, id, filling).await?
            {
                self.book.write(self.page, |page| page.damaged.push((request, id)));
                self.tally.broke(damage.name());
            }
            for _ in 0..BESIDE_DAMAGE {
                let what = C::choose_what_ends_nothing(&mut self.dice);
                ask(&self.line, &self.book, self.page, &self.id, what, false).await?;
                if is_over(&mut stop, self.pause).await {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Asks for something and takes the message back, mostly so soon that the bot may hear of that first.
    async fn take_back(&mut self) -> anyhow::Result<()> {
        if self.dice.u32(0..4) > 0 {
            let what = C::choose_what_ends_nothing(&mut self.dice);
            self.line.lose_next_webhook(&self.id).await?;
            ask(&self.line, &self.book, self.page, &self.id, what, false).await?;
        } else {
            let what = C::choose_to_take_back(&mut self.dice);
            ask(&self.line, &self.book, self.page, &self.id, what, false).await?;
            tokio::time::sleep(Duration::from_millis(self.dice.u64(0..3_000))).await;
        }
        let message =
            self.book.write(self.page, |page| page.asked.last().map(|asked| asked.message.clone()));
        let Some(message) = message else { return Ok(()) };
        let unsend = json!({ "type": "unsend", "messageId": message });
        let sent = self.line.happens(&self.id, &unsend).await?;
        self.book.write(self.page, |page| {
            let asked = page.asked.iter_mut().find(|asked| asked.message == message);
            asked.into_iter().for_each(|asked| asked.unsent_by = Some(sent.event.clone()));
        });
        Ok(())
    }

    /// Writes while the chat is handed over to another channel, and takes it back.
    async fn hand_over(&mut self) -> anyhow::Result<()> {
        self.line.stand_by(&self.id, true).await?;
        for _ in 0..self.dice.u32(1..=IN_STANDBY) {
            let what = C::choose_what_ends_nothing(&mut self.dice);
            ask(&self.line, &self.book, self.page, &self.id, what, true).await?;
            let pause = HANDED_OVER / IN_STANDBY;
            tokio::time::sleep(pause.mul_f64(self.dice.f64())).await;
        }
        self.line.stand_by(&self.id, false).await?;
        self.tally.broke(STANDBY);
        Ok(())
    }

    /// Blocks the bot and comes back.
    async fn block(&mut self) -> anyhow::Result<()> {
        let sent = self.line.happens(&self.id, &json!({ "type": "unfollow" })).await?;
        self.book.write(self.page, |page| page.unfollows.push(sent.event));
        tokio::time::sleep(BLOCKED.mul_f64(self.dice.f64())).await;
        self.line.happens(&self.id, &json!({ "type": "follow" })).await.map(drop)
    }
}

/// Waits for so long, and returns whether the users were stopped meanwhile.
async fn is_over(stop: &mut watch::Receiver<bool>, time: Duration) -> bool {
    tokio::time::timeout(time, stop.wait_for(|stop| *stop)).await.is_ok()
}

async fn ask<C: Conversation>(
    line: &Line,
    book: &Book<C>,
    page: usize,
    user: &str,
    ask: C::Ask,
    in_standby: bool,
) -> anyhow::Result<u64> {
    let request = book.number();
    let sent = match C::utterance(&ask, request) {
        Utterance::Text(text) => line.says(user, &text).await?,
        Utterance::Picture(bytes) => line.shows(user, bytes).await?,
    };
    let message = sent.message.unwrap_or_default();
    let asked = Asked { request, ask, event: sent.event, message, in_standby, unsent_by: None };
    book.write(page, |page| page.asked.push(asked));
    Ok(request)
}
