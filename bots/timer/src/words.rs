//! What the bot says, in both languages.

use std::time::Duration;

use jiff::tz::TimeZone;
use yamabiko::{Message, QuickReplyItem, Timer, Timestamp};

use crate::{TimeIsUp, language::Language};

/// How late a notification must be to say so.
const LATE: Duration = Duration::from_secs(1);
/// How many timers a list shows.
const LISTED: usize = 20;

/// The bot's words for one chat at one moment.
pub(crate) struct Words {
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
}

impl Words {
    fn choose<T>(&self, japanese: T, english: T) -> T {
        match self.language {
            Language::Japanese => japanese,
            Language::English => english,
        }
    }

    pub(crate) fn started(&self, seconds: u64, due: Timestamp) -> Message {
        let (time, clock) = (self.span(seconds), self.clock(due));
        let text = self.choose(
            format!("⏰ {time}後、{clock} にお知らせします。"),
            format!("⏰ I will call you back in {time}, at {clock}."),
        );
        self.with_buttons(&text)
    }

    /// Says that a timer is over; one that was due a while ago, when that was.
    ///
    /// How late it is would be wrong by the time LINE takes it; when it was due stays true.
    pub(crate) fn time_is_up(&self, seconds: u64, due: Timestamp) -> Message {
        let time = self.span(seconds);
        let text = if self.now.since(due) < LATE {
            self.choose(format!("🔔 {time}たちました。"), format!("🔔 Time is up: {time}."))
        } else {
            let clock = self.clock(due);
            self.choose(
                format!("🔔 {time}たちました（{clock} の予定でした）。"),
                format!("🔔 Time is up: {time}. It was due at {clock}."),
            )
        };
        Message::text(text)
    }

    pub(crate) fn not_a_number(&self) -> Message {
        Message::text(self.choose(
            "😵 秒数を数字で送ってください。\n例：180（3分後にお知らせします）",
            "😵 Please send a whole number of seconds.\nExample: 180 (I call back in 3 minutes)",
        ))
    }

    pub(crate) fn too_long(&self, limit: u64) -> Message {
        Message::text(self.choose(
            format!("😵 1年（{limit}秒）までの秒数を送ってください。\n例：180"),
            format!("😵 The longest timer is one year ({limit} seconds).\nExample: 180"),
        ))
    }

    pub(crate) fn too_many(&self, limit: u32) -> Message {
        Message::text(self.choose(
            format!("😵 タイマーは1つのトークで{limit}件までです。\n「取消」で減らすか、どれかが鳴るまでお待ちください。"),
            format!("😵 {limit} timers are pending here, which is the most.\nSend “cancel” to remove one, or wait until one rings."),
        ))
    }

    pub(crate) fn cannot_call_back(&self) -> Message {
        Message::text(self.choose(
            "😵 送り先がわからないため、ここではお知らせできません。\n友だちに追加して、1対1のトークで送ってください。\n例：180",
            "😵 I cannot call back here, since LINE does not tell me where to.\nPlease add me as a friend and write to me in our own chat.\nExample: 180",
        ))
    }

    pub(crate) fn list(&self, timers: &[(Timer, TimeIsUp)]) -> Message {
        if timers.is_empty() {
            return Message::text(
                self.choose("待っているタイマーはありません。", "No timers are pending."),
            );
        }
        let mut lines = vec![self.choose(
            format!("⏳ タイマー {}件", timers.len()),
            format!("⏳ {} pending", timers.len()),
        )];
        lines.extend(timers.iter().take(LISTED).enumerate().map(|(index, (timer, job))| {
            let left = self.units(timer.due.since(self.now).as_secs());
            let (number, clock, seconds) = (index + 1, self.clock(timer.due), job.seconds);
            self.choose(
                format!("{number}. {clock}　あと{left}（{seconds}秒）"),
                format!("{number}. {clock}, {left} left ({seconds} s)"),
            )
        }));
        if timers.len() > LISTED {
            lines.push("…".to_owned());
        }
        self.with_buttons(&lines.join("\n"))
    }

