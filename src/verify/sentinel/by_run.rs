//! Correlations, run by run.
//!
//! In: the matches of a trial, and what each run of the query returned. Out: for each run the groups that the
//! engine finds in what the run knows, and those that the run told, each with the first completion that is new to
//! the run, and the last. What is still to come may take a group out again, and a later run reports nothing once
//! more: so each run is judged by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::asked::{Asked, minutes};
use super::played::{Complete, First, Played, completions, first, group_of, groups};
use super::together::Together;
use crate::ir::{Bound, Correlation, CorrelationTest};
use crate::manifest::Kept;
use crate::matcher::Finding;
use crate::query::kusto::execute::{Data, instant};
use crate::verify::finding::Difference;

/// What the engine finds in what each run knows, what the runs told, and a column that shows something else
pub(super) struct ByRuns {
    pub(super) wanted: Complete,
    pub(super) told: Complete,
    pub(super) wrong: Option<Difference>,
}

/// Compares what runs told of a correlation with what the engine finds
///
/// # Errors
/// What the rows of a run lack.
pub(super) fn by_runs(
    asked: &Asked<'_>,
    (at, one): (usize, &Correlation),
    keys: &[String],
    (played, answers): (&Played, &[(Timestamp, Data)]),
) -> Result<ByRuns, String> {
    let schedule = asked.manifest.schedule.as_ref().ok_or("it has no schedule")?;
    let Kept::Happened { since, until } = schedule.keeps else {
        return Err("its runs do not wait for late events".to_owned());
    };
    let known = || {
        let of_run = |(now, _): &(Timestamp, Data)| {
            let known = *now - minutes(schedule.period)..*now - minutes(until);
            completions(asked, &played.matches, |event| known.contains(&played.shown[event]))
        };
        answers.iter().map(of_run).collect()
    };
    let completions: &Vec<Vec<Finding>> = played.completions.get_or_init(known);
    let counts = Counts::of(&one.test);
    let together = Together { asked, one, keys, played };
    let (mut wanted, mut told, mut wrong) = (Complete::new(), Complete::new(), None);
    for ((now, answer), found) in answers.iter().zip(completions) {
        let of_run = |group: String| format!("{group}\x1fin the run of {now}");
        let new = *now - minutes(since)..*now - minutes(until);
        let own = found.iter().filter(|finding| finding.together.correlation == at);
        let own = own.filter(|finding| new.contains(&played.shown[finding.together.event.1]));
        let own: Vec<&Finding> = own.collect();
        wrong = wrong.or_else(|| together.wrong(answer, &own));
        let mut all: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for finding in own {
            let (time, level) = (instant(finding.together.time), one.level.to_string());
            let group = of_run(group_of(one, finding));
            let (more, last) = all.entry(group.clone()).or_insert((0, time));
            (*more, *last) = (*more + 1, time.max(*last));
            let number = finding.together.number.filter(|_| counts == Counts::Values);
            let number = number.and_then(|number| i64::try_from(number).ok());
            first(&mut wanted, group, First { time, level, number, last: None });
        }
        for (group, (more, last)) in all {
            let number = counts.of_events(more);
            wanted.entry(group).and_modify(|first| {
                first.number = number.or(first.number);
                first.last = one.test.counts().then_some(last);
            });
        }
        let last = one.test.counts().then_some("EndTime");
        let of_answer = groups(asked, answer, (one, keys), (counts.column(), last))?;
        told.extend(of_answer.into_iter().map(|(group, complete)| (of_run(group), complete)));
    }
    Ok(ByRuns { wanted, told, wrong })
}

/// What the row of a group counts
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// The events that complete the group, and as many before the first of them as the group needs
    Events { least: i64 },
    /// The values of the timespan that is first complete
    Values,
    /// Nothing, or what is not compared
    Nothing,
}

impl Counts {
    fn of(test: &CorrelationTest) -> Counts {
        match test {
            CorrelationTest::Events(Bound { from, to: None }) => match i64::try_from(*from) {
                Ok(least) if least > 1 => Counts::Events { least },
                // Where one event is enough nothing is counted.
                Ok(_) | Err(_) => Counts::Nothing,
            },
            CorrelationTest::Values(..) => Counts::Values,
            CorrelationTest::Together
            | CorrelationTest::InOrder
            | CorrelationTest::Events(_)
            | CorrelationTest::Origins(_)
            | CorrelationTest::Numbers(..) => Counts::Nothing,
        }
    }

    /// The number of events of a group that so many events complete
    fn of_events(self, completing: i64) -> Option<i64> {
        match self {
            Counts::Events { least } => Some(least - 1 + completing),
            Counts::Values | Counts::Nothing => None,
        }
    }

    fn column(self) -> Option<&'static str> {
        match self {
            Counts::Events { .. } => Some("EventCount"),
            Counts::Values => Some("ValueCount"),
            Counts::Nothing => None,
        }
    }
}
