//! Correlations and new terms, run after run.
//!
//! In: a query, and events in the order of time: series for the correlations of the rule, tests that the rule
//! brings along, and the same events again and again for its new terms. Some arrive late. Out: a [`Tally`]:
//! whether each group is first complete at the time, and at the level, that the engine says, and whether the
//! same events are called new.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::asked::{Asked, minutes};
use super::by_run::by_runs;
use super::own_series::own_series;
use super::played::{Complete, First, Played, completions, judged, play};
use super::recorded::recorded;
use super::scene::BEGINNING;
use super::schedule::runs;
use crate::ir::{Correlation, NewTerms};
use crate::manifest::{Kept, LossName};
use crate::matcher::novelty::NewTerms as Remembered;
use crate::matcher::{self, Match};
use crate::query::kusto::execute::{instant, instant_text};
use crate::taxonomy::{Field, FieldType};
use crate::verify::finding::{Difference, Finding};
use crate::verify::near;
use crate::verify::observation::Observer;
use crate::verify::series::course;
use crate::verify::trial::CARE;
use crate::verify::trial::{Example, Place, Tally};

/// The most events whose terms are tried
const MOST: usize = 12;

/// Events at their times that queries of one rule are tried on, made once
#[derive(Default)]
pub(super) struct Courses {
    series: OnceLock<Result<Vec<Played>, String>>,
    novelty: OnceLock<Result<Played, String>>,
}

impl Courses {
    /// Judges what only several events show
    ///
    /// # Errors
    /// What was not executed.
    pub(super) fn judge(&self, asked: &Asked<'_>, observer: &Observer) -> Result<Tally, String> {
        let mut tally = Tally::default();
        if asked.manifest.correlations.iter().any(|one| one.reported) {
            let played = || {
                let near = show((asked, observer), near_series(asked), until_bound);
                let own = own_series(asked.rule).into_iter();
                let own = own.map(|events| show((asked, observer), events, as_they_are));
                std::iter::once(near).chain(own).collect()
            };
            for played in self.series.get_or_init(played).as_ref().map_err(String::clone)? {
                tally = tally.joined(series(asked, played)?);
            }
        }
        if let Some(new) = &asked.rule.new_terms {
            let played = || show((asked, observer), again_and_again(asked, new), as_they_are);
            let played = self.novelty.get_or_init(played).as_ref().map_err(String::clone)?;
            tally = tally.joined(novelty(asked, new, played)?);
        }
        Ok(tally)
    }
}

