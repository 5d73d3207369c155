//! Crashes and deployments on one store.

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, Context, Job, Result, TextMessage,
    testing::{Call, Fault, TestBot},
};

use crate::secs;

#[derive(Serialize, Deserialize)]
struct Report;

impl Job for Report {
    const KIND: &'static str = "report";

    async fn run(self, cx: Context) -> Result {
        cx.sleep(secs(10)).await;
        cx.push("the report");
        Ok(())
    }
}

async fn on_text(cx: Context, message: TextMessage) -> Result {
    match message.text.as_str() {
        "report" => {
            cx.enqueue(Report);
        }
        "later" => {
            cx.after(secs(60), Report);
        }
        _ => {
            cx.reply("hello");
        }
    }
    Ok(())
}

fn app() -> App {
    App::new("reporter").on_text(on_text).job::<Report>()
}

#[test]
fn c2_what_ran_in_a_killed_process_runs_again_when_its_lease_has_ended() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("report");
    bot.advance(secs(9));
    bot.crash();
    bot.advance(secs(1));
    assert_eq!(alice.hears(), [""; 0], "it went with its process");
    bot.advance(secs(4));
    bot.advance(secs(10));
    assert_eq!(alice.hears(), ["the report"]);
    bot.advance(secs(600));
    assert_eq!(alice.hears(), [""; 0]);
}

#[test]
fn c4_a_job_that_kills_three_processes_is_dead() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("report");
    for _ in 0..3 {
        bot.crash();
        bot.advance(secs(5));
    }
    assert_eq!(bot.dead_jobs()[0].error(), "the process died 3 times running this");
    assert_eq!(alice.hears().len(), 1, "the chat is told");
}

#[test]
fn o3_a_reply_is_said_once_though_its_process_was_killed_before_the_answer() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    bot.line().fail_next(Fault::TimeoutAfter);
    alice.says("hi");
    bot.crash();
    bot.advance(secs(30));
    assert_eq!(alice.hears(), ["hello"]);
    assert_eq!((bot.line().calls(Call::Reply), bot.line().calls(Call::Push)), (2, 0));
}

/// A job in three steps.
#[derive(Serialize, Deserialize)]
struct Steps {
    done: u32,
}

impl Job for Steps {
    const KIND: &'static str = "steps";

    async fn run(mut self, cx: Context) -> Result {
        while self.done < 3 {
            cx.sleep(secs(10)).await;
            self.done += 1;
            cx.push(format!("step {}", self.done));
            cx.checkpoint(&self).await?;
        }
        Ok(())
    }
}

#[test]
fn k6_a_job_goes_on_from_its_last_checkpoint_after_a_crash() {
    async fn starts(cx: Context, _message: TextMessage) -> Result {
        cx.enqueue(Steps { done: 0 });
        Ok(())
    }
    let bot = TestBot::start(App::new("stepper").on_text(starts).job::<Steps>());
    let alice = bot.user("Alice");
    alice.says("go");
    bot.advance(secs(15));
    assert_eq!(alice.hears(), ["step 1"]);
    bot.crash();
    bot.advance(secs(5 + 20));
    assert_eq!(alice.hears(), ["step 2", "step 3"]);
}

#[test]
fn timers_outlive_their_process() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("later");
    bot.crash();
    bot.restart_with(app());
    bot.advance(secs(70));
    assert_eq!(alice.hears(), ["the report"]);
}

#[test]
fn c4_a_deployment_gives_back_what_runs_and_counts_nothing() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("report");
    for _ in 0..5 {
        bot.advance(secs(5));
        bot.restart_with(app());
    }
    bot.advance(secs(10));
    assert_eq!(alice.hears(), ["the report"]);
}

#[test]
fn d2_an_unknown_kind_waits_for_a_version_that_knows_it() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("later");
    bot.restart_with(App::new("reporter").on_text(on_text));
    bot.advance(secs(120));
    assert!(bot.failing_jobs()[0].error().contains(".job::<T>()"));
    bot.restart_with(app());
    bot.advance(secs(20));
    assert_eq!(alice.hears(), ["the report"]);
}

/// The state of the first version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Count(u32);

/// The state of the second version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    texts: u32,
}

async fn counts(cx: Context<Count>, _message: TextMessage) -> Result {
    cx.set_state(Count(cx.state().0 + 1));
    Ok(())
}

async fn tallies(cx: Context<Tally>, _message: TextMessage) -> Result {
    cx.set_state(Tally { texts: cx.state().texts + 1 });
    Ok(())
}

#[test]
fn s2_a_new_version_converts_the_state_of_the_old_one() {
    let bot = TestBot::start(App::new("counter").with_state::<Count>().on_text(counts));
    let (alice, bob) = (bot.user("Alice"), bot.user("Bob"));
    alice.says("one");
    alice.says("two");
    assert_eq!((alice.state::<Count>(), bob.state::<Count>()), (Count(2), Count(0)));
    let new = App::new("counter").with_state::<Tally>().on_text(tallies);
    bot.restart_with(
        new.migrate_state(2, |_, old| Ok(Tally { texts: serde_json::from_value(old)? })),
    );
    alice.says("three");
    assert_eq!(alice.state::<Tally>(), Tally { texts: 3 });
}

#[test]
fn s2_a_state_that_cannot_be_read_kills_the_handler() {
    let bot = TestBot::start(App::new("counter").with_state::<Count>().on_text(counts));
    let alice = bot.user("Alice");
    alice.says("one");
    bot.restart_with(App::new("counter").with_state::<Tally>().on_text(tallies));
    alice.says("two");
    assert!(bot.dead_jobs()[0].error().contains("Tally"));
}

/// Asks for something while its checkpoint is on its way to the store.
#[derive(Serialize, Deserialize)]
struct Hasty {
    begun: bool,
}

impl Job for Hasty {
    const KIND: &'static str = "hasty";

    async fn run(self, cx: Context) -> Result {
        if !self.begun {
            cx.enqueue(Tell { text: "before".to_owned() });
            let (other, begun) = (cx.clone(), Self { begun: true });
            let meanwhile = async { other.enqueue(Tell { text: "meanwhile".to_owned() }).id() };
            let (checkpoint, _) = tokio::join!(cx.checkpoint(&begun), meanwhile);
            checkpoint?;
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Tell {
    text: String,
}

impl Job for Tell {
    const KIND: &'static str = "tell";

    async fn run(self, cx: Context) -> Result {
        cx.push(self.text);
        Ok(())
    }
}

#[test]
fn k6_what_is_asked_for_during_a_checkpoint_belongs_to_what_follows() {
    async fn on_text(cx: Context, _message: TextMessage) -> Result {
        cx.enqueue(Hasty { begun: false });
        Ok(())
    }
    let bot = TestBot::start(App::new("hasty").on_text(on_text).job::<Hasty>().job::<Tell>());
    let alice = bot.user("Alice");
    alice.says("go");
    assert_eq!(alice.hears(), ["before", "meanwhile"]);
}
