//! K, S: what a run asked for happens together with its end, in one step, or not at all.

use yamabiko_queue::{
    Due, Effect, Error, Hold, NewJob, Outcome, State,
    job::MAX_PAYLOAD_BYTES,
    store::{Answer, Claim, Commit, Held, MAX_EFFECTS, Sending},
};

use crate::place::{Kind, Place, START, commit, dead, id, ids, in_lane, job, retry, secs, want};

pub(crate) async fn k1_completion_and_effects_are_one_step(kind: Kind) {
    let place = Place::open(kind).await;
    let timer =
        NewJob { due: Due::In(secs(180)), parent: Some(id("event")), ..in_lane("timer", "chat") };
    let said = NewJob { queue: "outbox".to_owned(), ..in_lane("said", "out:chat") };
    place
        .insert(&[in_lane("event", "chat"), NewJob { due: Due::In(secs(9)), ..job("old timer") }])
        .await;
    let claim = place.claim_one().await;
    let effects = vec![
        Effect::Insert(timer),
        Effect::Insert(said),
        Effect::Cancel(id("old timer")),
        Effect::SetState(Some(b"{\"n\":1}".to_vec())),
    ];
    let turn = place.turn(&[commit(&claim, Outcome::Complete, effects)], 9).await;
    assert_eq!(turn.answers, [Answer::Applied]);
    assert_eq!(ids(&turn.claims), [id("said")], "an effect may be claimed in the same turn");
    let timer = place.record(id("timer")).await;
    assert_eq!((timer.state, timer.time), (State::Scheduled, Some(START + secs(180))));
    assert_eq!((timer.job.parent, timer.job.due), (Some(id("event")), Some(START + secs(180))));
    assert_eq!(place.state(id("event")).await, None);
    assert_eq!(place.state(id("old timer")).await, None);
    assert_eq!(place.store.state("chat").await.unwrap().as_deref(), Some(&b"{\"n\":1}"[..]));
}

pub(crate) async fn k1_effects_may_undo_each_other_within_a_turn(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b", "c"].map(job)).await;
    let claims = place.claim(3).await;
    let (a, b, c) = (&claims[0], &claims[1], &claims[2]);
    let commits = [
        commit(a, retry(secs(9), false), vec![]),
        commit(
            b,
            Outcome::Complete,
            vec![Effect::Cancel(id("a")), Effect::Cancel(id("b")), Effect::Cancel(id("c"))],
        ),
        commit(c, Outcome::Complete, vec![Effect::Insert(job("x"))]),
    ];
    let turn = place.turn(&commits, 9).await;
    assert_eq!(turn.answers, [Answer::Applied, Answer::Applied, Answer::Cancelled]);
    assert!(turn.claims.is_empty());
    for name in ["a", "b", "c", "x"] {
        assert_eq!(place.state(id(name)).await, None, "{name}");
    }
}

pub(crate) async fn k1_a_run_cannot_cancel_itself_by_an_effect(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    let itself = || vec![Effect::Cancel(id("a"))];
    let claim = place.claim_one().await;
    assert_eq!(place.end_with(&claim, retry(secs(0), false), itself()).await, Answer::Applied);
    place.tick().await;
    let claim = place.claim_one().await;
    assert_eq!(place.beat(&[&claim]).await, [Held::Yes], "its next run is not called off");
    let point = Outcome::Checkpoint { payload: b"half".to_vec() };
    assert_eq!(place.end_with(&claim, point, itself()).await, Answer::Applied);
    assert_eq!(place.beat(&[&claim]).await, [Held::Yes], "nor is this one");
    assert_eq!(place.end_with(&claim, Outcome::Complete, itself()).await, Answer::Applied);
    assert_eq!(place.state(id("a")).await, None);
}

