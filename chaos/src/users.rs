//! Hundreds of users who write to the bot.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{sync::watch, task::JoinSet};
use yamabiko_chaos::Ask;

use crate::{
    book::{Asked, Book},
    line::Line,
};

/// How many users there are.
pub(crate) const USERS: usize = 300;
/// The longest time between two things that a user does; the shortest is a fifth of it.
const PAUSE: Duration = Duration::from_secs(10);
/// The same for users in a hurry: their chats have moved on whenever a run comes back too late.
const SHORT_PAUSE: Duration = Duration::from_secs(2);
/// Every so many users there is one in a hurry.
const IN_A_HURRY: usize = 20;
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
    pub(crate) async fn start(line: &Line, book: &Arc<Book>, seed: u64) -> anyhow::Result<Self> {
        let stop = watch::Sender::new(false);
        let mut writing = JoinSet::new();
        for number in 0..USERS {
            let id = line.user(&format!("user {number}")).await?;
            let user = User {
                page: book.open(id.clone()),
                id,
                pause: if number % IN_A_HURRY == 0 { SHORT_PAUSE } else { PAUSE },
                line: line.clone(),
                book: Arc::clone(book),
                dice: fastrand::Rng::with_seed(seed.wrapping_mul(100_003) + number as u64),
            };
            writing.spawn(user.write(stop.subscribe()));
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

/// Lets every user write once more, so that each chat's last message tells how many runs there were.
pub(crate) async fn last_words(line: &Line, book: &Book) -> anyhow::Result<()> {
    for (page, chat) in book.read().into_iter().enumerate() {
        ask(line, book, page, &chat.user, Ask::Say).await?;
    }
    Ok(())
}

struct User {
    id: String,
    page: usize,
    pause: Duration,
    line: Line,
    book: Arc<Book>,
    dice: fastrand::Rng,
}

impl User {
    async fn write(mut self, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        loop {
            let pause = self.pause.mul_f64(0.2 + 0.8 * self.dice.f64());
            if tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok() {
                return Ok(());
            }
            match self.dice.u32(0..100) {
                0 => self.block().await?,
                1..=4 => self.take_back().await?,
                _ => {
                    let what = self.choose();
                    ask(&self.line, &self.book, self.page, &self.id, what).await?;
                }
            }
        }
    }

    fn choose(&mut self) -> Ask {
        match self.dice.u32(0..100) {
            0..40 => Ask::Timer(self.dice.u64(300..20_000)),
            40..58 => Ask::Say,
            58..68 => Ask::Slow(self.dice.u64(50..600)),
            68..74 => Ask::Flaky,
            74..84 => Ask::Work(self.dice.u32(1..5)),
            84..88 => Ask::Many(self.dice.u32(6..11)),
            88..93 => Ask::List,
            93..98 => Ask::Cancel,
            _ => Ask::Fail,
        }
    }

    /// Asks for a timer and takes the message back.
    async fn take_back(&mut self) -> anyhow::Result<()> {
        let timer = Ask::Timer(self.dice.u64(2_000..20_000));
        ask(&self.line, &self.book, self.page, &self.id, timer).await?;
        tokio::time::sleep(Duration::from_millis(self.dice.u64(0..3_000))).await;
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

    /// Blocks the bot and comes back.
    async fn block(&mut self) -> anyhow::Result<()> {
        let sent = self.line.happens(&self.id, &json!({ "type": "unfollow" })).await?;
        self.book.write(self.page, |page| page.unfollows.push(sent.event));
        tokio::time::sleep(BLOCKED.mul_f64(self.dice.f64())).await;
        self.line.happens(&self.id, &json!({ "type": "follow" })).await.map(drop)
    }
}

async fn ask(line: &Line, book: &Book, page: usize, user: &str, ask: Ask) -> anyhow::Result<()> {
    let request = book.number();
    let sent = line.says(user, &ask.text(request)).await?;
    let message = sent.message.unwrap_or_default();
    let asked = Asked { request, ask, event: sent.event, message, unsent_by: None };
    book.write(page, |page| page.asked.push(asked));
    Ok(())
}
