//! Exclusions that silence an event, each tried before it is offered.
//!
//! In: a rule, one of its signals, and an event that the signal finds; then other events. Out:
//! [`Exclusion`]s, the best first: the text to paste, the tests that would fail, the targets that would
//! refuse it, and how many of the other events it would hide.
//!
//! INVARIANT: what is tried is read from the text that is offered. An exclusion compares whole values
//! only, so that it hides no more than its text says.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::Value;

use super::{Loaded, Text, Workspace, run_samples};
use crate::backend::{Policy, Target, translate_by};
use crate::definition::Looked;
use crate::diagnostic::{Code, Diagnostics};
use crate::ir::{Clause, Role, Rule};
use crate::matcher::{Engine, Memory, Options, Recorder};
use crate::pattern::Pattern;
use crate::source::is_unprintable;
use crate::taxonomy::{EventKind, Field, FieldType};

/// The most fields of an event that exclusions are made of
const MOST_FIELDS: usize = 8;
/// The longest value that an exclusion compares, in characters
const LONGEST: usize = 1_000;

/// An exclusion that silences the event
#[derive(Debug, Clone)]
pub struct Exclusion {
    /// The item of `exclusions:`, as lines of YAML without indentation
    pub yaml: String,
    /// The names of the rule's tests that would fail
    pub failing: Vec<String>,
    /// The targets that take the rule and would refuse it
    pub refused: Vec<Target>,
    /// Whether an attacker can write all that it looks at
    pub is_open: bool,
    /// How many of the other events it hides
    pub hides: usize,
    clause: Clause,
}

/// Exclusions being tried on events
pub struct Tuner {
    /// The rule as it is, then with each exclusion
    engine: Engine,
    memory: Memory,
    signal: usize,
    exclusions: Vec<Exclusion>,
    /// How many of the other events the signal finds
    pub found: usize,
}

impl Tuner {
    /// Makes exclusions that silence an event; `None` when the signal does not find it
    pub fn new(
        loaded: &Loaded,
        signal: usize,
        (event, kind): (&Value, Option<&EventKind>),
        policy: &Policy,
    ) -> Option<Tuner> {
        let rule = &loaded.rule;
        let finds = |engine: &Engine| {
            let matches = engine.judge_value(event, kind, &mut Memory::default());
            matches.is_ok_and(|all| all.iter().any(|matched| matched.signal == signal))
        };
        if !finds(&Engine::new([rule.clone()], &Options::default())) {
            return None;
        }
        let held = fields(rule, signal, event, kind);
        let usual = [Target::Sentinel, Target::Elastic, Target::Native];
        let before = Before {
            failing: failing_tests(loaded),
            taken: usual.into_iter().filter(|target| takes(policy, rule, *target)).collect(),
        };
        let mut exclusions = Vec::new();
        for (at, one) in held.iter().enumerate() {
            let pairs = held[at + 1..].iter().map(|other| vec![one, other]);
            for fields in std::iter::once(vec![one]).chain(pairs) {
                exclusions.extend(exclusion((loaded, &before), signal, &fields, policy));
            }
        }
        exclusions
            .retain(|one| !finds(&Engine::new([with(rule, signal, one)], &Options::default())));
        let changed = exclusions.iter().map(|one| with(rule, signal, one));
        let rules: Vec<Rule> = std::iter::once(rule.clone()).chain(changed).collect();
        let engine = Engine::new(rules, &Options::default());
        Some(Tuner { engine, memory: Memory::default(), signal, exclusions, found: 0 })
    }

    /// Counts what each exclusion hides of another event
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn observe(&mut self, event: &Value, kind: Option<&EventKind>) -> serde_json::Result<()> {
        let matches = self.engine.judge_value(event, kind, &mut self.memory)?;
        let mine = matches.iter().filter(|matched| matched.signal == self.signal);
        let rules: BTreeSet<usize> = mine.map(|matched| matched.rule).collect();
        if rules.contains(&0) {
            self.found += 1;
            for (at, exclusion) in self.exclusions.iter_mut().enumerate() {
                exclusion.hides += usize::from(!rules.contains(&(at + 1)));
            }
        }
        Ok(())
    }

    /// The exclusions, the best first: those that keep every test and target and that an attacker cannot
    /// write, then those that hide least
    pub fn finish(mut self) -> Vec<Exclusion> {
        self.exclusions.sort_by_key(|one| {
            let costs = one.failing.len() + one.refused.len();
            // Of two that hide as much, the one that says more will hide less of what comes.
            (costs, one.is_open, one.hides, Reverse(one.yaml.lines().count()))
        });
        self.exclusions
    }
}

