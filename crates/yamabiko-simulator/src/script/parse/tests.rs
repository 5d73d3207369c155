//! Tests of the reading of scripts.

use super::super::step::{Act, Deed, What, Which};
use super::*;

fn one(script: &str) -> Action {
    let mut steps = parse(script).unwrap_or_else(|error| panic!("{script}: {error}"));
    assert_eq!(steps.len(), 1, "{script}");
    steps.remove(0).action
}

fn act(script: &str) -> Act {
    match one(script) {
        Action::Act(act) => act,
        other => panic!("{other:?}"),
    }
}

fn expect(script: &str) -> Expect {
    match one(script) {
        Action::Expect(expect) => expect,
        other => panic!("{other:?}"),
    }
}

fn problem(script: &str) -> (usize, String) {
    let error = parse(script).expect_err(script);
    (error.line, error.problem)
}

#[test]
fn a_user_speaks_alone_or_in_a_group_and_quotes() {
    let said = act("Alice in 山の会: hello: you\n  quotes three\n  as four\n  answered 200");
    assert_eq!((said.who.as_deref(), said.chat.as_deref()), (Some("Alice"), Some("山の会")));
    assert_eq!((said.label.as_deref(), said.answered.as_deref()), (Some("four"), Some("200")));
    let Deed::Say { message, quotes } = said.deed else { panic!("{:?}", said.deed) };
    assert_eq!(message["text"], "hello: you");
    assert_eq!(quotes, Some(Which::Label("three".into())));
}

#[test]
fn a_text_of_several_lines_stands_behind_bars() {
    let Deed::Say { message, .. } = act("Alice:\n  | one\n  |  two  # 2").deed else { panic!() };
    assert_eq!(message["text"], "one\n two  # 2");
}

#[test]
fn everything_that_a_user_can_do_has_its_words() {
    for (script, kind) in [
        ("Alice sends sticker 446 1988", "Say"),
        ("Alice sends location 35.65 139.74 東京 タワー\n  address 港区", "Say"),
        ("Alice sends {\"type\": \"text\",\n  | \"text\": \"x\"}", "Say"),
        ("Alice sends image cat.jpg", "Send"),
        ("Alice sends audio a.m4a\n  lasts 3 s\n  quotes last", "Send"),
        (
            "Alice posts back cancel=3\n  shows Cancel\n  params {\"date\": \"2026-01-01\"}",
            "Happen",
        ),
        ("Alice taps Cancel: all", "Tap"),
        ("Alice unsends last", "Unsend"),
        ("Alice edits last: 5", "Edit"),
        ("Alice follows", "Happen"),
        ("Alice unfollows", "Happen"),
        ("Alice joins 山の会", "Member"),
        ("Alice leaves 山の会", "Member"),
        ("Bot joins 山の会", "Happen"),
        ("Bot stands by in 山の会", "Mode(\"standby\")"),
        ("Bot is active in 山の会", "Mode(\"active\")"),
        ("Alice in 山の会 causes {\"type\": \"beacon\"}", "Happen"),
    ] {
        let deed = format!("{:?}", act(script).deed);
        assert!(deed.starts_with(kind), "{script}: {deed}");
    }
}

#[test]
fn what_the_bot_says_is_expected_with_all_that_is_told_of_it() {
    let expect = expect(
        "within 5 s\nBot → Alice: ⏰ *  # any time\n  by reply\n  quotes last\n  \
         offers list, cancel\n  has $.sender.name = Bot\n  as start",
    );
    assert!(matches!(&expect.what, What::Text(pattern) if pattern.fits("⏰ 3")));
    assert_eq!((expect.via.as_deref(), expect.quotes), (Some("reply"), Some(Some(Which::Last))));
    assert_eq!(expect.offers, Some(vec!["list".into(), "cancel".into()]));
    assert_eq!((expect.has.len(), expect.within), (1, Some(Duration::from_secs(5))));
    let arrow = expect.chat == "Alice"
        && matches!(one("Bot -> Alice sends flex"), Action::Expect(e) if matches!(e.what, What::Type(_)));
    assert!(arrow);
}

#[test]
fn a_field_is_compared_as_json_or_as_a_text_with_stars() {
    let message = serde_json::json!({ "a": [{ "n": 1 }, { "t": "Total: 5" }] });
    for (has, fits) in [
        ("$..t = Total*", true),
        ("$.a[0].n = 1", true),
        ("$.a[0].n = 2", false),
        ("$.b = *", false),
    ] {
        let expect = expect(&format!("Bot → Alice sends flex\n  has {has}"));
        assert_eq!(expect.has[0].fits(&message), fits, "{has}");
    }
}

#[test]
fn rules_and_time_have_steps_of_their_own() {
    let tells = |script: &str| match one(script) {
        Action::Tell { path, body } => format!("{path} {}", serde_json::Value::from(body)),
        other => panic!("{other:?}"),
    };
    assert_eq!(tells("clock forward 61 s"), r#"/control/clock {"advanceSeconds":61}"#);
    assert_eq!(tells("clock speed=60"), r#"/control/clock {"speed":60}"#);
    let fault = r#"/control/faults {"count":2,"endpoint":"push","timeout":"after"}"#;
    assert_eq!(tells("fault push timeout=after count=2"), fault);
    assert_eq!(tells("settings monthlyLimit=null"), r#"/control/settings {"monthlyLimit":null}"#);
    assert!(matches!(one("nothing to Alice within 1 s"), Action::Nothing { chat: Some(_), .. }));
    assert!(matches!(one("nothing within 1 s"), Action::Nothing { chat: None, .. }));
    let repeat = one("repeat 3 times\n  Alice: hi\n  Bot → Alice: *");
    assert!(matches!(repeat, Action::Repeat { times: 3, steps } if steps.len() == 2));
    assert!(
        matches!(one("in any order\n  Bot → A: 1\n  Bot → A: 2"), Action::AnyOrder(s) if s.len() == 2)
    );
}

#[test]
fn a_mistake_is_told_with_its_line() {
    for (script, line) in [
        ("Alice: hi\nAlice hello", 2),
        ("Alice:", 1),
        ("Alice: hi\n  by push", 2),
        ("Bot → Alice hello", 1),
        ("Bot: hi", 1),
        ("within 5 s\nAlice: hi", 1),
        ("within 5 s", 1),
        ("within five\nBot → Alice: hi", 1),
        ("users\n  Alice en\nin any order\n  Alice: hi", 4),
        ("repeat three times", 1),
        ("Alice sends smile", 1),
        ("Bot → Alice sends flex\n  has altText = x", 2),
        ("clock forward 100 ms", 1),
        ("reset\n  now", 2),
    ] {
        assert_eq!(problem(script).0, line, "{script}: {}", problem(script).1);
    }
}
