//! What people do and see: cancel, retry, delete, pause; lists and counts.

use yamabiko_queue::{
    Due, Effect, NewJob, Outcome, State,
    store::{Answer, Cancelled, Held, Paused, Query, QueueCounts},
};

use crate::place::{Kind, LEASE, Place, START, dead, id, ids, in_lane, job, process, retry, secs};

pub(crate) async fn d4_a_running_job_that_is_cancelled_is_marked_and_ends_with_its_commit(
    kind: Kind,
) {
    let place = Place::open(kind).await;
    for outcome in [
        Outcome::Complete,
        retry(secs(0), true),
        dead(),
        Outcome::Release { unsure: false },
        Outcome::Cancel,
    ] {
        let name = format!("{outcome:?}");
        place.insert(&[in_lane(&name, "chat"), in_lane("next", "chat")]).await;
        let claim = place.claim_one().await;
        assert_eq!(place.cancel(claim.job.id).await, Cancelled::Marked);
        let record = place.record(claim.job.id).await;
        assert_eq!((record.state, record.cancelled), (State::Running, true));
        assert!(place.claim(9).await.is_empty(), "its lane is taken until its worker hears of it");
        assert_eq!(place.beat(&[&claim]).await, [Held::Cancelled]);
        let effects = vec![Effect::Insert(job("x")), Effect::SetState(Some(b"x".to_vec()))];
        assert_eq!(place.end_with(&claim, outcome, effects).await, Answer::Cancelled);
        assert_eq!((place.state(claim.job.id).await, place.state(id("x")).await), (None, None));
        assert_eq!(place.store.state("chat").await.unwrap(), None);
        let next = place.claim_one().await;
        assert_eq!(next.job.id, id("next"));
        place.end(&next, Outcome::Cancel).await;
        place.pass(secs(3600)).await;
    }
}

pub(crate) async fn d4_a_cancelled_run_ends_at_its_checkpoint_too(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[in_lane("a", "chat"), in_lane("b", "chat")]).await;
    let claim = place.claim_one().await;
    place.cancel(id("a")).await;
    let point = Outcome::Checkpoint { payload: b"x".to_vec() };
    assert_eq!(
        place.end_with(&claim, point, vec![Effect::Insert(job("x"))]).await,
        Answer::Cancelled
    );
    assert_eq!(place.end(&claim, Outcome::Cancel).await, Answer::Lost);
    assert_eq!(ids(&place.claim(9).await), [id("b")]);
}

pub(crate) async fn d4_a_cancelled_run_that_never_reports_ends_with_its_lease(kind: Kind) {
    let place = Place::open(kind).await;
    place.tick().await;
    place.insert(&[in_lane("a", "chat"), in_lane("b", "chat")]).await;
    place.claim_one().await;
    place.cancel(id("a")).await;
    place.pass(LEASE).await;
    assert_eq!(place.state(id("a")).await, None);
    assert_eq!(ids(&place.claim(9).await), [id("b")]);
}

pub(crate) async fn s3_live_jobs_are_found_by_their_chat(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    let of = |name: &str, due| NewJob { chat: Some("chat".to_owned()), due, ..job(name) };
    place
        .insert(&[
            of("done", Due::Now),
            of("given up", Due::Now),
            of("late timer", Due::In(secs(60))),
            of("timer", Due::In(secs(30))),
            NewJob { chat: Some("another".to_owned()), ..job("another's") },
            NewJob { lane: Some("chat".to_owned()), ..job("nobody's") },
        ])
        .await;
    let claims = place.claim(9).await;
    place.end(&claims[0], Outcome::Complete).await;
    place.end(&claims[1], dead()).await;
    place.insert(&[of("event", Due::Now)]).await;
    let names = async |place: &Place| {
        let live = place.store.live("chat").await.unwrap();
        live.into_iter().map(|record| (record.job.id, record.state)).collect::<Vec<_>>()
    };
    let timers = [(id("timer"), State::Scheduled), (id("late timer"), State::Scheduled)];
    assert_eq!(
        names(&place).await,
        [[(id("event"), State::Ready)].as_slice(), timers.as_slice()].concat()
    );
    let event = place.claim_one().await;
    assert_eq!(names(&place).await[0], (id("event"), State::Running));
    place.end_with(&event, Outcome::Complete, vec![Effect::Cancel(id("timer"))]).await;
    assert_eq!(names(&place).await, timers[1..]);
    assert!(place.retry(id("given up")).await);
    assert_eq!(names(&place).await[0], (id("given up"), State::Ready));
}

