//! Compares what a query returns with what the engine says.
//!
//! In: a query, the rows of events, and the engine's verdicts. Out: a [`Tally`]. Each signal is asked for the rows that
//! it holds, whether it reports them or not: the events, each at its level, with the columns of its row. Then the
//! whole query is asked for what it reports, and runs to which all rows are too old or too new for nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asked::Asked;
use super::evidence::{Evidence, Wrong};
use super::explain::explain;
use super::scene::{Scene, Side};
use crate::ir::Signal;
use crate::manifest::SignalOutput;
use crate::matcher::Match;
use crate::query::kusto::execute::{Data, Fault, Run, instant};
use crate::verify::finding::{Difference, Finding};
use crate::verify::trial::{Example, Tally};

/// The level and the severity that a row names, where it names them
#[derive(Debug, Default, PartialEq)]
struct Named {
    level: Option<String>,
    severity: Option<String>,
    /// A column that shows something else than its name says
    wrong: Option<Wrong>,
}

/// A query, events with their rows, and the engine's verdicts on them
pub(super) struct Judge<'j> {
    pub(super) asked: &'j Asked<'j>,
    /// The place of the rule in the engine
    pub(super) rule: usize,
    pub(super) examples: &'j [Example],
    pub(super) scene: &'j Scene,
    pub(super) verdicts: &'j [Vec<Match>],
}

/// The columns of rows
#[derive(Clone, Copy)]
enum Shown {
    /// Those of the signal
    Alike,
    /// Also those of other signals, which it leaves empty
    Mixed,
}

/// What a query returns: by the place of the side, and the first row that is of no event to find
#[derive(Default)]
struct Returned {
    sides: BTreeMap<usize, Named>,
    stray: Option<usize>,
}

