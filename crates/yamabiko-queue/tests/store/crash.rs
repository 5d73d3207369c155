//! A store that is killed at any moment is afterwards as it was before a step, or as it is after it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use yamabiko_queue::{ManualClock, Store, StoreOptions};

use crate::{
    dump::{assert_same, dump},
    ground::{Ground, Kind},
    place::{Place, START},
    random::{
        Driver, setup,
        steps::{Step, step},
    },
};

/// How often each store is killed.
const ROUNDS: u8 = 12;
/// Steps that a child takes if nobody kills it.
const STEPS: usize = 150;
/// Tells the child its round and the address of the store.
const CHILD: &str = "YAMABIKO_TEST_CHILD";

/// Draws the steps of a round, the same for parent and child.
fn sequence(round: u8) -> Vec<Step> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[round; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let steps = vec(step(), STEPS).new_tree(&mut runner).unwrap().current();
    steps.into_iter().flat_map(Step::parts).collect()
}

/// Returns what opens the store of a round, for parent and child.
fn options(round: u8) -> impl FnOnce(&mut StoreOptions) {
    move |options| setup(options, "crash".to_owned(), u64::from(round % 3))
}

/// What the child does: it takes the steps, and says so after each.
async fn work_as_told(order: &str) {
    let (round, url) = order.split_once(' ').expect("round and address");
    let round: u8 = round.parse().expect("a round");
    let ground = Arc::new(Ground::Elsewhere(url.to_owned()));
    let place = Place::on(ground, ManualClock::new(START), options(round)).await;
    let mut driver = Driver::new(place);
    for (n, step) in sequence(round).iter().enumerate() {
        driver.act(step).await;
        println!("done {}", n + 1);
    }
}

/// Lets a child work, kills it and its store in the middle, and returns how many steps it took for sure.
fn killed_in_the_middle(
    test: &str,
    ground: &mut Ground,
    round: u8,
    rng: &mut fastrand::Rng,
) -> usize {
    let url = ground.url().expect("a store that can be killed");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, format!("{round} {url}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut done =
        lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("done ")?.parse().ok());
    let asked = rng.usize(1..STEPS - 20);
    let mut last = 0;
    while last < asked {
        last = done.next().expect("the child works until it is killed");
    }
    let moment = Instant::now() + Duration::from_micros(rng.u64(0..4000));
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
    ground.kill();
    child.kill().unwrap();
    child.wait().unwrap();
    done.last().unwrap_or(last)
}

/// Takes out what was cancelled: how far a store is with that does not show in what it answers.
async fn sweep(store: &dyn Store) {
    loop {
        let tick = store.tick().await.unwrap();
        if tick.next != Some(tick.now) {
            break;
        }
    }
}

async fn is_wholly_before_or_after(kind: Kind, test: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a child of this test is told so by its environment"
    )]
    if let Ok(order) = std::env::var(CHILD) {
        return work_as_told(&order).await;
    }
    let mut rng = fastrand::Rng::with_seed(7);
    for round in 0..ROUNDS {
        let mut ground = Ground::durable(kind);
        let done = killed_in_the_middle(test, &mut ground, round, &mut rng);
        ground.restart();

        let steps = sequence(round);
        let mut driver = Driver::new(Place::with(Kind::Model, options(round)).await);
        for step in &steps[..done] {
            driver.act(step).await;
        }
        let clock = driver.place.clock.clone();
        let killed = Place::on(Arc::new(ground), clock, options(round)).await;
        let mut taken = done;
        if dump(&driver.model, &driver.look()).await != dump(&*killed.store, &driver.look()).await {
            driver.act(&steps[done]).await;
            taken += 1;
            let (expected, look) = (dump(&driver.model, &driver.look()).await, driver.look());
            let what = format!("round {round}: neither before nor after step {:?}", steps[done]);
            assert_same(&expected, &dump(&*killed.store, &look).await, &what);
        }
        // Life goes on with what is there.
        driver.go_on_with(killed);
        sweep(&driver.model).await;
        sweep(&*driver.place.store).await;
        for step in &steps[taken..] {
            driver.take(step).await;
        }
        driver.drain().await;
    }
}

#[tokio::test]
async fn sqlite_killed_in_a_step_is_wholly_before_or_after_it() {
    let name = "crash::sqlite_killed_in_a_step_is_wholly_before_or_after_it";
    is_wholly_before_or_after(Kind::Sqlite, name).await;
}

#[tokio::test]
async fn redis_killed_in_a_step_is_wholly_before_or_after_it() {
    let name = "crash::redis_killed_in_a_step_is_wholly_before_or_after_it";
    is_wholly_before_or_after(Kind::Redis, name).await;
}
