//! All that the pages tell of one rule, gathered.
//!
//! In: the facts. Out: a [`Sheet`] a rule, with the path of its page, what became of it on its targets, and
//! the results of its own tests.

use std::collections::HashMap;

use rayon::prelude::*;

use super::reading::techniques;
use super::{Facts, Proof, link};
use crate::backend::Target;
use crate::diagnostic::Diagnostics;
use crate::taxonomy::attack::Technique;
use crate::workspace::{Emitted, Loaded, Part, SampleResult, run_samples, tested_parts};

/// A rule with what is known of it
pub(super) struct Sheet<'f> {
    /// Its index among the rules
    pub(super) at: usize,
    pub(super) loaded: &'f Loaded,
    /// The path of its page
    pub(super) path: String,
    /// What became of it, in the order of the targets; empty for a rule that only a correlation reports
    pub(super) emitted: Vec<&'f Emitted<'f>>,
    /// The results of its tests, in their order
    pub(super) results: Vec<SampleResult>,
    /// Why tests failed, in their order
    pub(super) failures: Vec<String>,
    /// The parts of it that tests should try
    pub(super) parts: Vec<Part>,
}

impl<'f> Sheet<'f> {
    /// A sheet for each rule, in their order
    pub(super) fn all(facts: &'f Facts<'f>) -> Vec<Sheet<'f>> {
        let mut emitted: HashMap<*const Loaded, Vec<&Emitted<'_>>> = HashMap::new();
        for one in facts.emitted {
            emitted.entry(std::ptr::from_ref(one.row.rule)).or_default().push(one);
        }
        let paths = link::paths(facts.rules);
        let sheets = facts.rules.iter().zip(paths).enumerate().map(|(at, (loaded, path))| {
            let mut emitted = emitted.remove(&std::ptr::from_ref(loaded)).unwrap_or_default();
            emitted.sort_by_key(|one| one.row.target);
            let (results, failures, parts) = Default::default();
            Sheet { at, loaded, path, emitted, results, failures, parts }
        });
        let mut sheets: Vec<Sheet<'_>> = sheets.collect();
        sheets.par_iter_mut().for_each(Sheet::test);
        sheets
    }

    fn test(&mut self) {
        let mut diagnostics = Diagnostics::default();
        self.results = run_samples(self.loaded, &mut diagnostics);
        let why = |label: &str, notes: &[String]| {
            [label]
                .into_iter()
                .chain(notes.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join("; ")
        };
        self.failures = diagnostics.iter().map(|one| why(&one.primary.text, &one.notes)).collect();
        self.parts = tested_parts(&self.loaded.rule);
    }

    /// What became of it on a target
    pub(super) fn on(&self, target: Target) -> Option<&'f Emitted<'f>> {
        self.emitted.iter().copied().find(|one| one.row.target == target)
    }

    /// The verdict on it and a target
    pub(super) fn proof<'p>(&self, facts: &'p Facts<'_>, target: Target) -> Option<&'p Proof> {
        facts.proofs.as_ref()?.get(&(self.at, target))
    }

    pub(super) fn title(&self) -> &'f str {
        &self.loaded.rule.metadata.title.value
    }

    /// The numbers of its tests: passed, all
    pub(super) fn tests(&self) -> (usize, usize) {
        (self.results.iter().filter(|one| one.passed).count(), self.results.len())
    }

    /// The numbers of its parts: tested, all
    pub(super) fn tested(&self) -> (usize, usize) {
        (self.parts.iter().filter(|part| part.is_tried).count(), self.parts.len())
    }

    /// The techniques that it names, each once
    pub(super) fn techniques(&self) -> Vec<&'f Technique> {
        techniques(&self.loaded.rule)
    }

    /// The log sources of its signals
    pub(super) fn log_sources(&self) -> Vec<String> {
        self.emitted.first().map_or_else(Vec::new, |one| one.row.log_sources())
    }
}
