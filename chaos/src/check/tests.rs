//! Each kind of finding is found, and nothing is found where all is well.

use super::*;

/// A chat in which all is well: a timer, a list, and work.
fn chat() -> Chat {
    let mut chat = Chat { runs: 5, ..<Chat>::default() };
    chat.ask(1, Ask::Timer(1_000), 0);
    chat.ask(2, Ask::List, 500);
    chat.ask(3, Ask::Work(2), 2_000);
    for (at, text) in [
        (10, "#1 1 set"),
        (510, "#2 2 listed 1"),
        (1_000, "#1 3 rang"),
        (2_010, "#3 4 begun"),
        (2_100, "#3 0 step 1"),
        (2_200, "#3 0 step 2"),
        (2_300, "#3 5 done"),
    ] {
        chat.hear(text, at);
    }
    chat
}

impl<C: Conversation> Default for Chat<C> {
    fn default() -> Self {
        Self {
            user: String::new(),
            asked: Vec::new(),
            heard: Vec::new(),
            unfollows: Vec::new(),
            uncertain: Vec::new(),
            too_late: Vec::new(),
            refused: Vec::new(),
            given_up: HashSet::new(),
            damaged: HashSet::new(),
            apologies: 0,
            losses: Vec::new(),
            clock_steps: Vec::new(),
            runs: 0,
        }
    }
}

impl Chat {
    /// Lets a user ask for something; the bot takes it within 5 ms.
    fn ask(&mut self, request: u64, ask: Ask, at: i64) {
        let (sent, taken) = (Some(at + 1), Some(at + 5));
        let asked = Asked { request, ask, at, sent, taken, in_standby: false, unsent: None };
        self.asked.push(asked);
    }

    fn hear(&mut self, text: &str, at: i64) {
        let said = text.parse().expect("a message");
        self.heard.push(Heard { said, at, by_reply: false });
    }

    fn forget(&mut self, text: &str) {
        self.heard.retain(|heard| heard.said.to_string() != text);
    }
}

fn wrongs(chat: &Chat) -> Vec<Wrong> {
    let mut wrongs: Vec<_> = chat.check().findings.iter().map(|finding| finding.wrong).collect();
    wrongs.sort_unstable();
    wrongs.dedup();
    wrongs
}

#[test]
fn nothing_is_found_where_all_is_well() {
    let verdict = chat().check();
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.matched, verdict.rung, verdict.called_off), (7, 1, 0));
}

/// A chat in which the answer to the list comes after that to the work, whose event was handled later.
fn passed(later_by_reply: bool, earlier_by_reply: bool) -> Chat {
    let mut chat = chat();
    let mut listed = chat.heard.remove(1);
    (listed.at, listed.by_reply) = (2_050, earlier_by_reply);
    chat.heard[2].by_reply = later_by_reply;
    chat.heard.insert(3, listed);
    chat.heard.retain(|heard| heard.said.what != What::Rang);
    chat.asked[0].ask = Ask::List;
    chat
}

#[test]
fn a_message_of_a_later_run_comes_first_only_if_it_is_a_reply_that_passes_a_push() {
    for (later_by_reply, earlier_by_reply) in
        [(true, false), (false, false), (false, true), (true, true)]
    {
        let chat = passed(later_by_reply, earlier_by_reply);
        let is_right = later_by_reply && !earlier_by_reply;
        let is_out_of_order = wrongs(&chat).contains(&Wrong::OutOfOrder);
        assert_eq!(is_out_of_order, !is_right, "{later_by_reply} {earlier_by_reply}");
    }
}

#[test]
fn a_reply_passes_another_reply_only_where_the_clock_was_wrong_meanwhile() {
    for (ahead, from, until, is_right) in [
        (4_000_000, 1_500, 2_000, true),
        (-4_000_000, 1_500, 2_000, true),
        (4_000_000, 0, 10, false),
        (4_000_000, 2_500, 3_000, false),
        (4_000, 1_500, 2_000, false),
    ] {
        let mut chat = passed(true, true);
        chat.clock_steps = vec![Step { from, until, ahead }];
        let is_out_of_order = wrongs(&chat).contains(&Wrong::OutOfOrder);
        assert_eq!(is_out_of_order, !is_right, "{ahead} {from} {until}");
    }
}

