//! What was measured, and how it is shown.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

use crate::topic::Topic;

/// One thing that was measured, once for each repetition.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    what: String,
    unit: &'static str,
    setting: String,
    values: Values,
    /// How much of what the store can do at most, or of what `MeCab` takes, in percent; empty where nobody knows.
    percent_of_limit: Values,
}

impl Figure {
    /// Makes a figure from one measurement.
    pub(crate) fn new(
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        setting: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            unit,
            setting: setting.into(),
            values: Values(vec![value]),
            percent_of_limit: Values::default(),
        }
    }

    /// Makes figures of these percentiles of the times that something took, in milliseconds.
    pub(crate) fn percentiles(
        what: &str,
        took: &[f64],
        percents: &[(&str, f64)],
        setting: &str,
    ) -> Vec<Self> {
        let figure = |(name, percent): &(&str, f64)| {
            Self::new(format!("{what}, {name}"), percentile(took, *percent), "ms", setting)
        };
        percents.iter().map(figure).collect()
    }

    /// Compares the figure with the limit that was measured beside it.
    pub(crate) fn of_limit(mut self, limit: f64) -> Self {
        self.percent_of_limit = Values(self.values.0.iter().map(|v| 100.0 * v / limit).collect());
        self
    }

    /// Returns what it is of.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Returns what was measured; with several repetitions, the median.
    pub(crate) fn value(&self) -> f64 {
        self.values.median()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, .. } = self;
        write!(f, "{what}: {} {unit}", shown(self.value()))
    }
}

/// A figure and what it is of.
#[derive(Clone, Debug, Serialize)]
struct Row {
    topic: Topic,
    store: String,
    #[serde(flatten)]
    figure: Figure,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figure { what, unit, setting, values, percent_of_limit } = &self.figure;
        let [median, least, most] = [values.median(), values.least(), values.most()].map(shown);
        let share = match percent_of_limit.0.len() {
            0 => String::new(),
            _ => format!("{:.0} %", percent_of_limit.median()),
        };
        let store = &self.store;
        write!(f, "| {store} | {what} | {median} {unit} | {least} – {most} | {share} | {setting} |")
    }
}

/// All figures, in the order in which they were first measured.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Figures(Vec<Row>);

impl Figures {
    /// Adds a measurement to those of earlier repetitions; where no store has any part in it, `store` is the program.
    pub(crate) fn add(&mut self, topic: Topic, store: impl fmt::Display, figure: Figure) {
        let store = store.to_string();
        let is_same = |row: &&mut Row| {
            row.topic == topic && row.store == store && row.figure.what == figure.what
        };
        match self.0.iter_mut().find(is_same) {
            Some(earlier) => {
                earlier.figure.values.0.extend(figure.values.0);
                earlier.figure.percent_of_limit.0.extend(figure.percent_of_limit.0);
            }
            None => self.0.push(Row { topic, store, figure }),
        }
    }

    /// Returns a Markdown table for each topic.
    pub(crate) fn to_markdown(&self) -> String {
        let tables = self.0.chunk_by(|one, next| one.topic == next.topic).map(table);
        tables.collect()
    }
}

fn table(rows: &[Row]) -> String {
    let Some(Row { topic, .. }) = rows.first() else { return String::new() };
    let [store, share] = topic.heads();
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    format!(
        "\n## {topic}\n\n\
         | {store} | what | median | least – most | {share} | setting |\n\
         |---|---|---|---|---|---|\n{rows}"
    )
}

/// The values of several repetitions.
#[derive(Clone, Debug, Default)]
struct Values(Vec<f64>);

impl Values {
    fn median(&self) -> f64 {
        let sorted = self.sorted();
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let half = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            at(half)
        } else {
            f64::midpoint(at(half.wrapping_sub(1)), at(half))
        }
    }

    fn least(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    fn most(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            median: f64,
            all: &'a [f64],
        }
        let shown = Shown { median: self.median(), all: &self.0 };
        (!self.0.is_empty()).then_some(shown).serialize(to)
    }
}

/// Returns a number as people read it: thousands apart, and no more digits than matter.
pub(crate) fn shown(value: f64) -> String {
    if value < 100.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// Returns how many of something happened in a second.
#[expect(clippy::cast_precision_loss, reason = "a count of this size is exact")]
pub(crate) fn rate(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Returns a percentile of unsorted values: the value that this share of them does not exceed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index within the list"
)]
pub(crate) fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let index = (percent / 100.0 * last as f64).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::StoreKind;

    #[test]
    fn figures_of_several_repetitions_become_one_row_with_their_median() {
        let mut figures = Figures::default();
        for value in [12_345.6, 9_000.0, 20_000.0] {
            let figure = Figure::new("drain", value, "jobs/s", "no-op jobs").of_limit(40_000.0);
            figures.add(Topic::Throughput, StoreKind::Redis, figure);
        }
        let figure = Figure::new("drain", 1.5, "jobs/s", "no-op jobs");
        figures.add(Topic::Throughput, StoreKind::Sqlite, figure.clone());
        figures.add(Topic::Growth, StoreKind::Sqlite, figure);
        let table = figures.to_markdown();
        let rows: Vec<_> = table.lines().filter(|line| !line.is_empty()).collect();
        let head = ["| store | what | median | least – most | of the limit | setting |"];
        let line = ["|---|---|---|---|---|---|"];
        let expected = [
            &["## Throughput"][..],
            &head,
            &line,
            &["| Redis | drain | 12,346 jobs/s | 9,000 – 20,000 | 31 % | no-op jobs |"],
            &["| SQLite | drain | 1.50 jobs/s | 1.50 – 1.50 |  | no-op jobs |"],
            &["## Growth"],
            &head,
            &line,
            &["| SQLite | drain | 1.50 jobs/s | 1.50 – 1.50 |  | no-op jobs |"],
        ];
        assert_eq!(rows, expected.concat());
    }

    #[test]
    fn a_percentile_is_a_value_of_the_list() {
        let values: Vec<_> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(
            [0.0, 50.0, 99.0, 100.0].map(|p| percentile(&values, p)),
            [0.0, 50.0, 99.0, 100.0]
        );
        assert_eq!(percentile(&[7.0], 99.0), 7.0);
    }
}
