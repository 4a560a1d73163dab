//! What becomes of each rule on each target, for a report of a run.
//!
//! In: a loaded rule, and what a target made of it. Out: a [`Row`]: the mappings taken, the losses
//! with their weights, the findings, and the [`Outcome`] that follows from them. The emitted texts
//! are no part of it.

use std::collections::BTreeMap;

use super::Loaded;
use crate::backend::{Attempt, Target, Weight};
use crate::diagnostic::{Cause, Code, Diagnostic, Diagnostics, Severity};
use crate::ir::Signal;
use crate::manifest::LossName;
use crate::taxonomy::EventKind;

/// A rule on a target
#[derive(Debug)]
pub struct Row<'w> {
    /// The rule
    pub rule: &'w Loaded,
    /// The target
    pub target: Target,
    /// The mappings that its signals take, each once, in the order of the signals; empty for a
    /// refused rule and for a target without mappings
    pub mappings: Vec<String>,
    /// The kinds of loss, each with the heaviest weight that it has here; of a refused rule those
    /// that are denied
    pub losses: BTreeMap<LossName, Weight>,
    /// The signals and correlations that the author leaves out on this target
    pub without: Vec<String>,
    /// The findings about the rule on this target
    pub found: Diagnostics,
    /// Whether the author leaves out every signal
    is_left_out: bool,
}

/// How much of a rule's meaning a target keeps, the best first; of a rule that its author leaves out
/// in part, how much of the rest
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// All of it
    Exact,
    /// All but losses that are notes
    Noted,
    /// All but losses of which one is a warning
    Warned,
    /// Nothing: the target refuses the rule
    Refused,
    /// Nothing: its author leaves out every signal on the target
    LeftOut,
}

impl Outcome {
    /// Every outcome, the best first
    pub const ALL: [Outcome; 5] =
        [Outcome::Exact, Outcome::Noted, Outcome::Warned, Outcome::Refused, Outcome::LeftOut];

    /// Its name in reports
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Exact => "exact",
            Outcome::Noted => "noted",
            Outcome::Warned => "warned",
            Outcome::Refused => "refused",
            Outcome::LeftOut => "left_out",
        }
    }

    /// Whether the target takes the rule
    pub fn is_converted(self) -> bool {
        match self {
            Outcome::Exact | Outcome::Noted | Outcome::Warned => true,
            Outcome::Refused | Outcome::LeftOut => false,
        }
    }
}

