//! Numbers that events are compared with.
//!
//! In: whole numbers, and numbers with a fraction as rules write them. Out: a [`Numbers`], a range.
//! Each range says which whole numbers are in it, so that a target whose fields hold whole numbers
//! needs no fraction; one limit between two whole numbers is kept beside them, exactly.

use std::fmt;

use crate::definition::Comparison;

/// A range of numbers, both ends included
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numbers {
    /// The smallest whole number
    pub from: i64,
    /// The largest whole number; below `from` when there is none
    pub to: i64,
    /// Whether the fractions between the bounded end and the next whole number outside are in the
    /// range: `> 3` starts at 4, and 3.5 is in it. Only a range without a smallest or without a
    /// largest number can be open
    pub open: bool,
    /// The comparison that the range stands for, when its number lies between two whole numbers
    pub fraction: Option<(Comparison, Decimal)>,
}

/// A number with a fraction, as written: 1.5 is 15 with one decimal place
///
/// It has up to 15 digits, so no two of them are the same `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal {
    digits: i64,
    places: u32,
}

impl Numbers {
    /// Just this number
    pub fn one(number: i64) -> Numbers {
        Numbers { from: number, to: number, open: false, fraction: None }
    }

    /// The numbers from one to another
    pub fn between(from: i64, to: i64) -> Numbers {
        Numbers { from, to, open: false, fraction: None }
    }

    /// The numbers that compare so with a whole number
    pub(super) fn compared(comparison: Comparison, number: i64) -> Numbers {
        let (from, to, open) = match comparison {
            Comparison::Gt => (number.saturating_add(1), i64::MAX, true),
            Comparison::Gte => (number, i64::MAX, false),
            Comparison::Lt => (i64::MIN, number.saturating_sub(1), true),
            Comparison::Lte => (i64::MIN, number, false),
            Comparison::Eq | Comparison::Neq => (number, number, false),
        };
        Numbers { from, to, open, fraction: None }
    }

    /// The numbers that compare so with a number that lies between two whole ones
    pub(super) fn compared_with(comparison: Comparison, limit: Decimal) -> Numbers {
        let below = limit.floor();
        let (from, to) = match comparison {
            Comparison::Gt | Comparison::Gte => (below + 1, i64::MAX),
            Comparison::Lt | Comparison::Lte => (i64::MIN, below),
            Comparison::Eq | Comparison::Neq => (below + 1, below),
        };
        Numbers { from, to, open: false, fraction: Some((comparison, limit)) }
    }

    /// The smallest and the largest number where there is one; a range of all numbers has a largest
    pub fn ends(&self) -> (Option<i64>, Option<i64>) {
        let from = (self.from != i64::MIN).then_some(self.from);
        let to = (self.to != i64::MAX || self.from == i64::MIN).then_some(self.to);
        (from, to)
    }

    /// Whether it is one whole number
    pub fn is_one(&self) -> bool {
        self.from == self.to
    }

    /// Whether a whole number is in the range
    pub fn has_whole(&self) -> bool {
        self.from <= self.to
    }

    /// Whether a number is in the range
    pub fn holds(self, number: f64) -> bool {
        if let Some((comparison, limit)) = self.fraction {
            return limit.compares(comparison, number);
        }
        // The caller has compared whole numbers as integers: `f64` is exact only up to 2^53.
        let (from, to) = (self.from as f64, self.to as f64);
        let low = self.from == i64::MIN || number >= from || (self.open && number > from - 1.0);
        let high = self.to == i64::MAX || number <= to || (self.open && number < to + 1.0);
        low && high
    }
}

impl Decimal {
    /// The most digits
    const DIGITS: usize = 15;

    /// The number that a text such as `-1.5` is; `None` for any other text, one with more digits
    /// too, and for a whole number
    pub fn read(text: &str) -> Option<Decimal> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.')?;
        let fraction = fraction.trim_end_matches('0');
        let all = || whole.bytes().chain(fraction.bytes());
        let is_number =
            !whole.is_empty() && !fraction.is_empty() && all().all(|b| b.is_ascii_digit());
        if !is_number || all().count() > Self::DIGITS {
            return None;
        }
        let digits: i64 = [whole, fraction].concat().parse().ok()?;
        let sign = if text.starts_with('-') { -1 } else { 1 };
        Some(Decimal { digits: sign * digits, places: u32::try_from(fraction.len()).ok()? })
    }

    /// The greatest whole number below it
    fn floor(self) -> i64 {
        self.digits.div_euclid(10_i64.pow(self.places))
    }

    /// Whether a number compares so with this one
    fn compares(self, comparison: Comparison, number: f64) -> bool {
        // Both are exact in `f64`, so the quotient is the `f64` that the text itself reads as.
        let limit = self.digits as f64 / 10_i64.pow(self.places) as f64;
        match comparison {
            Comparison::Gt => number > limit,
            Comparison::Gte => number >= limit,
            Comparison::Lt => number < limit,
            Comparison::Lte => number <= limit,
            Comparison::Eq => number.total_cmp(&limit).is_eq(),
            Comparison::Neq => number.total_cmp(&limit).is_ne(),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.places as usize;
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_what_was_written() {
        for text in ["1.5", "-1.5", "0.05", "-0.05", "99999999999999.5", "12.345"] {
            let decimal = Decimal::read(text).unwrap();
            assert_eq!(decimal.to_string(), text);
            assert!(decimal.compares(Comparison::Eq, text.parse().unwrap()), "{text}");
        }
        assert_eq!(Decimal::read("01.50"), Decimal::read("1.5"));
        for text in ["1", "1.0", "1.", ".5", "1e3", "1.5.2", "+1.5", "inf", "0.1234567890123456"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_fraction_lies_between_two_whole_numbers() {
        let ends = |comparison, text| {
            let numbers = Numbers::compared_with(comparison, Decimal::read(text).unwrap());
            (numbers.from, numbers.to)
        };
        assert_eq!(ends(Comparison::Gt, "1.5"), (2, i64::MAX));
        assert_eq!(ends(Comparison::Gte, "-1.5"), (-1, i64::MAX));
        assert_eq!(ends(Comparison::Lt, "1.5"), (i64::MIN, 1));
        assert_eq!(ends(Comparison::Lte, "-1.5"), (i64::MIN, -2));
        let equal = Numbers::compared_with(Comparison::Eq, Decimal::read("1.5").unwrap());
        assert!(!equal.has_whole() && equal.holds(1.5) && !equal.holds(1.25));
    }
}
