//! Deliveries by a real worker on a real store, to a LINE that does as it is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;
use yamabiko_line::{
    client::{BotInfo, Client, ClientConfig, Content, Credentials, Profile, Quota, Sent},
    error::{Error, ErrorKind, Reached},
    event::Event,
    id::{MessageId, UserId},
    secret::{AccessToken, ChannelSecret, ReplyToken},
};
use yamabiko_queue::{
    Clock, Job, ManualClock, Registry, RetryPolicy, State, Store, StoreOptions, Worker,
    WorkerOptions,
    store::{self, Losses, Process, Sending, Want},
};
use yamabiko_simulator::{Simulator, SimulatorConfig};

mod forgetful;

use forgetful::Forgetful;

use super::*;
use crate::{
    App, Context,
    blocking::Pool,
    context::{Envelope, PAYLOAD_VERSION, log_late_call},
    platform::Platform,
    registry::Surroundings,
    webhook,
};

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const LEASE: Duration = Duration::from_secs(5);

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// LINE: notes the calls, and fails as often as it is told.
#[derive(Debug, Default)]
struct Line {
    calls: Mutex<Vec<String>>,
    failures: Mutex<Vec<Error>>,
}

impl Line {
    fn called(&self, call: String) -> Result<Sent, Error> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        match self.failures.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(error) => Err(error),
            None => Ok(Sent::default()),
        }
    }

    fn fails_once(&self, error: Error) {
        self.failures.lock().unwrap().push(error);
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

#[async_trait]
impl Platform for Line {
    async fn reply(&self, _token: &ReplyToken, _messages: &[Message]) -> Result<Sent, Error> {
        self.called("reply".to_owned())
    }

    async fn push(&self, _to: &ChatId, _messages: &[Message], key: Uuid) -> Result<Sent, Error> {
        self.called(format!("push {key}"))
    }

    async fn show_loading(&self, _chat: &ChatId, seconds: u8) -> Result<(), Error> {
        self.called(format!("loading {seconds}")).map(drop)
    }

    async fn profile(&self, _chat: Option<&ChatId>, _user: &UserId) -> Result<Profile, Error> {
        Ok(Profile::default())
    }

    async fn content(&self, _message: &MessageId, _max_bytes: usize) -> Result<Content, Error> {
        Ok(Content::Preparing)
    }

    async fn quota(&self) -> Result<Quota, Error> {
        Ok(Quota::default())
    }

    async fn quota_used(&self) -> Result<u64, Error> {
        Ok(0)
    }

    async fn bot_info(&self) -> Result<BotInfo, Error> {
        Ok(BotInfo::default())
    }
}

/// What happens between the claim of a delivery and its run.
type Meanwhile = fn(ManualClock, Arc<dyn Store>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A worker for deliveries on a store of its own.
struct Post {
    line: Arc<Line>,
    clock: ManualClock,
    store: Arc<dyn Store>,
    worker: Worker,
    /// When the store may last have lost something.
    lost: Arc<Mutex<Losses>>,
    _folder: TempDir,
}

impl Post {
    async fn open() -> Self {
        Self::open_with(|_, _| Box::pin(async {})).await
    }

    /// Opens the post; `meanwhile` happens between each claim and its run.
    async fn open_with(meanwhile: Meanwhile) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(START);
        let mut options = StoreOptions::new("post");
        options.clock = Clock::Manual(clock.clone());
        options.keep_completed = secs(30 * 24 * 60 * 60);
        let url = format!("sqlite:{}", folder.path().join("post.db").display());
        let lost = Arc::default();
        let store = store::open(&url, options).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(Forgetful { store, lost: Arc::clone(&lost) });
        let line = Arc::new(Line::default());
        let platform: Arc<dyn Platform> = Arc::clone(&line) as _;
        let courier = Arc::new(Courier::new(platform, Arc::default(), ReplyPolicy::default()));
        let (moved, shared) = (clock.clone(), Arc::clone(&store));
        let mut registry = Registry::new();
        let carry = move |run| {
            let courier = Arc::clone(&courier);
            let meanwhile = meanwhile(moved.clone(), Arc::clone(&shared));
            Box::pin(async move {
                meanwhile.await;
                courier.carry(run).await
            }) as _
        };
        registry.register(DELIVERY_KIND, RetryPolicy::deliveries(), carry).unwrap();
        let worker = worker(&store, registry, &clock);
        Self { line, clock, store, worker, lost, _folder: folder }
    }

    /// Puts a delivery into the outbox, with a reply token that has just arrived where one is given.
    async fn put(&self, token: Option<&str>) -> JobId {
        self.put_delivery(&self.delivery(token), token).await
    }

    fn delivery(&self, token: Option<&str>) -> Delivery {
        Delivery {
            v: PAYLOAD_VERSION,
            to: Some(ChatId::new(format!("U{:032x}", 1))),
            messages: vec![Message::text("hello")],
            when_late: Vec::new(),
            token_arrived: token.map(|_| self.clock.now()),
            token_first_sent: None,
            follows_token: None,
            kept: false,
            trimmed: None,
        }
    }

    async fn put_delivery(&self, delivery: &Delivery, secret: Option<&str>) -> JobId {
        let mut job = NewJob::new(DELIVERY_KIND, serde_json::to_vec(delivery).unwrap());
        job.queue = OUTBOX.to_owned();
        job.lane = Some(">chat".to_owned());
        job.secret = secret.map(str::to_owned);
        self.store.insert(std::slice::from_ref(&job)).await.unwrap();
        job.id
    }

    async fn work(&mut self) {
        while self.worker.step().await.unwrap() {}
    }

    async fn job(&self, id: JobId) -> (State, Job) {
        let record = self.store.get(id).await.unwrap().unwrap();
        (record.state, record.job)
    }
}

fn worker(store: &Arc<dyn Store>, registry: Registry, clock: &ManualClock) -> Worker {
    let process = Process {
        name: "post".into(),
        role: "worker".into(),
        host: "test".into(),
        pid: 1,
        version: "0".into(),
        queues: Vec::new(),
    };
    let options = WorkerOptions {
        concurrency: 4,
        queues: Vec::new(),
        limits: std::collections::BTreeMap::new(),
        shutdown: Duration::ZERO,
        process,
        clock: Clock::Manual(clock.clone()),
    };
    Worker::new(Arc::clone(store), Arc::new(registry), options)
}

fn no_answer() -> Error {
    Error::without_answer(ErrorKind::Timeout, Reached::Unknown, "no answer")
}

fn refused(status: u16) -> Error {
    Error::refused(status, None, None, b"{}")
}

/// Ticks once a second for a lease, as every process does, and returns how many claims ended.
async fn pass_a_lease(clock: &ManualClock, store: &dyn Store) -> usize {
    let mut ended = store.tick().await.unwrap().ended;
    for _ in 0..LEASE.as_secs() {
        clock.advance(secs(1));
        ended += store.tick().await.unwrap().ended;
    }
    ended
}

#[tokio::test]
async fn o6_a_stalled_worker_makes_no_call_for_a_delivery_that_it_has_lost() {
    for token in [None, Some("token")] {
        // The process stands still for a lease, and another one claims what it holds.
        let mut post = Post::open_with(|clock, store| {
            Box::pin(async move {
                assert_eq!(pass_a_lease(&clock, &*store).await, 1);
                let want = Want { queues: vec![OUTBOX.to_owned()], at_most: 1 };
                assert_eq!(
                    store.turn(Sending::once(), &[], &[want]).await.unwrap().claims.len(),
                    1
                );
            })
        })
        .await;
        // Claims end only for who has been ticking for a lease (C3).
        pass_a_lease(&post.clock, &*post.store).await;
        let id = post.put(token).await;
        post.work().await;
        assert_eq!((post.line.calls().len(), post.job(id).await.0), (0, State::Running));
    }
}

#[tokio::test]
async fn o6_an_old_claim_that_still_holds_is_delivered() {
    let mut post =
        Post::open_with(|clock, _| Box::pin(async move { clock.advance(secs(2)) })).await;
    let id = post.put(Some("token")).await;
    post.work().await;
    assert_eq!((post.line.calls(), post.job(id).await.0), (vec!["reply".into()], State::Completed));
}

#[tokio::test]
async fn o2_a_reply_token_that_came_by_a_clock_that_was_ahead_counts_as_too_old() {
    for (ahead, call) in [(secs(1), "reply"), (secs(3_600), "push")] {
        let mut post = Post::open().await;
        let mut delivery = post.delivery(Some("token"));
        delivery.token_arrived = Some(post.clock.now() + ahead);
        post.put_delivery(&delivery, Some("token")).await;
        post.work().await;
        let calls = post.line.calls();
        assert!(calls.len() == 1 && calls[0].starts_with(call), "{ahead:?}: {calls:?}");
    }
}

#[tokio::test]
async fn o2_a_token_that_grew_too_old_since_its_claim_is_left_for_a_push() {
    let mut post =
        Post::open_with(|clock, _| Box::pin(async move { clock.advance(secs(4)) })).await;
    let id = post.put(Some("token")).await;
    post.clock.advance(secs(47));
    post.work().await;
    assert_eq!(post.line.calls(), [format!("push {id}")]);
}

#[tokio::test]
async fn o4_no_push_is_repeated_with_the_same_key_after_23_hours() {
    let mut post = Post::open().await;
    let id = post.put(None).await;
    post.line.fails_once(no_answer());
    post.work().await;
    assert_eq!(post.line.calls(), [format!("push {id}")]);
    // A person stops the outbox for a day.
    let day = secs(24 * 60 * 60);
    post.store.pause(OUTBOX, Some(day)).await.unwrap();
    post.clock.advance(day);
    post.store.tick().await.unwrap();
    post.work().await;
    assert_eq!((post.line.calls().len(), post.job(id).await.0), (1, State::Dead));
}

#[tokio::test]
async fn o5_a_day_of_refused_credentials_kills_no_message() {
    let mut post = Post::open().await;
    let id = post.put(None).await;
    post.line.fails_once(refused(401));
    post.work().await;
    assert_eq!(post.job(id).await.1.failures, 0, "nothing is counted");
    post.store.pause(OUTBOX, Some(secs(25 * 60 * 60))).await.unwrap();
    post.clock.advance(secs(25 * 60 * 60));
    post.store.tick().await.unwrap();
    post.work().await;
    assert_eq!((post.line.calls().len(), post.job(id).await.0), (2, State::Completed));
}

#[tokio::test]
async fn o4_a_rerun_by_a_person_has_a_new_key_and_a_repetition_the_same() {
    let mut post = Post::open().await;
    let id = post.put(None).await;
    post.line.fails_once(refused(400));
    post.line.fails_once(no_answer());
    post.work().await;
    post.clock.advance(secs(2));
    post.store.tick().await.unwrap();
    post.work().await;
    assert_eq!(post.job(id).await.0, State::Dead);
    post.store.retry(&[id]).await.unwrap();
    post.work().await;
    let calls = post.line.calls();
    assert_eq!((&calls[0], calls.len()), (&calls[1], 3));
    assert_ne!(calls[2], calls[0]);
}

/// Returns what is logged meanwhile.
fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, work);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn o9_messages_that_cost_a_further_push_are_logged() {
    let post = Post::open().await;
    let event = json!({"type": "follow", "webhookEventId": "1", "replyToken": "token", "source": {"type": "user", "userId": "U1"}});
    post.store.insert(&[webhook::job(&Event::from_value(event), None).unwrap()]).await.unwrap();
    let want = Want { queues: vec!["events".to_owned()], at_most: 1 };
    let claim = post.store.turn(Sending::once(), &[], &[want]).await.unwrap().claims.remove(0);
    let envelope = Envelope::of(&claim);
    let says = |text: &str, count: usize| {
        logged(|| {
            let (message, chat) = (Message::text(text), envelope.chat.clone());
            let said = vec![Said { chat, message, when_late: WhenLate::Push }; count];
            drop(pack(said, &envelope, &claim, std::iter::repeat_with(JobId::new)));
        })
    };
    assert_eq!(says("geheim", 5), "");
    let sixth = says("geheim", 6);
    assert!(sixth.contains("calls=2 pushes=1") && !sixth.contains("geheim"), "{sixth}");
    assert!(says(&"long ".repeat(5_001), 1).contains("calls=2 pushes=1"));
}

