//! Correlations, run by run.
//!
//! In: the matches of a trial, and what each run of the query returned. Out: for each run the groups that the
//! engine finds in what the run knows, and those that the run told, each with the first completion that is new to
//! the run. What is still to come may take a group out again, and a later run reports nothing once more: so each run
//! is judged by itself.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::asked::Asked;
use super::played::{Complete, First, Played, first, group_of, groups};
use crate::ir::{Bound, Correlation, CorrelationTest};
use crate::manifest::Kept;
use crate::matcher::{Finding, Memory};
use crate::query::kusto::execute::{Data, instant};

/// What the engine finds in what each run knows, and what the runs told
///
/// # Errors
/// What the rows of a run lack.
pub(super) fn by_runs(
    asked: &Asked<'_>,
    (at, one): (usize, &Correlation),
    keys: &[String],
    (played, answers): (&Played, &[(Timestamp, Data)]),
) -> Result<(Complete, Complete), String> {
    let schedule = asked.manifest.schedule.as_ref().ok_or("it has no schedule")?;
    let Kept::Happened { since, until } = schedule.keeps else {
        return Err("its runs do not wait for late events".to_owned());
    };
    let known = || {
        let known = |now: Timestamp| before(now, schedule.period)..before(now, until);
        answers.iter().map(|(now, _)| completions(asked, played, &known(*now))).collect()
    };
    let completions: &Vec<Vec<Finding>> = played.completions.get_or_init(known);
    let counts = Counts::of(&one.test);
    let (mut wanted, mut told) = (Complete::new(), Complete::new());
    for ((now, answer), found) in answers.iter().zip(completions) {
        let of_run = |group: String| format!("{group}\x1fin the run of {now}");
        let new = before(*now, since)..before(*now, until);
        let is_new = |(_, event): &(usize, usize)| new.contains(&played.shown[*event]);
        let own = found.iter().filter(|finding| finding.together.correlation == at);
        let own = own.filter(|finding| finding.together.places.iter().any(is_new));
        let mut more: BTreeMap<String, i64> = BTreeMap::new();
        for finding in own {
            let (time, level) = (instant(finding.together.time), one.level.to_string());
            let group = of_run(group_of(finding));
            *more.entry(group.clone()).or_default() += 1;
            let number = finding.together.number.filter(|_| counts == Counts::Values);
            let number = number.and_then(|number| i64::try_from(number).ok());
            first(&mut wanted, group, First { time, level, number });
        }
        if let Counts::Events { least } = counts {
            for (group, more) in more {
                let number = Some(least - 1 + more);
                wanted.entry(group).and_modify(|first| first.number = number);
            }
        }
        let of_answer = groups(asked, answer, (&one.name, keys), counts.column())?;
        told.extend(of_answer.into_iter().map(|(group, complete)| (of_run(group), complete)));
    }
    Ok((wanted, told))
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

    fn column(self) -> Option<&'static str> {
        match self {
            Counts::Events { .. } => Some("EventCount"),
            Counts::Values => Some("ValueCount"),
            Counts::Nothing => None,
        }
    }
}

fn before(now: Timestamp, minutes: u32) -> Timestamp {
    now - SignedDuration::from_mins(minutes.into())
}

/// Every completion among the events whose rows are of this time
fn completions(asked: &Asked<'_>, played: &Played, known: &Range<Timestamp>) -> Vec<Finding> {
    let mut memory = Memory::default();
    for (event, matches) in played.matches.iter().enumerate() {
        if known.contains(&played.shown[event]) {
            matches.iter().for_each(|one| drop(memory.correlate(&asked.engine, one, (0, event))));
        }
    }
    memory.completions(&asked.engine)
}
