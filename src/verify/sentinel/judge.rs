//! Executes queries over the rows of events, and compares what they return with the engine.
//!
//! In: queries and events. Out: a [`Tally`]. Each signal is asked for the rows that it holds, whether it reports
//! them or not: the events, each at its level. Then the whole query is asked for what it reports of signals without new terms.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;

use super::asked::Asked;
use super::evidence::{Evidence, Wrong};
use super::explain::explain;
use super::recorded::recorded;
use super::scene::{Scene, Side};
use crate::ir::{Rule, Signal};
use crate::matcher::{Engine, Match, Memory};
use crate::query::kusto::{Column, Platform};
use crate::verify::finding::{Difference, Finding};
use crate::verify::kusto::{Data, Fault, Run, instant};
use crate::verify::near::{self, Care};
use crate::verify::observation::Observer;
use crate::verify::trial::{Example, Place, Tally};

/// How many literals of a test are tried in every way
pub(super) const CARE: Care = Care { thorough: 1 };

/// The level and the severity that a row names, where it names them
#[derive(Debug, Default, PartialEq)]
struct Named {
    level: Option<String>,
    severity: Option<String>,
    /// A column that shows something else than its name says
    wrong: Option<Wrong>,
}

/// Judges the events of a rule's own tests
///
/// # Errors
/// What of the query was not executed.
pub fn try_own(asked: &Asked<'_>, rule: &Rule, observer: &Observer) -> Result<Tally, String> {
    let mut examples = Vec::new();
    for (test, sample) in rule.tests.iter().enumerate() {
        let signal = rule.sampled(sample).map(|at| &rule.signals[at]);
        for (at, event) in sample.events.iter().enumerate() {
            let of_signal = signal.map(|signal| signal.sample_event(&event.value));
            examples.push(Example {
                place: Place::Test { test, event: at },
                event: of_signal.unwrap_or_else(|| event.value.clone()),
                kind: signal.map(|signal| signal.kind.clone()),
            });
        }
    }
    on_examples(asked, &examples, observer)
}

/// Judges events near every literal of a rule
///
/// # Errors
/// What of the query was not executed.
pub fn try_near(asked: &Asked<'_>, observer: &Observer) -> Result<Tally, String> {
    let mut examples = Vec::new();
    for signal in &asked.rule.signals {
        for one in near::near(signal, CARE) {
            if let Some(event) = recorded(&signal.kind, one.event, one.field.name()) {
                examples.push(Example {
                    place: Place::Near(examples.len()),
                    event: Value::Object(event),
                    kind: Some(signal.kind.clone()),
                });
            }
        }
    }
    on_examples(asked, &examples, observer)
}

fn on_examples(
    asked: &Asked<'_>,
    examples: &[Example],
    observer: &Observer,
) -> Result<Tally, String> {
    let scene = Scene::new(examples, None, &asked.tables, observer);
    let verdicts = verdicts(&asked.engine, examples);
    Judge { asked, rule: 0, examples, scene: &scene, verdicts: &verdicts }.judge()
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

/// A query, events with their rows, and the engine's verdicts on them
struct Judge<'j> {
    asked: &'j Asked<'j>,
    /// The place of the rule in the engine
    rule: usize,
    examples: &'j [Example],
    scene: &'j Scene,
    verdicts: &'j [Vec<Match>],
}