#[test]
fn a_reply_does_not_come_before_a_push_of_its_own_request() {
    let mut chat = chat();
    chat.heard[6].by_reply = true;
    chat.heard.swap(3, 6);
    assert!(wrongs(&chat).contains(&Wrong::OutOfOrder));
}

#[test]
fn a_missing_message_is_lost() {
    let mut chat = chat();
    chat.forget("#3 0 step 2");
    assert_eq!(wrongs(&chat), [Wrong::Lost]);
}

#[test]
fn nothing_may_be_said_to_a_message_that_was_taken_back_before_it_came() {
    let take_back = |chat: &mut Chat, taken: i64| {
        chat.asked[0].unsent = Some(CalledOff { at: 0, taken: Some(taken) });
    };
    let mut chat = chat();
    take_back(&mut chat, 0);
    assert_eq!(wrongs(&chat), [Wrong::TakenBack]);
    take_back(&mut chat, 1);
    assert_eq!(wrongs(&chat), [], "at the same time");
    chat.forget("#1 1 set");
    chat.forget("#1 3 rang");
    chat.heard[0].said = "#2 2 listed".parse().expect("a message");
    take_back(&mut chat, 0);
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.revoked), (vec![], 1));
    chat.asked[0].taken = None;
    assert_eq!(chat.check().revoked, 0, "it never came");
}

#[test]
fn a_timer_whose_record_was_damaged_need_not_ring_and_is_not_listed() {
    let mut chat = chat();
    chat.forget("#1 3 rang");
    chat.heard[1].said = "#2 2 listed".parse().expect("a message");
    // The runs after it count one less.
    chat.heard[2].said = "#3 3 begun".parse().expect("a message");
    chat.heard[5].said = "#3 4 done".parse().expect("a message");
    chat.runs = 4;
    assert_eq!(wrongs(&chat), [Wrong::Lost, Wrong::HalfDone]);
    chat.damaged.insert(1);
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.damaged), (vec![], 1));
    chat.forget("#1 1 set");
    assert_eq!(wrongs(&chat)[..1], [Wrong::Lost], "its confirmation has no excuse");
}

#[test]
fn a_message_said_again_is_said_twice() {
    let mut chat = chat();
    chat.hear("#3 5 done", 2_400);
    assert_eq!(wrongs(&chat), [Wrong::Twice]);
}

#[test]
fn a_timer_that_rings_a_millisecond_early_is_found() {
    let mut chat = chat();
    chat.heard[2].at = 999;
    assert_eq!(wrongs(&chat), [Wrong::Early]);
}

#[test]
fn a_timer_that_rings_early_by_a_wrong_clock_has_a_count_of_its_own() {
    let mut chat = chat();
    chat.heard[2].at = 999;
    for (step, misled) in [
        (Step { from: 900, until: 990, ahead: 500 }, true),
        (Step { from: 1_000, until: 2_000, ahead: 500 }, false),
        (Step { from: 0, until: 4, ahead: -500 }, true),
        (Step { from: 900, until: 990, ahead: -500 }, false),
    ] {
        chat.clock_steps = vec![step];
        assert_eq!(wrongs(&chat).is_empty(), misled, "{step:?}");
        assert_eq!(chat.check().misled, u64::from(misled));
    }
}

#[test]
fn what_was_stored_in_a_lost_second_may_be_missing_and_nothing_else() {
    let loss = Loss { from: 2_001, until: 2_050 };
    let mut chat = chat();
    chat.forget("#3 0 step 2");
    chat.losses = vec![loss];
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.forgotten), (vec![], 1));
    chat.losses = vec![Loss { from: 2_100, ..loss }];
    assert_eq!(wrongs(&chat), [Wrong::Lost], "its event was stored before");
    chat.hear("#3 5 done", 2_400);
    assert_eq!(wrongs(&chat), [Wrong::Lost, Wrong::Twice]);
}

#[test]
fn runs_that_a_lost_second_has_met_may_be_counted_again() {
    let mut chat = chat();
    chat.ask(4, Ask::Say, 2_400);
    chat.hear("#4 5 answered", 2_410);
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
    chat.losses = vec![Loss { from: 2_250, until: 2_350 }];
    assert_eq!(wrongs(&chat), []);
}

