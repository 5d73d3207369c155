//! Scripts: played inside the simulator and by the command, met and not met.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;
use yamabiko_simulator::Script;

use crate::world::{Answer, World};

/// A bot that answers everything it can answer.
pub(crate) async fn talkative(world: &World) {
    loop {
        let mut webhook = world.hears().await.json();
        let Some(event) = webhook["events"].get_mut(0) else { continue };
        let text = event["message"]["text"].as_str().unwrap_or_default();
        let to = ["groupId", "userId"].iter().find_map(|id| event["source"][id].as_str());
        let to = to.expect("somebody caused it");
        let mut messages = match (event["type"].as_str().expect("has a type"), text) {
            ("message", "menu") => vec![json!({ "type": "flex", "altText": "Menu of the day",
                "contents": { "type": "bubble", "body": { "type": "box", "layout": "vertical",
                    "contents": [{ "type": "text", "text": "Total: 5" }] } } })],
            ("message", "load") => {
                let body = json!({ "chatId": to, "loadingSeconds": 20 });
                world.call("POST", "/v2/bot/chat/loading/start", Some(body)).await;
                vec![]
            }
            ("message", "push") => {
                world.push(to, "1 * 2", &[]).await;
                world.push(to, "# two", &[]).await;
                vec![]
            }
            ("message", "nothing") => vec![],
            ("message", "") => {
                let kind = event["message"]["type"].as_str().expect("has a type");
                vec![json!({ "type": "text", "text": format!("A {kind}.") })]
            }
            ("message", text) => {
                let quote = &event["message"]["quoteToken"];
                let cancel = json!({ "type": "postback", "label": "Cancel", "data": "cancel=1",
                    "displayText": "Please cancel" });
                let items = json!([{ "type": "action", "action": cancel }]);
                vec![json!({ "type": "text", "text": format!("You said:\n{text}"),
                    "quoteToken": quote, "quickReply": { "items": items } })]
            }
            ("postback", _) => {
                let data = event["postback"]["data"].as_str().expect("has data");
                vec![json!({ "type": "text", "text": format!("Data {data}") })]
            }
            (kind, _) => vec![json!({ "type": "text", "text": format!("An event: {kind}") })],
        };
        if event["replyToken"].is_string() && !messages.is_empty() {
            let body =
                json!({ "replyToken": event["replyToken"], "messages": messages.split_off(0) });
            world.call("POST", "/v2/bot/message/reply", Some(body)).await;
        }
    }
}