pub(crate) async fn k3_limits_are_refused_before_anything_is_stored(kind: Kind) {
    let place = Place::open(kind).await;
    let largest = NewJob { payload: vec![b'x'; MAX_PAYLOAD_BYTES], ..job("largest") };
    let mut larger = NewJob { id: id("larger"), ..largest.clone() };
    larger.payload.push(b'x');
    let refused = place.store.insert(&[job("a"), larger]).await;
    assert!(matches!(refused, Err(Error::TooLarge { size: 65_537, .. })), "{refused:?}");
    assert_eq!(place.state(id("a")).await, None);
    place.insert(std::slice::from_ref(&largest)).await;
    assert_eq!(place.claim_one().await.job.payload, largest.payload);
}

pub(crate) async fn k3_a_turn_of_384_commits_and_effects_with_large_payloads_is_taken(kind: Kind) {
    let place = Place::open(kind).await;
    let jobs: Vec<_> = (0..192).map(|n| job(&format!("a{n}"))).collect();
    place.insert(&jobs).await;
    let claims = place.claim(300).await;
    let effect = |claim: &Claim| {
        Effect::Insert(NewJob {
            payload: vec![7; 3000],
            ..NewJob::new(claim.job.id.to_string(), "")
        })
    };
    let commits: Vec<_> =
        claims.iter().map(|claim| commit(claim, Outcome::Complete, vec![effect(claim)])).collect();
    let turn = place.turn(&commits, 0).await;
    assert_eq!(turn.answers, [Answer::Applied; 192]);
    let found = place.claim(1000).await;
    let kinds: Vec<_> = found.iter().map(|claim| claim.job.kind.clone()).collect();
    assert_eq!(kinds, jobs.iter().map(|job| job.id.to_string()).collect::<Vec<_>>());
    let many = (0..MAX_EFFECTS).map(|n| Effect::Insert(job(&format!("b{n}")))).collect();
    assert_eq!(place.end_with(&found[0], Outcome::Complete, many).await, Answer::Applied);
    assert_eq!(place.claim(2000).await.len(), MAX_EFFECTS, "all that one commit may have");
}

pub(crate) async fn k3_a_turn_of_many_commits_with_many_effects_is_refused_whole(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), job("b")]).await;
    let claims = place.claim(2).await;
    let many = |count| vec![Effect::SetState(None); count];
    let commits = |count| {
        [200, count]
            .into_iter()
            .zip(&claims)
            .map(|(count, claim)| commit(claim, Outcome::Complete, many(count)))
            .collect::<Vec<_>>()
    };
    let refused = place.store.turn(place.next_sending(), &commits(183), &[]).await;
    assert!(matches!(refused, Err(Error::TooLarge { size: 385, limit: 384, .. })), "{refused:?}");
    assert_eq!(place.turn(&commits(182), 0).await.answers, [Answer::Applied; 2]);
}

pub(crate) async fn k3_a_turn_of_257_commits_is_refused_whole(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), job("b")]).await;
    let claim = place.claim(1).await.remove(0);
    let commits = vec![commit(&claim, Outcome::Complete, vec![]); 257];
    let refused = place.store.turn(Sending::once(), &commits, &[want(&["default"], 1)]).await;
    assert!(matches!(refused, Err(Error::TooLarge { size: 257, limit: 256, .. })), "{refused:?}");
    assert_eq!(place.line(State::Running).await, [id("a")]);
}

pub(crate) async fn k6_a_checkpoint_commits_its_effects_and_replaces_the_payload(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat"), in_lane("b", "chat")]).await;
    let claim = place.claim_one().await;
    let half = Outcome::Checkpoint { payload: b"half".to_vec() };
    let turn = place.turn(&[commit(&claim, half, vec![Effect::Insert(job("x"))])], 9).await;
    assert_eq!(turn.answers, [Answer::Applied]);
    assert_eq!(ids(&turn.claims), [id("x")], "the run goes on, so its lane is taken");
    let running = place.record(id("a")).await;
    assert_eq!((running.state, running.job.checkpoint), (State::Running, 1));
    place.pass(secs(5)).await;
    let again = place
        .store
        .turn(Sending::once(), &[], &[want(&["events"], 9)])
        .await
        .unwrap()
        .claims
        .remove(0);
    assert_eq!((again.job.payload.as_slice(), again.job.checkpoint), (&b"half"[..], 1));
    assert_eq!(again.job.id, id("a"));
}

