//! What went wrong and the test did not look at makes it fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::anyhow;
use yamabiko::{App, Context, Message, Permanent, Result, TextMessage, testing::TestBot};

use crate::secs;

async fn on_text(cx: Context, message: TextMessage) -> Result {
    match message.text.as_str() {
        "dead" => Err(Permanent("no such city".to_owned()).into()),
        "fails" => Err(anyhow!("no luck")),
        "panics" => panic!("out of mind"),
        "late" => {
            tokio::spawn(async move {
                cx.sleep(secs(1)).await;
                cx.push("too late");
            });
            Ok(())
        }
        _ => Ok(()),
    }
}

fn app() -> App {
    App::new("clumsy").on_text(on_text)
}

/// Returns how the test's end fails after a user has said this.
fn end_after(text: &str) -> String {
    let bot = TestBot::start(app());
    bot.user("Alice").says(text);
    bot.advance(secs(2));
    let panic = catch_unwind(AssertUnwindSafe(move || drop(bot))).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap()
}

#[test]
fn a_dead_job_that_nobody_looked_at_is_named_with_its_error() {
    let text = end_after("dead");
    assert!(text.contains("line.event is dead: no such city"), "{text}");
}

#[test]
fn a_failure_that_waits_for_its_next_attempt_is_named() {
    let text = end_after("fails");
    assert!(text.contains("line.event failed and is to be tried again: no luck"), "{text}");
    let text = end_after("panics");
    assert!(text.contains("panicked: out of mind"), "{text}");
}

#[test]
fn k8_a_late_call_is_named() {
    let text = end_after("late");
    assert!(text.contains("line.event used its context after its run had ended"), "{text}");
}

#[test]
fn what_the_test_has_looked_at_is_expected() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("late");
    bot.advance(secs(1));
    assert_eq!(bot.late_calls(), ["line.event"]);
    alice.says("dead");
    assert_eq!(bot.dead_jobs()[0].error(), "no such city");
    alice.says("fails");
    assert_eq!(bot.failing_jobs()[0].errors, ["no luck"]);
}

#[test]
fn what_dies_after_the_test_has_looked_is_not_expected() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("dead");
    assert_eq!(bot.dead_jobs().len(), 1);
    alice.says("dead");
    assert!(catch_unwind(AssertUnwindSafe(move || drop(bot))).is_err());
}

#[test]
fn a_test_that_fails_already_keeps_its_own_reason() {
    let panic = catch_unwind(|| {
        let bot = TestBot::start(app());
        bot.user("Alice").says("dead");
        panic!("its own reason");
    })
    .unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"its own reason"));
}

#[test]
fn an_end_without_failures_is_quiet() {
    let bot = TestBot::start(app());
    bot.user("Alice").says("hello");
}

#[test]
fn a_bot_that_is_put_together_wrongly_does_not_start() {
    let app = app().with_state::<u32>();
    assert!(catch_unwind(AssertUnwindSafe(move || TestBot::start(app))).is_err());
}

#[test]
fn the_chat_of_a_dead_job_is_told_and_a_person_may_run_it_again() {
    let app = app().on_dead(|dead| Some(Message::text(format!("Sorry: {}", dead.error))));
    let bot = TestBot::start(app);
    let alice = bot.user("Alice");
    alice.says("dead");
    assert_eq!(alice.hears(), ["Sorry: no such city"]);
    bot.run_again(&bot.dead_jobs()[0]);
    assert_eq!(
        alice.hears(),
        [""; 0],
        "the reply token is gone, and a second apology is not worth a push"
    );
    assert_eq!(bot.dead_jobs()[0].errors.len(), 2);
}
