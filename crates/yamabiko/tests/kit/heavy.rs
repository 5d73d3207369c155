//! Work that keeps a core busy, and queues with few slots.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use yamabiko::{App, Context, Job, Lane, Result, TextMessage, testing::TestBot};

const MINUTE: Duration = Duration::from_secs(60);

/// What the blocking work of a job does.
#[derive(Clone)]
struct Work(Arc<dyn Fn(Context) -> String + Send + Sync>);

impl Work {
    fn new(work: impl Fn(Context) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(work))
    }
}

#[derive(Serialize, Deserialize)]
struct Heavy {
    text: String,
    /// Whether the run also sleeps, so that its time can be up.
    sleeps: bool,
}

impl Job for Heavy {
    const KIND: &'static str = "heavy";
    const LANE: Lane = Lane::None;
    const QUEUE: &'static str = "heavy";
    const TIMEOUT: Duration = MINUTE;
    const MAX_ATTEMPTS: u32 = 2;

    async fn run(self, cx: Context) -> Result {
        let Work(work) = cx.data::<Work>()?.clone();
        let inside = cx.clone();
        let done = cx.blocking(move || work(inside));
        let done =
            if self.sleeps { tokio::join!(done, cx.sleep(MINUTE * 2)).0 } else { done.await };
        cx.push(format!("{}: {}", self.text, done?));
        Ok(())
    }
}

fn app(work: Work) -> App {
    async fn on_text(cx: Context, message: TextMessage) -> Result {
        for (number, text) in message.text.split(' ').enumerate() {
            cx.enqueue(Heavy { text: text.to_owned(), sleeps: text == "slow" && number == 0 });
        }
        Ok(())
    }
    App::new("heavy").data(work).on_text(on_text).job::<Heavy>()
}

#[test]
fn blocking_work_gives_back_what_it_found() {
    let bot = TestBot::start(app(Work::new(|cx| format!("attempt {}", cx.attempt()))));
    let alice = bot.user("Alice");
    alice.says("think");
    assert_eq!(alice.hears(), ["think: attempt 1"]);
}

#[test]
fn d1_a_panic_of_blocking_work_is_a_failure_of_the_run() {
    let work = |cx: Context| {
        assert!(cx.attempt() > 1, "not at the first attempt");
        "done".to_owned()
    };
    let bot = TestBot::start(app(Work::new(work)));
    let alice = bot.user("Alice");
    alice.says("think");
    let failing = bot.failing_jobs();
    assert_eq!(failing[0].error(), "panicked: not at the first attempt");
    bot.advance(MINUTE);
    assert_eq!(alice.hears(), ["think: done"]);
}

#[test]
fn d1_blocking_work_sees_that_its_run_is_over_and_what_it_returns_is_dropped() {
    let (tell, seen) = mpsc::channel();
    let tell = Mutex::new(tell);
    let work = move |cx: Context| {
        if cx.attempt() == 1 {
            while !cx.cancelled() {
                std::thread::yield_now();
            }
            tell.lock().unwrap().send(()).unwrap();
        }
        format!("attempt {}", cx.attempt())
    };
    let bot = TestBot::start(app(Work::new(work)));
    let alice = bot.user("Alice");
    alice.says("slow");
    bot.advance(MINUTE);
    seen.recv().unwrap();
    assert_eq!(bot.failing_jobs()[0].error(), "took longer than 60s");
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(MINUTE * 3);
    assert_eq!(bot.dead_jobs()[0].error(), "took longer than 60s");
}

/// How many naps there are now, and were at most.
#[derive(Clone, Default)]
struct Naps(Arc<(AtomicUsize, AtomicUsize)>);

#[derive(Serialize, Deserialize)]
struct Nap;

impl Job for Nap {
    const KIND: &'static str = "nap";
    const LANE: Lane = Lane::None;
    const QUEUE: &'static str = "naps";

    async fn run(self, cx: Context) -> Result {
        let Naps(naps) = cx.data::<Naps>()?.clone();
        naps.1.fetch_max(naps.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        cx.sleep(MINUTE).await;
        naps.0.fetch_sub(1, Ordering::SeqCst);
        cx.push("slept");
        Ok(())
    }
}

#[test]
fn a_queue_with_a_limit_runs_no_more_jobs_at_once() {
    async fn on_text(cx: Context, _message: TextMessage) -> Result {
        for _ in 0..6 {
            cx.enqueue(Nap);
        }
        Ok(())
    }
    let most_at_once = |limit: usize| {
        let naps = Naps::default();
        let app = App::new("sleeper").data(naps.clone()).on_text(on_text).job::<Nap>();
        let limit = NonZeroUsize::new(limit).unwrap();
        let bot = TestBot::start(app.queue_concurrency("naps", limit));
        let alice = bot.user("Alice");
        alice.says("sleep");
        bot.advance(MINUTE * 6);
        assert_eq!(alice.hears().len(), 6);
        naps.0.1.load(Ordering::SeqCst)
    };
    assert_eq!([1, 2, 9].map(most_at_once), [1, 2, 6]);
}