pub(crate) async fn k6_a_second_arrival_of_a_checkpoint_changes_nothing(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[in_lane("a", "chat")]).await;
    let claim = place.claim_one().await;
    let point = |number, payload: &str, state: &str| {
        let outcome = Outcome::Checkpoint { payload: payload.as_bytes().to_vec() };
        let effects = vec![Effect::SetState(Some(state.as_bytes().to_vec()))];
        Commit { checkpoints: number, ..commit(&claim, outcome, effects) }
    };
    let turn =
        place.turn(&[point(0, "1", "one"), point(1, "2", "two"), point(0, "1", "one")], 0).await;
    assert_eq!(turn.answers, [Answer::Applied; 3]);
    assert_eq!(place.turn(&[point(0, "1", "one")], 0).await.answers, [Answer::Applied]);
    let record = place.record(id("a")).await;
    assert_eq!((record.job.checkpoint, record.job.payload.as_slice()), (2, &b"2"[..]));
    assert_eq!(place.store.state("chat").await.unwrap(), Some(b"two".to_vec()));
}

pub(crate) async fn k6_a_run_whose_checkpoints_are_missing_has_lost_its_job(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat")]).await;
    let claim = place.claim_one().await;
    let half = || Outcome::Checkpoint { payload: b"half".to_vec() };
    place.end(&claim, half()).await;
    // The store has one, as after a tail was lost; the run has made two.
    let later = |outcome| {
        let effects = vec![Effect::Insert(job("x")), Effect::SetState(Some(b"late".to_vec()))];
        Commit { checkpoints: 2, ..commit(&claim, outcome, effects) }
    };
    let retry =
        Outcome::Retry { after: secs(1), hold: Hold::No, error: "no luck".into(), unsure: false };
    for outcome in [half(), Outcome::Complete, retry] {
        assert_eq!(place.turn(&[later(outcome)], 9).await.answers, [Answer::Lost]);
    }
    let bare = Commit { effects: vec![], ..later(Outcome::Complete) };
    assert_eq!(place.turn(&[bare], 9).await.answers, [Answer::Lost]);
    assert_eq!(place.store.state("chat").await.unwrap(), None);
    place.pass(secs(5)).await;
    let again = place.claim_one().await;
    assert_eq!((again.job.payload.as_slice(), again.job.checkpoint), (&b"half"[..], 1));
    assert_eq!(place.end(&again, Outcome::Complete).await, Answer::Applied);
}

pub(crate) async fn s1_state_comes_with_the_claim_and_is_written_by_the_run(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&["a", "b", "c", "d"].map(|name| in_lane(name, "chat"))).await;
    place.insert(&[in_lane("other", "other chat")]).await;
    let set = |state: Option<&[u8]>| vec![Effect::SetState(state.map(<[u8]>::to_vec))];
    let claims = place.claim(9).await;
    assert_eq!((ids(&claims), &claims[0].state), (vec![id("a"), id("other")], &None));
    assert_eq!(
        place.end_with(&claims[0], Outcome::Complete, set(Some(b"\x00\xff1"))).await,
        Answer::Applied
    );
    let second = place.claim_one().await;
    assert_eq!(second.state, Some(b"\x00\xff1".to_vec()));
    place.end_with(&second, Outcome::Complete, set(None)).await;
    let third = place.claim_one().await;
    assert_eq!(third.state, None);
    place.end_with(&third, Outcome::Complete, set(Some(b""))).await;
    assert_eq!(place.claim_one().await.state, Some(vec![]), "an empty state is a state");
    assert_eq!(place.store.state("other chat").await.unwrap(), None);
}

pub(crate) async fn s1_a_laneless_run_writes_no_state(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[NewJob { chat: Some("chat".to_owned()), ..job("a") }]).await;
    let claim = place.claim_one().await;
    let effects = vec![Effect::SetState(Some(b"1".to_vec()))];
    assert_eq!(place.end_with(&claim, Outcome::Complete, effects).await, Answer::Applied);
    for lane in ["chat", ""] {
        assert_eq!(place.store.state(lane).await.unwrap(), None);
    }
}

