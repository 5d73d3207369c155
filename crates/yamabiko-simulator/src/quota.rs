//! What was sent and counted: the month's messages, how many of each kind on each day, and narrowcasts.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::chats::Via;

/// LINE tells for so long how a narrowcast went.
const NARROWCAST_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Is a narrowcast that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrowcast {
    pub(crate) at: i64,
    pub(crate) recipients: u64,
}

/// Counts the messages of a month and of each day, in Japan's time, as LINE counts.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    /// The first day of the month that is counted.
    month: Date,
    used: u64,
    sent: HashMap<(Date, &'static str), u64>,
    narrowcasts: HashMap<String, Narrowcast>,
}

impl Quota {
    /// Tells how many messages were counted in the month of `now`.
    pub(crate) fn used(&self, now_ms: i64) -> u64 {
        if self.month == day(now_ms).first_of_month() { self.used } else { 0 }
    }

    /// Counts messages that cost something: one for each recipient.
    pub(crate) fn count(&mut self, now_ms: i64, recipients: u64) {
        self.used = self.used(now_ms) + recipients;
        self.month = day(now_ms).first_of_month();
    }

    /// Notes that messages were sent, free ones too.
    pub(crate) fn note(&mut self, now_ms: i64, via: Via, recipients: u64) {
        *self.sent.entry((day(now_ms), via.word())).or_default() += recipients;
    }

    /// Tells how many messages of a kind were sent on a day; `None` before the day is over.
    pub(crate) fn sent(&self, now_ms: i64, on: Date, via: &'static str) -> Option<u64> {
        (on < day(now_ms)).then(|| self.sent.get(&(on, via)).copied().unwrap_or(0))
    }

    /// Remembers a narrowcast by its request.
    pub(crate) fn note_narrowcast(&mut self, request_id: &str, narrowcast: Narrowcast) {
        self.narrowcasts.retain(|_, kept| narrowcast.at < kept.at + NARROWCAST_LIFE_MS);
        self.narrowcasts.insert(request_id.into(), narrowcast);
    }

    /// Finds the narrowcast of a request, for a week.
    pub(crate) fn narrowcast(&self, request_id: &str, now_ms: i64) -> Option<Narrowcast> {
        let kept = self.narrowcasts.get(request_id).copied();
        kept.filter(|kept| now_ms < kept.at + NARROWCAST_LIFE_MS)
    }
}

/// The day in Japan.
fn day(now_ms: i64) -> Date {
    let now = jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default();
    jiff::tz::offset(9).to_datetime(now).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last second of June 2026 in Japan.
    const JUNE: i64 = 1_782_831_599_000;

    #[test]
    fn the_quota_starts_anew_with_the_month_in_japan() {
        let mut quota = Quota::default();
        quota.count(JUNE, 1);
        quota.count(JUNE, 4);
        assert_eq!(quota.used(JUNE), 5);
        assert_eq!(quota.used(JUNE + 1_000), 0);
        quota.count(JUNE + 1_000, 1);
        assert_eq!(quota.used(JUNE + 1_000), 1);
    }

    #[test]
    fn a_narrowcast_is_remembered_for_a_week() {
        let mut quota = Quota::default();
        quota.note_narrowcast("request", Narrowcast { at: 0, recipients: 3 });
        let recipients = |now| quota.narrowcast("request", now).map(|kept| kept.recipients);
        assert_eq!(recipients(NARROWCAST_LIFE_MS - 1), Some(3));
        assert_eq!(recipients(NARROWCAST_LIFE_MS), None);
    }

    #[test]
    fn a_day_is_told_when_it_is_over() {
        let mut quota = Quota::default();
        quota.note(JUNE, Via::Reply, 2);
        let last = jiff::civil::date(2026, 6, 30);
        assert_eq!(quota.sent(JUNE, last, "reply"), None);
        assert_eq!(quota.sent(JUNE + 1_000, last, "reply"), Some(2));
        assert_eq!(quota.sent(JUNE + 1_000, last, "push"), Some(0));
    }
}
