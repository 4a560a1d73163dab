//! Correlations with a greatest count, and those that rest on one, run by run.
//!
//! In: the matches of a trial, and what each run of the query returned. Out: for each run the groups that the
//! engine finds in what the run knows, and those that the run told, both with the time of the first event that
//! is new to the run. What is still to come takes a group out again, so that each run is judged by itself.

use jiff::{SignedDuration, Timestamp};

use super::asked::Asked;
use super::played::{Complete, Played, first, group_of, groups};
use crate::ir::{Correlation, Origin, Rule};
use crate::manifest::Kept;
use crate::matcher::Memory;
use crate::query::kusto::execute::instant;

/// Whether what is still to come can take a group out of a correlation
pub(super) fn is_of_few(rule: &Rule, one: &Correlation) -> bool {
    let rests_on = |origin: &Origin| match origin {
        Origin::Signal(_) => false,
        Origin::Correlation(at) => is_of_few(rule, &rule.correlations[*at]),
    };
    one.test.is_rare() || one.origins.iter().any(rests_on)
}

/// What the engine finds in what each run knows, and what the runs told
///
/// # Errors
/// What the rows of a run lack.
pub(super) fn by_runs(
    asked: &Asked<'_>,
    (at, one): (usize, &Correlation),
    keys: &[String],
    played: &Played,
) -> Result<(Complete, Complete), String> {
    let schedule = asked.manifest.schedule.as_ref().ok_or("it has no schedule")?;
    let Kept::Happened { since, until } = schedule.keeps else {
        return Err("its runs do not wait for late events".to_owned());
    };
    let before = |now: Timestamp, minutes: u32| now - SignedDuration::from_mins(minutes.into());
    let (mut wanted, mut told) = (Complete::new(), Complete::new());
    for (now, answer) in &played.answers {
        let of_run = |group: String| format!("{group}\x1fin the run of {now}");
        let known = before(*now, schedule.period)..before(*now, until);
        let new = before(*now, since)..before(*now, until);
        let known = (0..played.shown.len()).filter(|event| known.contains(&played.shown[*event]));
        let mut memory = Memory::default();
        for event in known {
            for one in &played.matches[event] {
                memory.correlate(&asked.engine, one, (0, event));
            }
        }
        let found = memory.completions(&asked.engine).into_iter();
        for finding in found.filter(|finding| finding.together.correlation == at) {
            let is_new = |(_, event): &(usize, usize)| new.contains(&played.shown[*event]);
            if finding.together.places.iter().any(is_new) {
                let complete = (instant(finding.together.time), one.level.to_string());
                first(&mut wanted, of_run(group_of(&finding)), complete);
            }
        }
        let of_answer = groups(asked, [answer], &one.name, keys)?;
        told.extend(of_answer.into_iter().map(|(group, complete)| (of_run(group), complete)));
    }
    Ok((wanted, told))
}