pub(crate) async fn i4_scrubbing_concerns_ended_jobs_of_the_chat_and_origin_alone(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    let of = |name: &str, chat: &str, origin: &str| NewJob {
        chat: Some(chat.to_owned()),
        origin: Some(origin.to_owned()),
        ..job(name)
    };
    let names = ["completed", "dead", "live", "other chat", "other origin"];
    place
        .insert(&[
            of("completed", "chat", "message"),
            of("dead", "chat", "message"),
            of("live", "chat", "message"),
            of("other chat", "another", "message"),
            of("other origin", "chat", "another"),
        ])
        .await;
    let claims = place.claim(9).await;
    for (claim, name) in claims.iter().zip(names) {
        let outcome = match name {
            "live" => retry(secs(9), false),
            "dead" => dead(),
            _ => Outcome::Complete,
        };
        place.end(claim, outcome).await;
    }
    place.insert(&[NewJob { chat: Some("chat".to_owned()), ..job("unsend") }]).await;
    let claim = place.claim_one().await;
    place
        .end_with(&claim, Outcome::Complete, vec![Effect::Scrub { origin: "message".to_owned() }])
        .await;
    for name in names {
        let payload = place.record(id(name)).await.job.payload;
        let scrubbed = matches!(name, "completed" | "dead");
        assert_eq!(payload, if scrubbed { b"null" } else { name.as_bytes() }, "{name}");
    }
}

pub(crate) async fn o5_an_effect_pauses_a_queue_for_all_workers(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), in_lane("event", "chat")]).await;
    let claim = place
        .store
        .turn(Sending::once(), &[], &[want(&["default"], 1)])
        .await
        .unwrap()
        .claims
        .remove(0);
    place.insert(&[job("b")]).await;
    let time = secs(4);
    let effects = vec![Effect::Pause { queue: "default".to_owned(), time }];
    let turn = place.turn(&[commit(&claim, Outcome::Release { unsure: false }, effects)], 9).await;
    assert_eq!(ids(&turn.claims), [id("event")]);
    assert_eq!(turn.tick.next, Some(place.now() + time));
    place.clock.advance(secs(4));
    assert_eq!(ids(&place.claim(9).await), [id("a"), id("b")]);
}

pub(crate) async fn d1_a_failure_is_counted_noted_and_retried_at_its_time(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    let mut first_claimed = None;
    for failures in 0..3 {
        let claim = place.claim_one().await;
        assert_eq!(claim.job.failures, failures);
        assert_eq!(claim.job.first_claimed, Some(*first_claimed.get_or_insert(claim.claimed_at)));
        place.end(&claim, retry(secs(2), false)).await;
        assert!(place.claim(9).await.is_empty());
        place.pass(secs(2)).await;
    }
    let record = place.record(id("a")).await;
    assert_eq!(record.history.len(), 3);
    for (line, at) in record.history.iter().zip([0, 2, 4]) {
        assert_eq!((line.at, line.error.as_str()), (START + secs(at), "it went wrong"));
    }
    assert_eq!(record.job.due, None, "a retry is not what the job was stored for");
}

pub(crate) async fn o3_an_unsure_end_is_remembered(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a"), job("b"), job("c")]).await;
    let claims = place.claim(3).await;
    let failed = Outcome::Retry {
        after: secs(0),
        hold: Hold::No,
        error: "timed out".to_owned(),
        unsure: true,
    };
    place.end(&claims[0], failed).await;
    place.end(&claims[1], Outcome::Release { unsure: true }).await;
    place.end(&claims[2], retry(secs(0), false)).await;
    assert_eq!(place.state(id("a")).await, Some(State::Scheduled), "not ready in the same step");
    place.tick().await;
    for _ in 0..2 {
        for claim in place.claim(9).await {
            assert_eq!(claim.job.unsure, claim.job.id != id("c"));
            place.end(&claim, retry(secs(0), false)).await;
        }
        place.tick().await;
    }
    assert!(place.retry(id("a")).await || place.record(id("a")).await.state == State::Ready);
    assert!(place.record(id("a")).await.job.unsure);
}
