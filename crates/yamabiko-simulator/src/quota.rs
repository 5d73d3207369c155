//! What was sent and counted: the month's messages, and how many of each kind on each day.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::chats::Via;

/// Counts the messages of a month and of each day, in Japan's time, as LINE counts.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    /// The first day of the month that is counted.
    month: Date,
    used: u64,
    sent: HashMap<(Date, &'static str), u64>,
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
    fn a_day_is_told_when_it_is_over() {
        let mut quota = Quota::default();
        quota.note(JUNE, Via::Reply, 2);
        let last = jiff::civil::date(2026, 6, 30);
        assert_eq!(quota.sent(JUNE, last, "reply"), None);
        assert_eq!(quota.sent(JUNE + 1_000, last, "reply"), Some(2));
        assert_eq!(quota.sent(JUNE + 1_000, last, "push"), Some(0));
    }
}
