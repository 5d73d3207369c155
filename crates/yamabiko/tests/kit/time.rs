//! The clock: sleeps, limits, retries, leases.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, Context, Job, Lane, Result, TextMessage,
    testing::{Call, TestBot, TestUser},
};

use crate::secs;

/// A text is a number of seconds to sleep before the answer.
async fn on_text(cx: Context, message: TextMessage) -> Result {
    match message.text.split_once(' ') {
        Some(("job", seconds)) => {
            cx.enqueue(Sleeps { seconds: seconds.parse()? });
        }
        Some(("slow", seconds)) => {
            cx.enqueue(Slow { seconds: seconds.parse()? });
        }
        Some(("many", jobs)) => {
            for _ in 0..jobs.parse()? {
                cx.enqueue(Idle {});
            }
        }
        Some(("flaky", failures)) => {
            cx.enqueue(Flaky { failures: failures.parse()? });
        }
        Some(("after", seconds)) => {
            cx.after(secs(seconds.parse()?), Sleeps { seconds: 0 });
        }
        _ if message.text == "cancel" => {
            for timer in cx.timers().await? {
                cx.cancel(timer.id);
            }
        }
        _ => {
            cx.sleep(secs(message.text.parse()?)).await;
            cx.reply(format!("slept {} s", message.text));
        }
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Sleeps {
    seconds: u64,
}

impl Job for Sleeps {
    const KIND: &'static str = "sleeps";

    async fn run(self, cx: Context) -> Result {
        cx.sleep(secs(self.seconds)).await;
        cx.push("in lane");
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Slow {
    seconds: u64,
}

impl Job for Slow {
    const KIND: &'static str = "slow";
    const LANE: Lane = Lane::None;
    const MAX_ATTEMPTS: u32 = 2;

    async fn run(self, cx: Context) -> Result {
        // The store is asked while another part of the run sleeps.
        let (timers, ()) = tokio::join!(cx.timers(), cx.sleep(secs(self.seconds)));
        cx.push(format!("laneless, {} timers", timers?.len()));
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Idle {}

impl Job for Idle {
    const KIND: &'static str = "idle";
    const LANE: Lane = Lane::None;

    async fn run(self, _cx: Context) -> Result {
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Flaky {
    failures: usize,
}

impl Job for Flaky {
    const KIND: &'static str = "flaky";

    async fn run(self, cx: Context) -> Result {
        let runs = cx.data::<Runs>()?;
        let earlier = runs.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        anyhow::ensure!(earlier >= self.failures, "not yet");
        cx.push(format!("done after {} s", cx.now().since(cx.counts_from()).as_secs()));
        Ok(())
    }
}

#[derive(Default)]
struct Runs(std::sync::atomic::AtomicUsize);

fn start() -> (TestBot, TestUser) {
    let app = App::new("sleeper").data(Runs::default()).on_text(on_text);
    let bot = TestBot::start(app.job::<Sleeps>().job::<Slow>().job::<Flaky>().job::<Idle>());
    let alice = bot.user("Alice");
    (bot, alice)
}

#[test]
fn b1_a_handler_sleeps_until_the_clock_has_moved() {
    let (bot, alice) = start();
    alice.says("10");
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(Duration::from_millis(9_999));
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(Duration::from_millis(1));
    assert_eq!(alice.hears(), ["slept 10 s"]);
}

#[test]
fn b1_a_handler_that_sleeps_over_its_limit_times_out() {
    let (bot, alice) = start();
    alice.says("600");
    bot.advance(secs(19));
    assert_eq!(bot.dead_jobs().len(), 0);
    bot.advance(secs(1));
    let dead = bot.dead_jobs();
    assert_eq!((dead[0].kind.as_str(), dead[0].error()), ("line.event", "took longer than 20s"));
    assert_eq!(alice.hears().len(), 1, "the chat is told");
}

#[test]
fn b1_a_job_that_sleeps_for_minutes_keeps_its_claim() {
    let (bot, alice) = start();
    alice.says("job 299");
    bot.advance(secs(299));
    assert_eq!(alice.hears(), ["in lane"]);
    let errors: Vec<_> = bot.completed_jobs().into_iter().flat_map(|job| job.errors).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn b1_runs_wake_in_the_order_of_their_times() {
    let (bot, alice) = start();
    let bob = bot.user("Bob");
    alice.says("13");
    bob.says("3");
    let begin = bot.now();
    bot.advance(secs(60));
    let at = |user: &TestUser| user.hears_in_detail()[0].at.since(begin);
    assert_eq!((at(&alice), at(&bob)), (secs(13), secs(3)));
}

#[test]
fn a_job_in_the_lane_keeps_its_chat_waiting_and_a_laneless_one_does_not() {
    let (bot, alice) = start();
    alice.says("job 100");
    alice.says("0");
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(secs(100));
    assert_eq!(alice.hears(), ["in lane", "slept 0 s"]);
    alice.says("slow 100");
    alice.says("0");
    assert_eq!(alice.hears(), ["slept 0 s"]);
    bot.advance(secs(100));
    assert_eq!(alice.hears(), ["laneless, 0 timers"]);
}

#[test]
fn d1_retries_wait_two_seconds_then_twice_as_long_each_time() {
    let (bot, alice) = start();
    let begin = bot.now();
    alice.says("flaky 3");
    assert_eq!(bot.failing_jobs()[0].error(), "not yet");
    bot.advance(secs(60));
    assert_eq!(alice.hears_in_detail()[0].at.since(begin), secs(2 + 4 + 8));
}

#[test]
fn d1_a_time_out_of_a_job_counts_as_a_failure() {
    let (bot, alice) = start();
    alice.says("slow 400");
    bot.advance(secs(300));
    assert_eq!(bot.failing_jobs()[0].errors, ["took longer than 300s"]);
    bot.advance(secs(302));
    assert_eq!(bot.dead_jobs()[0].errors.len(), 2);
    assert_eq!(alice.hears().len(), 1, "the chat is told");
}

#[test]
fn more_timers_than_a_worker_has_slots_all_fire_at_their_time() {
    let (bot, alice) = start();
    let mut users = vec![alice];
    users.extend((0..39).map(|n| bot.user(&format!("user {n}"))));
    for user in &users {
        user.says("after 60");
    }
    bot.advance(secs(60));
    assert!(users.iter().all(|user| user.hears() == ["in lane"]));
}

#[test]
fn more_jobs_than_a_worker_has_slots_are_all_done_at_once() {
    let (bot, alice) = start();
    alice.says("many 50");
    assert_eq!(bot.completed_jobs().iter().filter(|job| job.kind == "idle").count(), 50);
}

#[test]
fn a_timer_that_is_cancelled_does_not_fire() {
    let (bot, alice) = start();
    alice.says("after 60");
    let timers = alice.timers();
    assert_eq!((timers[0].kind.as_str(), timers[0].due), ("sleeps", bot.now() + secs(60)));
    assert_eq!(timers[0].job::<Sleeps>().unwrap().seconds, 0);
    alice.says("cancel");
    assert!(alice.timers().is_empty());
    bot.advance(secs(60));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn d4_a_job_whose_request_is_taken_back_stops_in_its_sleep() {
    let (bot, alice) = start();
    let said = alice.says("slow 100");
    bot.advance(secs(50));
    said.unsend();
    bot.advance(secs(200));
    assert_eq!(alice.hears(), [""; 0]);
    assert!(bot.completed_jobs().iter().all(|job| job.kind != "slow"));
}

#[test]
fn o2_an_event_that_waited_too_long_for_its_lane_is_answered_by_push() {
    let (bot, alice) = start();
    for seconds in ["19", "19", "19", "0"] {
        alice.says(seconds);
    }
    bot.advance(secs(60));
    let calls: Vec<_> = alice.hears_in_detail().iter().map(|heard| heard.by).collect();
    assert_eq!(calls, [Call::Reply, Call::Reply, Call::Push, Call::Push]);
}

#[test]
fn i2_a_redelivery_of_an_event_that_waits_renews_its_reply_token() {
    let (bot, alice) = start();
    for seconds in ["19", "19", "19"] {
        alice.says(seconds);
    }
    let last = alice.says("0");
    bot.advance(secs(30));
    last.redeliver();
    bot.advance(secs(30));
    let calls: Vec<_> = alice.hears_in_detail().iter().map(|heard| heard.by).collect();
    assert_eq!(calls, [Call::Reply, Call::Reply, Call::Push, Call::Reply]);
}

#[test]
fn b1_what_works_on_another_thread_is_waited_for() {
    async fn computes(cx: Context, _message: TextMessage) -> Result {
        let sum = tokio::task::spawn_blocking(|| (1..=100).sum::<u32>()).await?;
        cx.reply(sum.to_string());
        Ok(())
    }
    let bot = TestBot::start(App::new("computer").on_text(computes));
    let alice = bot.user("Alice");
    alice.says("sum");
    assert_eq!(alice.hears(), ["5050"]);
}

#[test]
fn b1_a_run_sleeps_while_a_task_that_it_waits_for_sleeps() {
    async fn delegates(cx: Context, _message: TextMessage) -> Result {
        let part = cx.clone();
        tokio::spawn(async move { part.sleep(secs(3)).await }).await?;
        cx.reply("done");
        Ok(())
    }
    let bot = TestBot::start(App::new("delegate").on_text(delegates));
    let alice = bot.user("Alice");
    alice.says("go");
    assert_eq!(alice.hears(), [""; 0]);
    bot.advance(secs(3));
    assert_eq!(alice.hears(), ["done"]);
}

#[test]
fn b1_a_run_that_asks_the_store_is_not_asleep_though_a_part_of_it_is() {
    async fn splits(cx: Context, _message: TextMessage) -> Result {
        let part = cx.clone();
        tokio::spawn(async move { part.sleep(secs(60)).await });
        tokio::task::yield_now().await;
        cx.reply(format!("{} timers", cx.timers().await?.len()));
        Ok(())
    }
    let bot = TestBot::start(App::new("splitter").on_text(splits));
    let alice = bot.user("Alice");
    alice.says("go");
    assert_eq!(alice.hears(), ["0 timers"]);
}