#[test]
fn messages_in_another_order_than_their_runs_are_found() {
    let mut chat = chat();
    chat.heard.swap(0, 1);
    assert_eq!(wrongs(&chat), [Wrong::OutOfOrder]);
}

#[test]
fn a_message_taken_back_before_line_took_it_may_come_late() {
    let mut chat = chat();
    chat.heard.swap(0, 1);
    chat.asked[0].unsent = Some(CalledOff { at: 5, taken: None });
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.orphans), (vec![], 1));
    chat.asked[0].unsent = None;
    chat.unfollows = vec![CalledOff { at: 5, taken: None }];
    assert_eq!(chat.check().orphans, 1, "it came within the time of a call");
    chat.unfollows.clear();
    // It may not come early.
    chat.asked[1].unsent = Some(CalledOff { at: 5, taken: None });
    assert_eq!(wrongs(&chat), [Wrong::OutOfOrder]);
    chat.asked[1].unsent = None;
    // One that LINE took before keeps its place.
    chat.asked[0].unsent = Some(CalledOff { at: 900, taken: None });
    assert_eq!(wrongs(&chat), [Wrong::OutOfOrder]);
}

#[test]
fn steps_in_another_order_are_found() {
    let mut chat = chat();
    chat.heard.swap(4, 5);
    assert_eq!(wrongs(&chat), [Wrong::OutOfOrder]);
}

#[test]
fn an_event_handled_before_one_that_was_taken_earlier_is_found() {
    let mut chat = Chat { runs: 2, ..<Chat>::default() };
    chat.ask(1, Ask::Say, 0);
    chat.ask(2, Ask::Say, 100);
    chat.hear("#2 1 answered", 110);
    chat.hear("#1 2 answered", 120);
    assert_eq!(wrongs(&chat), [Wrong::OutOfOrder]);
    // Two webhooks that were on their way at the same time may be stored in any order.
    chat.asked[1].sent = Some(3);
    assert_eq!(wrongs(&chat), []);
}

#[test]
fn what_a_failed_run_said_is_half_done() {
    let mut chat = chat();
    chat.hear("#2 0 wrong", 520);
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
}

#[test]
fn two_runs_that_saw_the_same_state_are_found() {
    let mut chat = chat();
    chat.ask(4, Ask::Say, 2_400);
    chat.hear("#4 5 answered", 2_410);
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
}

#[test]
fn a_run_that_counted_and_said_nothing_is_found() {
    let mut chat = chat();
    chat.ask(4, Ask::Say, 2_400);
    chat.hear("#4 7 answered", 2_410);
    chat.runs = 7;
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
    chat.forget("#4 7 answered");
    assert_eq!(wrongs(&chat), [Wrong::Lost, Wrong::HalfDone]);
}

#[test]
fn a_list_that_leaves_a_timer_out_is_found() {
    let mut chat = chat();
    chat.heard[1].said.what = What::Listed(vec![]);
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
}

#[test]
fn a_list_with_a_timer_that_has_rung_is_found() {
    let mut chat = chat();
    chat.runs = 6;
    chat.ask(4, Ask::List, 2_400);
    chat.hear("#4 6 listed 1", 2_410);
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
}

#[test]
fn a_cancelled_timer_may_be_missing_and_must_not_ring() {
    let mut chat = Chat { runs: 2, ..<Chat>::default() };
    chat.ask(1, Ask::Timer(1_000), 0);
    chat.ask(2, Ask::Cancel, 500);
    chat.hear("#1 1 set", 10);
    chat.hear("#2 2 cancelled 1", 510);
    assert_eq!((wrongs(&chat), chat.check().called_off), (vec![], 1));
    chat.runs = 3;
    chat.hear("#1 3 rang", 1_010);
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
}

#[test]
fn a_timer_of_a_message_taken_back_may_be_missing_and_must_not_ring_afterwards() {
    let mut chat = Chat { runs: 1, ..<Chat>::default() };
    chat.ask(1, Ask::Timer(1_000), 0);
    chat.hear("#1 1 set", 10);
    chat.asked[0].unsent = Some(CalledOff { at: 500, taken: Some(510) });
    assert_eq!((wrongs(&chat), chat.check().called_off), (vec![], 1));
    chat.runs = 2;
    chat.hear("#1 2 rang", 1_010);
    assert_eq!(wrongs(&chat), [Wrong::HalfDone]);
    // If the bot took note of it only after the timer was due, it may have rung before.
    chat.asked[0].unsent = Some(CalledOff { at: 500, taken: Some(1_005) });
    assert_eq!(wrongs(&chat), []);
}

