//! Values of settings, with errors that say what would be right.

use std::{collections::HashSet, str::FromStr, time::Duration};

use axum::http::Uri;

use super::{Limits, Queues};

/// Parses queues with weights: `high=4,default=2,low=1`.
pub(super) fn queues(text: &str) -> Result<Queues, String> {
    let what =
        "queue with a weight: use name=weight, separated by commas, like high=4,default=2,low=1";
    numbers(text, what, |weight| *weight <= 1000).map(Queues)
}

/// Parses queues with how many of their jobs run at once: `heavy=2`.
pub(super) fn limits(text: &str) -> Result<Limits, String> {
    let what = "queue with a number of jobs: use name=number, separated by commas, like heavy=2";
    numbers(text, what, |number| (1..=10_000).contains(number)).map(Limits)
}

fn numbers<N: FromStr>(
    text: &str,
    what: &str,
    is_right: impl Fn(&N) -> bool,
) -> Result<Vec<(String, N)>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let numbers = parts.map(|part| {
        let read = |(name, number): (&str, &str)| {
            let number = number.trim().parse().ok().filter(&is_right)?;
            let name = name.trim();
            (!name.is_empty()).then(|| (name.to_owned(), number))
        };
        part.split_once('=').and_then(read).ok_or_else(|| format!("{part:?} is no {what}"))
    });
    let numbers: Vec<_> = numbers.collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    match numbers.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => Err(format!("{name:?} is there twice: name each queue once")),
        None => Ok(numbers),
    }
}

/// Parses a time span: `1d`, `12h`, `30m`, `45s`, `PT1H`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time span: use one like 30s, 15m, 12h or 1d");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span.to_duration(days).map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}

/// Parses the base address of an API: `https://api.line.me`.
pub(super) fn address(text: &str) -> Result<String, String> {
    let text = text.trim();
    let uri = text.parse::<Uri>().ok();
    let is_web = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    };
    if uri.is_some_and(|uri| is_web(&uri)) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no web address: use one like https://api.line.me"))
    }
}

/// Parses an IANA time zone: `Asia/Tokyo`.
pub(super) fn time_zone(text: &str) -> Result<jiff::tz::TimeZone, String> {
    jiff::tz::TimeZone::get(text).map_err(|_| {
        format!("{text:?} is no time zone: use a name like Asia/Tokyo, Europe/Berlin or UTC")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_names_with_weights() {
        let expected = Queues(vec![("high".into(), 4), ("low".into(), 0)]);
        assert_eq!(queues("high=4, low=0"), Ok(expected));
        assert!(queues("high").unwrap_err().contains("high=4,default=2,low=1"));
        assert!(queues("high=-1").is_err() && queues("=3").is_err());
    }

    #[test]
    fn a_queue_has_a_number_of_jobs_that_run_at_once() {
        assert_eq!(limits("heavy=2"), Ok(Limits(vec![("heavy".into(), 2)])));
        assert_eq!(limits(""), Ok(Limits(Vec::new())));
        assert!(limits("heavy=0").unwrap_err().contains("heavy=2"));
    }

    #[test]
    fn a_queue_is_named_once() {
        assert!(queues("high=4,low=1, high=2").unwrap_err().starts_with("\"high\" is there twice"));
        assert!(limits("heavy=1,heavy=1").unwrap_err().starts_with("\"heavy\" is there twice"));
    }

    #[test]
    fn time_spans_are_read_as_people_write_them() {
        assert_eq!(duration("1d"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert!(duration("soon").unwrap_err().contains("12h"));
        assert!(duration("-5m").is_err());
    }

    #[test]
    fn a_time_zone_is_named_as_the_iana_does() {
        assert!(time_zone("Asia/Tokyo").is_ok());
        assert!(time_zone("Tokyo time").unwrap_err().contains("Asia/Tokyo"));
    }
}
