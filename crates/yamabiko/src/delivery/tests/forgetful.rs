//! What a store that may have lost what it acknowledged, such as a promoted Redis server, means for a delivery.

use yamabiko_queue::{
    JobRecord, Result,
    store::{Cancelled, Commit, Counts, Held, Inserted, Page, Query, RunToken, Signal, Tick, Turn},
};

use super::*;

/// A store that says that it may have lost something.
#[derive(Debug)]
pub(super) struct Forgetful {
    pub(super) store: Arc<dyn Store>,
    pub(super) lost: Arc<Mutex<Losses>>,
}

#[async_trait]
impl Store for Forgetful {
    async fn losses(&self) -> Result<Losses> {
        Ok(self.lost.lock().unwrap().clone())
    }

    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.store.insert(jobs).await
    }

    async fn turn(&self, sending: Sending, commits: &[Commit], wants: &[Want]) -> Result<Turn> {
        self.store.turn(sending, commits, wants).await
    }

    async fn release(&self, token: RunToken) -> Result<usize> {
        self.store.release(token).await
    }

    async fn beat(
        &self,
        process: &Process,
        runs: &[(JobId, RunToken)],
        awaited: &[RunToken],
    ) -> Result<Vec<Held>> {
        self.store.beat(process, runs, awaited).await
    }

    async fn tick(&self) -> Result<Tick> {
        self.store.tick().await
    }

    async fn wait(&self, signals: &[Signal], at_most: Duration) -> Result<()> {
        self.store.wait(signals, at_most).await
    }

    async fn cancel(&self, ids: &[JobId]) -> Result<Vec<Cancelled>> {
        self.store.cancel(ids).await
    }

    async fn retry(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.store.retry(ids).await
    }

    async fn delete(&self, ids: &[JobId]) -> Result<Vec<bool>> {
        self.store.delete(ids).await
    }

    async fn pause(&self, queue: &str, time: Option<Duration>) -> Result<()> {
        self.store.pause(queue, time).await
    }

    async fn resume(&self, queue: &str) -> Result<()> {
        self.store.resume(queue).await
    }

    async fn state(&self, lane: &str) -> Result<Option<Vec<u8>>> {
        self.store.state(lane).await
    }

    async fn live(&self, chat: &str) -> Result<Vec<JobRecord>> {
        self.store.live(chat).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.store.counts().await
    }

    async fn list(&self, query: &Query) -> Result<Page> {
        self.store.list(query).await
    }

    async fn get(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.store.get(id).await
    }

    async fn handle(&self) -> Result<Arc<dyn Store>> {
        let (store, lost) = (self.store.handle().await?, Arc::clone(&self.lost));
        Ok(Arc::new(Self { store, lost }))
    }
}

#[tokio::test]
async fn o3_a_refused_token_is_uncertain_where_the_store_may_have_lost_that_it_was_used() {
    for (lost_after, calls) in [(None, 2), (Some(0), 2), (Some(1), 1), (Some(9), 1)] {
        let mut post = Post::open().await;
        let before = post.clock.now();
        post.clock.advance(secs(1));
        let id = post.put(Some("token")).await;
        post.lost.lock().unwrap().last = lost_after.map(|after| before + secs(after));
        post.clock.advance(secs(10));
        post.line.fails_once(refused(400));
        post.work().await;
        assert_eq!(post.line.calls().len(), calls, "{lost_after:?}");
        assert_eq!(post.job(id).await.0, State::Completed, "{lost_after:?}");
    }
}

#[tokio::test]
async fn o3_a_late_reply_is_uncertain_where_a_promoted_server_may_lack_that_it_was_sent() {
    for (promoted_after, calls) in
        [(&[][..], 1), (&[0], 1), (&[1], 0), (&[116], 0), (&[117], 1), (&[60, 118], 0)]
    {
        let mut post = Post::open().await;
        let before = post.clock.now();
        post.clock.advance(secs(1));
        let id = post.put(Some("token")).await;
        // That a server started anew is no reason to drop what is late.
        *post.lost.lock().unwrap() = Losses {
            last: Some(before + secs(2)),
            promoted: promoted_after.iter().map(|after| before + secs(*after)).collect(),
        };
        post.clock.advance(secs(120));
        post.work().await;
        let called = post.line.calls();
        assert_eq!(called.len(), calls, "{promoted_after:?}");
        assert!(called.iter().all(|call| call.contains("push")), "{called:?}");
        assert_eq!(post.job(id).await.0, State::Completed, "{promoted_after:?}");
    }
}

