//! The datetime picker: its days and times in the form of its mode, and in order.

use jiff::civil::{Date, DateTime, Time};

use super::Problem;
use super::field::Place;

pub(super) const MODES: &[&str] = &["date", "time", "datetime"];

/// LINE's reference, date and time format: "Min: 1900-01-01", "Max: 2100-12-31".
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;

/// Checks the first value and the limits of a datetime picker whose mode is known.
pub(super) fn check(action: &Place<'_>, problems: &mut Vec<Problem>) {
    let mode = action.value["mode"].as_str().filter(|mode| MODES.contains(mode));
    let Some(mode) = mode else { return };
    let mut read = |name: &str| {
        let place = action.field(name);
        let time = place.value.as_str().and_then(|text| parse(mode, text));
        if time.is_none() && !place.value.is_null() {
            problems.push(place.problem("invalid datetime format for the specified mode"));
        }
        time
    };
    read("initial");
    // LINE's reference: `max` "must be greater than the min value".
    if let (Some(min), Some(max)) = (read("min"), read("max"))
        && min >= max
    {
        problems.push(action.problem("invalid date time order"));
    }
}

/// Reads a value in the form of its mode; what the mode leaves out is the same for all values.
fn parse(mode: &str, text: &str) -> Option<DateTime> {
    let (day, hour) = match mode {
        "date" => (text, "00:00"),
        "time" => ("2000-01-01", text),
        _ => text.split_once(['T', 't'])?,
    };
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute] = numbers(hour, ':', [2, 2])?;
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
    YEARS.contains(&year).then(|| date.to_datetime(time))
}

/// Reads numbers of exactly so many digits.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i16; N]> {
    let parts: Vec<&str> = text.split(between).collect();
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let fits = parts.iter().map(|part| part.len()).eq(digits);
    if !fits || !parts.iter().all(|part| is_number(part)) {
        return None;
    }
    let numbers: Vec<i16> = parts.iter().map_while(|part| part.parse().ok()).collect();
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{assert_limit, assert_valid, assert_wrong, with, with_quick_reply};

    const ACTION: &str = "/quickReply/items/0/action";

    fn picker(mode: &str) -> Value {
        with_quick_reply(
            &json!({ "type": "datetimepicker", "label": "when", "data": "", "mode": mode }),
        )
    }

    #[test]
    fn values_have_the_form_of_the_mode_and_lines_range() {
        for (mode, right, wrong) in [
            ("date", "1900-01-01", "1899-12-31"),
            ("date", "2100-12-31", "2101-01-01"),
            ("date", "2024-02-29", "2023-02-29"),
            ("date", "2024-12-01", "2024-12-1"),
            ("date", "2024-12-01", "2024-12-01T00:00"),
            ("date", "2024-12-01", "2024-12-+1"),
            ("time", "00:00", "24:00"),
            ("time", "23:59", "23:60"),
            ("time", "06:15", "6:15"),
            ("time", "06:15", "06:15:00"),
            ("datetime", "2017-06-18T06:15", "2017-06-18 06:15"),
            ("datetime", "2017-06-18t06:15", "2017-06-18"),
            ("datetime", "2100-12-31T23:59", "2101-01-01T00:00"),
        ] {
            for name in ["initial", "min", "max"] {
                assert_limit(&picker(mode), &format!("{ACTION}/{name}"), right, wrong);
            }
        }
        assert_wrong(&picker("week"), &format!("{ACTION}/mode"));
    }

    #[test]
    fn the_least_value_comes_before_the_most() {
        for (mode, min, max) in [
            ("date", "2024-01-31", "2024-02-01"),
            ("time", "09:59", "10:00"),
            ("datetime", "2024-01-31t23:59", "2024-02-01T00:00"),
        ] {
            let limits = |min: &str, max: &str| {
                let message = with(&picker(mode), &format!("{ACTION}/min"), min);
                with(&message, &format!("{ACTION}/max"), max)
            };
            assert_valid(&limits(min, max));
            assert_wrong(&limits(max, min), ACTION);
            assert_wrong(&limits(min, min), ACTION);
        }
    }
}
