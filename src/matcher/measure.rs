//! Sums, means and percentiles over the events of a timespan.
//!
//! In: the numbers of events as they enter and leave the timespan. Out: whether the measure is
//! within the limits of the correlation. [`Measure`] defines each measure.

use crate::definition::Comparison;
use crate::ir::Measure;

/// A running measure over the events of a timespan
pub(super) trait Tally {
    /// The contribution of one event: a number, or a text to count
    type Thing;
    fn enter(&mut self, thing: Self::Thing);
    fn leave(&mut self, thing: Self::Thing);
    /// Whether the measure is within the limits of the correlation
    fn fits(&self) -> bool;
    /// The number of different things, where they are counted
    fn number(&self) -> Option<u64> {
        None
    }
}

/// The running sum, mean or percentile of the numbers of a timespan
pub(super) struct Numbers<'l> {
    measure: Measure,
    limits: &'l [(Comparison, u64)],
    /// All numbers in order; filled for percentiles only
    sorted: Vec<f64>,
    count: usize,
    sum: f64,
    /// The rounding error of `sum`
    rest: f64,
}

/// Reads a value of an event as a finite number
pub(super) fn number(value: &str) -> Option<f64> {
    value.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

impl<'l> Numbers<'l> {
    pub(super) fn new(measure: Measure, limits: &'l [(Comparison, u64)]) -> Numbers<'l> {
        Numbers { measure, limits, sorted: Vec::new(), count: 0, sum: 0.0, rest: 0.0 }
    }

    fn is_percentile(&self) -> bool {
        matches!(self.measure, Measure::Percentile(_))
    }

    /// Adds to the sum by Neumaier's method, which keeps the rounding error of a plain sum
    fn add(&mut self, number: f64) {
        let sum = self.sum + number;
        self.rest += match self.sum.abs() >= number.abs() {
            true => (self.sum - sum) + number,
            false => (number - sum) + self.sum,
        };
        self.sum = sum;
    }

    fn place(&self, number: f64) -> usize {
        self.sorted.partition_point(|known| *known < number)
    }

    /// The value of the measure; `None` when there is no number
    fn measured(&self) -> Option<f64> {
        let count = self.count;
        let sum = self.sum + self.rest;
        Some(match self.measure {
            _ if count == 0 => return None,
            Measure::Sum => sum,
            Measure::Average => sum / count as f64,
            Measure::Percentile(percent) => {
                let rank = (percent as f64 / 100.0 * count as f64).ceil() as usize;
                *self.sorted.get(rank.max(1) - 1)?
            }
        })
    }
}

impl Tally for Numbers<'_> {
    type Thing = f64;

    fn enter(&mut self, number: f64) {
        self.count += 1;
        self.add(number);
        if self.is_percentile() {
            self.sorted.insert(self.place(number), number);
        }
    }

    fn leave(&mut self, number: f64) {
        self.count = self.count.saturating_sub(1);
        self.add(-number);
        if self.count == 0 {
            (self.sum, self.rest) = (0.0, 0.0);
        }
        let at = self.place(number);
        if self.is_percentile() && at < self.sorted.len() {
            self.sorted.remove(at);
        }
    }

    fn fits(&self) -> bool {
        let Some(measured) = self.measured() else { return false };
        self.limits.iter().all(|(comparison, limit)| {
            let limit = *limit as f64;
            match comparison {
                Comparison::Gt => measured > limit,
                Comparison::Gte => measured >= limit,
                Comparison::Lt => measured < limit,
                Comparison::Lte => measured <= limit,
                Comparison::Eq => measured == limit,
                Comparison::Neq => measured != limit,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(measure: Measure, numbers: &[f64]) -> Option<f64> {
        let mut tally = Numbers::new(measure, &[]);
        numbers.iter().for_each(|number| tally.enter(*number));
        tally.enter(1000.0);
        tally.leave(1000.0);
        tally.measured()
    }

    #[test]
    fn measures_of_a_few_numbers() {
        let numbers = [3.0, 1.0, 2.0, 4.0];
        assert_eq!(measured(Measure::Sum, &numbers), Some(10.0));
        assert_eq!(measured(Measure::Average, &numbers), Some(2.5));
        assert_eq!(measured(Measure::Percentile(50), &numbers), Some(2.0));
        assert_eq!(measured(Measure::Percentile(95), &numbers), Some(4.0));
        assert_eq!(measured(Measure::Percentile(0), &numbers), Some(1.0));
        assert_eq!(measured(Measure::Sum, &[]), None);
        assert_eq!(number(" 1.5 "), Some(1.5));
        assert_eq!(number("NaN"), None);
    }
}