/// Plays a script inside the simulator while the bot talks.
pub(crate) async fn play(world: &World, script: &str) -> Value {
    let answer = post(world, script).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn post(world: &World, script: &str) -> Answer {
    let body = json!({ "script": script, "patienceSeconds": 5 });
    tokio::select! {
        () = talkative(world) => unreachable!("the bot talks for ever"),
        answer = world.post("/control/script", body) => answer,
    }
}

/// Plays a script that must pass.
pub(crate) async fn passes(world: &World, script: &str) {
    let outcome = play(world, script).await;
    assert_eq!(outcome["passed"], true, "{outcome:#}");
}

#[tokio::test]
async fn a_conversation_in_a_chat_of_two_passes() {
    let world = World::new().await;
    let script = r#"
users
  Alice en
  Mia en
Alice: hello
  answered 200
  as first
Bot → Alice: You *hello
  by reply
  quotes last
  offers Cancel
  has $.quickReply.items[0].action.data = cancel=*
Alice taps Cancel
Bot -> Alice:
  | Data cancel=1
  quotes nothing
Mia: push
within 4 s
Bot → Mia: 1 \* 2
  by push
Alice: menu
Bot → Mia: # two
Bot → Alice sends flex
  has $..text = Total: *
  as menu
Alice: this one
  quotes menu
Bot → Alice: *this one
Alice sends sticker 446 1988
Bot → Alice: A sticker.
Alice sends location 35.6586 139.7454 東京タワー
  address 東京都港区
Bot → Alice: A location.
Alice sends image data:image/png;base64,iVBORw0KGgo=
Bot → Alice: A image.
Alice edits first: good day
Bot → Alice: An event: messageEdited
Alice unsends last
nothing to Alice within 50 ms
Alice unfollows
Alice follows
Bot → Alice: An event: follow
Alice: load
Bot → Alice shows loading
Alice causes {"type": "beacon",
  | "beacon": {"hwid": "d41d8cd98f", "type": "enter"}}
Bot → Alice: An event: beacon
repeat 2 times
  Alice: push
  in any order
    Bot → Alice: *two
    Bot → Alice: 1*
nothing within 50 ms
"#;
    passes(&world, script).await;
}

#[tokio::test]
async fn a_conversation_in_a_group_passes() {
    let world = World::new().await;
    let script = "
users
  Alice
  Mia Rose en
groups
  Picnic: Alice, Mia Rose
Bot joins Picnic
Bot → Picnic: An event: join
Alice in Picnic: hello
Bot → Picnic: *hello
  quotes last
健太 joins Picnic
Bot → Picnic: An event: memberJoined
健太 in Picnic posts back x=1
  shows Chosen
Bot → Picnic: Data x=1
健太 leaves Picnic
Bot leaves Picnic
wait 1 ms
nothing within 20 ms
";
    passes(&world, script).await;
    // Whoever and whatever is there already plays again.
    passes(&world, script).await;
    let groups = world.get("/control/groups").await.body;
    assert_eq!(groups["groups"].as_array().map(Vec::len), Some(2), "{groups}");
}

#[tokio::test]
async fn a_script_sets_rules_and_moves_the_clock() {
    let world = World::new().await;
    let script = "
reset
settings replyTokenSeconds=5
fault push status=500 count=1
Leo: push
Bot → Leo: # two
faults off
clock forward 61 s
";
    let before = world.simulator.clock().now_ms();
    passes(&world, script).await;
    assert_eq!(world.simulator.clock().now_ms() - before, 61_000);
    let settings = world.get("/control/settings").await.body;
    assert_eq!(settings["replyTokenSeconds"], 5);
}

#[tokio::test]
async fn a_failure_tells_what_was_expected_and_what_came() {
    let world = World::new().await;
    let outcome = play(&world, "Alice: hello\nBot → Alice: You said hello*\n  by reply\n").await;
    assert_eq!((&outcome["passed"], &outcome["steps"]), (&json!(false), &json!(1)));
    let failure = &outcome["failure"];
    assert_eq!(failure["line"], 2);
    assert_eq!(failure["expected"], "Bot → Alice: You said hello*\n  by reply");
    let came =
        "Bot → Alice:\n  | You said:\n  | hello\n  offers Cancel\n  by reply\n(the text differs)";
    assert_eq!(failure["came"], came);
    assert_eq!(failure["chat"].as_array().map(Vec::len), Some(2));
    assert_eq!(failure["chat"][0], "Alice: hello");
}

#[tokio::test]
async fn each_unmet_expectation_says_why() {
    let world = World::new().await;
    for (script, why) in [
        ("Mia: nothing\nwithin 20 ms\nBot → Mia: *", "nothing within 20 ms"),
        ("Mia: hi\nBot → Mia: *\n  by push", "(it came by reply)"),
        ("Mia: hi\nBot → Mia: *\n  quotes nothing", "(it quotes a message)"),
        ("Mia: hi\nBot → Mia: *\n  offers Go", "(it offers Cancel)"),
        ("Mia: hi\nBot → Mia sends flex", "(the type differs)"),
        ("Mia: menu\nBot → Mia: *", "sends flex"),
        ("Mia: menu\nBot → Mia sends flex\n  has $..text = Total: 6", "Total: 5"),
        ("Mia: hi\nnothing within 4 s", "You said:"),
        ("Mia: nothing\nwithin 10 ms\nBot → Mia shows loading", "no loading animation"),
        ("Mia: push\nin any order\n  Bot → Mia: 1*\n  Bot → Mia: 3*", "(the text differs)"),
        (
            "Mia: menu\nwithin 50 ms\nin any order\n  Bot → Mia sends flex\n  Bot → Mia: 3*",
            "nothing within 50 ms, 1 left",
        ),
        ("Mia: hi\n  answered 401", "the webhook was answered: 200"),
        ("Mia taps Now", "no button \"Now\""),
        ("Mia: hi\nBot → Maya: *", "nobody here is called \"Maya\""),
        ("Mia: hi\n  quotes last", "there is no last message yet"),
        ("Mia sends image cat.jpg", "no files beside this script"),
        ("Mia: hi\n  quotes one", "was called \"one\""),
        ("settings speed=1", "the simulator refuses: "),
    ] {
        passes(&world, "reset").await;
        let outcome = play(&world, script).await;
        let came = outcome["failure"]["came"].as_str().unwrap_or_default();
        assert!(came.contains(why), "{script}: {outcome:#}");
    }
}

#[tokio::test]
async fn a_script_that_is_not_understood_is_refused_with_its_line() {
    let world = World::new().await;
    let answer = post(&world, "Alice: hi\nAlice hello").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["error"].as_str().is_some_and(|error| error.starts_with("line 2: ")));
}

#[tokio::test]
async fn the_command_plays_files_and_its_exit_code_tells_how_it_went() {
    let world = World::new().await;
    let folder = tempfile::tempdir().expect("there is room");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("there is room");
    };
    write("cat.png", "a picture");
    write("good.script", "Alice sends image cat.png\nBot → Alice: A image.");
    write("bad.script", "Alice: hi\nBot → Alice: ho");
    let run = |files: &'static [&'static str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_line-simulator"));
        command.arg("script").args(files).args(["--at", &world.simulator.url()]);
        command.args(["--junit", "results.xml"]).current_dir(folder.path());
        command.stdin(Stdio::null()).kill_on_drop(true);
        async move { command.output().await.expect("it runs") }
    };
    let (good, bad) = tokio::select! {
        () = talkative(&world) => unreachable!("the bot talks for ever"),
        both = async { (run(&["good.script"]).await, run(&["good.script", "bad.script"]).await) } => both,
    };
    let shown = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success(), "{good:?}");
    assert!(shown.starts_with("good.script: 2 steps passed in "), "{shown}");
    let shown = String::from_utf8_lossy(&bad.stdout).into_owned();
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    assert!(
        shown.contains("bad.script:2: not as expected\nexpected:\n  Bot → Alice: ho\n"),
        "{shown}"
    );
    let junit = std::fs::read_to_string(folder.path().join("results.xml")).expect("is written");
    assert!(junit.contains(r#"tests="2" failures="1""#), "{junit}");
    assert!(junit.contains(r#"<testcase name="bad.script""#), "{junit}");
}

#[test]
fn the_scripts_of_the_documentation_can_be_read() {
    let page = include_str!("../../../../docs/scripts.md");
    let scripts: Vec<_> = page.split("```text\n").skip(1).collect();
    assert!(scripts.len() > 5);
    for script in scripts {
        let script = script.split("```").next().expect("a block ends");
        if let Err(error) = Script::read(script) {
            panic!("{error}:\n{script}");
        }
    }
}