/// The fields of the event with one value that says what happened, those that the signal tests first
fn fields(
    rule: &Rule,
    signal: usize,
    event: &Value,
    kind: Option<&EventKind>,
) -> Vec<(Field, String)> {
    let signal = &rule.signals[signal];
    let Ok(record) = Recorder::new(&signal.kind).read(event, kind) else { return Vec::new() };
    let tested: Vec<&Field> = signal.fields().collect();
    let mut held: Vec<(Field, String)> = Vec::new();
    for (field, values) in record.fields {
        let [value] = &*values else { continue };
        let plain = !value.is_empty()
            && value.chars().count() <= LONGEST
            && !value.chars().any(is_unprintable);
        if plain && says_what_happened(&field, &signal.kind) && field != Field::EVERY {
            held.push((field, value.clone()));
        }
    }
    held.sort_by_key(|(field, _)| !tested.contains(&field));
    held.truncate(MOST_FIELDS);
    held
}

/// Whether a field says what happened, and not when, under which number or to which instance
fn says_what_happened(field: &Field, kind: &EventKind) -> bool {
    match kind.field_type(field) {
        Some(FieldType::Path | FieldType::Command | FieldType::Account | FieldType::Key) => true,
        Some(FieldType::Address) => true,
        // Of a request every text says something; of other events most texts are ids and versions.
        Some(FieldType::Text) => *kind == EventKind::Webserver,
        Some(FieldType::Host | FieldType::Number | FieldType::Action | FieldType::Any) | None => {
            false
        }
    }
}

/// What holds of a rule before an exclusion
struct Before {
    /// The names of its tests that fail
    failing: Vec<String>,
    /// The usual targets that take it
    taken: Vec<Target>,
}

/// Whether a target takes a rule
fn takes(policy: &Policy, rule: &Rule, target: Target) -> bool {
    let attempt = translate_by(policy, target, rule, "rule", &mut Diagnostics::default());
    attempt.translation.is_some()
}

/// The exclusion of events that have these values; `None` where no definition can say so
fn exclusion(
    (loaded, before): (&Loaded, &Before),
    signal: usize,
    fields: &[&(Field, String)],
    policy: &Policy,
) -> Option<Exclusion> {
    let rule = &loaded.rule;
    let kind = &rule.signals[signal].kind;
    let mut yaml = "- note: why this is harmless\n".to_owned();
    for (field, value) in fields {
        let value = Pattern::literal(value).to_string().replace('\'', "''");
        yaml.push_str(&format!("  {}: '{value}'\n", field.name()));
    }
    let indented: String = yaml.lines().map(|line| format!("      {line}\n")).collect();
    let product = rule.signals[signal].product;
    let product = product.map_or_else(String::new, |one| format!("    product: {one}\n"));
    let text = format!(
        "title: t\nid: 7f7d6c34-52c5-43f5-a5a7-4a1d3c1f3f5e\ndate: 2026-01-01\nsignals:\n  s:\n    \
         event: {kind}\n{product}    {}|exists: true\n    exclusions:\n{indented}",
        fields.first()?.0.name()
    );
    let mut read = Workspace::read(&Text::new("exclusion.yml", text).into());
    let clauses = &read.rules.first()?.rule.signals.first()?.clauses;
    let clause = clauses.iter().rfind(|clause| clause.role == Role::Exclude)?.clone();
    let is_open =
        read.findings(Looked::InPart).iter().any(|diagnostic| diagnostic.code == Code::W0239);
    let (failing, refused) = (Vec::new(), Vec::new());
    let mut made = Exclusion { yaml, failing, refused, is_open, hides: 0, clause };
    let changed = Loaded { rule: with(rule, signal, &made), ..loaded.clone() };
    made.failing = failing_tests(&changed);
    made.failing.retain(|name| !before.failing.contains(name));
    let taken = before.taken.iter().copied();
    made.refused = taken.filter(|target| !takes(policy, &changed.rule, *target)).collect();
    Some(made)
}

fn failing_tests(loaded: &Loaded) -> Vec<String> {
    let results = run_samples(loaded, &mut Diagnostics::default());
    results.into_iter().filter(|result| !result.passed).map(|result| result.sample).collect()
}

/// The rule with an exclusion in a signal
fn with(rule: &Rule, signal: usize, exclusion: &Exclusion) -> Rule {
    let mut rule = rule.clone();
    rule.signals[signal].clauses.push(exclusion.clause.clone());
    rule
}