impl Judge<'_> {
    pub(super) fn judge(&self) -> Result<Tally, String> {
        let text = |fault: Fault| fault.to_string();
        let signals = self.asked.rule.signals.iter().map(|signal| (signal.name.clone(), 0));
        let mut tally = Tally { signals: signals.collect(), ..Tally::default() };
        if self.scene.sides.is_empty() {
            return Ok(tally);
        }
        let run = self.run()?;
        let whole = Arc::new(run.result().map_err(text)?);
        let mut findings: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        for (at, signal) in self.asked.rule.signals.iter().enumerate() {
            let Some(output) = self.asked.output(&signal.name) else { continue };
            let returned =
                self.found(&*held(&run, &whole, output)?, (signal, Shown::Alike), output)?;
            self.compare((at, signal), &returned, &mut findings);
            if output.reported && output.rows.is_some() {
                let shown = self.found(&whole, (signal, Shown::Mixed), output)?;
                match output.new_terms {
                    None => self.compare((at, signal), &shown, &mut findings),
                    Some(_) => self.shows_wrong(signal, &shown, &mut findings),
                }
            }
        }
        self.outside(&mut findings)?;
        for (example, of_example) in findings {
            for one in self.verdicts[example].iter().filter(|one| one.rule == self.rule) {
                let name = &self.asked.rule.signals[one.signal].name;
                *tally.signals.entry(name.clone()).or_default() += 1;
            }
            tally.take_of(&self.examples[example], of_example.iter());
        }
        Ok(tally)
    }

    /// The places of the events that the query holds, each with the index of the signal
    pub(super) fn matching(&self) -> Result<BTreeSet<(usize, usize)>, String> {
        let mut matching = BTreeSet::new();
        if self.scene.sides.is_empty() {
            return Ok(matching);
        }
        let run = self.run()?;
        let whole = Arc::new(run.result().map_err(|fault| fault.to_string())?);
        for (at, signal) in self.asked.rule.signals.iter().enumerate() {
            let Some(output) = self.asked.output(&signal.name) else { continue };
            let returned =
                self.found(&*held(&run, &whole, output)?, (signal, Shown::Alike), output)?;
            let places = returned.sides.keys().map(|place| self.scene.sides[*place].example);
            matching.extend(places.map(|example| (example, at)));
        }
        Ok(matching)
    }

    /// A run to which all rows are complete and new
    fn run(&self) -> Result<Run<'_>, String> {
        let now = self.asked.run_after(self.scene.span())?;
        Ok(Run::new(&self.asked.query, &self.scene.rows, now))
    }

    /// The places of the sides that the rows of a signal are of, each with its level
    fn found(
        &self,
        data: &Data,
        (signal, shown): (&Signal, Shown),
        output: &SignalOutput,
    ) -> Result<Returned, String> {
        let lacks = |name: &str| format!("the rows have no column `{name}`");
        let time = self.asked.time();
        let instants = data.instants(time).ok_or_else(|| lacks(time))?;
        let (levels, severities) = (data.texts("Level"), data.texts("Severity"));
        let signals = data.texts("Signal");
        let places: BTreeMap<i64, usize> =
            (0..).zip(&self.scene.sides).map(|(at, side)| (instant(side.time), at)).collect();
        let evidence = match &*output.tables {
            [table] => self
                .asked
                .tables
                .get(table)
                .map(|columns| (table, Evidence::of(data, table, columns))),
            _ => None,
        };
        let mut returned = Returned::default();
        for (row, time) in instants.into_iter().enumerate() {
            if signals.as_ref().is_some_and(|signals| *signals[row] != *signal.shown) {
                continue;
            }
            if let Some(stray) = self.scene.strays.get(&time) {
                returned.stray.get_or_insert(*stray);
                continue;
            }
            let place = places.get(&time).ok_or("a row returns at a time that no event has")?;
            let text = |all: &Option<Vec<Arc<str>>>| all.as_ref().map(|all| all[row].to_string());
            let wrong = evidence.as_ref().and_then(|(table, evidence)| {
                let mut rows = self.scene.sides[*place].rows.iter();
                let (_, own) = rows.find(|(of, _)| of == table)?;
                match shown {
                    Shown::Alike => evidence.wrong(row, own),
                    Shown::Mixed => evidence.unidentified(row),
                }
            });
            let (level, severity) = (text(&levels), text(&severities));
            returned.sides.insert(*place, Named { level, severity, wrong });
        }
        Ok(returned)
    }

    fn compare(
        &self,
        (at, signal): (usize, &Signal),
        returned: &Returned,
        findings: &mut BTreeMap<usize, Vec<Finding>>,
    ) {
        if let Some(stray) = returned.stray {
            let side = &self.scene.sides[stray];
            let target = "match of a row of another kind";
            findings.entry(side.example).or_default().push(says(signal, "no match", target));
        }
        for (place, side) in self.scene.sides.iter().enumerate() {
            let named = returned.sides.get(&place);
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
                (Some(_), Some(Named { wrong: Some(wrong), .. })) => wrongly(signal, wrong),
                (Some(level), Some(named)) if is_level(level, named) => Finding::Same(true),
                (Some(level), Some(named)) => different(signal, Some(level), Some(named)),
                _ => self.explained((at, signal), side, (level.as_deref(), named)),
            };
            findings.entry(side.example).or_default().push(finding);
        }
    }

    /// Looks for wrong columns where not every match is reported
    fn shows_wrong(
        &self,
        signal: &Signal,
        returned: &Returned,
        findings: &mut BTreeMap<usize, Vec<Finding>>,
    ) {
        for (place, named) in &returned.sides {
            if let Some(wrong) = &named.wrong {
                let example = self.scene.sides[*place].example;
                findings.entry(example).or_default().push(wrongly(signal, wrong));
            }
        }
    }

    /// Runs to which every row is too old, or still too new, report nothing
    fn outside(&self, findings: &mut BTreeMap<usize, Vec<Finding>>) -> Result<(), String> {
        for (now, what) in self.asked.runs_beside(self.scene.span()) {
            let run = Run::new(&self.asked.query, &self.scene.rows, now);
            let data = run.result().map_err(|fault| fault.to_string())?;
            let Some(time) = data.instants(self.asked.time()).and_then(|all| all.first().copied())
            else {
                continue;
            };
            let side = self.scene.sides.iter().find(|side| instant(side.time) == time);
            let (example, signal) = (side.map_or(0, |side| side.example), &self.asked.rule.signals);
            let finding = signal.first().map(|signal| says(signal, "no match", what));
            findings.entry(example).or_default().extend(finding);
        }
        Ok(())
    }

    fn explained(
        &self,
        (at, signal): (usize, &Signal),
        side: &Side,
        (level, named): (Option<&str>, Option<&Named>),
    ) -> Finding {
        let output = self.asked.output(&signal.name);
        let asks = |table: &str| output.is_some_and(|one| one.tables.iter().any(|t| t == table));
        // The sensor of these tables has no such event: Sysmon tells of no file that gets another name.
        if named.is_none() && !side.rows.iter().any(|(table, _)| asks(table)) {
            return Finding::Unwritten;
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
        let matched = matches.find(|one| one.rule == self.rule && one.signal == signal);
        matched.map(|one| one.level.to_string())
    }
}

/// The rows in which a signal's are, whether it reports them or not
fn held(run: &Run<'_>, whole: &Arc<Data>, output: &SignalOutput) -> Result<Arc<Data>, String> {
    match &output.rows {
        Some(name) => run.rows_named(name).map_err(|fault| fault.to_string()),
        None => Ok(Arc::clone(whole)),
    }
}

/// Whether a row names this level, where it names one
fn is_level(level: &str, Named { level: named, severity, .. }: &Named) -> bool {
    named.as_ref().is_none_or(|named| named == level)
        && severity.as_ref().is_none_or(|severity| severity == severity_of(level))
}

/// The severity of an alert at a level
pub(super) fn severity_of(level: &str) -> &'static str {
    match level {
        "critical" | "high" => "High",
        "medium" => "Medium",
        "low" => "Low",
        _ => "Informational",
    }
}

fn wrongly(signal: &Signal, (column, meant, shown): &Wrong) -> Finding {
    says(signal, &format!("match, {column} {meant:?}"), &format!("match, {column} {shown:?}"))
}

fn says(signal: &Signal, engine: &str, target: &str) -> Finding {
    Finding::Different(Difference {
        signal: signal.name.clone(),
        engine: engine.to_owned(),
        target: target.to_owned(),
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