/// Lets an old reply and what did not fit into its call be carried, and returns the calls.
async fn carried_late(late: LateReplies) -> Vec<String> {
    let mut post = Post::open().await;
    let policy = ReplyPolicy { late, ..ReplyPolicy::default() };
    let platform: Arc<dyn Platform> = Arc::clone(&post.line) as _;
    let courier = Arc::new(Courier::new(platform, Arc::default(), policy));
    let mut registry = Registry::new();
    let carry = move |run| {
        let courier = Arc::clone(&courier);
        Box::pin(async move { courier.carry(run).await }) as _
    };
    registry.register(DELIVERY_KIND, RetryPolicy::deliveries(), carry).unwrap();
    post.worker = worker(&post.store, registry, &post.clock);
    for token in [Some("token"), None] {
        let mut delivery = post.delivery(token);
        delivery.when_late = vec![WhenLate::AsSet];
        delivery.follows_token = token.is_none().then(|| post.clock.now());
        post.put_delivery(&delivery, token).await;
    }
    post.clock.advance(secs(51));
    post.work().await;
    post.line.calls()
}

#[tokio::test]
async fn o9_late_replies_are_pushed_or_dropped_as_a_whole_as_the_setting_says() {
    assert_eq!(carried_late(LateReplies::Push).await.len(), 2);
    assert_eq!(carried_late(LateReplies::Drop).await.len(), 0);
}