/// Shows events to both sides, as much later as is said of what the engine finds
fn show(
    (asked, observer): (&Asked<'_>, &Observer),
    events: Vec<(Timestamp, Example)>,
    later: fn(&Asked<'_>, &[Vec<Match>]) -> SignedDuration,
) -> Result<Played, String> {
    let matches = judged(asked, &events);
    let later = later(asked, &matches);
    play(asked, observer, (events, matches), later)
}

fn as_they_are(_: &Asked<'_>, _: &[Vec<Match>]) -> SignedDuration {
    SignedDuration::ZERO
}

/// How much later the first completion would be at the very instant from which on a run reports
fn until_bound(asked: &Asked<'_>, matches: &[Vec<Match>]) -> SignedDuration {
    let is_reported = |finding: &matcher::Finding| {
        let name = &asked.rule.correlations[finding.together.correlation].name;
        asked.manifest.correlations.iter().any(|one| one.name == *name && one.reported)
    };
    let completions = completions(asked, matches, |_| true).into_iter().filter(is_reported);
    let first = completions.map(|finding| finding.together.time).min();
    let later = first.and_then(|first| Some(next_bound(asked, first)?.duration_since(first)));
    later.unwrap_or_default()
}

/// The first instant, not before another, from which on a run reports; `None` where rows count by their arrival
fn next_bound(asked: &Asked<'_>, after: Timestamp) -> Option<Timestamp> {
    let schedule = asked.manifest.schedule.as_ref()?;
    let Kept::Happened { since, .. } = schedule.keeps else { return None };
    let step = minutes(schedule.frequency.max(1));
    let mut bound = BEGINNING - minutes(since);
    while bound < after {
        bound += step;
    }
    Some(bound)
}

/// Series at the borders of what the correlations of the rule ask for
fn near_series(asked: &Asked<'_>) -> Vec<(Timestamp, Example)> {
    let mut events = Vec::new();
    for (time, event, kind) in course(asked.rule, BEGINNING) {
        let Value::Object(event) = event else { continue };
        if let Some(event) = recorded(&kind, event, "") {
            let place = Place::Course(events.len());
            events.push((time, Example { place, event: Value::Object(event), kind: Some(kind) }));
        }
    }
    events
}

fn series(asked: &Asked<'_>, played: &Played) -> Result<Tally, String> {
    let answers = runs(asked, &played.scene)?;
    let mut tally = Tally { events: played.examples.len(), ..Tally::default() };
    for (at, one) in asked.rule.correlations.iter().enumerate() {
        let Some(output) = asked.manifest.correlations.iter().find(|other| other.name == one.name)
        else {
            continue;
        };
        if !output.reported {
            continue;
        }
        let found = by_runs(asked, (at, one), &output.keys, (played, &answers))?;
        compare(asked, one, (&found.wanted, &found.told), &mut tally);
        tally.differences.extend(found.wrong.map(|wrong| (Place::Course(0), wrong)));
    }
    Ok(tally)
}

fn compare(
    asked: &Asked<'_>,
    one: &Correlation,
    (wanted, returned): (&Complete, &Complete),
    tally: &mut Tally,
) {
    let all: BTreeSet<&String> = wanted.keys().chain(returned.keys()).collect();
    for (at, group) in all.into_iter().enumerate() {
        let (engine, target) = (wanted.get(group), returned.get(group));
        let finding = match (engine == target, loss_of(asked, one)) {
            (true, _) => Finding::Same(engine.is_some()),
            (false, Some(loss)) => Finding::Lost(loss),
            (false, None) => {
                let said = |one: Option<&First>| match one {
                    Some(First { time, level, number, last }) => {
                        let at = instant_text(*time);
                        let counted = number.map_or_else(String::new, |n| format!(", {n} counted"));
                        let last = last.map(|last| format!(", the last at {}", instant_text(last)));
                        format!(
                            "complete at {at}, level {level}{counted}{}",
                            last.unwrap_or_default()
                        )
                    }
                    None => "not complete".to_owned(),
                };
                let group = group.replace('\x1f', ", ");
                let signal = format!("{} of {group:?}", one.name);
                let (engine, target) = (said(engine), said(target));
                Finding::Different(Difference { signal, engine, target, event: None })
            }
        };
        tally.take(Place::Course(at), std::iter::once(&finding));
        tally.events -= 1;
    }
}

/// The loss of a correlation by which its groups may be others
fn loss_of(asked: &Asked<'_>, one: &Correlation) -> Option<LossName> {
    let all = [LossName::Keys, LossName::Lookback, LossName::Ties, LossName::Grid, LossName::Late];
    let mut own = asked.manifest.losses.iter().filter(|loss| loss.signal == one.name);
    own.find(|loss| all.contains(&loss.name)).map(|loss| loss.name)
}

/// Some of the events near a signal's literals that it finds
fn found_by(asked: &Asked<'_>, at: usize) -> Vec<Example> {
    let signal = &asked.rule.signals[at];
    let mut some: Vec<Example> = Vec::new();
    for one in near::near(signal, CARE) {
        let made = recorded(&signal.kind, one.event, one.field.name()).map(Value::Object);
        let Some(event) = made else { continue };
        let kind = Some(signal.kind.clone());
        if asked.finds(at, &event, kind.as_ref()) {
            some.push(Example { place: Place::Course(some.len()), event, kind });
        }
    }
    let each = some.len().div_ceil(MOST).max(1);
    some.into_iter().step_by(each).collect()
}

/// Gives each event a term of its own: another host, where a host is part of a term and untested
fn told_apart(asked: &Asked<'_>, new: &NewTerms, some: &mut [Example]) {
    let signal = &asked.rule.signals[new.signal];
    let is_free = |field: &&Field| {
        field.kind() == FieldType::Host && signal.tests().all(|test| test.subject.field != **field)
    };
    let Some(host) = new.fields.iter().find(is_free) else { return };
    for (at, one) in some.iter_mut().enumerate() {
        if let Value::Object(event) = &mut one.event {
            event.insert(host.name().to_owned(), format!("host{at}").into());
        }
    }
}

/// Copies of an event that the signal finds as well: for each term one with another value of it, then one without it
fn beside(asked: &Asked<'_>, new: &NewTerms, of: &Example) -> Vec<Example> {
    let copies = new.fields.iter().flat_map(|field| {
        let Value::Object(mut other) = of.event.clone() else { return Vec::new() };
        let mut without = other.clone();
        without.shift_remove(field.name());
        if let Some(Value::String(text)) = other.get_mut(field.name()) {
            text.push_str(" 2");
        }
        vec![other, without]
    });
    let copies = copies.map(|event| Example { event: Value::Object(event), ..of.clone() });
    copies.filter(|one| asked.finds(new.signal, &one.event, one.kind.as_ref())).collect()
}

/// Some events, the same within the window of new terms, and again after it
///
/// Both edges of the window are tried: a query that looks back too far or not far enough is told. One event of its
/// own terms, where it can have some, is at the very instant from which on a run reports.
fn again_and_again(asked: &Asked<'_>, new: &NewTerms) -> Vec<(Timestamp, Example)> {
    let mut some = found_by(asked, new.signal);
    some.extend(some.first().cloned());
    told_apart(asked, new, &mut some);
    let at_bound = some.pop();
    some.extend(some.first().map(|one| beside(asked, new, one)).unwrap_or_default());
    let hours = SignedDuration::from_hours;
    let window = minutes(new.window);
    let edge = minutes(20);
    let run = minutes(asked.manifest.schedule.as_ref().map_or(0, |one| one.frequency));
    let near = [run + edge, hours(3)];
    let edges = [window - hours(4), window + hours(4), window - edge, window + edge];
    let rounds = [hours(0)].into_iter().chain(near).chain(edges);
    let (mut start, mut events) = (BEGINNING, Vec::new());
    for gap in rounds {
        start += gap.max(hours(0));
        for (at, one) in some.iter().enumerate() {
            let place = Place::Course(events.len());
            let time = start + SignedDuration::from_mins(7 * at as i64);
            events.push((time, Example { place, ..one.clone() }));
        }
    }
    if let (Some(one), Some(bound)) = (at_bound, next_bound(asked, BEGINNING)) {
        events.push((bound, Example { place: Place::Course(events.len()), ..one }));
    }
    events.sort_by_key(|(time, _)| *time);
    events
}

/// Judges which events are new
fn novelty(asked: &Asked<'_>, new: &NewTerms, played: &Played) -> Result<Tally, String> {
    let signal = &asked.rule.signals[new.signal];
    let Some(output) = asked.output(&signal.name) else { return Ok(Tally::default()) };
    let (mut reported, mut repeated) = (BTreeSet::new(), BTreeSet::new());
    for (_, data) in runs(asked, &played.scene)? {
        let instants = data.instants(asked.time()).ok_or("the rows have no time")?;
        let signals = data.texts("Signal");
        for (row, time) in instants.into_iter().enumerate() {
            let is_meant = signals.as_ref().is_none_or(|signals| *signals[row] == *signal.shown);
            // What an earlier run has reported is nothing new.
            if is_meant && !reported.insert(time) {
                repeated.insert(time);
            }
        }
    }
    let mut seen = Remembered::default();
    let mut tally = Tally::default();
    for ((time, matches), example) in played.times.iter().zip(&played.matches).zip(&played.examples)
    {
        let own = matches.iter().find(|one| one.signal == new.signal);
        let terms = own.and_then(|one| one.terms.clone()).map(|terms| terms.keys);
        let observed = |key: Vec<String>| seen.observe(&key, Some(*time), (new.window, None));
        let engine = terms.unwrap_or_default().into_iter().map(observed).fold(false, |a, b| a | b);
        let target = reported.contains(&instant(*time)) && !repeated.contains(&instant(*time));
        let word = |new: bool| if new { "new terms" } else { "nothing new" }.to_owned();
        let finding = match engine == target {
            true => Finding::Same(engine),
            false => Finding::Different(Difference {
                signal: output.name.clone(),
                engine: word(engine),
                target: word(target),
                event: Some(example.event.to_string()),
            }),
        };
        tally.take(example.place, std::iter::once(&finding));
    }
    Ok(tally)
}
