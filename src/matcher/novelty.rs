//! Novelty: remembers which combinations of values have been seen.
//!
//! In: matches in the order of the stream, with their times. Out: whether a match's combination
//! is new. An event that lacks one of the fields makes no combination; a field with several values makes a
//! combination for each value.
//!
//! A combination is kept as a [`Term`] of 16 bytes, and no more than [`MOST_TERMS`] of them a rule. When there
//! are more, those that have left the window go first, then the oldest.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};

/// The most combinations that are remembered for a rule: with their times about 55 MB
pub const MOST_TERMS: usize = 1_800_000;

/// A combination of values, told from others by its digest; compares exactly as the values do
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term(pub [u8; 16]);

impl Term {
    /// The term of these values
    ///
    /// Half of a SHA-256: nobody can make a value that is taken for another one.
    pub fn of(values: &[String]) -> Term {
        let mut digest = Sha256::new();
        for value in values {
            digest.update((value.len() as u64).to_le_bytes());
            digest.update(value.as_bytes());
        }
        let mut half = [0; 16];
        half.copy_from_slice(&digest.finalize()[..16]);
        Term(half)
    }
}

/// A term, and the second when it was last seen; [`UNTIMED`] for one without a time
pub type SeenTerm = (Term, i64);

/// The second of a term that was seen without a time: it stays
pub const UNTIMED: i64 = i64::MIN;

/// The combinations one rule has seen
#[derive(Debug, Default)]
pub struct NewTerms {
    seen: HashMap<Term, i64>,
    /// Terms within the window that were forgotten to make room
    forgotten: usize,
}

impl NewTerms {
    /// Records a combination; true when it was not seen within `window` minutes before
    ///
    /// A late event does not make its combination new again. A time after `now` comes from a broken clock.
    pub fn observe(
        &mut self,
        key: &[String],
        time: Option<Timestamp>,
        (window, now): (u32, Option<Timestamp>),
    ) -> bool {
        let second = time.map_or(UNTIMED, Timestamp::as_second);
        let term = Term::of(key);
        let Some(last) = self.seen.get_mut(&term) else {
            if self.seen.len() >= MOST_TERMS {
                self.make_room(window, now);
            }
            self.seen.insert(term, second);
            return true;
        };
        let is_timed = *last != UNTIMED && second != UNTIMED;
        let expired = is_timed && second - *last > seconds(window);
        *last = (*last).max(second);
        expired
    }

    /// Adds the combinations of another memory; of two times for a combination, the later one stays
    pub fn join(&mut self, other: NewTerms) {
        self.forgotten += other.forgotten;
        other.seen.into_iter().for_each(|(term, second)| {
            let last = self.seen.entry(term).or_insert(second);
            *last = (*last).max(second);
        });
    }

    /// A memory of combinations seen before
    pub fn of(seen: impl IntoIterator<Item = SeenTerm>) -> Self {
        NewTerms { seen: seen.into_iter().collect(), forgotten: 0 }
    }

    /// The number of terms within the window that were forgotten to make room: they may be reported as new again
    pub fn forgotten(&self) -> usize {
        self.forgotten
    }

    /// The combinations last seen within `window` minutes before the newest combination, sorted
    ///
    /// Older combinations would count as new again anyway; combinations without a time stay. A time
    /// after `now` comes from a broken clock, so it does not count as the newest.
    pub fn within(&self, window: u32, now: Option<Timestamp>) -> Vec<SeenTerm> {
        let oldest = self.oldest(window, now);
        let kept = self.seen.iter().filter(|(_, last)| is_young(**last, oldest));
        let mut kept: Vec<SeenTerm> = kept.map(|(term, last)| (*term, *last)).collect();
        kept.sort_unstable();
        kept
    }

    /// The first second of the window that ends with the newest combination
    fn oldest(&self, window: u32, now: Option<Timestamp>) -> i64 {
        let now = now.map_or(i64::MAX, Timestamp::as_second);
        let newest = self.seen.values().filter(|last| **last <= now).max();
        newest.map_or(UNTIMED, |newest| newest.saturating_sub(seconds(window)))
    }

    /// Drops what has left the window; where that is not enough, the older half
    fn make_room(&mut self, window: u32, now: Option<Timestamp>) {
        let oldest = self.oldest(window, now);
        self.seen.retain(|_, last| is_young(*last, oldest));
        if self.seen.len() <= MOST_TERMS / 2 {
            return;
        }
        let mut times: Vec<i64> = self.seen.values().copied().collect();
        let middle = times.len() / 2;
        let middle = *times.select_nth_unstable(middle).1;
        let before = self.seen.len();
        // Many terms may have been seen in one second.
        let mut surplus = before - MOST_TERMS / 2;
        self.seen.retain(|_, last| {
            let goes = surplus > 0 && *last <= middle;
            surplus -= usize::from(goes);
            !goes
        });
        self.forgotten += before - self.seen.len();
    }
}

fn seconds(minutes: u32) -> i64 {
    i64::from(minutes) * 60
}

fn is_young(last: i64, oldest: i64) -> bool {
    last == UNTIMED || last >= oldest
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
        let mut at = |text| terms.observe(&["a".into()], timestamp(text), (60, None));
        assert!(at("2026-01-01T00:00:00Z"));
        assert!(!at("2026-01-01 00:30:00.5"));
        assert!(!at("2025-12-31T23:00:00Z"), "late events are not new");
        assert!(at("2026-01-01T02:00:00Z"));
    }

    #[test]
    fn values_are_told_apart_and_from_values_that_are_cut_otherwise() {
        let of =
            |values: &[&str]| Term::of(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
        let all = [
            of(&["a", "b"]),
            of(&["ab"]),
            of(&["ab", ""]),
            of(&["", "ab"]),
            of(&["A", "b"]),
            of(&[]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one));
        }
        assert_eq!(of(&["a", "b"]), all[0]);
    }

    #[test]
    fn what_has_left_the_window_goes_first_and_then_the_oldest() {
        let second = |second: i64| Timestamp::from_second(second).ok();
        let fill = |step: i64| {
            let mut terms = NewTerms::default();
            for at in 0..MOST_TERMS as i64 + 1 {
                assert!(terms.observe(&[at.to_string()], second(at * step), (60, None)));
            }
            terms
        };
        // A window of an hour holds 60 of these.
        let terms = fill(60);
        assert_eq!((terms.seen.len(), terms.forgotten()), (62, 0));
        // It holds all of these.
        let mut terms = fill(0);
        assert_eq!(terms.seen.len(), MOST_TERMS / 2 + 1);
        assert_eq!(terms.forgotten(), MOST_TERMS / 2);
        terms.observe(&["late".to_owned()], second(-10_000), (60, None));
        assert!(!terms.observe(&["late".to_owned()], None, (60, None)));
    }

    #[test]
    fn a_missing_field_makes_no_combination() {
        let of = |counts: &[usize]| {
            let values = |count: &usize| (0..*count).map(|value| value.to_string()).collect();
            let combined = combinations(&counts.iter().map(values).collect::<Vec<_>>());
            (combined.keys.len(), combined.more)
        };
        assert_eq!(of(&[1, 0]), (0, false));
        assert_eq!(of(&[1, 2]), (2, false));
        assert_eq!(of(&[10, 100]), (MOST_COMBINATIONS, false));
        assert_eq!(of(&[1, 11, 100]), (MOST_COMBINATIONS, true));
    }
}
