//! An answer is whole or nothing, belongs to the message that it quotes, and ends what waited for it.

use serde_json::json;
use yamabiko_queue::{JobId, NewJob, State, Timestamp};

use super::*;
use crate::{
    book::{self, Page},
    check::{Asked, Heard, Wrong},
};

/// What a user asked for: the request 1, by the message `m1`, perhaps taken back.
fn pages(ask: Ask, unsent_by: Option<String>) -> Vec<Page<Ask>> {
    let asked = book::Asked {
        request: 1,
        ask,
        event: "e1".to_owned(),
        message: "m1".to_owned(),
        in_standby: false,
        unsent_by,
    };
    vec![Page {
        user: "u".to_owned(),
        asked: vec![asked],
        is_hoarder: false,
        damaged: vec![],
        unfollows: vec![],
    }]
}

/// Reads a call that the bot made after this was asked for.
fn read(ask: Ask, messages: &[Value]) -> Option<What> {
    read_of(&pages(ask, None), messages)
}

fn read_of(pages: &[Page<Ask>], messages: &[Value]) -> Option<What> {
    let index = Index::of(pages);
    let call = Call { messages: messages.iter().collect(), request: index.of_event("e1") };
    let [said] = &Keywords::read(&call, &index)[..] else { panic!("a call is read as a whole") };
    said.as_ref().map(|said| {
        assert_eq!((said.request, said.run), (1, None));
        said.what
    })
}

fn image() -> Value {
    json!({ "type": "image" })
}

