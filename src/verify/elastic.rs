//! Elastic's rules against the engine.
//!
//! In: the lines that Kibana imports, the rule they are of, and events with what the engine says of
//! them. Out: for each event and signal a [`Finding`]: whether both say the same. Below stands the
//! judge: [`Rule`] runs what was emitted as Kibana and Elasticsearch do.

mod analyse;
mod document;
mod evaluate;
mod fields;
mod filter;
mod glob;
mod indices;
mod point;
mod query;
mod rule;
mod translate;

pub use rule::Rule;

use super::comparison::Comparison;
use super::finding::Finding;
use super::import::Imported;
use super::novelty::{Seen, Terms};
use super::observation::Observation;
use crate::backend::Loss;
use crate::ir;
use crate::matcher::{Engine, Match, Options};

/// What Kibana imports for a rule
pub struct Import<'r> {
    pub(super) rule: &'r ir::Rule,
    /// The engine of this rule alone
    pub(super) engine: Engine,
    pub(super) losses: &'r [Loss],
    lines: Vec<Imported>,
}

/// What was found of an event and a signal
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Index of the signal
    pub signal: usize,
    /// How the two sides stand to each other
    pub finding: Finding,
    /// Whether the engine says that the event matches
    pub matched: bool,
    /// What may be new about the event, where both sides say that it matches
    terms: Option<Terms>,
}

impl<'r> Import<'r> {
    /// Reads the lines emitted for a rule: one a signal, in their order
    ///
    /// # Errors
    /// What is wrong with a line, as a clause without a period.
    pub fn read(rule: &'r ir::Rule, losses: &'r [Loss], text: &str) -> Result<Self, String> {
        let written = text.lines().count();
        if written != rule.signals.len() {
            return Err(format!("{written} rules stand for {} signals", rule.signals.len()));
        }
        let mut lines = Vec::new();
        for (at, (line, signal)) in text.lines().zip(&rule.signals).enumerate() {
            let of_signal = |why| format!("the rule of {}: {why}", signal.name);
            let imported = Imported::read(line).map_err(of_signal)?;
            let asks = rule.new_terms.as_ref().is_some_and(|new| new.signal == at);
            if asks != imported.history.is_some() {
                let word = if asks { "remembers no terms" } else { "asks for new terms" };
                return Err(of_signal(word.to_owned()));
            }
            lines.push(imported);
        }
        let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
        Ok(Import { rule, engine, losses, lines })
    }

    /// The names of the signals that the target has
    pub(super) fn signals(&self) -> impl Iterator<Item = &str> {
        self.rule.signals.iter().map(|signal| signal.name.as_str())
    }

    pub(super) fn signal(&self, at: usize) -> &str {
        &self.rule.signals[at].name
    }

    /// Whether some signal is about such events
    pub(super) fn looks_at(&self, observation: &Observation) -> bool {
        let kinds = observation.sides.iter().map(|side| side.kind);
        let sought = |kind| self.rule.signals.iter().any(|signal| signal.kind == kind);
        kinds.into_iter().any(sought)
    }

    /// Compares the verdicts on an event, of every signal that looks at such events
    ///
    /// `matches` are the engine's, of this rule.
    pub fn compare<'m>(
        &self,
        observation: &Observation,
        matches: impl Iterator<Item = &'m Match> + Clone,
    ) -> Vec<Judged> {
        let signals = self.rule.signals.iter().zip(&self.lines).enumerate();
        let judged = signals.filter_map(|(signal, (sought, line))| {
            let matched = matches.clone().find(|one| one.signal == signal);
            let comparison =
                Comparison { import: self, at: signal, signal: sought, line, observation, matched };
            let finding = comparison.judge()?;
            let terms = comparison.terms().filter(|_| finding == Finding::Same(true));
            Some(Judged { signal, finding, matched: matched.is_some(), terms })
        });
        judged.collect()
    }

    /// Compares what is new, in the order of the events
    pub fn compare_terms(&self, seen: &mut Seen, judged: &Judged) -> Option<Finding> {
        let window = self.rule.new_terms.as_ref()?.window;
        let history = self.lines[judged.signal].history.as_ref()?;
        let name = self.signal(judged.signal);
        Some(seen.compare(judged.terms.as_ref()?, (window, history.window), name))
    }
}
