//! Correlations on trial over events in their order.
//!
//! In: the events of one course, each with its time. Out: for each correlation, group and burst of
//! events, whether the first event that completes it in the engine is the first that makes an alert.
//!
//! Bursts: events of a group that are further apart than the timespan have nothing to do with each
//! other. Within one, Elastic makes an alert for each event that ends a sequence, and the engine
//! reports a group once; so the first of each is compared.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::correlated::{Correlated, Timed};
use super::elastic::Import;
use super::finding::{Difference, Finding};
use super::near;
use super::observation::Observer;
use super::pipeline::Gaps;
use super::trial::{Place, Tally};
use crate::ir::{Correlation, Rule};
use crate::manifest::LossName;
use crate::matcher::{Match, Memory, short_host};
use crate::taxonomy::EventKind;

/// Events of one course, in the order of time
pub type Course = Vec<(Timestamp, Value, EventKind)>;

/// A course as both sides see it
pub struct Watched(Vec<Seen>);

/// An event as both sides see it
struct Seen {
    time: Timestamp,
    document: Option<Value>,
    matches: Vec<Match>,
}

/// The course that a rule's own correlations make: each event so long after the one before
pub fn course(rule: &Rule, start: Timestamp) -> Course {
    let mut time = start;
    let mut course = Vec::new();
    for follower in near::series(rule) {
        time = time.checked_add(follower.after).unwrap_or(time);
        let kind = rule.signals[follower.signal].kind.clone();
        course.push((time, Value::Object(follower.event), kind));
    }
    course
}

/// Reads a course of events
///
/// # Errors
/// When an event cannot be read.
pub fn watch(
    import: &Import<'_>,
    observer: &Observer,
    course: &[(Timestamp, Value, EventKind)],
) -> Result<Watched, String> {
    let look = |(time, event, kind): &(Timestamp, Value, EventKind)| {
        look(import, observer, (*time, event, kind))
    };
    course.iter().map(look).collect::<Result<_, String>>().map(Watched)
}

/// Judges the correlations of a rule over a course of events
///
/// # Errors
/// When a document cannot be judged.
pub fn try_series(import: &Import<'_>, Watched(seen): &Watched) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for correlated in &import.correlated {
        for (event, finding) in compare(import, correlated, seen)? {
            tally.take(Place::Course(event), std::iter::once(&finding));
        }
    }
    Ok(tally)
}

fn look(
    import: &Import<'_>,
    observer: &Observer,
    (time, event, kind): (Timestamp, &Value, &EventKind),
) -> Result<Seen, String> {
    let text = |why: serde_json::Error| why.to_string();
    let observation = observer.look(event, Some(kind)).map_err(text)?;
    let mut matches =
        import.engine.judge_value(event, Some(kind), &mut Memory::default()).map_err(text)?;
    matches.iter_mut().for_each(|matched| matched.time = Some(time));
    let side = observation.sides.first().filter(|side| side.is_held());
    let document = side.and_then(|side| side.document(None, Gaps::Left)).cloned();
    let document = document.map(|mut document| {
        document["@timestamp"] = json!(time.to_string());
        // Only Elastic's agent knows the id of a host; the name that the engine compares stands for it.
        if let Some(host) = document["host.name"][0].as_str().map(short_host) {
            document["host.id"] = json!([host]);
        }
        document
    });
    Ok(Seen { time, document, matches })
}

/// For each burst of a group, its last event and what both sides say of it
fn compare(
    import: &Import<'_>,
    correlated: &Correlated,
    seen: &[Seen],
) -> Result<Vec<(usize, Finding)>, String> {
    let one = &import.rule.correlations[correlated.at];
    let signals: Vec<usize> = one.signals().collect();
    let takes_part = |at: usize| seen[at].matches.iter().any(|m| signals.contains(&m.signal));
    let mut memory = Memory::default();
    let mut places: Vec<usize> = Vec::new();
    let mut documents: Vec<Timed> = Vec::new();
    let mut of_group: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for (at, event) in seen.iter().enumerate() {
        let Some(document) = &event.document else { continue };
        places.push(at);
        documents.push((event.time, document.clone()));
        for matched in event.matches.iter().filter(|m| signals.contains(&m.signal)) {
            memory.correlate(&import.engine, matched, (0, at));
            for group in matched.groups(one) {
                let events = of_group.entry(group).or_default();
                if events.last() != Some(&at) {
                    events.push(at);
                }
            }
        }
    }
    let findings = memory.finish(&import.engine).into_iter();
    let findings = findings.filter(|finding| finding.together.correlation == correlated.at);
    let completed: BTreeSet<(Vec<String>, Timestamp)> = findings
        .map(|finding| {
            let group = finding.together.group.into_iter().map(|(_, value)| value).collect();
            (group, finding.together.time)
        })
        .collect();
    let ends = correlated.ends(&documents)?;
    let ends: BTreeSet<usize> =
        ends.into_iter().map(|at| places[at]).filter(|at| takes_part(*at)).collect();
    let mut all = Vec::new();
    for (group, events) in &of_group {
        for burst in bursts(events, seen, one.timespan) {
            let times = |at: &&usize| (group.clone(), seen[**at].time);
            let engine = burst.iter().find(|at| completed.contains(&times(at)));
            let target = burst.iter().find(|at| ends.contains(at));
            let finding = finding(import, one, (engine, target), burst, seen);
            all.extend(burst.last().map(|at| (*at, finding)));
        }
    }
    Ok(all)
}

/// The events of a group, cut where two are further apart than the timespan
fn bursts<'e>(events: &'e [usize], seen: &[Seen], timespan: u32) -> Vec<&'e [usize]> {
    let near = |one: &usize, next: &usize| {
        let apart = seen[*next].time.duration_since(seen[*one].time);
        apart.as_millis() <= i128::from(timespan) * 1_000
    };
    events.chunk_by(near).collect()
}

fn finding(
    import: &Import<'_>,
    one: &Correlation,
    (engine, target): (Option<&usize>, Option<&usize>),
    burst: &[usize],
    seen: &[Seen],
) -> Finding {
    let time = |at: Option<&usize>| at.map(|at| seen[*at].time);
    let has = |name: LossName| {
        let mut losses = import.manifest.losses.iter();
        losses.any(|loss| loss.name == name && loss.signal == one.name)
    };
    // A threshold, which alone counts by runs, names no event that fills it.
    let same = match has(LossName::Grid) {
        true => engine.is_some() == target.is_some(),
        false => time(engine) == time(target),
    };
    if same {
        return Finding::Same(engine.is_some());
    }
    let signals: Vec<usize> = one.signals().collect();
    let tied = burst.windows(2).any(|two| seen[two[0]].time == seen[two[1]].time)
        || burst.iter().any(|at| {
            let mine = seen[*at].matches.iter().filter(|m| signals.contains(&m.signal));
            mine.count() > 1
        });
    if has(LossName::Ties) && tied {
        return Finding::Lost(LossName::Ties);
    }
    if has(LossName::Grid) && engine.is_none() {
        return Finding::Lost(LossName::Grid);
    }
    let said = |at: Option<&usize>| match time(at) {
        Some(time) => format!("complete at {time}"),
        None => "not complete".to_owned(),
    };
    Finding::Different(Difference {
        signal: one.name.clone(),
        engine: said(engine),
        target: said(target),
        event: None,
    })
}
