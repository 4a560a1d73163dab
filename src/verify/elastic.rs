//! Elastic's rules against the engine.
//!
//! In: the lines for Kibana's import, the rule they were emitted from, and events with the engine's
//! matches. Out: a [`Finding`] for each event and signal. The submodules are the judge: [`Rule`]
//! runs an emitted rule as Kibana and Elasticsearch do.

mod analyse;
pub(super) mod document;
mod evaluate;
mod fields;
mod filter;
pub(super) mod glob;
mod indices;
mod loads;
pub(super) mod point;
mod query;
pub(super) mod regexp;
mod rule;
mod translate;

pub use fields::Known;
pub use rule::Rule;
pub(super) use rule::sequence_of;

use std::collections::BTreeSet;

use super::comparison::Comparison;
use super::correlated::Correlated;
use super::exceptions;
use super::finding::Finding;
use super::import::Imported;
use super::novelty::{Seen, Terms};
use super::observation::Observation;
use super::pipeline::Gaps;
use crate::ir;
use crate::manifest::Manifest;
use crate::mapping::Mappings;
use crate::matcher::{Engine, Match, Options};
use crate::taxonomy::EventKind;

/// The lines of Kibana's import file for a rule, ready to judge documents
pub struct Import<'r> {
    pub(super) rule: &'r ir::Rule,
    /// The engine, with this rule only
    pub(super) engine: Engine,
    pub(super) manifest: &'r Manifest,
    pub(super) mappings: Mappings,
    /// Signals with a rule: their own, or their part in the rule of a correlation
    lines: Vec<(usize, Imported)>,
    /// The rules of each correlation that is reported
    pub(super) correlated: Vec<Correlated>,
}

/// The finding on one event and one signal
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Index of the signal
    pub signal: usize,
    /// The engine's verdict compared with Elastic's
    pub finding: Finding,
    /// Whether the event matches in the engine
    pub matched: bool,
    /// The combinations that may be new, if the event matches on both sides
    terms: Option<Terms>,
}

impl<'r> Import<'r> {
    /// Reads the lines emitted for a rule: one per signal, in the order of the signals, and the
    /// exceptions beside them
    ///
    /// # Errors
    /// The fault of a line, as a clause without a period.
    pub fn read(rule: &'r ir::Rule, manifest: &'r Manifest, text: &str) -> Result<Self, String> {
        Import::read_known(rule, manifest, text, &Mappings::default())
    }

    /// Like [`Import::read`], with the fields, indices and events of the user's mappings
    ///
    /// # Errors
    /// As [`Import::read`].
    pub fn read_known(
        rule: &'r ir::Rule,
        manifest: &'r Manifest,
        text: &str,
        mappings: &Mappings,
    ) -> Result<Self, String> {
        let known = Known::of(mappings);
        let signals: Vec<usize> =
            (0..rule.signals.len()).filter(|at| rule.reports_signal(*at)).collect();
        let correlations = (0..rule.correlations.len()).filter(|at| rule.reports_correlation(*at));
        let correlations: Vec<usize> = correlations.collect();
        let wanted = correlations.iter().map(|at| Correlated::rules_of(&rule.correlations[*at]));
        let rules = exceptions::rules(text)?;
        let (written, wanted) = (rules.len(), signals.len() + wanted.sum::<usize>());
        if written != wanted {
            return Err(format!("{written} rules stand for {wanted} signals and correlations"));
        }
        let mut read = rules.iter();
        let mut lines = Vec::new();
        // The signals come first, so that the last of them takes no line of a correlation.
        for (at, line) in signals.into_iter().zip(read.by_ref()) {
            let signal = &rule.signals[at];
            let of_signal = |why| format!("the rule of {}: {why}", signal.name);
            let imported = Imported::of(line, &known).map_err(of_signal)?;
            let asks = rule.new_terms.as_ref().is_some_and(|new| new.signal == at);
            if asks != imported.history.is_some() {
                let word = if asks { "remembers no terms" } else { "asks for new terms" };
                return Err(of_signal(word.to_owned()));
            }
            lines.push((at, imported));
        }
        let mut correlated = Vec::new();
        for at in correlations {
            let one = &rule.correlations[at];
            let own: Vec<_> = read.by_ref().take(Correlated::rules_of(one)).collect();
            let of_correlation = |why| format!("the rule of {}: {why}", one.name);
            if own.len() != Correlated::rules_of(one) {
                return Err(of_correlation("a line is not there".to_owned()));
            }
            let (mine, parts) = Correlated::read(one, at, &own, &known).map_err(of_correlation)?;
            correlated.push(mine);
            lines.extend(parts);
        }
        let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
        let mappings = mappings.clone();
        Ok(Import { rule, engine, manifest, mappings, lines, correlated })
    }

    /// The rule, as it is emitted
    pub fn rule(&self) -> &'r ir::Rule {
        self.rule
    }

    /// The names of the rule's signals on the target
    pub(super) fn signals(&self) -> impl Iterator<Item = &str> {
        self.rule.signals.iter().map(|signal| signal.name.as_str())
    }

    pub(super) fn signal(&self, at: usize) -> &str {
        &self.rule.signals[at].name
    }

    /// Whether a signal of the rule is of a kind that the event may be
    pub(super) fn looks_at(&self, observation: &Observation) -> bool {
        let kinds = observation.sides.iter().map(|side| &side.kind);
        let sought = |kind: &EventKind| self.rule.signals.iter().any(|signal| signal.kind == *kind);
        kinds.into_iter().any(sought)
    }

    /// Compares the verdicts of each signal on an event; skips signals of another kind
    ///
    /// `matches` are the engine's matches of this rule.
    pub fn compare<'m>(
        &self,
        observation: &Observation,
        matches: impl Iterator<Item = &'m Match> + Clone,
    ) -> Vec<Judged> {
        let judged = self.lines.iter().filter_map(|(signal, line)| {
            let (signal, sought) = (*signal, &self.rule.signals[*signal]);
            let matched = matches.clone().find(|one| one.signal == signal);
            let comparison =
                Comparison { import: self, at: signal, signal: sought, line, observation, matched };
            let finding = comparison.judge()?;
            let terms = comparison.terms().filter(|_| finding == Finding::Same(true));
            Some(Judged { signal, finding, matched: matched.is_some(), terms })
        });
        judged.collect()
    }

    /// The signals whose rule matches the documents of an event, without a look at the engine
    pub fn matching(&self, observation: &Observation) -> BTreeSet<usize> {
        let matches = |(at, line): &&(usize, Imported)| {
            let (at, signal) = (*at, &self.rule.signals[*at]);
            Comparison { import: self, at, signal, line, observation, matched: None }
                .hit(Gaps::Left)
                .is_some()
        };
        self.lines.iter().filter(matches).map(|(at, _)| *at).collect()
    }

    /// Compares novelty; call it in the order of the events
    ///
    /// `None` when the rule has no new terms, or the event did not match on both sides.
    pub fn compare_terms(&self, seen: &mut Seen, judged: &Judged) -> Option<Finding> {
        let window = self.rule.new_terms.as_ref()?.window;
        let history = self.lines.iter().find(|(at, _)| *at == judged.signal)?.1.history.as_ref()?;
        let name = self.signal(judged.signal);
        Some(seen.compare(judged.terms.as_ref()?, (window, history.window), name))
    }
}
