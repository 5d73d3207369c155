//! Jobs of which a page is damaged.

use yamabiko_queue::{
    Due, Effect, Mark, NewJob, Outcome, State,
    store::{self, Cancelled, Claim, Depth, Inserted, Query},
};

use super::{Closed, GARBAGE, large, open, set_aside};
use crate::{
    place::{Place, START, dead, id, in_lane, job, retry, secs},
    poison::work,
    rules::loans::lend,
};

/// The place in which a job is when its page is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Ready,
    Waiting,
    Scheduled,
    HeldForARetry,
    Lending,
    LendingToAnother,
    OnLoan,
    Running,
    Dead,
    Completed,
}

const WHENS: [When; 10] = [
    When::Ready,
    When::Waiting,
    When::Scheduled,
    When::HeldForARetry,
    When::Lending,
    When::LendingToAnother,
    When::OnLoan,
    When::Running,
    When::Dead,
    When::Completed,
];

fn bad() -> NewJob {
    let chat = Some("chat".to_owned());
    NewJob {
        chat,
        origin: Some("origin".to_owned()),
        secret: Some("secret".to_owned()),
        passes_until: Some(START + secs(50)),
        ..large(in_lane("bad", "lane"))
    }
}

/// Stores a job that is about to be damaged, among others that are not.
async fn store_bad(place: &Place, when: When) {
    place.insert(&[job("before"), in_lane("of another lane", "another")]).await;
    let behind = NewJob { chat: Some("chat".to_owned()), ..in_lane("behind", "lane") };
    let end = async |outcome: Outcome| {
        let claims = place.claim(9).await;
        let mine: &Claim = claims.iter().find(|claim| claim.job.id == id("bad")).unwrap();
        place.end(mine, outcome).await;
    };
    match when {
        When::Waiting => drop(place.insert(&[in_lane("ahead", "lane"), bad()]).await),
        When::Scheduled => drop(place.insert(&[NewJob { due: Due::In(secs(3)), ..bad() }]).await),
        When::OnLoan => {
            place.insert(&[in_lane("lender", "lane")]).await;
            let claims = place.claim(9).await;
            let lender = claims.iter().find(|claim| claim.job.id == id("lender")).unwrap();
            place.end(lender, lend(3)).await;
            place.insert(&[bad()]).await;
        }
        _ => drop(place.insert(&[bad()]).await),
    }
    match when {
        When::Ready | When::Waiting | When::Scheduled | When::OnLoan => {}
        When::Lending => end(lend(3)).await,
        When::LendingToAnother => {
            end(lend(3)).await;
            let borrower = NewJob {
                origin: Some("another".to_owned()),
                ..NewJob { passes_until: bad().passes_until, ..in_lane("borrower", "lane") }
            };
            place.insert(&[borrower]).await;
        }
        When::HeldForARetry => end(retry(secs(3), true)).await,
        When::Running => drop(place.claim(9).await),
        When::Dead => end(dead()).await,
        When::Completed => end(Outcome::Complete).await,
    }
    place.insert(&[behind, job("after")]).await;
}

#[tokio::test]
async fn a_job_on_a_damaged_page_is_set_aside_on_sqlite_and_everybody_else_is_served() {
    for when in WHENS {
        let place = open().await;
        store_bad(&place, when).await;
        let closed = Closed::new(place);
        closed.damage("bad");
        let place = closed.open().await;
        place.store.live("chat").await.unwrap();
        let mut ran = work(&place).await;
        // Long enough for what is kept to go.
        place.pass(secs(100)).await;
        ran.extend(work(&place).await);
        for name in ["before", "of another lane", "behind", "after"] {
            assert!(ran.contains(&id(name)), "{name} did not run: {when:?}");
        }
        assert!(!ran.contains(&id("bad")), "{when:?}");
        let held = !matches!(
            when,
            When::Waiting | When::Scheduled | When::LendingToAnother | When::Dead | When::Completed
        );
        let lane = held.then(|| "lane".to_owned());
        assert_eq!(set_aside(&place), (vec![(id("bad"), lane)], vec![]), "{when:?}");

        // Nobody sees it any more, and nobody is stopped by it.
        for state in State::ALL.into_iter().filter(|state| *state != State::Cancelled) {
            let listed = place.store.list(&Query::new(state)).await.unwrap().records;
            assert!(listed.iter().all(|record| record.job.id != id("bad")), "{when:?} {state}");
        }
        assert_eq!(place.get(id("bad")).await, None);
        assert!(place.store.live("chat").await.unwrap().is_empty(), "{when:?}");
        assert_eq!(place.cancel(id("bad")).await, Cancelled::Unknown);
        assert!(!place.retry(id("bad")).await);
        assert_eq!(place.store.delete(&[id("bad")]).await.unwrap(), [false]);
        assert_eq!(place.insert(&[bad()]).await, [Inserted::Duplicate], "its id is remembered");
        let counts = place.store.counts().await.unwrap();
        assert!(counts.states.values().all(|count| *count == 0), "{when:?} {counts:?}");
        assert_eq!((counts.damaged, counts.next_due), (1, None));
        assert!(place.store.insert(&[]).await.is_ok(), "the store takes what comes");
    }
}

