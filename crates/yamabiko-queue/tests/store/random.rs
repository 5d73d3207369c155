//! Random sequences of steps, taken by a store and by the model side by side.

mod driver;
mod promises;
pub(crate) mod steps;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
};

use proptest::{
    collection::vec,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

use yamabiko_queue::{ManualClock, StoreOptions};

use crate::{
    ground::{Ground, Kind},
    place::{Place, START, secs},
};
pub(crate) use driver::Driver;
use steps::step;

/// Sequences that each store is driven through in a normal run.
const CASES: u32 = 64;
/// The longest sequence.
const STEPS: usize = 400;

/// Always the same sequences in a normal run; `PROPTEST_CASES=1000` draws so many new ones.
fn runner() -> TestRunner {
    #[expect(clippy::disallowed_methods, reason = "this is how proptest is told to search longer")]
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config =
        Config { cases: asked.unwrap_or(CASES), failure_persistence: None, ..Config::default() };
    match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    }
}

fn keeps_the_rules(kind: Kind) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // A Redis serves many bots; a file serves one.
    let shared = (kind == Kind::Redis).then(|| Ground::new(kind));
    let case = AtomicUsize::new(0);
    let result = runner().run(&(0..3_u64, vec(step(), 1..STEPS)), |(keep, steps)| {
        let name = format!("case-{}", case.fetch_add(1, Ordering::Relaxed));
        let ground = shared.clone().unwrap_or_else(|| Ground::new(kind));
        let tried = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let place = Place::on(ground, ManualClock::new(START), |options| {
                    setup(options, name, keep);
                });
                let mut driver = Driver::new(place.await);
                for step in &steps {
                    driver.take(step).await;
                }
                driver.drain().await;
            });
        }));
        tried.map_err(|panic| TestCaseError::fail(text(&*panic)))
    });
    if let Err(error) = result {
        match error {
            TestError::Fail(why, (keep, steps)) => {
                panic!("{why}\nkeep {keep}, {} steps: {steps:#?}", steps.len())
            }
            TestError::Abort(why) => panic!("{why}"),
        }
    }
}

/// Keeps nothing, few or many of the completed jobs.
pub(crate) fn setup(options: &mut StoreOptions, name: String, keep: u64) {
    options.name = name;
    options.keep_completed = secs(30 * keep);
    options.keep_completed_max = if keep == 1 { 4 } else { 10_000 };
    options.keep_dead = secs(60);
    options.keep_dead_max = if keep == 2 { 3 } else { 10_000 };
    options.cancel_batch = if keep == 0 { 1 } else { 5 };
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

#[test]
fn the_model_keeps_its_promises() {
    keeps_the_rules(Kind::Model);
}

#[test]
fn sqlite_keeps_the_rules() {
    keeps_the_rules(Kind::Sqlite);
}

#[test]
fn redis_keeps_the_rules() {
    keeps_the_rules(Kind::Redis);
}