pub(crate) async fn q4_lists_are_in_order_and_continue(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    let mut order = Vec::new();
    for n in 0..25 {
        place.insert(&[NewJob { due: Due::In(secs(1000 - n)), ..job(&format!("{n}")) }]).await;
        order.insert(0, id(&format!("{n}")));
    }
    let paged = async |state| {
        let (mut query, mut found) = (Query { limit: 10, ..Query::new(state) }, Vec::new());
        loop {
            let page = place.store.list(&query).await.unwrap();
            assert!(page.records.len() <= 10);
            found.extend(page.records.iter().map(|record| record.job.id));
            query.after = page.next;
            if query.after.is_none() {
                return found;
            }
        }
    };
    assert_eq!(paged(State::Scheduled).await, order);
    place.store.retry(&order).await.unwrap();
    assert_eq!(paged(State::Ready).await, order);
    for _ in 0..25 {
        place.clock.advance(secs(1));
        let claim = place.claim(1).await.remove(0);
        place.end(&claim, if claim.job.id == order[24] { dead() } else { Outcome::Complete }).await;
    }
    assert_eq!(paged(State::Dead).await, [order.pop().unwrap()]);
    order.reverse();
    assert_eq!(paged(State::Completed).await, order, "newest first");
}

pub(crate) async fn q4_lists_are_narrowed_by_queue_lane_chat_and_kind(kind: Kind) {
    let place = Place::open(kind).await;
    let low = NewJob { queue: "low".to_owned(), kind: "other".to_owned(), ..job("low") };
    let chats = NewJob { chat: Some("chat".to_owned()), ..in_lane("chat's", "chat") };
    place.insert(&[job("a"), low, chats, in_lane("b", "chat"), in_lane("c", "lane")]).await;
    place.insert(&[in_lane("d", "lane")]).await;
    let narrowed = async |query: Query| {
        let page = place.store.list(&query).await.unwrap();
        page.records.iter().map(|record| record.job.id).collect::<Vec<_>>()
    };
    let ready = || Query::new(State::Ready);
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(
        place.line(State::Ready).await,
        ["a", "chat's", "c", "low"].map(id),
        "queue by queue"
    );
    assert_eq!(narrowed(Query { queue: some("events"), ..ready() }).await, ["chat's", "c"].map(id));
    assert_eq!(narrowed(Query { lane: some("lane"), ..ready() }).await, [id("c")]);
    assert_eq!(narrowed(Query { chat: some("chat"), ..ready() }).await, [id("chat's")]);
    assert_eq!(narrowed(Query { kind: some("other"), ..ready() }).await, [id("low")]);
    assert_eq!(narrowed(Query { queue: some("low"), kind: some("kind"), ..ready() }).await, []);
    assert_eq!(place.line(State::Waiting).await, ["b", "d"].map(id), "lane by lane");
    assert_eq!(
        narrowed(Query { lane: some("lane"), ..Query::new(State::Waiting) }).await,
        [id("d")]
    );
}

pub(crate) async fn counts_say_what_there_is(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    place.insert(&["a", "b", "c", "d"].map(job)).await;
    place.insert(&[in_lane("e", "chat"), in_lane("f", "chat")]).await;
    place.insert(&[NewJob { due: Due::In(secs(60)), ..job("timer") }]).await;
    let claims = place.claim(3).await;
    place.end(&claims[0], Outcome::Complete).await;
    place.end(&claims[1], dead()).await;
    place.store.pause("low", None).await.unwrap();
    place.beat(&[]).await;
    let counts = place.store.counts().await.unwrap();
    let of = |state| counts.states.get(&state).copied().unwrap_or(0);
    assert_eq!(State::ALL.map(of), [1, 2, 1, 1, 1, 1, 0]);
    let ready = QueueCounts { ready: 1, paused: None };
    let paused = QueueCounts { ready: 0, paused: Some(Paused::UntilResumed) };
    let queues: Vec<_> =
        counts.queues.iter().map(|(name, counts)| (name.as_str(), *counts)).collect();
    assert_eq!(queues, [("default", ready), ("events", ready), ("low", paused)]);
    assert_eq!(
        (counts.next_due, counts.processes),
        (Some(START + secs(60)), vec![process("worker-1")])
    );
    place.clock.advance(LEASE);
    assert_eq!(place.store.counts().await.unwrap().processes, [], "it has not beaten for a lease");
}