fn quoting(text: &str) -> Value {
    json!({ "type": "text", "text": text, "quotedMessageId": "m1" })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn known() -> [Value; 3] {
    let first = "【デモ】この機械の中だけ。\n「富士山と東京 x1」の話に出てくる言葉:\n1. 富士山";
    [quoting(first), image(), text("写真:\n1. 山, CC0\nおわた")]
}

#[test]
fn a_whole_answer_is_read() {
    let [first, picture, last] = known();
    let ask = Ask::Known(KNOWN[0]);
    for pictures in 1..=3 {
        let mut messages = vec![first.clone()];
        messages.extend(vec![picture.clone(); pictures]);
        messages.push(last.clone());
        assert_eq!(read(ask, &messages), Some(What::Answered));
    }
    let nothing = quoting("I found nothing about “My keyboard is too loud x1”.\nThis is how");
    assert_eq!(read(Ask::Unknown(UNKNOWN[1]), &[nothing, image()]), Some(What::Answered));
    let colours = quoting("写真の色 / The colours of your picture:\n#102030 67 %");
    assert_eq!(read(Ask::Picture, &[colours, image()]), Some(What::Answered));
}

#[test]
fn an_answer_in_parts_or_out_of_order_is_not_understood() {
    let [first, picture, last] = known();
    let ask = Ask::Known(KNOWN[0]);
    for parts in [
        vec![first.clone()],
        vec![first.clone(), picture.clone()],
        vec![first.clone(), last.clone()],
        vec![first.clone(), last.clone(), picture.clone()],
        vec![picture.clone(), first, last.clone()],
        vec![picture, last],
    ] {
        assert_eq!(read(ask, &parts), None, "{parts:?}");
    }
}

#[test]
fn a_picture_is_answered_as_gone_only_if_it_was_taken_back() {
    let gone = [quoting("その写真はもうありません。もう一度送ってください。")];
    assert_eq!(read(Ask::Picture, &gone), None);
    let taken_back = |ask| pages(ask, Some("e2".to_owned()));
    assert_eq!(read_of(&taken_back(Ask::Picture), &gone), Some(What::Answered));
    assert_eq!(read_of(&taken_back(Ask::Known(KNOWN[0])), &gone), None);
}

#[test]
fn an_answer_to_another_text_is_not_understood() {
    assert_eq!(read(Ask::Known(KNOWN[1]), &known()), None);
    assert_eq!(read(Ask::Unknown(UNKNOWN[0]), &known()), None);
    let [first, picture, last] = known();
    let other = json!({ "type": "text", "text": first["text"], "quotedMessageId": "m2" });
    assert_eq!(read(Ask::Known(KNOWN[0]), &[other, picture, last]), None);
}

#[test]
fn an_acknowledgement_is_in_the_language_of_its_request_and_alone() {
    let ask = Ask::Known(KNOWN[0]);
    assert_eq!(read(ask, &[text("ちょっと待ってね")]), Some(What::Acknowledged));
    assert_eq!(read(ask, &[text("One moment, please")]), None);
    assert_eq!(read(ask, &[text("ちょっと待ってね"), image()]), None);
    assert_eq!(read(Ask::Picture, &[text(WAIT_FOR_PICTURE)]), Some(What::Acknowledged));
    let apology = text("申し訳ありません、処理できませんでした。");
    assert_eq!(read(ask, &[apology]), None);
}

/// A chat with two requests, the second after the first was taken; all is said in this order.
fn chat(said: &[(u64, What)]) -> Chat<Keywords> {
    let ask = Ask::Known(KNOWN[0]);
    let asked = [(1, 0), (2, 1_000)].map(|(request, at)| Asked {
        request,
        ask,
        at,
        sent: Some(at + 1),
        taken: Some(at + 5),
        in_standby: false,
        unsent: None,
    });
    let heard = (2_000..).zip(said).map(|(at, &(request, what))| Heard {
        said: Said { request, what, run: None },
        at,
        by_reply: true,
    });
    Chat { asked: asked.to_vec(), heard: heard.collect(), ..Chat::default() }
}

fn wrongs(said: &[(u64, What)]) -> Vec<Wrong> {
    chat(said).check().findings.iter().map(|finding| finding.wrong).collect()
}

#[test]
fn answers_come_in_any_order_but_after_their_acknowledgements_which_keep_the_order_of_the_texts() {
    use What::{Acknowledged, Answered};
    let [one, two] = [(1, Acknowledged), (2, Acknowledged)];
    let [first, second] = [(1, Answered), (2, Answered)];
    assert_eq!(wrongs(&[one, two, second, first]), []);
    assert_eq!(wrongs(&[one, first, two, second]), []);
    assert_eq!(wrongs(&[two, one, first, second]), [Wrong::OutOfOrder]);
    assert_eq!(wrongs(&[one, second, two, first]), [Wrong::OutOfOrder]);
    assert_eq!(wrongs(&[one, two, first, second, first]), [Wrong::Twice]);
    assert_eq!(wrongs(&[one, two, second]), [Wrong::Lost]);
    assert_eq!(wrongs(&[one, first, second]), [Wrong::Lost]);
}

/// A live job of this kind that a run of `parent` asked for.
fn live(kind: &str, parent: JobId) -> JobRecord {
    let now = Timestamp::from_micros(0);
    let NewJob { id, kind, payload, queue, remember, .. } = NewJob::new(kind, "{}");
    let job = Job {
        id,
        kind,
        payload,
        queue,
        lane: None,
        chat: None,
        origin: None,
        origin_time: None,
        parent: Some(parent),
        arrived: now,
        due: None,
        secret: None,
        remember,
        failures: 0,
        lost: 0,
        checkpoint: 0,
        reruns: 0,
        unsure: false,
        first_claimed: None,
        unreadable: None,
    };
    JobRecord { job, state: State::Scheduled, time: None, cancelled: false, history: Vec::new() }
}

#[test]
fn what_waits_for_an_answer_must_end_with_it_unless_that_is_dead() {
    let [one, other] = [JobId::new(), JobId::new()];
    let waits = [live("keep_waiting", one), live("research", one), live("line.loading", other)];
    assert_eq!(Keywords::forgotten(&waits), Vec::<&JobRecord>::new());
    let waits = [live("keep_waiting", one), live("research", other)];
    assert_eq!(Keywords::forgotten(&waits), [&waits[0]]);
    assert!(!Keywords::outlives(&waits[0], &[live("research", other)]));
    assert!(Keywords::outlives(&waits[0], &[live("research", one)]));
    assert!(!Keywords::outlives(&waits[1], &[live("research", other)]));
}