impl Judge<'_> {
    fn judge(&self) -> Result<Tally, String> {
        let text = |fault: Fault| fault.to_string();
        let signals = self.asked.rule.signals.iter().map(|signal| (signal.name.clone(), 0));
        let mut tally = Tally { signals: signals.collect(), ..Tally::default() };
        if self.scene.sides.is_empty() {
            return Ok(tally);
        }
        let now = self.asked.run_after(self.scene.span())?;
        let run = Run::new(&self.asked.query, &self.scene.rows, now);
        let whole = run.result().map_err(text)?;
        let mut findings: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        for (at, signal) in self.asked.rule.signals.iter().enumerate() {
            let Some(output) = self.asked.output(&signal.name) else { continue };
            let held = match &output.rows {
                Some(name) => run.rows_named(name).map_err(text)?,
                None => std::sync::Arc::new(whole.clone()),
            };
            let found = self.found(&held, None, &output.tables)?;
            self.compare((at, signal), &found, &mut findings);
            if output.reported && output.new_terms.is_none() && output.rows.is_some() {
                let found = self.found(&whole, Some(&signal.name), &output.tables)?;
                self.compare((at, signal), &found, &mut findings);
            }
        }
        for (example, found) in findings {
            for one in self.verdicts[example].iter().filter(|one| one.rule == self.rule) {
                let name = &self.asked.rule.signals[one.signal].name;
                *tally.signals.entry(name.clone()).or_default() += 1;
            }
            let example = &self.examples[example];
            let found = found.into_iter().map(|finding| shown(finding, example));
            tally.take(example.place, found.collect::<Vec<_>>().iter());
        }
        Ok(tally)
    }

    /// The places of the sides that rows are of, each with its level
    fn found(
        &self,
        data: &Data,
        signal: Option<&str>,
        tables: &[String],
    ) -> Result<BTreeMap<usize, Named>, String> {
        let lacks = |name: &str| format!("the rows have no column `{name}`");
        let time = self.asked.time();
        let instants = data.instants(time).ok_or_else(|| lacks(time))?;
        let (levels, severities) = (data.texts("Level"), data.texts("Severity"));
        let signals = data.texts("Signal");
        let places: BTreeMap<i64, usize> =
            (0..).zip(&self.scene.sides).map(|(at, side)| (instant(side.time), at)).collect();
        let evidence = match tables {
            [table] => self
                .asked
                .tables
                .get(table)
                .map(|columns| (table, Evidence::of(data, table, columns))),
            _ => None,
        };
        let mut found = BTreeMap::new();
        for (row, time) in instants.into_iter().enumerate() {
            let of = signals.as_ref().map(|signals| &*signals[row]);
            if let (Some(signal), Some(of)) = (signal, of)
                && signal != of
            {
                continue;
            }
            let place = places.get(&time).ok_or("a row returns at a time that no event has")?;
            let text = |all: &Option<Vec<std::sync::Arc<str>>>| {
                all.as_ref().map(|all| all[row].to_string())
            };
            let wrong = evidence.as_ref().and_then(|(table, evidence)| {
                let mut rows = self.scene.sides[*place].rows.iter();
                let (_, own) = rows.find(|(of, _)| of == table)?;
                // What several signals report has columns that some of them leave empty.
                if signal.is_some() { evidence.unidentified(row) } else { evidence.wrong(row, own) }
            });
            let (level, severity) = (text(&levels), text(&severities));
            found.insert(*place, Named { level, severity, wrong });
        }
        Ok(found)
    }

    fn compare(
        &self,
        (at, signal): (usize, &Signal),
        found: &BTreeMap<usize, Named>,
        findings: &mut BTreeMap<usize, Vec<Finding>>,
    ) {
        for (place, side) in self.scene.sides.iter().enumerate() {
            let named = found.get(&place);
            if !signal.kind.takes(&side.kind, side.product) {
                // The engine judges an event of an unknown kind as one of the signal's.
                if named.is_some() && side.known && !self.matches(side, at) {
                    findings.entry(side.example).or_default().push(different(signal, None, named));
                }
                continue;
            }
            let level = self.level(side, at);
            let finding = match (&level, named) {
                (None, None) => Finding::Same(false),
                (Some(_), Some(Named { wrong: Some(wrong), .. })) => shows_wrong(signal, wrong),
                (Some(level), Some(named)) if is_level(level, named) => Finding::Same(true),
                _ => self.explained((at, signal), side, (level.as_deref(), named)),
            };
            findings.entry(side.example).or_default().push(finding);
        }
    }

    fn explained(
        &self,
        (at, signal): (usize, &Signal),
        side: &Side,
        (level, named): (Option<&str>, Option<&Named>),
    ) -> Finding {
        let output = self.asked.output(&signal.name);
        let asks = |table: &&str| output.is_some_and(|one| one.tables.iter().any(|t| t == table));
        if named.is_none() && !side.rows.iter().any(|(table, _)| asks(&table)) {
            return Finding::Dropped;
        }
        let event = &self.examples[side.example];
        explain(self.asked, (at, signal), (side, event), named.is_some())
            .unwrap_or_else(|| different(signal, level, named))
    }

    fn matches(&self, side: &Side, signal: usize) -> bool {
        self.level(side, signal).is_some()
    }

    /// The level at which the engine matches an event
    fn level(&self, side: &Side, signal: usize) -> Option<String> {
        let mut matches = self.verdicts[side.example].iter();
        let found = matches.find(|one| one.rule == self.rule && one.signal == signal);
        found.map(|one| one.level.to_string())
    }
}

/// A finding with its event, unless the event stands in a file
fn shown(finding: Finding, example: &Example) -> Finding {
    match (finding, example.place) {
        (Finding::Different(difference), Place::Near(_)) => {
            let event = Some(example.event.to_string());
            Finding::Different(Difference { event, ..difference })
        }
        (finding, _) => finding,
    }
}

/// Whether a row names this level, where it names one
fn is_level(level: &str, Named { level: named, severity, .. }: &Named) -> bool {
    let meant = match level {
        "critical" | "high" => "High",
        "medium" => "Medium",
        "low" => "Low",
        _ => "Informational",
    };
    named.as_ref().is_none_or(|named| named == level)
        && severity.as_ref().is_none_or(|severity| severity == meant)
}

fn shows_wrong(signal: &Signal, (column, meant, shown): &Wrong) -> Finding {
    Finding::Different(Difference {
        signal: signal.name.clone(),
        engine: format!("match, {column} {meant:?}"),
        target: format!("match, {column} {shown:?}"),
        event: None,
    })
}

fn different(signal: &Signal, level: Option<&str>, named: Option<&Named>) -> Finding {
    let target = named.map(|Named { level, severity, .. }| {
        let part =
            |word: &str, text: &Option<String>| text.as_ref().map(|text| format!("{word} {text}"));
        let parts = [part("level", level), part("severity", severity)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "match".to_owned() } else { format!("match, {}", parts.join(", ")) }
    });
    let none = || "no match".to_owned();
    Finding::Different(Difference {
        signal: signal.name.clone(),
        engine: level.map_or_else(none, |level| format!("match, level {level}")),
        target: target.unwrap_or_else(none),
        event: None,
    })
}
