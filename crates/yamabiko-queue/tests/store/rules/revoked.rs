//! I5: what a message that was taken back started is not to run any more, whenever it comes.

use yamabiko_queue::{
    Due, NewJob, Outcome, State,
    store::{
        Answer,
        Inserted::{Duplicate, Stored},
    },
};

use crate::place::{Kind, Place, id, ids, in_lane, retry, secs};

fn of(origin: &str, name: &str) -> NewJob {
    NewJob { origin: Some(origin.to_owned()), ..in_lane(name, "chat") }
}

fn unsend(origin: &str, name: &str) -> NewJob {
    NewJob { revokes: Some(origin.to_owned()), ..in_lane(name, "chat") }
}

pub(crate) async fn i5_a_job_whose_origin_was_revoked_ends_where_it_would_be_claimed(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[unsend("message 1", "unsend")]).await;
    let claim = place.claim_one().await;
    place.end(&claim, Outcome::Complete).await;
    let jobs = [of("message 1", "first"), of("message 2", "other"), of("message 1", "edit")];
    assert_eq!(place.insert(&jobs).await, [Stored; 3]);
    assert_eq!(place.claim(9).await, [], "the first ends");
    let claim = place.claim_one().await;
    assert_eq!(claim.job.id, id("other"), "its lane goes on");
    place.end(&claim, Outcome::Complete).await;
    assert_eq!(place.claim(9).await, []);
    assert_eq!(place.state(id("first")).await, None);
    assert_eq!(place.insert(&jobs).await, [Duplicate; 3], "they are remembered");
    place.forget().await;
    assert_eq!(place.leftovers(), Vec::<String>::new());
}

pub(crate) async fn i5_what_waited_or_was_to_come_when_its_origin_was_revoked_ends_too(kind: Kind) {
    let place = Place::open(kind).await;
    let later = NewJob { due: Due::In(secs(10)), lane: None, ..of("message", "later") };
    place.insert(&[of("message", "running"), of("message", "waiting"), later]).await;
    let running = place.claim_one().await;
    place.insert(&[unsend("message", "unsend")]).await;
    assert_eq!(place.end(&running, retry(secs(5), true)).await, Answer::Applied);
    place.pass(secs(11)).await;
    let mut claimed = Vec::new();
    for _ in 0..4 {
        claimed.extend(ids(&place.claim(9).await));
    }
    assert_eq!(claimed, [id("unsend")], "as the lane goes on, turn by turn");
    for name in ["running", "waiting", "later"] {
        assert_eq!(place.state(id(name)).await, None, "{name}");
    }
}

pub(crate) async fn i5_a_revoked_origin_is_remembered_for_a_day(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[NewJob { lane: None, ..unsend("message", "unsend") }]).await;
    place.claim_one().await;
    place.clock.advance(secs(24 * 3600 - 20));
    place.tick().await;
    place.insert(&[NewJob { lane: None, ..of("message", "in time") }]).await;
    place.pass(secs(10)).await;
    assert_eq!(place.state(id("in time")).await, Some(State::Ready));
    let claims = place.claim(9).await;
    assert_eq!(ids(&claims), [id("unsend")], "its own claim ended");
    place.pass(secs(20)).await;
    place.insert(&[NewJob { lane: None, ..of("message", "too late") }]).await;
    assert_eq!(ids(&place.claim(9).await)[..1], [id("unsend")]);
    assert_eq!(place.state(id("too late")).await, Some(State::Running));
}
