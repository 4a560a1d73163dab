//! What decides the samples of a rule.
//!
//! In: a rule, and one of its samples. Out: for each event of the sample the signals that it is tried on,
//! whether it fits, and why, in sentences of the engine's own [`Explainer`]. Whether the sample passed is
//! told elsewhere, by [`run`](super::samples::run).

use super::samples::events_of;
use crate::definition::Sample;
use crate::ir::{ClauseOrigin, Role, Rule};
use crate::matcher::{Explained, Explainer, Fit, Memory, Options};

/// The most signals of which it is told why an event fits none
const MOST: usize = 3;

/// What an event of a sample is to a signal
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The name of the signal
    pub signal: String,
    /// Whether the event fits
    pub fits: bool,
    /// Why, a clause each without a period: of a match every required part, else the first reason
    pub why: Vec<String>,
}

/// What decides each event of each sample of a rule, in the order of the samples
///
/// An event is told for the signal that its sample names, else for those that it fits, else for the first
/// that look at such events.
pub fn decided(rule: &Rule) -> Vec<Vec<Vec<Decided>>> {
    if rule.tests.is_empty() {
        return Vec::new();
    }
    let explainer = Explainer::new(rule.clone(), &Options::default());
    rule.tests.iter().map(|sample| of_sample(&explainer, rule, sample)).collect()
}

fn of_sample(explainer: &Explainer, rule: &Rule, sample: &Sample) -> Vec<Vec<Decided>> {
    let asked = rule.sampled(sample);
    let kind = asked.map(|at| &rule.signals[at].kind);
    let mut memory = Memory::default();
    let events = events_of(rule, sample).map(|event| {
        // An event that is no object is told by the sample's own result.
        let all = explainer.explain(&event, kind, &mut memory).unwrap_or_default();
        shown(&all, asked).into_iter().map(told).collect()
    });
    events.collect()
}

/// The signals of which an event is told
fn shown<'e, 'r>(all: &'e [Explained<'r>], asked: Option<usize>) -> Vec<&'e Explained<'r>> {
    if let Some(asked) = asked {
        return all.get(asked).into_iter().collect();
    }
    let fitting: Vec<_> = all.iter().filter(|one| one.fit == Fit::Fits).collect();
    if !fitting.is_empty() {
        return fitting;
    }
    let looking: Vec<_> = all.iter().filter(|one| one.fit == Fit::Fails).take(MOST).collect();
    if looking.is_empty() { all.iter().take(1).collect() } else { looking }
}

fn told(one: &Explained<'_>) -> Decided {
    let fits = one.fit == Fit::Fits;
    let parts = one.clauses.iter().filter(|tried| {
        tried.clause.role == Role::Require && tried.clause.origin == ClauseOrigin::Author
    });
    let mut why: Vec<String> = parts.map(|tried| tried.because()).collect();
    if !fits || why.is_empty() {
        why = vec![one.reason()];
    }
    Decided { signal: one.signal.name.clone(), fits, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Text, Workspace};

    #[test]
    fn a_match_is_told_part_by_part_and_a_miss_by_its_first_reason() {
        let text = "title: a\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\ndate: 2026-11-21\nsignals:\n  \
             shell: {event: process_creation, parents: [w3wp.exe], children: [cmd.exe]}\ntests:\n  \
             - name: it\n    event: {ParentImage: 'C:\\w3wp.exe', Image: 'C:\\cmd.exe'}\n  \
             - name: other\n    event: {ParentImage: 'C:\\w3wp.exe', Image: 'C:\\a.exe'}\n    expect: none\n";
        let workspace = Workspace::read(&Text::new("a.yml", text).into());
        let all = decided(&workspace.rules[0].rule);
        let [it, other] = &*all else { panic!("{all:?}") };
        assert!(it[0][0].fits && it[0][0].why.len() == 2, "{it:?}");
        assert!(it[0][0].why[0].contains("w3wp.exe"), "{it:?}");
        assert!(!other[0][0].fits && other[0][0].why[0].contains("cmd.exe"), "{other:?}");
    }
}