pub(crate) async fn retry_takes_dead_and_scheduled_jobs_alone(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    place.insert(&["dead", "completed", "running", "failed"].map(job)).await;
    let claims = place.claim(9).await;
    place.end(&claims[0], dead()).await;
    place.end(&claims[1], Outcome::Complete).await;
    place.end(&claims[3], retry(secs(60), false)).await;
    place.insert(&[job("ready"), in_lane("front", "chat"), in_lane("waiting", "chat")]).await;
    let timer = NewJob { due: Due::In(secs(60)), ..job("timer") };
    place.insert(&[timer]).await;
    let names =
        ["dead", "completed", "running", "ready", "waiting", "unknown", "timer", "failed", "dead"];
    let answers = place.store.retry(&names.map(id)).await.unwrap();
    assert_eq!(answers, [true, false, false, false, false, false, true, true, false]);
    assert_eq!(
        place.line(State::Ready).await,
        ["ready", "dead", "timer", "failed", "front"].map(id)
    );
    let again = place.record(id("dead")).await;
    let counts = (again.job.failures, again.job.lost, again.job.reruns, again.job.first_claimed);
    assert_eq!((counts, again.history.len()), ((0, 0, 1, None), 1));
    let failed = place.record(id("failed")).await;
    assert_eq!((failed.job.failures, failed.job.reruns), (0, 0));
    assert_eq!(
        failed.job.first_claimed,
        Some(START),
        "a retry key is as old as its first use (O4)"
    );
    let timer = place.record(id("timer")).await;
    assert_eq!(
        (timer.job.due, timer.job.reruns),
        (Some(START + secs(60)), 0),
        "it can tell that it is early"
    );
    place.pass(secs(100)).await;
    let claims = place.claim(9).await;
    assert_eq!(
        ids(&claims),
        ["running", "ready", "dead", "timer", "failed", "front"].map(id),
        "each once"
    );
}

pub(crate) async fn delete_takes_dead_and_completed_jobs_alone(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    place.insert(&["dead", "completed", "running"].map(job)).await;
    let claims = place.claim(9).await;
    place.end(&claims[0], dead()).await;
    place.end(&claims[1], Outcome::Complete).await;
    place.insert(&[job("ready"), NewJob { due: Due::In(secs(60)), ..job("timer") }]).await;
    let names = ["dead", "completed", "running", "ready", "timer", "unknown", "dead"];
    let answers = place.store.delete(&names.map(id)).await.unwrap();
    assert_eq!(answers, [true, true, false, false, false, false, false]);
    let counts = place.store.counts().await.unwrap();
    let of = |state| counts.states.get(&state).copied().unwrap_or(0);
    assert_eq!(State::ALL.map(of), [1, 1, 0, 1, 0, 0, 0]);
}

pub(crate) async fn o5_a_longer_pause_stands(kind: Kind) {
    let place = Place::open(kind).await;
    let paused = async || {
        place.store.counts().await.unwrap().queues.get("low").and_then(|queue| queue.paused)
    };
    let pause = async |until| place.store.pause("low", until).await.unwrap();
    pause(Some(secs(20))).await;
    pause(Some(secs(10))).await;
    assert_eq!(paused().await, Some(Paused::Until(START + secs(20))));
    pause(Some(secs(30))).await;
    assert_eq!(paused().await, Some(Paused::Until(START + secs(30))));
    pause(None).await;
    pause(Some(secs(40))).await;
    assert_eq!(paused().await, Some(Paused::UntilResumed));
    place.store.resume("low").await.unwrap();
    assert_eq!(paused().await, None);
}

pub(crate) async fn o5_a_pause_ends_by_itself(kind: Kind) {
    let place = Place::open(kind).await;
    place.insert(&[job("a")]).await;
    place.store.pause("default", Some(secs(10))).await.unwrap();
    assert!(place.claim(9).await.is_empty());
    place.clock.advance(secs(10));
    assert_eq!(place.store.counts().await.unwrap().queues["default"].paused, None);
    place.store.pause("default", None).await.unwrap();
    place.pass(secs(100)).await;
    assert!(place.claim(9).await.is_empty());
    place.store.resume("default").await.unwrap();
    assert_eq!(ids(&place.claim(9).await), [id("a")]);
    place.store.pause("low", Some(secs(0))).await.unwrap();
    assert!(place.store.counts().await.unwrap().queues.is_empty(), "a pause until now is none");
}

pub(crate) async fn r4_a_job_is_in_exactly_one_place(kind: Kind) {
    let place = Place::with(kind, |options| options.keep_completed = secs(1000)).await;
    let is = async |state: State| {
        for other in State::ALL.into_iter().filter(|state| *state != State::Cancelled) {
            let listed = place.line(other).await.contains(&id("a"));
            assert_eq!(listed, other == state, "{other} when {state}");
        }
        assert_eq!(place.state(id("a")).await, Some(state));
    };
    place.insert(&[in_lane("first", "chat"), in_lane("a", "chat")]).await;
    is(State::Waiting).await;
    let first = place.claim_one().await;
    place.end(&first, Outcome::Cancel).await;
    is(State::Ready).await;
    let claim = place.claim_one().await;
    is(State::Running).await;
    place.end(&claim, retry(secs(1), false)).await;
    is(State::Scheduled).await;
    place.pass(secs(1)).await;
    is(State::Ready).await;
    let claim = place.claim_one().await;
    place.end(&claim, dead()).await;
    is(State::Dead).await;
    place.retry(id("a")).await;
    is(State::Ready).await;
    place.end(&place.claim_one().await, Outcome::Complete).await;
    is(State::Completed).await;
}
