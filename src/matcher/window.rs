//! Which events of a group a correlation judges together.
//!
//! In: a correlation and the times of two events. Out: whether both are in the timespan, or the window, that
//! it judges.

use jiff::{SignedDuration, Timestamp};

use crate::definition::Window;
use crate::ir::Correlation;

/// The time so many seconds before
pub(super) fn earlier(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
}

/// Whether two times are at most the timespan apart
pub(super) fn within(from: Timestamp, to: Timestamp, timespan: u32) -> bool {
    earlier(to, i64::from(timespan)) <= from
}

/// Whether an event counts together with a later one
pub(super) fn judged_together(one: &Correlation, from: Timestamp, to: Timestamp) -> bool {
    match one.window {
        Window::Last => within(from, to, one.timespan),
        Window::Lookback => true,
        Window::Each => number_of(from, one.timespan) == number_of(to, one.timespan),
    }
}

/// Whether a window of rarity ends between two events
pub(super) fn ends_between(one: &Correlation, from: Timestamp, to: Timestamp) -> bool {
    one.window == Window::Each && !judged_together(one, from, to)
}

/// Seconds from the first day of the year 1, from which Kusto's `bin` counts, to 1970
const BEFORE_1970: i64 = 719_162 * 24 * 60 * 60;

/// The number of the window in which a time is
fn number_of(time: Timestamp, timespan: u32) -> i64 {
    let seconds = time.as_nanosecond().div_euclid(1_000_000_000);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    seconds.saturating_add(BEFORE_1970).div_euclid(i64::from(timespan.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_mondays_and_days_at_midnight() {
        let number = |text: &str, days: u32| number_of(text.parse().unwrap(), days * 86_400);
        // 2026-11-30 is a Monday.
        assert_ne!(number("2026-11-29T23:59:59.9Z", 7), number("2026-11-30T00:00:00Z", 7));
        assert_eq!(number("2026-11-30T00:00:00Z", 7), number("2026-12-06T23:59:59Z", 7));
        assert_ne!(number("2026-11-30T23:59:59Z", 1), number("2026-12-01T00:00:00Z", 1));
        assert_eq!(number("1969-12-31T00:00:00Z", 1) + 1, number("1970-01-01T00:00:00Z", 1));
    }
}
