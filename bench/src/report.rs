//! All measurements without peers, one after the other.

use std::{io::Write as _, num::NonZeroUsize, time::Duration};

use anyhow::Context as _;
use clap::ValueEnum as _;
use serde::Serialize;

use crate::{
    adapter::BULK,
    bot,
    figures::{Figure, Figures},
    fresh::Fresh,
    machine::{self, Machine},
    options::{Options, StoreKind},
    punctuality::{self, Timers},
    throughput, webhooks,
};

/// Jobs at once of a worker that is set up for throughput.
const MANY: NonZeroUsize = NonZeroUsize::new(256).expect("it is more than zero");

/// How much is measured.
struct Sizes {
    enqueue: Duration,
    drain: u64,
    pick_up: u64,
    timers: Timers,
    webhooks: u64,
    rest: Duration,
}

const FULL: Sizes = Sizes {
    enqueue: Duration::from_secs(2),
    drain: 40_000,
    pick_up: 300,
    timers: Timers { n: 2000, window: Duration::from_secs(10), far: 100_000 },
    webhooks: 20_000,
    rest: Duration::from_secs(3),
};

const QUICK: Sizes = Sizes {
    enqueue: Duration::from_millis(200),
    drain: 2000,
    pick_up: 30,
    timers: Timers { n: 200, window: Duration::from_secs(1), far: 2000 },
    webhooks: 1000,
    rest: Duration::from_secs(1),
};

/// The figures and where they come from.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    version: &'static str,
    quick: bool,
    repetitions: u32,
    machine: Machine,
    figures: Figures,
}

impl Report {
    /// Returns the report for people.
    pub(crate) fn to_markdown(&self) -> String {
        let Self { version, quick, repetitions, machine, figures } = self;
        let warning = if *quick {
            "\nSmall numbers (`--quick`): they only show that it works.\n"
        } else {
            ""
        };
        format!(
            "# Yamabiko {version} by itself\n{warning}\n{}\n- medians of {repetitions}\n\n{}",
            machine.to_markdown(),
            figures.to_markdown()
        )
    }
}

/// Measures everything `reps` times.
pub(crate) async fn measure(options: &Options, quick: bool, reps: u32) -> anyhow::Result<Report> {
    let sizes = if quick { &QUICK } else { &FULL };
    let stores = options.store.as_ref().map_or(StoreKind::value_variants(), std::slice::from_ref);
    let mut machine = Machine::look()?;
    let mut figures = Figures::default();
    for _ in 0..reps {
        for &kind in stores {
            let mut note = |measured: Vec<Figure>| {
                tell(kind, &measured);
                figures.add(&kind.to_string(), measured);
            };
            once(kind, options, sizes, &mut note).await.with_context(|| kind.to_string())?;
        }
    }
    machine.look_again();
    Ok(Report { version: env!("CARGO_PKG_VERSION"), quick, repetitions: reps, machine, figures })
}

/// Measures everything once on one store; each measurement has an empty one of its own.
async fn once(
    kind: StoreKind,
    options: &Options,
    sizes: &Sizes,
    note: &mut impl FnMut(Vec<Figure>),
) -> anyhow::Result<()> {
    let fresh = || Fresh::new(kind, options);
    if kind == StoreKind::Sqlite {
        note(vec![machine::disk_sync()?]);
    }
    for who in [(1, 1), (64, 1), (1, BULK)] {
        note(vec![throughput::enqueue(&fresh()?, options, who, sizes.enqueue).await?]);
    }
    for options in [options, &options.at_once(MANY)] {
        note(vec![throughput::drain(&fresh()?, options, sizes.drain).await?]);
    }
    note(vec![throughput::whole_way(&fresh()?, options, sizes.drain).await?]);
    for apart in [false, true] {
        note(punctuality::pick_up(&fresh()?, options, apart, sizes.pick_up).await?);
    }
    note(punctuality::timers(&fresh()?, options, sizes.timers).await?);
    note(webhooks::measure(&fresh()?, sizes.webhooks).await?);
    if kind == StoreKind::Sqlite {
        note(bot::at_rest(&fresh()?, sizes.rest).await?);
    }
    Ok(())
}

/// Shows at the terminal how it goes on.
fn tell(kind: StoreKind, measured: &[Figure]) {
    for figure in measured {
        // Nobody may be looking.
        writeln!(std::io::stderr(), "{kind}: {figure}").ok();
    }
}