#[test]
fn what_was_under_way_when_the_user_left_may_be_missing_and_what_was_over_may_not() {
    let mut chat = Chat { runs: 1, ..<Chat>::default() };
    chat.ask(1, Ask::Timer(1_000), 0);
    chat.hear("#1 1 set", 10);
    chat.unfollows.push(CalledOff { at: 500, taken: Some(510) });
    assert_eq!(wrongs(&chat), []);
    // A message that comes later was heard before.
    chat.runs = 2;
    chat.ask(2, Ask::Say, 100_000);
    chat.hear("#2 2 answered", 100_010);
    chat.unfollows[0].at = 200_000;
    assert_eq!(wrongs(&chat), [Wrong::Lost]);
}

#[test]
fn a_timer_may_be_missing_that_a_late_cancel_has_ended_whose_answer_its_user_left_behind() {
    let mut chat = Chat { runs: 4, ..<Chat>::default() };
    chat.ask(1, Ask::Cancel, 0);
    chat.asked[0].taken = Some(30_000);
    chat.unfollows.push(CalledOff { at: 5_000, taken: Some(30_100) });
    chat.ask(2, Ask::Timer(60_000), 20_000);
    chat.hear("#2 1 set", 20_010);
    chat.ask(3, Ask::List, 40_000);
    chat.hear("#3 3 listed", 40_010);
    assert_eq!(wrongs(&chat), []);
    // A timer that was set after the cancel must ring, and so must one whose cancel never reached the bot.
    for (taken, set) in [(Some(30_000), 100_000), (None, 20_000)] {
        chat.asked[0].taken = taken;
        chat.asked[1].taken = Some(set);
        assert!(wrongs(&chat).contains(&Wrong::Lost), "{taken:?} {set}");
    }
}

#[test]
fn an_uncertain_reply_has_a_count_of_its_own() {
    let mut chat = Chat { runs: 1, ..<Chat>::default() };
    chat.ask(1, Ask::Say, 0);
    chat.uncertain.push("#1 1 answered".parse().expect("a message"));
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.uncertain), (vec![], 1));
}

#[test]
fn a_free_only_message_that_came_too_late_has_a_count_of_its_own() {
    let mut chat = Chat { runs: 1, ..<Chat>::default() };
    chat.ask(1, Ask::Say, 0);
    chat.too_late.push("#1 1 answered".parse().expect("a message"));
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.too_late), (vec![], 1));
}

#[test]
fn a_message_that_line_refused_has_a_count_of_its_own() {
    let mut chat = Chat { runs: 1, ..<Chat>::default() };
    chat.ask(1, Ask::Say, 0);
    chat.refused.push("#1 1 answered".parse().expect("a message"));
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.refused), (vec![], 1));
}

#[test]
fn what_is_asked_for_in_standby_must_not_be_answered() {
    let mut chat = Chat { runs: 1, ..<Chat>::default() };
    chat.ask(1, Ask::Timer(1_000), 0);
    chat.asked[0].in_standby = true;
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.in_standby), (vec![], 2));
    chat.hear("#1 1 rang", 1_010);
    assert_eq!(wrongs(&chat), [Wrong::InStandby]);
}

#[test]
fn a_request_that_is_given_up_has_a_count_of_its_own_if_the_chat_was_told() {
    let mut chat = Chat { given_up: HashSet::from([1]), apologies: 1, ..<Chat>::default() };
    chat.ask(1, Ask::Say, 0);
    let verdict = chat.check();
    assert_eq!((verdict.findings, verdict.given_up), (vec![], 1));
    chat.apologies = 0;
    assert_eq!(wrongs(&chat), [Wrong::Lost]);
}

#[test]
fn what_never_reached_the_bot_is_not_lost() {
    let mut chat = <Chat>::default();
    chat.ask(1, Ask::Say, 0);
    chat.asked[0].taken = None;
    assert_eq!((wrongs(&chat), chat.check().called_off), (vec![], 1));
}
