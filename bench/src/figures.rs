//! What was measured, and how it is shown.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

/// One thing that was measured, once for each repetition.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    store: String,
    what: String,
    unit: &'static str,
    setting: String,
    #[serde(serialize_with = "with_median")]
    values: Vec<f64>,
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
            store: String::new(),
            what: what.into(),
            unit,
            setting: setting.into(),
            values: vec![value],
        }
    }

    fn is_of(&self, other: &Self) -> bool {
        (&self.store, &self.what) == (&other.store, &other.what)
    }

    fn row(&self) -> String {
        let Summary { median, least, most } = summary(&self.values);
        let [median, least, most] = [median, least, most].map(shown);
        let Self { store, what, unit, setting, .. } = self;
        format!("| {store} | {what} | {median} {unit} | {least} – {most} | {setting} |")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, .. } = self;
        write!(f, "{what}: {} {unit}", shown(summary(&self.values).median))
    }
}

/// All figures, in the order in which they were first measured.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Figures(Vec<Figure>);

impl Figures {
    /// Adds measurements of a store to those of earlier repetitions.
    pub(crate) fn add(&mut self, store: &str, measured: Vec<Figure>) {
        for mut figure in measured {
            store.clone_into(&mut figure.store);
            match self.0.iter_mut().find(|earlier| earlier.is_of(&figure)) {
                Some(earlier) => earlier.values.extend(figure.values),
                None => self.0.push(figure),
            }
        }
    }

    /// Returns a Markdown table, a store's figures together.
    pub(crate) fn to_markdown(&self) -> String {
        let head = "| store | what | median | least – most | setting |\n|---|---|---|---|---|";
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by_key(|figure| &figure.store);
        let rows = sorted.into_iter().map(Figure::row);
        std::iter::once(head.to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
    }
}

struct Summary {
    median: f64,
    least: f64,
    most: f64,
}

fn summary(values: &[f64]) -> Summary {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        at(half)
    } else {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    };
    Summary { median, least: at(0), most: at(sorted.len().saturating_sub(1)) }
}

fn with_median<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Values<'a> {
        median: f64,
        all: &'a [f64],
    }
    Values { median: summary(values).median, all: values }.serialize(to)
}

/// Returns a number as people read it: thousands apart, and no more digits than matter.
fn shown(value: f64) -> String {
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

    #[test]
    fn figures_of_several_repetitions_become_one_row_with_their_median() {
        let mut figures = Figures::default();
        for value in [12_345.6, 9_000.0, 20_000.0] {
            figures.add("Redis", vec![Figure::new("drain", value, "jobs/s", "no-op jobs")]);
        }
        figures.add("SQLite", vec![Figure::new("drain", 1.5, "jobs/s", "no-op jobs")]);
        let table = figures.to_markdown();
        let rows: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| Redis | drain | 12,346 jobs/s | 9,000 – 20,000 | no-op jobs |",
                "| SQLite | drain | 1.50 jobs/s | 1.50 – 1.50 | no-op jobs |",
            ]
        );
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
