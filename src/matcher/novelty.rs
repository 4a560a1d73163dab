//! Novelty: remembers which combinations of values have been seen.
//!
//! In: matches in the order of the stream, with their times. Out: whether a match's combination
//! is new. Keys compare exactly as stored. An event that lacks one of the fields makes no
//! combination; a field with several values makes a combination for each value.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A combination of values, and the time when it was last seen
pub type SeenTerms = (Vec<String>, Option<Timestamp>);

/// The combinations one rule has seen
#[derive(Debug, Default)]
pub struct NewTerms {
    seen: HashMap<Vec<String>, Option<Timestamp>>,
}

impl NewTerms {
    /// Records a combination; true when it was not seen within `window` minutes before
    ///
    /// A late event does not make its combination new again.
    pub fn observe(&mut self, key: Vec<String>, time: Option<Timestamp>, window: u32) -> bool {
        let Some(last) = self.seen.get_mut(&key) else {
            self.seen.insert(key, time);
            return true;
        };
        let expired = match (*last, time) {
            (Some(last), Some(now)) => now.as_second() - last.as_second() > i64::from(window) * 60,
            _ => false,
        };
        *last = (*last).max(time);
        expired
    }

    /// Adds the combinations of another memory; of two times for a combination, the later one stays
    pub fn join(&mut self, other: NewTerms) {
        other.seen.into_iter().for_each(|(key, time)| {
            let last = self.seen.entry(key).or_insert(time);
            *last = (*last).max(time);
        });
    }

    /// A memory of combinations seen before
    pub fn of(seen: Vec<SeenTerms>) -> Self {
        NewTerms { seen: seen.into_iter().collect() }
    }

    /// The combinations last seen within `window` minutes before the newest combination, sorted
    ///
    /// Older combinations would count as new again anyway; combinations without a time stay. A time
    /// after `now` comes from a broken clock, so it does not count as the newest.
    pub fn within(&self, window: u32, now: Option<Timestamp>) -> Vec<SeenTerms> {
        let past = |last: &&Timestamp| now.is_none_or(|now| **last <= now);
        let newest = self.seen.values().flatten().filter(past).max().copied();
        let age = |last: Timestamp| newest.map_or(0, |now| now.as_second() - last.as_second());
        let young =
            |last: &Option<Timestamp>| last.is_none_or(|last| age(last) <= i64::from(window) * 60);
        let mut kept: Vec<SeenTerms> = self
            .seen
            .iter()
            .filter(|(_, last)| young(last))
            .map(|(key, last)| (key.clone(), *last))
            .collect();
        kept.sort();
        kept
    }
}

/// The most combinations of values that are judged per event
///
/// An event with more is reported as new, and by itself in a correlation. Without a limit, the
/// product of long lists of values in several fields would fill the memory.
pub const MOST_COMBINATIONS: usize = 1_000;

/// The combinations of an event's values
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Combinations {
    /// Combinations of one value per field; at most [`MOST_COMBINATIONS`]
    pub keys: Vec<Vec<String>>,
    /// Whether `keys` was cut at the limit
    pub more: bool,
}

/// The combinations of one value per field, up to [`MOST_COMBINATIONS`]
pub fn combinations(fields: &[Vec<String>]) -> Combinations {
    let all = fields.iter().map(Vec::len).fold(1, usize::saturating_mul);
    let mut keys = vec![Vec::new()];
    for values in fields {
        let longer = keys.iter().flat_map(|key: &Vec<String>| {
            values.iter().map(move |value| key.iter().chain([value]).cloned().collect())
        });
        keys = longer.take(MOST_COMBINATIONS).collect();
    }
    Combinations { keys, more: all > MOST_COMBINATIONS }
}

/// Reads the time of an event: RFC 3339, or Sysmon's `2020-06-10 02:51:04.728` in UTC
pub fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_new_again_after_the_window() {
        let mut terms = NewTerms::default();
        let mut at = |text| terms.observe(vec!["a".into()], timestamp(text), 60);
        assert!(at("2026-01-01T00:00:00Z"));
        assert!(!at("2026-01-01 00:30:00.5"));
        assert!(!at("2025-12-31T23:00:00Z"), "late events are not new");
        assert!(at("2026-01-01T02:00:00Z"));
    }

    #[test]
    fn a_missing_field_makes_no_combination() {
        let of = |counts: &[usize]| {
            let values = |count: &usize| (0..*count).map(|value| value.to_string()).collect();
            let found = combinations(&counts.iter().map(values).collect::<Vec<_>>());
            (found.keys.len(), found.more)
        };
        assert_eq!(of(&[1, 0]), (0, false));
        assert_eq!(of(&[1, 2]), (2, false));
        assert_eq!(of(&[10, 100]), (MOST_COMBINATIONS, false));
        assert_eq!(of(&[1, 11, 100]), (MOST_COMBINATIONS, true));
    }
}
