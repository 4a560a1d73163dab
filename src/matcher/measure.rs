//! Sums, means and percentiles over the events of a timespan.
//!
//! In: the numbers of events as they enter and leave. Out: whether what they come to is what a
//! correlation asks for. What each measure means is written at [`Measure`].

use crate::definition::Comparison;
use crate::ir::Measure;

/// What the events of a timespan come to, as they enter and leave it
pub(super) trait Tally {
    /// What an event brings
    type Thing;
    fn enter(&mut self, thing: Self::Thing);
    fn leave(&mut self, thing: Self::Thing);
    /// Whether it is what the correlation asks for
    fn fits(&self) -> bool;
}

/// The numbers of a timespan, sorted
pub(super) struct Numbers<'l> {
    measure: Measure,
    limits: &'l [(Comparison, u64)],
    /// For percentiles only
    sorted: Vec<f64>,
    count: usize,
    sum: f64,
    /// What rounding has left out of the sum
    rest: f64,
}

/// The number that a value of an event is
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

    /// Adds to the sum; Neumaier's way keeps what a plain sum would lose
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

    /// What they come to; `None` when there is no number
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
