//! Runs Elastic's rules and the engine over many events.
//!
//! In: the import lines of rules, and events from a rule's own tests or from files. Out: one
//! [`Tally`] per rule: the number of events judged, the matches, and the places where the two
//! sides differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::elastic::{Import, Judged};
use super::finding::{Difference, Finding};
use super::near::{self, Care};
use super::novelty::Seen;
use super::observation::{Observation, Observer};
use crate::ir::Rule;
use crate::manifest::LossName;
use crate::matcher::{Engine, Memory, Options};
use crate::taxonomy::EventKind;

/// An event and its place
#[derive(Debug, Clone)]
pub struct Example {
    /// Its place among the tests or in a file
    pub place: Place,
    /// Its fields
    pub event: Value,
    /// Its kind, if given
    pub kind: Option<EventKind>,
}

/// The place of an event
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An event of one of the rule's tests; both counted from 0
    Test {
        /// Index into [`Rule::tests`]
        test: usize,
        /// Index of the event within the test
        event: usize,
    },
    /// An event near a literal of the rule, counted from 0
    Near(usize),
    /// An event of the course that a rule's correlations make, counted from 0
    Course(usize),
    /// A line of a file of events
    Line {
        /// Number of the file, from 0
        file: usize,
        /// Number of the line, from 1
        line: usize,
    },
}

/// The result of a rule's trial
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Events that may be of a kind some signal judges
    pub events: usize,
    /// Events that some signal matches on both sides
    pub matched: usize,
    /// Events with a difference that no sensor writes
    pub unwritten: usize,
    /// Events with a difference that a loss in the artifact explains
    pub lost: usize,
    /// The losses that explain the events in `lost`
    pub losses: BTreeSet<LossName>,
    /// The number of events that each signal matches in the engine, by name; explained differences
    /// included
    pub signals: BTreeMap<String, usize>,
    /// The unexplained differences, in the order of the events
    pub differences: Vec<(Place, Difference)>,
}

impl Tally {
    /// The sum of both tallies
    #[must_use]
    pub fn joined(mut self, other: Tally) -> Tally {
        self.events += other.events;
        self.matched += other.matched;
        self.unwritten += other.unwritten;
        self.lost += other.lost;
        self.losses.extend(other.losses);
        for (signal, matched) in other.signals {
            *self.signals.entry(signal).or_default() += matched;
        }
        self.differences.extend(other.differences);
        self
    }

    fn of(import: &Import<'_>) -> Tally {
        let names = import.signals().map(|name| (name.to_owned(), 0));
        Tally { signals: names.collect(), ..Tally::default() }
    }

    /// Counts the findings on an event; a difference shows an event that stands in no file
    ///
    /// An event near a literal that no sensor writes is not counted.
    pub(super) fn take_of<'f>(
        &mut self,
        example: &Example,
        findings: impl Iterator<Item = &'f Finding>,
    ) {
        let findings: Vec<&Finding> = findings.collect();
        let near = matches!(example.place, Place::Near(_));
        let differs = findings.iter().any(|one| matches!(one, Finding::Different(_)));
        if near && !differs && findings.contains(&&Finding::Unwritten) {
            return;
        }
        let known = self.differences.len();
        self.take(example.place, findings.into_iter());
        if near {
            for (_, difference) in &mut self.differences[known..] {
                difference.event = Some(example.event.to_string());
            }
        }
    }

    pub(super) fn take<'f>(&mut self, place: Place, findings: impl Iterator<Item = &'f Finding>) {
        self.events += 1;
        let (mut matched, mut unwritten, mut lost) = (false, false, false);
        for finding in findings {
            match finding {
                Finding::Same(false) => {}
                Finding::Same(true) => matched = true,
                Finding::Unwritten => unwritten = true,
                Finding::Lost(loss) => {
                    lost = true;
                    self.losses.insert(*loss);
                }
                Finding::Different(difference) => {
                    self.differences.push((place, difference.clone()));
                }
            }
        }
        self.matched += usize::from(matched);
        self.unwritten += usize::from(unwritten);
        self.lost += usize::from(lost);
    }
}

/// The events of each of a rule's own tests, of the kind of the signal that the test is for
pub fn own_examples(rule: &Rule) -> Vec<Vec<Example>> {
    let tests = rule.tests.iter().enumerate().map(|(test, sample)| {
        let signal = rule.sampled(sample).map(|at| &rule.signals[at]);
        let examples = sample.events.iter().enumerate().map(|(at, event)| {
            let of_signal = signal.map(|signal| signal.sample_event(&event.value));
            Example {
                place: Place::Test { test, event: at },
                event: of_signal.unwrap_or_else(|| event.value.clone()),
                kind: signal.map(|signal| signal.kind.clone()),
            }
        });
        examples.collect()
    });
    tests.collect()
}

