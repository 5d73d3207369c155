//! Exchanges with the store that are under way, or have to be sent again (C5).

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::{apart::Purpose, backlog::Reported};
use crate::{
    clock::Stopwatch,
    error::Result,
    store::{Commit, Line, RunToken, Sending, Store, Turn, Want},
};

/// How long an exchange is sent again before the worker gives up what it may have claimed.
const SENT_WITHIN: Duration = Duration::from_secs(60);

/// An exchange: what it carries and asks for.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Names it, and fences what it claims.
    pub(super) token: RunToken,
    pub(super) sent: Vec<Reported>,
    pub(super) wants: Vec<Want>,
    pub(super) purpose: Purpose,
    /// The line that it occupies until it is answered.
    line: Line,
    /// Since before it was sent for the first time.
    first_sent: Stopwatch,
    /// Whether it may have been done without the worker's knowledge.
    again: bool,
    /// Whether the store has answered it with an error of its own, and would again.
    pub(super) refused: bool,
}

/// One attempt at an exchange, at its end.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) exchange: Exchange,
    /// Since before the attempt was sent.
    pub(super) asked: Stopwatch,
    /// The store's answer; `None` if what the exchange may have claimed was released instead.
    pub(super) answer: Result<Option<Turn>>,
    pub(super) is_release: bool,
}

/// The exchanges of one worker: each of its two lines has one at a time, which is sent again, unchanged, until it is answered.
///
/// No attempt is ever cut short, since what it claimed would come back only when the leases end.
#[derive(Debug)]
pub(super) struct Turns {
    free: Vec<Line>,
    under_way: FuturesUnordered<BoxFuture<'static, Attempt>>,
    unanswered: Vec<Exchange>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            free: vec![Line::start(), Line::start()],
            under_way: FuturesUnordered::new(),
            unanswered: Vec::new(),
        }
    }

    /// Sends an exchange on a free line, and returns its token; it goes on only while `next` is awaited.
    pub(super) fn send(
        &mut self,
        store: Arc<dyn Store>,
        purpose: Purpose,
        sent: Vec<Reported>,
        wants: Vec<Want>,
        asked: Stopwatch,
    ) -> RunToken {
        let mut line = self.free.pop().expect("an exchange is sent only where a line is free");
        let token = line.next_token();
        let first_sent = asked.clone();
        let (again, refused) = (false, false);
        let exchange = Exchange { token, sent, wants, purpose, line, first_sent, again, refused };
        self.under_way.push(Box::pin(attempt(store, exchange, asked)));
        token
    }

    /// Sends what was not answered again; once that has gone on for too long, or `gives_up`, what it may have claimed is released.
    pub(super) fn send_again(&mut self, store: &Arc<dyn Store>, asked: &Stopwatch, gives_up: bool) {
        for exchange in std::mem::take(&mut self.unanswered) {
            let (store, asked) = (Arc::clone(store), asked.clone());
            let is_over = exchange.refused || exchange.first_sent.elapsed() >= SENT_WITHIN;
            self.under_way.push(if gives_up || is_over {
                Box::pin(release(store, exchange, asked))
            } else {
                Box::pin(attempt(store, exchange, asked))
            });
        }
    }

    /// Takes back an exchange whose attempt may have been done, though no answer says so.
    ///
    /// One that was `refused` is not sent again, but released: no attempt at it is under way any more.
    pub(super) fn keep(&mut self, mut exchange: Exchange, refused: bool) {
        exchange.again = true;
        exchange.refused |= refused;
        self.unanswered.push(exchange);
    }

    /// Frees the line of an exchange that has come to its end, and returns what it carried and asked for.
    pub(super) fn finish(&mut self, exchange: Exchange) -> (Vec<Reported>, Vec<Want>) {
        self.free.push(exchange.line);
        (exchange.sent, exchange.wants)
    }

    /// Returns the next attempt that comes to its end, `None` if none is under way; nothing is lost if it is not awaited to its end.
    pub(super) async fn next(&mut self) -> Option<Attempt> {
        self.under_way.next().await
    }

    /// Returns how many exchanges have not come to their end.
    pub(super) fn len(&self) -> usize {
        self.under_way.len() + self.unanswered.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Exchange {
    /// Says whether an earlier attempt may have been done.
    pub(super) const fn may_be_done(&self) -> bool {
        self.again
    }
}

async fn attempt(store: Arc<dyn Store>, mut exchange: Exchange, asked: Stopwatch) -> Attempt {
    let sending = Sending { token: exchange.token, again: exchange.again };
    let (commits, checkpoints): (Vec<Commit>, Vec<_>) =
        exchange.sent.into_iter().map(|one| (one.commit, one.checkpoint)).unzip();
    let answer = store.turn(sending, &commits, &exchange.wants).await.map(Some);
    let sent = commits.into_iter().zip(checkpoints);
    exchange.sent = sent.map(|(commit, checkpoint)| Reported { commit, checkpoint }).collect();
    Attempt { exchange, asked, answer, is_release: false }
}

async fn release(store: Arc<dyn Store>, exchange: Exchange, asked: Stopwatch) -> Attempt {
    let answer = store.release(exchange.token).await;
    if let Ok(jobs @ 1..) = answer {
        tracing::warn!(
            jobs,
            "gave back jobs that were claimed without this worker's hearing of it"
        );
    }
    Attempt { exchange, asked, answer: answer.map(|_| None), is_release: true }
}