impl<'w> Row<'w> {
    /// The row of an attempt that led to these findings
    pub(super) fn of(
        (rule, target): (&'w Loaded, Target),
        attempt: &Attempt,
        diagnostics: Diagnostics,
    ) -> Self {
        let mut losses: BTreeMap<LossName, Weight> = BTreeMap::new();
        let is_refused = diagnostics.has_errors();
        let told = |weight: &Weight| !is_refused || *weight == Weight::Deny;
        for (name, weight) in attempt.losses.iter().filter(|(_, weight)| told(weight)) {
            let heaviest = losses.entry(*name).or_insert(*weight);
            *heaviest = (*heaviest).max(*weight);
        }
        let manifest = attempt.translation.as_ref().map(|translation| &translation.manifest);
        let mut mappings: Vec<String> = Vec::new();
        for signal in manifest.iter().flat_map(|manifest| &manifest.signals) {
            mappings.extend(signal.mapping.clone().filter(|name| !mappings.contains(name)));
        }
        // A loss that the attempt does not weigh is one that the author accepts: a note.
        for loss in manifest.iter().flat_map(|manifest| &manifest.losses) {
            losses.entry(loss.name).or_insert(Weight::Note);
        }
        let said = rule.rule.said_of(target.name()).into_iter();
        let without = said.flat_map(|said| &said.without).map(|name| name.value.clone()).collect();
        let is_left_out = manifest.is_some_and(|manifest| manifest.signals.is_empty());
        Row { rule, target, mappings, losses, without, found: diagnostics, is_left_out }
    }

    /// How much of the rule's meaning the target keeps
    pub fn outcome(&self) -> Outcome {
        match self.losses.values().max() {
            _ if self.found.has_errors() => Outcome::Refused,
            _ if self.is_left_out => Outcome::LeftOut,
            None => Outcome::Exact,
            Some(Weight::Note) => Outcome::Noted,
            // INVARIANT: a denied loss is an error.
            Some(Weight::Warn | Weight::Deny) => Outcome::Warned,
        }
    }

    /// Why the target refuses the rule; each refusal has a [`cause`](Diagnostic::cause)
    pub fn refusals(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter().filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The log sources of the rule's signals, each once, in the order of the signals
    pub fn log_sources(&self) -> Vec<String> {
        let mut sources = Vec::new();
        for signal in &self.rule.rule.signals {
            let source = log_source(signal);
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }
}

/// What a refusal is about; the title of the code where that says more
pub fn refused_for(code: Code, cause: Option<&Cause>) -> String {
    let telling = cause.filter(|cause| !matches!(cause, Cause::File | Cause::Schedule));
    telling.map_or_else(|| code.title().to_owned(), ToString::to_string)
}

/// A log source in one word: product and category, or the name of a log
fn log_source(signal: &Signal) -> String {
    let source = match (&signal.kind, signal.product) {
        // The name of a log tells its product.
        (EventKind::Log(log), _) => log.name().to_owned(),
        (kind, Some(product)) => format!("{product}/{kind}"),
        (kind, None) => kind.to_string(),
    };
    match &signal.log {
        Some(log) => format!("{source} in {}", log.name()),
        None => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Sources, Text, Workspace};

    const RULE: &str = "title: a\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\ndate: 2026-11-21\nsignals:\n  \
         start: {event: process_creation, product: windows, children: [a.exe]}\n  \
         name: {event: process_creation, grandparents: [b.exe]}\n";

    fn rows_of(more: &str, targets: &[Target]) -> Vec<(Outcome, Vec<String>, Vec<String>)> {
        let sources = Sources::from(Text::new("a.yml", format!("{RULE}{more}")));
        let workspace = Workspace::read(&sources);
        assert!(!workspace.diagnostics.has_errors(), "{:?}", workspace.diagnostics);
        let rows = workspace.rows(targets);
        let of = |row: &Row<'_>| {
            let causes = row.refusals().filter_map(|one| one.cause.as_ref());
            let causes = causes.map(ToString::to_string).collect();
            (row.outcome(), row.mappings.clone(), causes)
        };
        rows.iter().map(of).collect()
    }

    #[test]
    fn a_row_tells_mapping_and_outcome_and_why_a_rule_is_refused() {
        let rows = rows_of("", &[Target::Sentinel, Target::Elastic, Target::Native]);
        let [sentinel, elastic, native] = &*rows else { panic!("{rows:?}") };
        assert_eq!(*sentinel, (Outcome::Noted, vec!["defender".to_owned()], vec![]));
        let missing = vec!["loss ancestry".to_owned()];
        assert_eq!(*elastic, (Outcome::Refused, vec![], missing));
        assert_eq!(*native, (Outcome::Exact, vec![], vec![]));
    }

    #[test]
    fn what_the_author_leaves_out_or_accepts_is_told() {
        let more = "targets: {elastic: {without: [start, name]}, sentinel: {accept: [product]}}\n";
        let rows = rows_of(more, &[Target::Elastic, Target::Sentinel]);
        let outcomes: Vec<Outcome> = rows.into_iter().map(|row| row.0).collect();
        assert_eq!(outcomes, [Outcome::LeftOut, Outcome::Noted]);
    }

    #[test]
    fn log_sources_are_listed_once() {
        let workspace = Workspace::read(&Text::new("a.yml", RULE).into());
        let rows = workspace.rows(&[Target::Native]);
        assert_eq!(rows[0].log_sources(), ["windows/process_creation", "process_creation"]);
    }
}
