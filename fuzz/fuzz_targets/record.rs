//! Any bytes in the place of what an SQLite store has of a job: the others run, and every step goes on.
#![no_main]

use std::sync::{Arc, LazyLock};

use rusqlite::types::Value;
use tokio::runtime::Runtime;
use yamabiko_queue::ManualClock;

#[path = "../../crates/yamabiko-queue/tests/store"]
mod suite {
    pub(crate) mod ground;
    pub(crate) mod leftovers;
    pub(crate) mod model;
    pub(crate) mod place;
    pub(crate) mod poison;
    pub(crate) mod redis_server;
}

// They name each other as modules of the crate.
use suite::{ground, leftovers, model, place, poison, redis_server};

use ground::{Ground, Kind};
use place::{Place, START};
use poison::{Damage, IDS, NUMBERS, TEXTS, WHENS};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime is built"));

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [when, column, value @ ..] = input else { return };
    let when = WHENS[usize::from(*when) % WHENS.len()];
    let columns: Vec<_> = TEXTS.iter().chain(&IDS).chain(&NUMBERS).collect();
    let column = columns[usize::from(*column) % columns.len()];
    let value = if NUMBERS.contains(column) {
        let mut number = [0; 8];
        number.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        Value::Integer(i64::from_le_bytes(number))
    } else {
        Value::Blob(value.to_vec())
    };
    let damage = Damage::Column(column, value);
    RUNTIME.block_on(async {
        let ground: Arc<Ground> = Ground::new(Kind::Sqlite);
        let place = Place::on(ground, ManualClock::new(START), |_| {}).await;
        poison::ran_beside(&place, when, &damage).await;
    });
});
