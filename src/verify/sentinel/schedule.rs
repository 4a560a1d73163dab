//! A query run after run, as its schedule says.
//!
//! In: a query, rows with the times of their arrival, and the schedule of the manifest. Out: the rows that the runs return
//! together. A run sees what has arrived and what its period reaches; runs that can report nothing new are
//! left out.

use jiff::{SignedDuration, Timestamp};

use super::asked::{Asked, minutes};
use super::scene::{BEGINNING, Scene};
use crate::manifest::{Kept, Schedule};
use crate::query::kusto::execute::{Data, Run};

/// The longest that an event of a trial is on its way
const LATEST: u32 = 10;

/// How long events may be on their way, of what a schedule allows
pub(super) fn delays(schedule: &Schedule) -> [SignedDuration; 3] {
    let most = match schedule.keeps {
        Kept::All => 0,
        Kept::Arrived { since } => schedule.period.saturating_sub(since).min(LATEST),
        Kept::Happened { until, .. } => until,
    };
    let longest = minutes(most);
    let least = SignedDuration::from_millis(1);
    let latest = longest.checked_sub(SignedDuration::from_secs(1)).unwrap_or(least);
    [least, (longest / 2).max(least), latest.max(least)]
}

/// What the runs return, each with the time of the run
///
/// # Errors
/// What was not executed.
pub(super) fn runs(asked: &Asked<'_>, scene: &Scene) -> Result<Vec<(Timestamp, Data)>, String> {
    let schedule = asked.manifest.schedule.as_ref().ok_or("it has no schedule")?;
    let step = minutes(schedule.frequency.max(1));
    let times = scene.sides.iter().map(|side| (side.time, side.arrived));
    let mut times: Vec<(Timestamp, Timestamp)> = times.collect();
    times.sort_unstable();
    let Some((_, last)) = times.iter().copied().max_by_key(|(_, arrived)| *arrived) else {
        return Ok(Vec::new());
    };
    let is_fresh = |now: Timestamp| {
        times.iter().any(|(time, arrived)| match schedule.keeps {
            Kept::All => *time > now - minutes(schedule.period) && *arrived <= now,
            Kept::Arrived { since } => *arrived > now - minutes(since) && *arrived <= now,
            Kept::Happened { since, until } => {
                *time >= now - minutes(since) && *time < now - minutes(until)
            }
        })
    };
    let until = if let Kept::Happened { until, .. } = schedule.keeps { until } else { 0 };
    let end = last + step + minutes(until);
    let mut answers = Vec::new();
    let mut now = BEGINNING;
    while now <= end {
        now += step;
        if is_fresh(now) {
            let rows = scene.rows.seen((now - minutes(schedule.period), now), asked.time());
            let run = Run::new(&asked.query, &rows, now);
            answers.push((now, run.result().map_err(|fault| fault.to_string())?));
        }
    }
    Ok(answers)
}
