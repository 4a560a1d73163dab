//! Correlations with a greatest count, run by run.
//!
//! In: the matches of a trial, and what each run of the query returned. Out: for each run the groups that the
//! engine finds in what the run knows, and those that the run told, both with the time of the first event that
//! is new to the run. What is still to come takes a group out again, so that each run is judged by itself.

use jiff::{SignedDuration, Timestamp};

use super::asked::Asked;
use super::played::{Complete, Played, first, group_of, groups};
use crate::definition::Window;
use crate::ir::{Correlation, Origin};
use crate::manifest::Kept;
use crate::matcher::{Memory, judged_together};
use crate::query::kusto::execute::instant;
use crate::taxonomy::EventKind;

/// Why a correlation with a greatest count is not judged here; nothing where it is
pub(super) fn obstacle(asked: &Asked<'_>, one: &Correlation) -> Option<&'static str> {
    let is_alert = |kind: &EventKind| *kind == EventKind::SecurityAlert;
    let is_chained = one.origins.iter().any(|origin| matches!(origin, Origin::Correlation(_)));
    if one.window == Window::Each && is_chained {
        return Some("has a greatest count in each window, of what others tell of several");
    }
    // The time of an alert is not that of its process.
    let alerts = asked.rule.signals.iter().any(|signal| is_alert(&signal.kind));
    alerts.then_some("has a greatest count, and alerts become known later than they happen")
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
        let known = (0..played.times.len()).filter(|event| known.contains(&played.times[*event]));
        let known: Vec<usize> = known.collect();
        // Each window is judged by itself: the engine tells a group once in a timespan.
        let together = |event: &usize, next: &usize| {
            let [event, next] = [event, next].map(|at| played.times[*at]);
            one.window != Window::Each || judged_together(one, event, next)
        };
        let mut found = Vec::new();
        for events in known.chunk_by(together) {
            let mut memory = Memory::default();
            for event in events {
                let own = played.matches[*event].iter();
                found.extend(own.flat_map(|one| memory.correlate(&asked.engine, one, (0, *event))));
            }
            found.extend(memory.finish(&asked.engine));
        }
        for finding in found.iter().filter(|finding| finding.together.correlation == at) {
            // Every event of a rare group is one that completes it.
            let times = finding.together.places.iter().map(|(_, event)| played.times[*event]);
            if let Some(time) = times.filter(|time| new.contains(time)).min() {
                let level = one.level.to_string();
                first(&mut wanted, of_run(group_of(finding)), (instant(time), level));
            }
        }
        let of_answer = groups(asked, [answer], &one.name, keys)?;
        told.extend(of_answer.into_iter().map(|(group, complete)| (of_run(group), complete)));
    }
    Ok((wanted, told))
}