    pub(crate) fn cancelled(&self, gone: &[(Timer, TimeIsUp)], left: usize) -> Message {
        let what = match gone {
            [(timer, job)] => {
                let (time, clock) = (self.span(job.seconds), self.clock(timer.due));
                self.choose(
                    format!("{clock} の{time}のタイマーを取り消しました。"),
                    format!("Cancelled the timer of {time} at {clock}."),
                )
            }
            all => self.choose(
                format!("{}件のタイマーを取り消しました。", all.len()),
                format!("Cancelled {} timers.", all.len()),
            ),
        };
        let rest = if left == 0 {
            String::new()
        } else {
            self.choose(format!("\n残り{left}件。"), format!("\n{left} left."))
        };
        Message::text(format!("🗑 {what}{rest}"))
    }

    pub(crate) fn no_such_number(&self, count: usize) -> Message {
        Message::text(self.choose(
            format!("😵 その番号のタイマーはありません。\n例：取消 {count}（一覧の番号）"),
            format!("😵 There is no timer of that number.\nExample: cancel {count} (the number in the list)"),
        ))
    }

    fn with_buttons(&self, text: &str) -> Message {
        let (list, cancel) = self.choose(("一覧", "取消"), ("list", "cancel"));
        Message::text(text).quick_reply(vec![
            QuickReplyItem::message(list, list),
            QuickReplyItem::message(cancel, cancel),
        ])
    }

    /// Returns a span in seconds, and from a minute on in larger units too: `180秒（3分）`.
    fn span(&self, seconds: u64) -> String {
        let whole = self.choose(format!("{seconds}秒"), format!("{seconds} s"));
        if seconds < 60 {
            return whole;
        }
        let units = self.units(seconds);
        self.choose(format!("{whole}（{units}）"), format!("{whole} ({units})"))
    }

    /// Returns a span in days, hours, minutes and seconds: `2分59秒`.
    fn units(&self, seconds: u64) -> String {
        let mut left = seconds;
        let mut parts = Vec::new();
        for (size, japanese, english) in
            [(86_400, "日", "d"), (3_600, "時間", "h"), (60, "分", "min"), (1, "秒", "s")]
        {
            let count = left / size;
            left %= size;
            if count > 0 || (size == 1 && parts.is_empty()) {
                parts.push(self.choose(format!("{count}{japanese}"), format!("{count} {english}")));
            }
        }
        parts.join(self.choose("", " "))
    }

    /// Returns a clock time in the chat's zone, with the date unless it is today.
    fn clock(&self, time: Timestamp) -> String {
        let in_zone = |time: Timestamp| {
            jiff::Timestamp::from_microsecond(time.as_micros())
                .unwrap_or_default()
                .to_zoned_datetime(self.zone.clone())
        };
        let (now, time) = (in_zone(self.now), in_zone(time));
        let format = match (now.date() == time.date(), now.year() == time.year()) {
            (true, _) => "%H:%M:%S",
            (false, true) => "%m/%d %H:%M:%S",
            (false, false) => "%Y/%m/%d %H:%M:%S",
        };
        time.strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: Language) -> Words {
        // 2026-11-24 23:59:00 in Tokyo.
        let now = Timestamp::from_millis(1_795_532_340_000);
        Words { language, zone: TimeZone::get("Asia/Tokyo").unwrap(), now }
    }

    #[test]
    fn a_clock_time_carries_its_date_unless_it_is_today() {
        let words = words(Language::Japanese);
        let clock = |seconds| words.clock(words.now + Duration::from_secs(seconds));
        assert_eq!(clock(30), "23:59:30");
        assert_eq!(clock(60), "11/25 00:00:00");
        assert_eq!(clock(40 * 86_400), "2027/01/03 23:59:00");
    }

    #[test]
    fn a_span_is_said_in_seconds_and_in_larger_units() {
        let (japanese, english) = (words(Language::Japanese), words(Language::English));
        assert_eq!(japanese.span(3), "3秒");
        assert_eq!(japanese.span(180), "180秒（3分）");
        assert_eq!(english.span(3_661), "3661 s (1 h 1 min 1 s)");
        assert_eq!(english.span(86_400), "86400 s (1 d)");
    }
}
