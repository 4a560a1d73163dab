//! The events that queries are tried on.
//!
//! In: queries, and a rule's own tests, its literals, or a stream of events. Out: a [`Tally`] for each query, or what of
//! it was not executed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::Value;

use super::asked::Asked;
use super::course::Courses;
use super::judge::Judge;
use super::recorded::{filled, recorded};
use super::scene::Scene;
use crate::ir::Rule;
use crate::matcher::{Engine, Match, Memory};
#[cfg(test)]
use crate::query::kusto::execute::Run;
use crate::query::kusto::{Column, Platform};
use crate::verify::near;
use crate::verify::observation::Observer;
use crate::verify::trial::{CARE, Example, Place, Tally, own_examples};

/// The events that queries of one rule are tried on, as both sides see them
///
/// They are made once, for the columns of the first query: another query may name those columns only.
#[derive(Default)]
pub struct Trials {
    own: OnceLock<Seen>,
    near: OnceLock<Seen>,
    courses: Courses,
}

impl Trials {
    /// Judges the events of the rule's own tests, events near every literal of the rule, and what only
    /// several events show; where one of them differs, more of the same would only hide it
    ///
    /// # Errors
    /// What of the query was not executed.
    pub fn judge(
        &self,
        asked: &Asked<'_>,
        rule: &Rule,
        observer: &Observer,
    ) -> Result<Tally, String> {
        let own = || Seen::of(asked, own_examples(rule).concat(), observer);
        let near = || Seen::of(asked, near_literals(asked.rule), observer);
        let own = self.own.get_or_init(own).judge(asked)?;
        if !own.differences.is_empty() {
            return Ok(own);
        }
        let near = own.joined(self.near.get_or_init(near).judge(asked)?);
        if !near.differences.is_empty() {
            return Ok(near);
        }
        Ok(near.joined(self.courses.judge(asked, observer)?))
    }
}

/// Of so many events near literals one lacks little
const FILLED: usize = 3;

/// Events near every literal of a rule, as sensors write them
fn near_literals(rule: &Rule) -> Vec<Example> {
    let mut examples = Vec::new();
    for signal in &rule.signals {
        for one in near::near(signal, CARE) {
            if let Some(mut event) = recorded(&signal.kind, one.event, one.field.name()) {
                if examples.len() % FILLED == 0 {
                    filled(&signal.kind, &mut event);
                }
                examples.push(Example {
                    place: Place::Near(examples.len()),
                    event: Value::Object(event),
                    kind: Some(signal.kind.clone()),
                });
            }
        }
    }
    examples
}

/// Events as both sides see them, before a query is asked
struct Seen {
    examples: Vec<Example>,
    scene: Scene,
    verdicts: Vec<Vec<Match>>,
}

impl Seen {
    fn of(asked: &Asked<'_>, examples: Vec<Example>, observer: &Observer) -> Seen {
        let scene = Scene::new(&examples, None, &asked.tables, observer);
        let verdicts = verdicts(&asked.engine, &examples);
        Seen { examples, scene, verdicts }
    }

    fn judge(&self, asked: &Asked<'_>) -> Result<Tally, String> {
        let Seen { examples, scene, verdicts } = self;
        Judge { asked, rule: 0, examples, scene, verdicts }.judge()
    }
}

/// The events that a query holds, by their places, each with the index of the signal
///
/// # Errors
/// What of the query was not executed.
pub fn matching(
    asked: &Asked<'_>,
    examples: &[Example],
    observer: &Observer,
) -> Result<BTreeSet<(usize, usize)>, String> {
    let scene = Scene::new(examples, None, &asked.tables, observer);
    Judge { asked, rule: 0, examples, scene: &scene, verdicts: &[] }.matching()
}

/// What a query returns of events: rows as JSON
#[cfg(test)]
pub(crate) fn returned(asked: &Asked<'_>, examples: &[Example]) -> Result<Vec<Value>, String> {
    let scene = Scene::new(examples, None, &asked.tables, &Observer::default());
    let run = Run::new(&asked.query, &scene.rows, asked.run_after(scene.span())?);
    let data = run.result().map_err(|fault| fault.to_string())?;
    let names: Vec<String> = data.names().map(ToOwned::to_owned).collect();
    let row = |values: Vec<Value>| Value::Object(names.iter().cloned().zip(values).collect());
    Ok(data.values().map(row).collect())
}

fn verdicts(engine: &Engine, examples: &[Example]) -> Vec<Vec<Match>> {
    let judged = examples.par_iter().map(|example| {
        let kind = example.kind.as_ref();
        engine.judge_value(&example.event, kind, &mut Memory::default()).unwrap_or_default()
    });
    judged.collect()
}

/// Queries on trial over a stream of events
pub struct Watcher<'r> {
    engine: Engine,
    observer: Observer,
    asked: &'r [Option<Asked<'r>>],
    /// The place of each rule in the engine
    places: Vec<usize>,
    tables: [BTreeMap<String, Vec<Column>>; 2],
    tallies: Vec<Result<Tally, String>>,
}

impl<'r> Watcher<'r> {
    /// Prepares the trial of these rules; a rule without a query is not tried
    pub fn new(asked: &'r [Option<Asked<'r>>]) -> Self {
        let mut rules = Vec::new();
        let places = asked.iter().map(|asked| {
            rules.extend(asked.iter().map(|asked| asked.rule.clone()));
            rules.len().saturating_sub(1)
        });
        let places = places.collect();
        let engine = Engine::new(rules, &crate::matcher::Options::default());
        let tables = [Platform::Sentinel, Platform::AdvancedHunting].map(|platform| {
            let mut all: BTreeMap<String, Vec<Column>> = BTreeMap::new();
            let asked = asked.iter().flatten().filter(|one| one.platform == platform);
            for (table, columns) in asked.flat_map(|one| &one.tables) {
                let known = all.entry(table.clone()).or_default();
                for column in columns {
                    if !known.contains(column) {
                        known.push(column.clone());
                    }
                }
            }
            all
        });
        let tallies = asked.iter().map(|_| Ok(Tally::default())).collect();
        Watcher { engine, observer: Observer::default(), asked, places, tables, tallies }
    }

    /// Judges the next events
    pub fn observe(&mut self, examples: &[Example]) {
        let scenes = self.tables.each_ref().map(|tables| {
            (!tables.is_empty()).then(|| Scene::new(examples, None, tables, &self.observer))
        });
        let verdicts = verdicts(&self.engine, examples);
        let judged: Vec<Option<Result<Tally, String>>> = self
            .asked
            .par_iter()
            .enumerate()
            .map(|(rule, asked)| {
                let asked = asked.as_ref()?;
                let scene = scenes[usize::from(asked.platform != Platform::Sentinel)].as_ref()?;
                let rule = self.places[rule];
                Some(Judge { asked, rule, examples, scene, verdicts: &verdicts }.judge())
            })
            .collect();
        for (known, new) in self.tallies.iter_mut().zip(judged) {
            let Some(new) = new else { continue };
            let before = std::mem::replace(known, Ok(Tally::default()));
            *known = before.and_then(|before| new.map(|new| before.joined(new)));
        }
    }

    /// The tally of each rule, in the order of the rules; an error is what was not executed
    pub fn finish(self) -> Vec<Result<Tally, String>> {
        self.tallies
    }
}
