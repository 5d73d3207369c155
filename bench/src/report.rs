//! All measurements without peers, one after the other.

use anyhow::Context as _;
use clap::{Args, ValueEnum as _};
use serde::Serialize;

use crate::{
    figures::Figures,
    machine::Machine,
    options::{Options, StoreKind},
    topic::{Bench, Topic},
};

/// What is measured, and how often.
#[derive(Args, Clone, Debug)]
pub(crate) struct Wanted {
    /// Only this topic; may be given several times.
    #[arg(long, value_name = "TOPIC")]
    only: Vec<Topic>,
    /// Small numbers: only shows that it works.
    #[arg(long)]
    quick: bool,
    /// How often everything is measured; the tables have medians. Defaults to 3, with --quick to 1.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    reps: Option<u32>,
}

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
            "# Yamabiko {version} by itself\n{warning}\n{}\n- medians of {repetitions}\n{}",
            machine.to_markdown(),
            figures.to_markdown()
        )
    }
}

/// Measures what is wanted; stores and topics take turns in each repetition.
pub(crate) async fn measure(options: &Options, wanted: &Wanted) -> anyhow::Result<Report> {
    let stores = options.store.as_ref().map_or(StoreKind::value_variants(), std::slice::from_ref);
    let is_wanted = |topic: &&Topic| wanted.only.is_empty() || wanted.only.contains(topic);
    let repetitions = wanted.reps.unwrap_or(if wanted.quick { 1 } else { 3 });
    let mut machine = Machine::look()?;
    let mut figures = Figures::default();
    for _ in 0..repetitions {
        for &topic in Topic::value_variants().iter().filter(is_wanted) {
            for &kind in topic.on(stores) {
                let figures = &mut figures;
                let mut bench = Bench { topic, kind, options, quick: wanted.quick, figures };
                bench.measure().await.with_context(|| format!("{topic}, {kind}"))?;
            }
        }
    }
    machine.look_again();
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        quick: wanted.quick,
        repetitions,
        machine,
        figures,
    })
}
