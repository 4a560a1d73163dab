//! Lowers the condition of a correlation.
//!
//! In: its type and condition in Sigma's words. Out: a [`CorrelationTest`]. Refused here: a count
//! that events can never reach, and a count of values without a field.

use super::lower::Lowering;
use super::{Bound, CorrelationTest, Fields, Measure, Origin};
use crate::definition::{self, Comparison, CorrelationType, Window};
use crate::diagnostic::Code;
use crate::source::Span;

impl Lowering<'_> {
    /// Reports a condition without a usable meaning (E0410); returns `None`
    fn wrong<T>(
        &mut self,
        written: &definition::Correlation,
        span: Span,
        message: &str,
        label: &str,
    ) -> Option<T> {
        let message = format!("correlation `{}` {message}", written.name.value);
        self.error(Code::E0410, span, message, label);
        None
    }

    pub(super) fn test(
        &mut self,
        written: &definition::Correlation,
        origins: &[Origin],
    ) -> Option<CorrelationTest> {
        use CorrelationType::{
            EventCount, Temporal, TemporalOrdered, ValueAvg, ValueCount, ValueMedian,
            ValuePercentile, ValueSum,
        };
        let kind = written.kind.value;
        if let Temporal | TemporalOrdered = kind {
            return self.temporal(written, origins);
        }
        let Some(count) = &written.condition else {
            return self.wrong(written, written.name.span, "has no `condition`", "how many?");
        };
        if let (Some(percentile), false) = (&count.percentile, kind == ValuePercentile) {
            let label = "for `value_percentile`";
            return self.wrong(written, percentile.span, "takes no percentile", label);
        }
        let measure = match kind {
            EventCount | ValueCount | Temporal | TemporalOrdered => None,
            ValueSum => Some(Measure::Sum),
            ValueAvg => Some(Measure::Average),
            ValueMedian => Some(Measure::Percentile(50)),
            ValuePercentile => match &count.percentile {
                Some(percentile) => Some(Measure::Percentile(percentile.value)),
                None => {
                    let message = "does not say which percentile";
                    return self.wrong(written, count.span, message, "add `percentile:`");
                }
            },
        };
        if let Some(measure) = measure {
            return self.numbers(written, origins, count, measure);
        }
        let bound = self.bound(written, count)?;
        match (kind, count.fields.first()) {
            (ValueCount, Some(_)) => {
                self.repeated(&count.fields, "field");
                let fields: Vec<Option<Fields>> =
                    count.fields.iter().map(|one| self.fields(written, origins, one)).collect();
                let fields: Option<Vec<Fields>> = fields.into_iter().collect();
                Some(CorrelationTest::Values(fields?, bound))
            }
            (ValueCount, None) => {
                let message = "does not say whose values it counts";
                self.wrong(written, count.span, message, "add `field:`")
            }
            (_, Some(field)) => {
                let label = "for `value_count`";
                self.wrong(written, field.span, "counts events, not values", label)
            }
            (_, None) => Some(CorrelationTest::Events(bound)),
        }
    }

    /// The test of `temporal` and `temporal_ordered`: all signals, or as many as the count requires
    fn temporal(
        &mut self,
        written: &definition::Correlation,
        origins: &[Origin],
    ) -> Option<CorrelationTest> {
        let ordered = written.kind.value == CorrelationType::TemporalOrdered;
        if origins.len() < 2 {
            let label = "two signals or more are needed";
            let message = "has nothing to hold together";
            return self.wrong(written, written.name.span, message, label);
        }
        let every = if ordered { CorrelationTest::InOrder } else { CorrelationTest::Together };
        let Some(count) = &written.condition else { return Some(every) };
        if let Some(field) = count.fields.first() {
            let label = "for `value_count`";
            return self.wrong(written, field.span, "counts signals, not values", label);
        }
        let bound = self.bound(written, count)?;
        let all = origins.len() as u64;
        if bound.from > all {
            let label = format!("it names {all}");
            return self.wrong(written, count.span, "asks for more signals than it has", &label);
        }
        if bound.from == all {
            return Some(every);
        }
        if ordered {
            let label = "leave the count out: every one is needed for an order";
            return self.wrong(written, count.span, "orders some of its signals", label);
        }
        Some(CorrelationTest::Origins(bound))
    }

    fn numbers(
        &mut self,
        written: &definition::Correlation,
        origins: &[Origin],
        count: &definition::Count,
        measure: Measure,
    ) -> Option<CorrelationTest> {
        let field = match &*count.fields {
            [only] => only,
            [] => {
                let message = "does not say whose numbers it takes";
                return self.wrong(written, count.span, message, "add `field:`");
            }
            [_, second, ..] => {
                let message = "takes the numbers of one field";
                return self.wrong(written, second.span, message, "one too many");
            }
        };
        if count.bounds.is_empty() {
            let label = "add `gte:` or the like";
            return self.wrong(written, count.span, "compares with no number", label);
        }
        let fields = self.fields(written, origins, field)?;
        let limits = count.bounds.iter().map(|(one, number)| (one.value, *number));
        Some(CorrelationTest::Numbers(measure, fields, limits.collect()))
    }

    /// The window of a test, which only an upper bound has
    pub(super) fn window(
        &mut self,
        written: &definition::Correlation,
        test: Option<&CorrelationTest>,
    ) -> Option<Window> {
        let window = written.condition.as_ref().and_then(|count| count.window.as_ref());
        match window {
            Some(window) if !test?.is_rare() => {
                let label = "for `lte`, `lt` and `eq`; any other bound holds in each timespan";
                self.wrong(written, window.span, "has a window and no upper bound", label)
            }
            window => Some(window.map(|window| window.value).unwrap_or_default()),
        }
    }

    fn bound(
        &mut self,
        written: &definition::Correlation,
        count: &definition::Count,
    ) -> Option<Bound> {
        let mut bound = Bound { from: 1, to: None };
        for (comparison, number) in &count.bounds {
            let (from, to) = match comparison.value {
                Comparison::Gt => (number.saturating_add(1), None),
                Comparison::Gte => (*number, None),
                Comparison::Lt => (0, Some(number.saturating_sub(1))),
                Comparison::Lte => (0, Some(*number)),
                Comparison::Eq => (*number, Some(*number)),
                Comparison::Neq => {
                    let label = "for sums and the like; a count has two sides";
                    return self.wrong(written, comparison.span, "takes no `neq`", label);
                }
            };
            bound.from = bound.from.max(from);
            bound.to = [bound.to, to].into_iter().flatten().min();
        }
        if count.bounds.is_empty() || bound.to.is_some_and(|to| to < bound.from) {
            let label = "add `gte:` or the like, of a number that events can reach";
            return self.wrong(written, count.span, "can never be true", label);
        }
        if bound.from > 100_000 {
            return self.wrong(written, count.span, "counts too far", "at most 100,000");
        }
        Some(bound)
    }
}