#[tokio::test]
async fn o3_the_token_of_an_event_that_came_again_after_a_loss_may_have_been_used_before_it() {
    for (is_redelivery, calls) in [(true, 1), (false, 2)] {
        let mut post = Post::open().await;
        let sent = post.clock.now();
        post.lost.lock().unwrap().last = Some(sent + secs(1));
        post.clock.advance(secs(10));
        let event = json!({
            "type": "message", "webhookEventId": "1", "timestamp": sent.as_millis(),
            "source": {"type": "user", "userId": format!("U{:032x}", 1)}, "replyToken": "token",
            "message": {"type": "text", "id": "1", "text": "hi"},
            "deliveryContext": {"isRedelivery": is_redelivery},
        });
        post.store.insert(&[webhook::job(&Event::from_value(event), None).unwrap()]).await.unwrap();
        let want = Want { queues: vec!["events".to_owned()], at_most: 1 };
        let turn = post.store.turn(Sending::once(), &[], &[want]).await.unwrap();
        let claim = &turn.claims[0];
        let said = Said {
            chat: claim.job.chat.clone().map(ChatId::new),
            message: Message::text("hello"),
            when_late: WhenLate::Push,
        };
        let jobs =
            pack(vec![said], &Envelope::of(claim), claim, std::iter::repeat_with(JobId::new));
        post.store.insert(&jobs).await.unwrap();
        post.line.fails_once(refused(400));
        post.work().await;
        assert_eq!(post.line.calls().len(), calls, "a redelivery: {is_redelivery}");
    }
}

#[tokio::test]
async fn o9_a_push_without_its_ornaments_has_the_same_key_when_the_store_has_lost_all_of_it() {
    let message = Message::text("hello").quote("quote token");
    let body =
        br#"{"message":"Invalid quote token","details":[{"property":"messages[0].quoteToken"}]}"#;
    let mut post = Post::open().await;
    let mut job = NewJob::new(DELIVERY_KIND, "");
    (job.queue, job.remember) = (OUTBOX.to_owned(), Duration::ZERO);
    let delivery = Delivery { messages: vec![message], ..post.delivery(None) };
    job.payload = serde_json::to_vec(&delivery).unwrap();
    for lost in [None, Some(post.clock.now())] {
        post.lost.lock().unwrap().last = lost;
        post.store.delete(&[job.id]).await.unwrap();
        post.store.insert(std::slice::from_ref(&job)).await.unwrap();
        post.line.fails_once(Error::refused(400, None, None, body));
        post.work().await;
    }
    let calls = post.line.calls();
    assert_eq!(calls[..2], calls[2..], "LINE would answer 409 to the last");
    assert_ne!(calls[0], calls[1]);
}

#[tokio::test]
async fn o9_a_push_of_unknown_outcome_has_a_key_of_its_own_without_its_ornaments_only_after_a_promotion()
 {
    let message = Message::text("hello").quote("quote token");
    let body =
        br#"{"message":"Invalid quote token","details":[{"property":"messages[0].quoteToken"}]}"#;
    for is_promoted in [false, true] {
        let mut post = Post::open().await;
        let mut job = NewJob::new(DELIVERY_KIND, "");
        job.queue = OUTBOX.to_owned();
        let delivery = Delivery { messages: vec![message.clone()], ..post.delivery(None) };
        job.payload = serde_json::to_vec(&delivery).unwrap();
        post.store.insert(std::slice::from_ref(&job)).await.unwrap();
        post.line.fails_once(no_answer());
        post.work().await;
        let promoted = is_promoted.then(|| post.clock.now()).into_iter().collect();
        *post.lost.lock().unwrap() = Losses { last: Some(post.clock.now()), promoted };
        post.clock.advance(secs(60));
        post.line.fails_once(Error::refused(400, None, None, body));
        post.work().await;
        let calls = post.line.calls();
        assert_eq!(calls[0], calls[1]);
        assert_eq!(calls[1] != calls[2], is_promoted);
    }
}
