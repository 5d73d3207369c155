//! The timer role: makes jobs ready at the moment they fall due.

use std::{sync::Arc, time::Duration};

use crate::{
    outage::Outage,
    store::{MAX_DUE, Signal, Store, Tick},
};

/// How often a timer or worker looks at the store even if nothing wakes it (W1).
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The pause between two tries to reach a store that is away.
pub(crate) const TRY_AGAIN: Duration = Duration::from_millis(200);

/// Ticks until `stop` resolves; any number of timers may run on one store (T2).
pub async fn run(store: Arc<dyn Store>, stop: impl Future<Output = ()>) {
    let mut outage = Outage::default();
    tokio::select! {
        () = stop => {}
        () = keep_time(&*store, &mut outage) => {}
    }
}

async fn keep_time(store: &dyn Store, outage: &mut Outage) {
    loop {
        let at_most = match store.tick().await {
            Ok(tick) => {
                outage.over();
                count_dropped(tick);
                time_to_next(tick)
            }
            Err(error) => {
                outage.began("timer", &error);
                tokio::time::sleep(TRY_AGAIN).await;
                continue;
            }
        };
        if !at_most.is_zero()
            && let Err(error) = store.wait(&[Signal::Timers], at_most).await
        {
            outage.began("timer", &error);
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }
}

/// Counts what was removed before its time.
fn count_dropped(tick: Tick) {
    if tick.dropped > 0 {
        let dropped = u64::try_from(tick.dropped).unwrap_or(u64::MAX);
        metrics::counter!("yamabiko_dead_jobs_dropped_total").increment(dropped);
        tracing::warn!(dropped, "more jobs are dead than are kept: the oldest were removed");
    }
    if tick.forgotten > 0 {
        let forgotten = u64::try_from(tick.forgotten).unwrap_or(u64::MAX);
        metrics::counter!("yamabiko_ids_forgotten_total").increment(forgotten);
        tracing::warn!(
            forgotten,
            "more ids are to be remembered than may be: the oldest were forgotten"
        );
    }
}

/// Returns how long a timer may sleep after a tick.
fn time_to_next(tick: Tick) -> Duration {
    if tick.promoted == MAX_DUE {
        return Duration::ZERO;
    }
    tick.next.map_or(LOOK_EVERY, |next| next.since(tick.now).min(LOOK_EVERY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_timer_sleeps_until_the_next_due_time_and_a_second_at_most() {
        let now = Timestamp::from_millis(5_000);
        let tick =
            |promoted, next| Tick { now, promoted, ended: 0, dropped: 0, forgotten: 0, next };
        assert_eq!(time_to_next(tick(0, None)), LOOK_EVERY);
        assert_eq!(
            time_to_next(tick(1, Some(Timestamp::from_millis(5_030)))),
            Duration::from_millis(30)
        );
        assert_eq!(time_to_next(tick(1, Some(Timestamp::from_millis(4_000)))), Duration::ZERO);
        assert_eq!(time_to_next(tick(MAX_DUE, None)), Duration::ZERO);
    }
}