#[tokio::test]
async fn steps_about_a_damaged_job_itself_set_it_aside_on_sqlite() {
    for step in ["cancel", "retry", "delete", "insert", "scrub"] {
        let place = open().await;
        store_bad(
            &place,
            if step == "cancel" || step == "insert" { When::Ready } else { When::Dead },
        )
        .await;
        let closed = Closed::new(place);
        closed.damage("bad");
        let place = closed.open().await;
        match step {
            "cancel" => assert_eq!(place.cancel(id("bad")).await, Cancelled::Unknown),
            "retry" => assert!(!place.retry(id("bad")).await),
            "delete" => assert_eq!(place.store.delete(&[id("bad")]).await.unwrap(), [false]),
            "insert" => assert_eq!(place.insert(&[bad()]).await, [Inserted::Duplicate]),
            _ => {
                let claims = place.claim(9).await;
                let same_chat = claims.iter().find(|claim| claim.job.id == id("behind")).unwrap();
                let scrub = Effect::Scrub { origin: "origin".to_owned() };
                place.end_with(same_chat, Outcome::Complete, vec![scrub]).await;
            }
        }
        assert_eq!(set_aside(&place).0.len(), 1, "{step}");
        assert!(work(&place).await.contains(&id("after")), "{step}");
    }
}

#[tokio::test]
async fn damaged_jobs_of_one_lane_on_sqlite_let_it_go_on_one_after_the_other() {
    let place = open().await;
    let names = ["bad 1", "bad 2", "good 1", "bad 3", "good 2"];
    let jobs = names.map(|name| large(in_lane(name, "lane")));
    place.insert(&jobs).await;
    let closed = Closed::new(place);
    // All are found first: SQLite finds no way through a damaged file.
    let bad = names.iter().filter(|name| name.starts_with("bad"));
    let pages: Vec<_> = bad.map(|name| closed.page_filled_with(name)).collect();
    pages.into_iter().for_each(|page| closed.overwrite(page, &GARBAGE));
    let place = closed.open().await;
    place.insert(&[in_lane("good 3", "lane")]).await;
    assert_eq!(work(&place).await, ["good 1", "good 2", "good 3"].map(id));
    // The others were looked at before they had the lane.
    let lanes = set_aside(&place).0.into_iter().map(|(_, lane)| lane.is_some());
    assert_eq!(lanes.collect::<Vec<_>>(), [true, false, false]);
    place.insert(&[in_lane("first", "lane"), in_lane("second", "lane")]).await;
    assert_eq!(place.claim_one().await.job.id, id("first"), "one at a time (L2)");
}

#[tokio::test]
async fn what_can_be_read_again_comes_back_when_an_sqlite_file_is_opened() {
    for when in WHENS {
        let place = open().await;
        store_bad(&place, when).await;
        let closed = Closed::new(place);
        let number = closed.page_filled_with("bad");
        let whole = closed.page(number);
        closed.damage("bad");
        let place = closed.open().await;
        let mut ran = work(&place).await;
        place.pass(secs(100)).await;
        ran.extend(work(&place).await);
        assert_eq!(set_aside(&place).0.len(), 1, "{when:?}");

        let closed = Closed::new(place);
        closed.overwrite(number, &whole);
        let place = closed.open().await;
        assert_eq!(set_aside(&place), (vec![], vec![]), "{when:?}");
        let is_over = matches!(when, When::Dead | When::Completed);
        assert!(place.get(id("bad")).await.is_some(), "{when:?}");
        assert_eq!(work(&place).await, if is_over { vec![] } else { vec![id("bad")] }, "{when:?}");
        place.forget().await;
        place.forget().await;
        assert_eq!(place.leftovers(), Vec::<String>::new(), "{when:?}");
    }
}

#[tokio::test]
async fn the_doctor_names_what_is_set_aside_on_sqlite() {
    let place = open().await;
    store_bad(&place, When::Ready).await;
    let closed = Closed::new(place);
    closed.damage("bad");
    let place = closed.open().await;
    work(&place).await;
    for depth in [Depth::Glance, Depth::Thorough] {
        let url = place.ground.url().unwrap();
        let found = store::inspect(&url, &place.options, depth).await.findings;
        let damaged = found.iter().find(|one| one.topic == "damaged records").unwrap();
        assert_eq!(damaged.mark, Mark::Problem);
        assert!(damaged.text.contains(&format!("job {}", id("bad"))), "{damaged:?}");
    }
}
