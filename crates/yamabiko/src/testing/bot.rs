//! The thread of a bot under test.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use yamabiko_line::event::Event;
use yamabiko_queue::{
    Clock, ManualClock, Store, StoreOptions, Timestamp, Worker, WorkerOptions,
    store::{self, Process},
};

use super::line::TestLine;
use crate::{
    App, config::UncertainReply, delivery::Courier, health::Health, platform::Platform,
    state::ChatState, webhook,
};

/// Where the clock stands at first: 2027-01-15 17:00:00 in Tokyo.
const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// What a test asks for.
#[derive(Debug)]
pub(super) enum Request {
    User { name: String, language: String, answer: mpsc::Sender<String> },
    Event { user: String, event: Value, answer: mpsc::Sender<()> },
    Heard { user: String, answer: mpsc::Sender<Vec<Value>> },
    Advance { time: Duration, answer: mpsc::Sender<()> },
    Stop,
}

/// A bot with all that it needs.
pub(super) struct Bot {
    runtime: Runtime,
    store: Arc<dyn Store>,
    worker: Worker,
    line: Arc<TestLine>,
    clock: ManualClock,
    events: u64,
    _folder: TempDir,
}

impl Bot {
    pub(super) fn start<S: ChatState>(app: App<S>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let clock = ManualClock::new(START);
        let mut options = StoreOptions::new(app.name.clone());
        options.clock = Clock::Manual(clock.clone());
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let store =
            runtime.block_on(store::open(&url, options)).expect("an empty store can be opened");
        let line = Arc::new(TestLine::default());
        let platform: Arc<dyn Platform> = Arc::clone(&line) as _;
        let courier =
            Courier::new(Arc::clone(&platform), Arc::new(Health::default()), UncertainReply::Drop);
        let zone = jiff::tz::TimeZone::get("Asia/Tokyo").expect("the zone is known");
        let registry = app
            .into_registry(platform, Arc::new(courier), zone)
            .expect("each job kind is registered once");
        let process = Process {
            name: "test".into(),
            role: "all".into(),
            host: "test".into(),
            pid: 1,
            version: "0".into(),
            queues: Vec::new(),
        };
        let queues = vec![("high".to_owned(), 4), ("default".to_owned(), 2), ("low".to_owned(), 1)];
        let options = WorkerOptions { concurrency: 16, queues, shutdown: Duration::ZERO, process };
        let worker = Worker::new(Arc::clone(&store), Arc::new(registry), options);
        Self { runtime, store, worker, line, clock, events: 0, _folder: folder }
    }

    pub(super) fn serve(mut self, requests: &mpsc::Receiver<Request>) {
        while let Ok(request) = requests.recv() {
            match request {
                Request::User { name, language, answer } => {
                    done(&answer, self.line.add_user(name, language));
                }
                Request::Event { user, event, answer } => {
                    self.event(&user, event);
                    done(&answer, ());
                }
                Request::Heard { user, answer } => done(&answer, self.line.heard(&user)),
                Request::Advance { time, answer } => {
                    self.advance(time);
                    done(&answer, ());
                }
                Request::Stop => return,
            }
        }
    }

    fn event(&mut self, user: &str, mut event: Value) {
        self.events += 1;
        let number = self.events;
        let add = |target: &mut Value, key: &str, value: Value| {
            if let Some(object) = target.as_object_mut() {
                object.entry(key).or_insert(value);
            }
        };
        add(&mut event, "mode", json!("active"));
        add(&mut event, "timestamp", json!(self.clock.now().as_millis()));
        add(&mut event, "webhookEventId", json!(format!("{number:026}")));
        add(&mut event, "deliveryContext", json!({"isRedelivery": false}));
        add(&mut event, "source", json!({"type": "user", "userId": user}));
        if !matches!(event["type"].as_str(), Some("unfollow" | "leave" | "memberLeft" | "unsend")) {
            add(&mut event, "replyToken", json!(format!("{number:032x}")));
        }
        if event["message"].is_object() {
            add(&mut event["message"], "id", json!(number.to_string()));
            add(&mut event["message"], "quoteToken", json!(format!("quote-{number}")));
        }
        let event = Event::from_value(event);
        if let (Some(token), Some(source)) = (&event.reply_token, &event.source) {
            self.line.add_token(token, source.chat().map(|chat| chat.to_string()));
        }
        let job = webhook::job(&event, Some("Ubot"));
        self.runtime.block_on(self.store.insert(&[job])).expect("the test's store takes the event");
        self.settle();
    }

    fn advance(&mut self, time: Duration) {
        let target = self.clock.now() + time;
        loop {
            self.settle();
            let tick = self.runtime.block_on(self.store.tick()).expect("the test's store ticks");
            match tick.next {
                _ if tick.promoted > 0 => {}
                Some(next) if next <= target => self.clock.set(next.max(self.clock.now())),
                _ => break,
            }
        }
        self.clock.set(target);
        self.settle();
    }

    /// Works until nothing is ready, running or uncommitted.
    fn settle(&mut self) {
        while self.runtime.block_on(self.worker.step()).expect("the test's store takes a turn") {}
    }
}

fn done<T>(answer: &mpsc::Sender<T>, value: T) {
    // A test that no longer listens has ended.
    answer.send(value).ok();
}
