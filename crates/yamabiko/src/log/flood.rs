//! Warnings and errors that come too often: a few of each are written, the others are counted.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::{
    Event, Level, Subscriber,
    callsite::Identifier,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// How many lines of one place in the code are written in each `WINDOW`.
const AT_MOST: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);
/// The target of what is reported here, which is never left out itself.
const TARGET: &str = "yamabiko::log";

/// Leaves out warnings and errors of a place in the code that comes too often; clones count together.
///
/// What differs from line to line, like a job's id, makes no difference.
/// Lines of other levels are written as they come: they are what somebody has asked to see.
#[derive(Clone, Default)]
pub(super) struct Flood(Arc<Mutex<HashMap<Identifier, Place>>>);

/// A place in the code that logs.
struct Place {
    level: Level,
    since: Instant,
    written: u32,
    /// Lines that were left out since the last report.
    left_out: u64,
    /// What one of them said.
    said: String,
}

impl Place {
    fn new(level: Level, now: Instant) -> Self {
        Self { level, since: now, written: 0, left_out: 0, said: String::new() }
    }

    /// Counts a line, and returns whether it is to be written.
    fn admits(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= WINDOW {
            (self.since, self.written) = (now, 0);
        }
        let is_admitted = self.written < AT_MOST;
        if is_admitted {
            self.written += 1;
        } else {
            self.left_out += 1;
        }
        is_admitted
    }
}

impl Flood {
    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a line, and returns whether it is to be written.
    fn admits(&self, event: &Event<'_>, now: Instant) -> bool {
        let metadata = event.metadata();
        let mut places = self.lock();
        let place =
            places.entry(metadata.callsite()).or_insert_with(|| Place::new(*metadata.level(), now));
        if place.admits(now) {
            return true;
        }
        let is_first = place.left_out == 1;
        drop(places);
        super::count_dropped("repeated", 1);
        if is_first {
            // Formatted without the lock: whose values these are is not known here, and they may log as well.
            let said = message(event);
            if let Some(place) = self.lock().get_mut(&metadata.callsite()) {
                place.said = said;
            }
        }
        false
    }

    /// Logs how many lines were left out since the last report, a line for each place.
    pub(super) fn report(&self) {
        let taken: Vec<_> = self
            .lock()
            .values_mut()
            .filter(|place| place.left_out > 0)
            .map(|place| (place.level, mem::take(&mut place.left_out), mem::take(&mut place.said)))
            .collect();
        for (level, left_out, said) in taken {
            if level == Level::ERROR {
                tracing::error!(target: TARGET, left_out, "more lines like this were left out: {said}");
            } else {
                tracing::warn!(target: TARGET, left_out, "more lines like this were left out: {said}");
            }
        }
    }
}

impl<S: Subscriber> Layer<S> for Flood {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let is_limited = *metadata.level() <= Level::WARN && metadata.target() != TARGET;
        !is_limited || self.admits(event, Instant::now())
    }
}

/// Returns what a line says, without its other fields.
fn message(event: &Event<'_>) -> String {
    struct Message(String);
    impl Visit for Message {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if field.name() == "message" {
                write!(self.0, "{value:?}").expect("a string takes all");
            }
        }
    }
    let mut message = Message(String::new());
    event.record(&mut message);
    message.0
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;
    use tracing_subscriber::{layer::SubscriberExt as _, registry};

    use super::*;

    /// Keeps what is logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<(Level, String)>>>);

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push((*event.metadata().level(), message(event)));
        }
    }

    /// Returns what is in the log in the end.
    fn logged(log: impl FnOnce(&Flood)) -> Vec<(Level, String)> {
        let (flood, lines) = (Flood::default(), Lines::default());
        with_default(registry().with(lines.clone()).with(flood.clone()), || log(&flood));
        lines.0.lock().unwrap().clone()
    }

    #[test]
    fn a_place_has_ten_lines_a_second() {
        let start = Instant::now();
        let mut place = Place::new(Level::WARN, start);
        let mut written = |at: Duration| (0..25).filter(|_| place.admits(start + at)).count();
        assert_eq!(written(Duration::ZERO), 10);
        assert_eq!(written(Duration::from_millis(999)), 0);
        assert_eq!(written(Duration::from_secs(1)), 10);
        assert_eq!(written(Duration::from_secs(60)), 10);
        assert_eq!(place.left_out, 15 + 25 + 15 + 15);
    }

    #[test]
    fn what_is_left_out_is_counted_and_told_once() {
        let lines = logged(|flood| {
            for job in 0..1000 {
                tracing::warn!(job, "a job failed");
            }
            flood.report();
            flood.report();
        });
        let (reports, single): (Vec<_>, Vec<_>) =
            lines.iter().partition(|(_, text)| text.contains("left out"));
        assert!(single.len() >= 10, "{lines:?}");
        let expected = "more lines like this were left out: a job failed".to_owned();
        assert_eq!(reports, [&(Level::WARN, expected)]);
    }

    #[test]
    fn a_flood_hides_nothing_else() {
        let lines = logged(|_| {
            for _ in 0..1000 {
                tracing::error!("a flood");
                tracing::info!("as asked for");
            }
            tracing::error!("another error");
        });
        let count = |said: &str| lines.iter().filter(|(_, text)| text == said).count();
        assert_eq!((count("as asked for"), count("another error")), (1000, 1));
    }
}
