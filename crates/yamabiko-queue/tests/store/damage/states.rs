//! Chats' states of which a page is damaged.

use yamabiko_queue::{Effect, Outcome};

use super::{Closed, filling, open, set_aside};
use crate::place::in_lane;

#[tokio::test]
async fn a_chat_whose_state_is_damaged_goes_on_with_an_empty_one_on_sqlite() {
    let place = open().await;
    for lane in ["damaged", "whole"] {
        place.insert(&[in_lane(lane, lane)]).await;
        let claim = place.claim_one().await;
        let state = Effect::SetState(Some(filling(lane)));
        place.end_with(&claim, Outcome::Complete, vec![state]).await;
    }
    place.insert(&["damaged", "whole"].map(|lane| in_lane(&format!("next of {lane}"), lane))).await;
    let closed = Closed::new(place);
    closed.damage("damaged");
    let place = closed.open().await;
    assert_eq!(place.store.state("damaged").await.unwrap(), None);
    let claims = place.claim(9).await;
    let states: Vec<_> = claims.iter().map(|claim| claim.state.as_deref()).collect();
    assert_eq!(states, [None, Some(&filling("whole")[..])]);
    assert_eq!(set_aside(&place), (vec![], vec!["damaged".to_owned()]));
    assert_eq!(place.store.counts().await.unwrap().damaged, 1);

    // It gets a new one, which is replaced and removed like any other.
    let new = |state: &[u8]| vec![Effect::SetState(Some(state.to_vec()))];
    place.insert(&[in_lane("a", "damaged"), in_lane("b", "damaged")]).await;
    place.end_with(&claims[0], Outcome::Complete, new(b"one")).await;
    let a = place.claim_one().await;
    assert_eq!(a.state.as_deref(), Some(&b"one"[..]));
    place.end_with(&a, Outcome::Complete, new(b"two")).await;
    assert_eq!(place.store.state("damaged").await.unwrap().as_deref(), Some(&b"two"[..]));
    let b = place.claim_one().await;
    place.end_with(&b, Outcome::Complete, vec![Effect::SetState(None)]).await;
    assert_eq!(place.store.state("damaged").await.unwrap(), None);
}

#[tokio::test]
async fn a_state_that_is_found_damaged_when_it_is_written_is_set_aside_on_sqlite() {
    for new in [Some(b"new".to_vec()), None] {
        let place = open().await;
        place.insert(&[in_lane("first", "lane")]).await;
        let claim = place.claim_one().await;
        let state = Effect::SetState(Some(filling("state")));
        place.end_with(&claim, Outcome::Complete, vec![state]).await;
        place.insert(&[in_lane("second", "lane")]).await;
        let claim = place.claim_one().await;
        let closed = Closed::new(place);
        closed.damage("state");
        let place = closed.open().await;
        place.end_with(&claim, Outcome::Complete, vec![Effect::SetState(new.clone())]).await;
        assert_eq!(place.store.state("lane").await.unwrap(), new);
        assert_eq!(set_aside(&place).1, ["lane"]);
    }
}