/// Judges the events of a rule's own tests
///
/// `rule` is the rule with all its signals. Signals under `without:` of the target are not judged,
/// but the events of their tests are.
pub fn try_tests(import: &Import<'_>, rule: &Rule) -> Tally {
    let observer = Observer::default();
    let mut tally = Tally::of(import);
    for examples in own_examples(rule) {
        let mut seen = Seen::default();
        for example in examples {
            let observation = observer.look(&example.event, example.kind.as_ref());
            if let Ok(observation) = observation {
                try_one(&mut tally, &mut seen, import, (&example, &observation));
            }
        }
    }
    tally
}

/// Judges events near every literal of the rule; those that no document can hold are left out
pub fn try_near_events(import: &Import<'_>, observer: &Observer) -> Tally {
    let (mut tally, mut seen) = (Tally::of(import), Seen::default());
    for example in near_examples(import.rule) {
        let observation = observer.look(&example.event, example.kind.as_ref());
        if let Ok(observation) = observation
            && observation.sides.iter().all(|side| side.is_held())
        {
            try_one(&mut tally, &mut seen, import, (&example, &observation));
        }
    }
    tally
}

/// Judges an event by one import, and counts what comes of it
fn try_one(
    tally: &mut Tally,
    seen: &mut Seen,
    import: &Import<'_>,
    (example, observation): (&Example, &Observation),
) {
    let judged = judge(&import.engine, &[Some(import)], example, observation);
    if let Some(Some(judged)) = judged.into_iter().next() {
        account(tally, seen, import, example, &judged);
    }
}

/// Events near every literal of a rule, each of the kind of its signal
pub fn near_examples(rule: &Rule) -> Vec<Example> {
    let events = rule.signals.iter().flat_map(|signal| {
        near::near(signal, CARE).into_iter().map(|one| (signal.kind.clone(), one.event))
    });
    let example = |(at, (kind, event))| Example {
        place: Place::Near(at),
        event: Value::Object(event),
        kind: Some(kind),
    };
    events.enumerate().map(example).collect()
}

/// How many literals of a test are tried in every way
pub(super) const CARE: Care = Care { thorough: 1 };

/// Rules on trial over a stream of events
pub struct Trial<'r> {
    engine: Engine,
    observer: Observer,
    imports: &'r [Option<Import<'r>>],
    accounts: Vec<(Tally, Seen)>,
}

impl<'r> Trial<'r> {
    /// Prepares the trial of these rules; a rule without an import is not tried
    pub fn new(rules: impl Into<Arc<[Rule]>>, imports: &'r [Option<Import<'r>>]) -> Self {
        let engine = Engine::new(rules, &Options::default());
        let tally =
            |import: &Option<Import<'_>>| import.as_ref().map(Tally::of).unwrap_or_default();
        let accounts = imports.iter().map(|import| (tally(import), Seen::default())).collect();
        Trial { engine, observer: Observer::default(), imports, accounts }
    }

    /// Judges the next events, in parallel, and counts them in order
    pub fn observe(&mut self, examples: &[Example]) {
        let imports: Vec<Option<&Import<'_>>> = self.imports.iter().map(Option::as_ref).collect();
        let all: Vec<_> = examples
            .par_iter()
            .map(|example| {
                let observation = self.observer.look(&example.event, example.kind.as_ref());
                let observation = observation.as_ref().ok();
                let judged = observation.map(|one| judge(&self.engine, &imports, example, one));
                judged.unwrap_or_default()
            })
            .collect();
        for (example, rules) in examples.iter().zip(all) {
            for (rule, judged) in rules.into_iter().enumerate() {
                let ((tally, seen), Some(import)) = (&mut self.accounts[rule], imports[rule])
                else {
                    continue;
                };
                if let Some(judged) = judged {
                    account(tally, seen, import, example, &judged);
                }
            }
        }
    }

    /// The tally of each rule, in the order of the rules
    pub fn finish(self) -> Vec<Tally> {
        self.accounts.into_iter().map(|(tally, _)| tally).collect()
    }
}

/// The verdicts of each import on an event; `None` for an import without a signal of its kind
///
/// Values that are not objects are skipped.
fn judge(
    engine: &Engine,
    imports: &[Option<&Import<'_>>],
    example: &Example,
    observation: &Observation,
) -> Vec<Option<Vec<Judged>>> {
    let matches = engine.judge_value(&example.event, example.kind.as_ref(), &mut Memory::default());
    let Ok(matches) = matches else { return Vec::new() };
    let judged = imports.iter().enumerate().map(|(rule, import)| {
        let import = import.filter(|import| import.looks_at(observation))?;
        Some(import.compare(observation, matches.iter().filter(move |one| one.rule == rule)))
    });
    judged.collect()
}

fn account(
    tally: &mut Tally,
    seen: &mut Seen,
    import: &Import<'_>,
    example: &Example,
    judged: &[Judged],
) {
    // A signal may have a part in several rules.
    let matched = judged.iter().filter(|one| one.matched).map(|one| one.signal);
    for signal in matched.collect::<BTreeSet<usize>>() {
        *tally.signals.entry(import.signal(signal).to_owned()).or_default() += 1;
    }
    let new: Vec<Finding> =
        judged.iter().filter_map(|one| import.compare_terms(seen, one)).collect();
    tally.take_of(example, judged.iter().map(|one| &one.finding).chain(&new));
}
