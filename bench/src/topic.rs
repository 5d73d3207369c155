//! What is measured, and where a topic notes it.

use std::{fmt, io::Write as _};

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    analysis, bot,
    figures::{Figure, Figures},
    fresh::Fresh,
    growth, heavy,
    options::{Options, StoreKind},
    punctuality, space, steps, throughput,
};

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Topic {
    /// Jobs a second, and how far from the limit.
    Throughput,
    /// How soon jobs and timers run.
    Punctuality,
    /// What a job takes in the store.
    Space,
    /// The whole bot, from webhook to message.
    Bot,
    /// What a job costs beside many that wait.
    Growth,
    /// The longest time of each step on a Redis server that holds a million jobs.
    Steps,
    /// What is felt of timers and webhooks while the keyword bot does heavy work.
    Heavy,
    /// How fast the keyword bot takes texts apart; on no store.
    Analysis,
}

impl Topic {
    /// Returns the heads of the columns that say what was measured, and of what its share is.
    pub(crate) fn heads(self) -> [&'static str; 2] {
        match self {
            Self::Analysis => ["program", "of MeCab"],
            _ => ["store", "of the limit"],
        }
    }

    /// Returns on which of these stores it is measured; where no store has any part in it, once.
    pub(crate) fn on(self, stores: &[StoreKind]) -> &[StoreKind] {
        match self {
            // Redis does one step after the other; readers of an SQLite file wait for nobody.
            Self::Steps if stores.contains(&StoreKind::Redis) => &[StoreKind::Redis],
            Self::Steps => &[],
            Self::Analysis => stores.get(..1).unwrap_or_default(),
            _ => stores,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Throughput => "Throughput",
            Self::Punctuality => "Punctuality",
            Self::Space => "Space",
            Self::Bot => "Bot",
            Self::Growth => "Growth",
            Self::Steps => "Steps",
            Self::Heavy => "Heavy",
            Self::Analysis => "Analysis",
        })
    }
}

/// One topic on one store, once.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) topic: Topic,
    pub(crate) kind: StoreKind,
    pub(crate) options: &'a Options,
    pub(crate) quick: bool,
    pub(crate) figures: &'a mut Figures,
}

impl Bench<'_> {
    /// Measures the topic.
    pub(crate) async fn measure(&mut self) -> anyhow::Result<()> {
        match self.topic {
            Topic::Throughput => throughput::measure(self).await,
            Topic::Punctuality => punctuality::measure(self).await,
            Topic::Space => space::measure(self).await,
            Topic::Bot => bot::measure(self).await,
            Topic::Growth => growth::measure(self).await,
            Topic::Steps => steps::measure(self),
            Topic::Heavy => heavy::measure(self).await,
            Topic::Analysis => analysis::measure(self),
        }
    }

    /// Makes an empty store for one measurement.
    pub(crate) fn fresh(&self) -> anyhow::Result<Fresh> {
        Fresh::new(self.kind, self.options)
    }

    /// Returns how much to measure, or the small number of `--quick`.
    pub(crate) fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Notes a figure, and shows at the terminal how it goes on.
    pub(crate) fn note(&mut self, figure: Figure) {
        self.note_of(self.kind, figure);
    }

    /// Does the same with a figure that is not the store's.
    pub(crate) fn note_of(&mut self, whose: impl fmt::Display, figure: Figure) {
        // Nobody may be looking.
        writeln!(std::io::stderr(), "{whose}: {figure}").ok();
        self.figures.add(self.topic, whose, figure);
    }

    /// Notes figures that belong together.
    pub(crate) fn note_all(&mut self, figures: impl IntoIterator<Item = Figure>) {
        figures.into_iter().for_each(|figure| self.note(figure));
    }
}
