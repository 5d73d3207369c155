//! Transcripts: a chat as a script that plays again.

use serde_json::json;

use crate::scripts::{passes, talkative};
use crate::world::{ALICE, World};

#[tokio::test]
async fn a_transcript_tells_the_chat_and_plays_again() {
    let world = World::new().await;
    let script = r#"
users
  Alice en
Alice: hello
  as first
Bot → Alice: *
Alice: menu
Bot → Alice: *
Alice: 1 * 2 # three
Bot → Alice: *
Alice taps Cancel
Bot → Alice: *
Alice sends sticker 446 1988
Bot → Alice: *
Alice sends file data:text/plain;base64,aGk=
  named a b.txt
Bot → Alice: *
Alice: no
  quotes last
Bot → Alice: *
Alice edits last: yes
Bot → Alice: *
Alice unsends first
Alice: push
Bot → Alice: 1*
Bot → Alice: *
Alice unfollows
Alice follows
Bot → Alice: *
"#;
    let script =
        script.replace("Alice: menu\nBot → Alice: *", "Alice: menu\nBot → Alice sends flex");
    passes(&world, &script).await;
    let answer = world.get(&format!("/control/chats/{ALICE}/transcript")).await;
    let name = answer.header("content-disposition");
    assert_eq!(name, format!("attachment; filename=\"{ALICE}.script\""));
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let transcript = answer.body.as_str().expect("is text").to_owned();
    let expected = r#"users
  Alice en

Alice: hello
  as m1
Bot → Alice:
  | You said:
  | hello
  offers Cancel
  by reply
  quotes last
Alice: menu
Bot → Alice sends flex
  has $.altText = "Menu of the day"
  by reply
Alice: 1 * 2 # three
Bot → Alice:
  | You said:
  | 1 \* 2 # three
  offers Cancel
  by reply
  quotes last
Alice posts back cancel=1
  shows Please cancel
"#;
    assert!(transcript.starts_with(expected), "{transcript}");
    for part in [
        "Alice unsends m1",
        "Alice edits last: yes",
        "Bot → Alice: 1 \\* 2\n  by push",
        "Alice unfollows\nAlice follows",
    ] {
        assert!(transcript.contains(part), "{part}: {transcript}");
    }
    passes(&world, &transcript).await;
}

#[tokio::test]
async fn a_transcript_of_a_group_names_its_members() {
    let world = World::new().await;
    let group = json!({ "groupName": "Picnic", "members": [ALICE] });
    let path = "/control/groups";
    let group = tokio::select! {
        () = talkative(&world) => unreachable!("the bot talks for ever"),
        group = async {
            let group = world.post(path, group).await.body["groupId"].take();
            let chat = format!("/control/chats/{}", group.as_str().expect("has an id"));
            world.get(&format!("{chat}?after=0&wait_ms=5000")).await;
            world.post(&format!("{chat}/messages"), json!({ "type": "text", "text": "@Alice hi", "userId": ALICE })).await;
            world.get(&format!("{chat}?after=2&wait_ms=5000")).await;
            chat
        } => group,
    };
    let transcript = world.get(&format!("{group}/transcript")).await.body;
    let expected = "users\n  Alice en\ngroups\n  Picnic: Alice\n\nBot joins Picnic\n\
        Bot → Picnic: An event: join\n  by reply\nAlice in Picnic: @Alice hi\n\
        Bot → Picnic:\n  | You said:\n  | @Alice hi\n  offers Cancel\n  by reply\n  quotes last\n";
    assert_eq!(transcript, expected);
    passes(&world, expected).await;
    assert_eq!(world.get("/control/chats/Cnone/transcript").await.status, 404);
}

#[tokio::test]
async fn what_took_long_may_take_long_again() {
    let world = World::new().await;
    world.says(ALICE, "60").await;
    world.post("/control/clock", json!({ "advanceSeconds": 60 })).await;
    world.push(ALICE, "Time is up.", &[]).await;
    let transcript = world.get(&format!("/control/chats/{ALICE}/transcript")).await.body;
    let expected =
        "users\n  Alice en\n\nAlice: 60\nwithin 70 s\nBot → Alice: Time is up.\n  by push\n";
    assert_eq!(transcript, expected);
}

#[tokio::test]
async fn a_transcript_tells_when_another_channel_had_taken_the_chat_over() {
    let world = World::new().await;
    let script = "users\n  Alice en\n\nAlice: hello\nBot → Alice: *\nBot stands by in Alice\nAlice: one\n\
                  Alice: two\n  answered 200\nBot is active in Alice\nAlice: three\nBot → Alice: *three\n";
    passes(&world, script).await;
    let transcript = world.get(&format!("/control/chats/{ALICE}/transcript")).await.body;
    let transcript = transcript.as_str().expect("is text");
    let standby =
        "\nBot stands by in Alice\nAlice: one\nAlice: two\nBot is active in Alice\nAlice: three\n";
    assert!(transcript.contains(standby), "{transcript}");
    passes(&world, transcript).await;
}