#[test]
fn o9_a_delivery_without_its_ornaments_is_left_alone_by_a_process_that_does_not_know_it() {
    let mut delivery = Delivery {
        v: PAYLOAD_VERSION,
        to: None,
        messages: vec![Message::text("hello").quote("quote")],
        when_late: Vec::new(),
        token_arrived: None,
        token_first_sent: None,
        follows_token: None,
        kept: false,
        trimmed: None,
    };
    let read_by = |delivery: &Delivery, known| {
        crate::context::newer_version(&serde_json::to_vec(delivery).unwrap(), known)
    };
    assert_eq!(read_by(&delivery, 1), None, "an older process carries what it understands");
    delivery.trim(Trimmed::OwnKey);
    assert_eq!((read_by(&delivery, 1), read_by(&delivery, NEWEST_VERSION)), (Some(2), None));
}

#[tokio::test]
async fn o1_ten_messages_said_in_one_commit_reach_the_simulator_in_two_calls_in_order() {
    const ALICE: &str = "U22222222222222222222222222222222";
    async fn ten(cx: Context, _event: Event) -> crate::Result {
        (1..=10).for_each(|n| cx.push(n.to_string()));
        Ok(())
    }
    let token = AccessToken::new("token");
    let config = SimulatorConfig::new(
        "http://127.0.0.1:1/callback".to_owned(),
        ChannelSecret::new("secret"),
        token.clone(),
    );
    let simulator = Simulator::start(config).await.unwrap();
    let mut client = ClientConfig::new(Credentials::Token(token));
    client.api_url = simulator.url();
    let platform: Arc<dyn Platform> = Arc::new(Client::new(client).unwrap());
    let courier = Courier::new(Arc::clone(&platform), Arc::default(), ReplyPolicy::default());
    let app = App::new("talker").on_other(ten);
    let surroundings = Surroundings {
        platform,
        courier: Arc::new(courier),
        time_zone: jiff::tz::TimeZone::UTC,
        late_call: log_late_call(),
        pool: Arc::new(Pool::for_runs(1).unwrap()),
    };
    let registry = app.into_registry(surroundings).unwrap();
    let mut post = Post::open().await;
    post.worker = worker(&post.store, registry, &post.clock);
    let event = json!({"type": "follow", "webhookEventId": "1", "source": {"type": "user", "userId": ALICE}});
    post.store.insert(webhook::job(&Event::from_value(event), None).as_slice()).await.unwrap();
    post.work().await;
    let get = async |path: &str| -> Value {
        let answer = reqwest::get(format!("{}/control/{path}", simulator.url())).await.unwrap();
        answer.json().await.unwrap()
    };
    let heard = get(&format!("chats/{ALICE}")).await;
    let said = heard["messages"].as_array().unwrap().iter();
    let texts: Vec<_> = said.map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(texts.join(" "), "1 2 3 4 5 6 7 8 9 10");
    let log = get("log").await;
    let calls: Vec<_> = log["entries"].as_array().unwrap().iter().map(|one| &one["what"]).collect();
    assert_eq!(calls, ["POST /v2/bot/message/push"; 2]);
    simulator.stop().await;
}
