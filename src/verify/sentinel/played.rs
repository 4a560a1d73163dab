//! Events at their times, as the engine and the tables see them.
//!
//! In: a query, and events in the order of time. Out: their rows, and what the engine says of each event by itself;
//! and when each group of a correlation is first complete, for the engine and in what runs returned.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};

use super::asked::Asked;
use super::scene::{Scene, Times};
use super::schedule::delays;
use crate::ir::{Correlation, Key};
use crate::matcher::{Finding, Match, Memory};
use crate::query::kusto::execute::Data;
use crate::taxonomy::FieldType;
use crate::verify::observation::Observer;
use crate::verify::trial::Example;

/// When each group is first complete
pub(super) type Complete = BTreeMap<String, First>;

/// When a group is first complete, at which level; and where a row counts events or values, their number and the time of the
/// last event that completes the group
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct First {
    pub(super) time: i64,
    pub(super) level: String,
    pub(super) number: Option<i64>,
    pub(super) last: Option<i64>,
}

/// Events at their times, as both sides see them
pub(super) struct Played {
    pub(super) examples: Vec<Example>,
    pub(super) times: Vec<Timestamp>,
    /// The times of their rows
    pub(super) shown: Vec<Timestamp>,
    /// What the engine says of each event by itself
    pub(super) matches: Vec<Vec<Match>>,
    /// Their rows
    pub(super) scene: Scene,
    /// By run, every completion among the events that it knows
    pub(super) completions: OnceLock<Vec<Vec<Finding>>>,
}

/// What the engine says of each event by itself
pub(super) fn judged(asked: &Asked<'_>, events: &[(Timestamp, Example)]) -> Vec<Vec<Match>> {
    let of_event = |(time, one): &(Timestamp, Example)| {
        let mut matches = asked.matches(&one.event, one.kind.as_ref());
        matches.iter_mut().for_each(|one| one.time = Some(*time));
        matches
    };
    events.iter().map(of_event).collect()
}

/// Every completion among the events that are taken, by their places
pub(super) fn completions(
    asked: &Asked<'_>,
    matches: &[Vec<Match>],
    takes: impl Fn(usize) -> bool,
) -> Vec<Finding> {
    let mut memory = Memory::default();
    for (event, matches) in matches.iter().enumerate().filter(|(event, _)| takes(*event)) {
        matches.iter().for_each(|one| drop(memory.correlate(&asked.engine, one, (0, event))));
    }
    memory.completions(&asked.engine)
}

/// Shows events that the engine has judged to both sides, all of them later by a span
///
/// # Errors
/// What was not executed.
pub(super) fn play(
    asked: &Asked<'_>,
    observer: &Observer,
    (events, mut matches): (Vec<(Timestamp, Example)>, Vec<Vec<Match>>),
    later: SignedDuration,
) -> Result<Played, String> {
    let events = events.into_iter().map(|(time, one)| (time + later, one));
    let (times, examples): (Vec<Timestamp>, Vec<Example>) = events.unzip();
    for (time, matches) in times.iter().zip(&mut matches) {
        matches.iter_mut().for_each(|one| one.time = Some(*time));
    }
    let schedule = asked.manifest.schedule.as_ref().ok_or("it has no schedule")?;
    let of_runs = Times { happened: &times, delays: delays(schedule) };
    let scene = Scene::new(&examples, Some(&of_runs), &asked.tables, observer);
    let mut shown = times.clone();
    for side in &scene.sides {
        shown[side.example] = side.shown();
    }
    let completions = OnceLock::new();
    Ok(Played { examples, times, shown, matches, scene, completions })
}

/// The values that the events of a group share, as one text
///
/// Defender writes accounts in a letter case of its own.
pub(super) fn group<'v>(one: &Correlation, values: impl Iterator<Item = &'v str>) -> String {
    let is_account = |key: &Key| key.fields.values().any(|of| of.kind() == FieldType::Account);
    let values =
        one.keys.iter().zip(values).map(|(key, value)| {
            if is_account(key) { value.to_lowercase() } else { value.to_owned() }
        });
    values.collect::<Vec<_>>().join("\x1f")
}

/// The group of what the engine finds
pub(super) fn group_of(one: &Correlation, finding: &Finding) -> String {
    group(one, finding.together.group.iter().map(|(_, value)| value.as_str()))
}

pub(super) fn first(groups: &mut Complete, group: String, new: First) {
    let known = groups.entry(group).or_insert_with(|| new.clone());
    if new < *known {
        *known = new;
    }
}

/// When each group of a correlation is first complete in what a run returned; the columns are those with the
/// number of its events or values, and with the time of the last event
pub(super) fn groups(
    asked: &Asked<'_>,
    data: &Data,
    (one, keys): (&Correlation, &[String]),
    (counts, last): (Option<&str>, Option<&str>),
) -> Result<Complete, String> {
    let mut complete = Complete::new();
    let lacks = |name: &str| format!("the rows have no column `{name}`");
    let column = |name: &str| data.texts(name).ok_or_else(|| lacks(name));
    let instants = data.instants(asked.time()).ok_or_else(|| lacks(asked.time()))?;
    let (signals, levels) = (column("Signal")?, column("Level")?);
    let numbers = counts.and_then(|column| data.texts(column));
    let last = last.and_then(|column| data.instants(column));
    let keys = keys.iter().map(|key| column(key)).collect::<Result<Vec<_>, _>>()?;
    for (row, time) in instants.into_iter().enumerate() {
        if *signals[row] == *one.name {
            let group = group(one, keys.iter().map(|texts| &*texts[row]));
            let number = numbers.as_ref().and_then(|all| all[row].parse().ok());
            let last = last.as_ref().map(|all| all[row]);
            let new = First { time, level: levels[row].to_string(), number, last };
            first(&mut complete, group, new);
        }
    }
    Ok(complete)
}
