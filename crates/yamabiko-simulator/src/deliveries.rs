//! The first delivery of an event: in its chat's turn, and with what goes wrong on purpose.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::faults::WebhookFault;
use crate::log::Answer;
use crate::platform::Platform;

/// The next webhook of a chat is sent when the one before is answered, or really after so long.
const HEAD_START: Duration = Duration::from_millis(200);
/// A webhook that shall come after the next one waits so long for it, in the simulator's time.
const HELD_BACK_MS: i64 = 1_000;
/// How many of a chat's last deliveries are remembered.
const REMEMBERED: usize = 100;

/// Keeps the deliveries of one chat in order, and remembers what was delivered.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    /// Ends when the last webhook is on its way, or held back.
    last: Option<oneshot::Receiver<()>>,
    /// The last webhook, if it shall come after the next one.
    held_back: Option<HeldBack>,
    /// The events that reached the bot, as far as is known.
    delivered: VecDeque<String>,
}

#[derive(Debug)]
struct HeldBack {
    /// Lets it go when dropped.
    hold: oneshot::Sender<()>,
    /// Ends when it is on its way.
    over: oneshot::Receiver<()>,
}

/// Is the place of one delivery among those of its chat.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Ends when this one may go.
    before: Option<oneshot::Receiver<()>>,
    /// Lets the next one go when dropped: the one that follows, or one that was held back.
    over: Option<oneshot::Sender<()>>,
    /// If this one is held back: lets the next one go, and ends when that one is on its way.
    hold: Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>,
}

impl Deliveries {
    /// Gives out the next turn; with `reorder` it comes after the one that follows.
    ///
    /// What passes another one is not held back itself, so that two change places.
    pub(crate) fn turn(&mut self, reorder: bool) -> Turn {
        if let Some(HeldBack { hold, over }) = self.held_back.take() {
            let before = self.last.replace(over);
            if !hold.is_closed() {
                return Turn { before, over: Some(hold), hold: None };
            }
            // It has gone already, since there was no next one for too long.
        }
        let (over, my_end) = oneshot::channel();
        if !reorder {
            return Turn { before: self.last.replace(my_end), over: Some(over), hold: None };
        }
        let (let_next_go, my_hold) = oneshot::channel();
        let (hold, passed) = oneshot::channel();
        self.held_back = Some(HeldBack { hold, over: my_end });
        let before = self.last.replace(my_hold);
        Turn { before, over: Some(over), hold: Some((let_next_go, passed)) }
    }

    /// Notes that an event is on its way to the bot.
    pub(crate) fn sent(&mut self, event_id: &str) {
        if self.delivered.len() == REMEMBERED {
            self.delivered.pop_front();
        }
        self.delivered.push_back(event_id.into());
    }

    /// Notes that an event did not reach the bot after all.
    pub(crate) fn failed(&mut self, event_id: &str) {
        if let Some(at) = self.delivered.iter().rposition(|delivered| delivered == event_id) {
            self.delivered.remove(at);
        }
    }

    /// Names the last event that reached the bot.
    pub(crate) fn last_event(&self) -> Option<&str> {
        self.delivered.back().map(String::as_str)
    }
}

/// Is an event whose delivery begins.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) chat_id: String,
    pub(crate) event: Map<String, Value>,
    pub(crate) event_id: String,
    pub(crate) reply_token: Option<String>,
    pub(crate) turn: Turn,
    pub(crate) fault: WebhookFault,
    /// When the event happened.
    pub(crate) at: i64,
}

impl Delivery {
    /// Delivers the event, tells the bot's answer, and delivers it again until it is accepted.
    pub(crate) async fn run(self, platform: Arc<Platform>, tell: oneshot::Sender<Answer>) {
        let Self { chat_id, event, event_id, reply_token, turn, fault, at } = self;
        let Turn { before, mut over, hold } = turn;
        if let Some(before) = before {
            // An error means that the one before is over, too.
            before.await.ok();
        }
        let delay = i64::try_from(fault.delay.as_millis()).unwrap_or(i64::MAX);
        let due = at.saturating_add(delay);
        platform.clock.reach(due).await;
        if let Some((let_next_go, passed)) = hold {
            drop(let_next_go);
            tokio::select! {
                _ = passed => {}
                () = platform.clock.reach(due.saturating_add(HELD_BACK_MS)) => {}
            }
        }
        let token = reply_token.as_deref();
        let delivery = async {
            if fault.lose {
                return platform.lose(&event);
            }
            let all = (0..=fault.copies).map(|_| platform.deliver(&event, token));
            join_all(all).await.swap_remove(0)
        };
        tokio::pin!(delivery);
        let answer = match tokio::time::timeout(HEAD_START, &mut delivery).await {
            Ok(answer) => answer,
            Err(_) => {
                over.take();
                delivery.await
            }
        };
        drop(over);
        let answered_at = platform.now();
        let accepted = answer.is_success();
        if accepted {
            platform.mark_read(&chat_id, &event_id);
        }
        // Nobody has to wait for the answer.
        tell.send(answer).ok();
        if !accepted {
            platform.deliver_again(&chat_id, &event, token, answered_at).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    fn may_go(turn: &mut Turn) -> bool {
        let before = turn.before.as_mut();
        before.is_none_or(|before| before.try_recv() == Err(TryRecvError::Closed))
    }

    #[test]
    fn one_that_is_held_back_changes_places_with_the_next_and_no_other_comes_between() {
        let mut deliveries = Deliveries::default();
        let [mut first, mut second, mut third] = [true, true, false].map(|r| deliveries.turn(r));
        assert!(may_go(&mut first) && !may_go(&mut second));
        let (let_next_go, mut passed) = first.hold.take().expect("is held back");
        drop(let_next_go);
        assert!(may_go(&mut second) && second.hold.is_none());
        assert_eq!(passed.try_recv(), Err(TryRecvError::Empty));
        drop(second);
        assert_eq!(passed.try_recv(), Err(TryRecvError::Closed), "the first one goes");
        assert!(!may_go(&mut third));
        drop(first);
        assert!(may_go(&mut third));
    }

    #[test]
    fn one_that_waited_in_vain_is_followed_by_the_next() {
        let mut deliveries = Deliveries::default();
        let mut first = deliveries.turn(true);
        drop(first.hold.take());
        let mut second = deliveries.turn(true);
        assert!(second.hold.is_some() && !may_go(&mut second));
        drop(first);
        assert!(may_go(&mut second));
    }

    #[test]
    fn the_last_event_is_one_that_reached_the_bot() {
        let mut deliveries = Deliveries::default();
        assert_eq!(deliveries.last_event(), None);
        for event in ["a", "b", "c"] {
            deliveries.sent(event);
        }
        deliveries.failed("b");
        assert_eq!(deliveries.last_event(), Some("c"));
        deliveries.failed("c");
        assert_eq!(deliveries.last_event(), Some("a"));
        deliveries.sent("b");
        assert_eq!(deliveries.last_event(), Some("b"), "sent again, it is the last");
    }
}
