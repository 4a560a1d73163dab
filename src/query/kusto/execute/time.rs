//! Instants and lengths of time, in ticks of 100 nanoseconds.
//!
//! In: text, or ticks. Out: ticks, or text as Kusto prints it. Ticks of an instant count from the
//! year 1, where Kusto's `bin` begins too (Microsoft: "bin()" rounds down to a multiple).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The ticks of the year 1970
const EPOCH: i64 = 621_355_968_000_000_000;
const SECOND: i64 = 10_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The units of a written length of time
const UNITS: &[(&str, i64)] =
    &[("ms", SECOND / 1_000), ("d", DAY), ("h", 3_600 * SECOND), ("m", 60 * SECOND), ("s", SECOND)];

pub(crate) fn of_timestamp(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond() / 100).map_or(EPOCH, |ticks| ticks + EPOCH)
}

/// The ticks of an instant as text, in universal time where the text names no zone
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(of_timestamp(time));
    }
    let civil: DateTime = text.parse().ok()?;
    let time = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(of_timestamp(time))
}

pub(crate) fn instant_text(ticks: i64) -> String {
    let nanoseconds = (i128::from(ticks) - i128::from(EPOCH)) * 100;
    Timestamp::from_nanosecond(nanoseconds).map_or_else(
        |_| String::new(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%S.").to_string() + &fraction(ticks) + "Z",
    )
}

pub(super) fn span_text(ticks: i64) -> String {
    let sign = if ticks < 0 { "-" } else { "" };
    let ticks = ticks.saturating_abs();
    let (days, seconds) = (ticks / DAY, ticks % DAY / SECOND);
    let days = if days > 0 { format!("{days}.") } else { String::new() };
    let part = if ticks % SECOND > 0 { format!(".{}", fraction(ticks)) } else { String::new() };
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{part}")
}

fn fraction(ticks: i64) -> String {
    format!("{:07}", ticks.rem_euclid(SECOND))
}

/// The ticks of a length of time as a query writes it: `90m`
pub(super) fn span(written: &str) -> Option<i64> {
    let (unit, ticks) = UNITS.iter().find(|(unit, _)| written.ends_with(unit))?;
    let number: i64 = written.strip_suffix(unit)?.parse().ok()?;
    number.checked_mul(*ticks)
}

/// `bin`: the multiple of a step at or below a number
pub(super) fn bin(number: i64, step: i64) -> Option<i64> {
    (step > 0).then(|| number - number.rem_euclid(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_lengths_print_as_kusto_prints_them() {
        let ticks = instant("2017-05-15T17:00:00.5Z").unwrap();
        assert_eq!(instant_text(ticks), "2017-05-15T17:00:00.5000000Z");
        assert_eq!(instant("2017-05-15 17:00:00.500"), Some(ticks));
        assert_eq!(span_text(span("90m").unwrap()), "01:30:00");
        assert_eq!(span_text(span("1d").unwrap() + span("5ms").unwrap()), "1.00:00:00.0050000");
    }

    #[test]
    fn bins_begin_at_their_multiples() {
        // Microsoft, "bin()": bin(datetime(1970-05-11 13:45:07), 1d) and bin(16d, 7d) = 14d.
        let time = instant("1970-05-11T13:45:07Z").unwrap();
        let day = bin(time, span("1d").unwrap()).unwrap();
        assert_eq!(instant_text(day), "1970-05-11T00:00:00.0000000Z");
        assert_eq!(bin(span("16d").unwrap(), span("7d").unwrap()), span("14d"));
        assert_eq!(bin(-7, 5), Some(-10));
    }
}
