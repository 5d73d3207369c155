//! How much a step takes at most, and for how long what is remembered.

use std::time::Duration;

/// Effects that one commit may have (K3): they are one step, during which a Redis server does nothing else.
pub const MAX_EFFECTS: usize = 320;
/// Commits that one turn may carry (K3).
pub const MAX_COMMITS: usize = 256;
/// Commits and effects together that one turn may carry, unless it carries a single commit (K3).
pub const MAX_PARTS: usize = 384;
/// Jobs that one turn claims at most (K3).
pub const MAX_CLAIMS: usize = 256;
/// Bytes that one step may carry (K3).
pub const MAX_STEP_BYTES: usize = 1024 * 1024;
/// Jobs that one tick makes ready at most (T2).
pub const MAX_DUE: usize = 128;
/// Delays, and claims, that one tick corrects at most after the clock was set back (T3).
pub(crate) const MAX_CORRECTED: usize = 256;
/// Dead jobs over the number that is kept which one tick removes at most (D3).
pub const MAX_DROPPED: usize = 128;
/// Ended claims that one tick returns at most (T2).
pub const MAX_ENDED: usize = 64;
/// How long a store remembers the last exchange of a worker's line (C5).
pub(crate) const LINE_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a line may go without being remembered anew.
pub(crate) const LINE_RENEWED: Duration = Duration::from_secs(60 * 60);
/// How long a store remembers an origin whose jobs are not to run any more (I5).
pub(crate) const REVOKED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Such origins that a store remembers at most; the oldest goes first.
pub(crate) const MAX_REVOKED: usize = 100_000;
/// How much later than the timer role a turn makes due jobs ready (T2).
pub const TURN_LATER: Duration = Duration::from_millis(50);
/// Records that one listing looks at, at most (Q4).
pub const MAX_SCAN: usize = 10_000;

/// Counts origins that a store has to forget before their day is over, since there are too many.
pub(crate) fn count_forgotten_revocations(count: u64) {
    if count > 0 {
        metrics::counter!("yamabiko_revocations_forgotten_total").increment(count);
        tracing::warn!(
            count,
            "more than 100,000 messages were taken back within a day: the oldest are forgotten"
        );
    }
}
