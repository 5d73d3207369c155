//! What LINE forbids with a 403: one call, all pushes of the account, or everything (O5).

use yamabiko::{
    App, Context, Result, TextMessage,
    testing::{Call, Fault, TestBot, TestUser},
};

use crate::secs;

/// Says five messages by reply and a sixth by push.
async fn on_text(cx: Context, _message: TextMessage) -> Result {
    for n in 1..=6 {
        cx.push(n.to_string());
    }
    Ok(())
}

fn app() -> App {
    App::new("pusher").on_text(on_text)
}

fn start() -> (TestBot, TestUser) {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    (bot, alice)
}

/// Lets as many new users write as LINE has to refuse before pushes wait; each is answered by reply, and the last one's push
/// waits already.
fn close(bot: &TestBot) -> Vec<TestUser> {
    bot.line().fail_all_calls(Call::Push, Fault::Forbidden);
    let users: Vec<_> = (0..20).map(|n| bot.user(&format!("user {n}"))).collect();
    for user in &users {
        user.says("hello");
        assert_eq!(user.hears().len(), 5);
    }
    assert_eq!(bot.dead_jobs().len(), 19);
    users
}

#[test]
fn o5_a_push_that_line_forbids_is_dead_and_delays_no_other_chat() {
    let (bot, alice) = start();
    let bob = bot.user("Bob");
    bot.line().fail_next_call(Call::Push, Fault::Forbidden);
    alice.says("hello");
    bob.says("hello");
    alice.says("hello again");
    assert_eq!((bob.hears().len(), alice.hears().len()), (6, 11));
    let dead = bot.dead_jobs();
    assert!(dead.len() == 1 && dead[0].error().contains("403"), "{dead:?}");
    assert_eq!(bot.line().calls(Call::Info), 1, "a 403 alone says nothing of the credentials");
}

#[test]
fn o5_a_reply_that_line_forbids_is_dead_and_its_chat_goes_on() {
    let (bot, alice) = start();
    bot.line().fail_next_call(Call::Reply, Fault::Forbidden);
    alice.says("hello");
    assert_eq!(alice.hears(), ["6"]);
    assert!(bot.dead_jobs()[0].error().starts_with("LINE forbids this reply"));
}

#[test]
fn o5_a_403_pauses_the_outbox_where_line_refuses_the_credentials_too() {
    for refusal in [Fault::Unauthorized, Fault::Forbidden] {
        let (bot, alice) = start();
        let begin = bot.now();
        bot.line().fail_next_call(Call::Reply, Fault::Forbidden);
        bot.line().fail_next_call(Call::Info, refusal);
        alice.says("hello");
        bot.advance(secs(60));
        let heard = alice.hears_in_detail();
        assert_eq!((heard.len(), heard[0].at.since(begin)), (6, secs(30)), "{refusal:?}");
    }
}

#[test]
fn o5_a_403_that_line_does_not_confirm_is_tried_again_and_holds_up_its_chat_alone() {
    for failure in [Fault::ServerError, Fault::RateLimit, Fault::TimeoutBefore] {
        let (bot, alice) = start();
        let bob = bot.user("Bob");
        bot.line().fail_next_call(Call::Reply, Fault::Forbidden);
        bot.line().fail_next_call(Call::Info, failure);
        alice.says("hello");
        bob.says("hello");
        assert_eq!((alice.hears().len(), bob.hears().len()), (0, 6), "{failure:?}");
        bot.advance(secs(7));
        assert_eq!(alice.hears().len(), 6, "{failure:?}");
    }
}

#[test]
fn o5_line_is_asked_for_the_credentials_once_a_minute_however_many_calls_it_forbids() {
    let (bot, alice) = start();
    let bob = bot.user("Bob");
    bot.line().fail_all_calls(Call::Push, Fault::Forbidden);
    for _ in 0..3 {
        alice.says("hello");
        bob.says("hello");
    }
    assert_eq!(bot.line().calls(Call::Info), 1);
    bot.advance(secs(61));
    alice.says("hello");
    assert_eq!((bot.line().calls(Call::Info), bot.dead_jobs().len()), (2, 7));
}

#[test]
fn o5_calls_that_line_forbids_at_the_same_time_share_one_question_that_hangs() {
    let (bot, alice) = start();
    let bob = bot.user("Bob");
    let line = bot.line();
    line.fail_next_call(Call::Reply, Fault::Forbidden);
    line.fail_next_call(Call::Reply, Fault::Forbidden);
    line.fail_next_call(Call::Info, Fault::TimeoutBefore);
    alice.says("hello");
    bob.says("hello");
    bot.advance(secs(5));
    assert_eq!(line.calls(Call::Info), 1);
    bot.advance(secs(2));
    assert_eq!((alice.hears().len(), bob.hears().len()), (6, 6));
}

#[test]
fn o5_where_line_forbids_the_pushes_of_20_chats_pushes_wait_and_replies_go_on() {
    let (bot, alice) = start();
    let users = close(&bot);
    let pushes = bot.line().calls(Call::Push);
    alice.says("hello");
    assert_eq!(alice.hears().len(), 5, "the reply is said at once");
    assert_eq!(bot.line().calls(Call::Push), pushes, "no push is tried meanwhile");
    bot.advance(secs(3600));
    assert_eq!(bot.dead_jobs().len(), 19, "nothing dies of it");
    let tried = bot.line().calls(Call::Push) - pushes;
    assert!((10..=121).contains(&tried), "it is tried now and then: {tried}");
    bot.line().recover();
    bot.advance(secs(300));
    assert_eq!((alice.hears(), users[19].hears()), (vec!["6".to_owned()], vec!["6".to_owned()]));
    alice.says("hello");
    assert_eq!(alice.hears().len(), 6, "pushes no longer wait");
}

#[test]
fn o5_a_process_that_starts_while_pushes_wait_kills_none_either() {
    let (bot, alice) = start();
    close(&bot);
    bot.restart_with(app());
    alice.says("hello");
    bot.advance(secs(600));
    assert_eq!((alice.hears().len(), bot.dead_jobs().len()), (5, 19));
    bot.line().recover();
    bot.advance(secs(300));
    assert_eq!(alice.hears(), ["6"]);
}

#[test]
fn o5_a_push_that_line_takes_shows_that_the_account_may_push() {
    let (bot, alice) = start();
    let users: Vec<_> = (0..40).map(|n| bot.user(&format!("user {n}"))).collect();
    for (n, user) in users.iter().enumerate() {
        if n % 10 == 9 {
            alice.says("hello");
        }
        bot.line().fail_next_call(Call::Push, Fault::Forbidden);
        user.says("hello");
    }
    assert_eq!((alice.hears().len(), bot.dead_jobs().len()), (24, 40));
}
