//! From texts in memory to rules, findings and outputs: the one pipeline.
//!
//! In: [`Sources`]: the texts of rules and filters, and what placeholders stand for. Out: a
//! [`Workspace`]: the rules that have no mistake, everything that is wrong with the others, and
//! from there [`Output`]s and the results of the rules' own tests. Command line, tests and services
//! stand on it; no file is read or written here.
//!
//! INVARIANT: texts are read on all cores and joined in their order, so that the result does not
//! depend on the number of cores; a rule with a mistake never hides another.

mod names;
mod output;
mod read;
mod samples;
mod text;

pub use output::Output;
pub use samples::{SampleResult, run as run_samples};
pub use text::{Role, Sources, Text};

use rayon::prelude::*;

use crate::backend::{self, Target};
use crate::definition::{self, Definition, Form, Looked, Placeholders, Suppressions};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::ir::{self, Rule};
use read::{Document, ReadText};

/// What a run has read
#[derive(Debug, Default)]
pub struct Workspace {
    /// The rules without mistakes, in the order of their texts
    pub rules: Vec<Loaded>,
    /// Everything wrong so far
    pub diagnostics: Diagnostics,
    /// Comments that let warnings stand
    pub suppressions: Suppressions,
    /// How many rules were left out because of a mistake
    pub refused: usize,
    /// How many texts of rules were read
    pub files: usize,
}

/// A rule and where it came from
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rule as meant
    pub rule: Rule,
    /// The folder of its text, with `/`; its outputs stand in a folder of that name
    pub folder: String,
    /// What its outputs are called; from the second document of a text on with its number
    pub stem: String,
    /// Whether it is reported by itself, and not only through a correlation that names it
    pub reported: bool,
}

impl Loaded {
    /// The document as written, read again from its text: few commands show it, and it takes as
    /// much memory as the rule
    pub fn definition(&self) -> Option<Definition> {
        let all = definition::parse(&self.rule.source, &mut Diagnostics::default());
        all.into_iter().find(|one| one.span == self.rule.span)
    }

    /// Where an artifact of the rule stands below the folder of outputs
    pub fn place(&self, target: Target, artifact: &str) -> String {
        let parts = [target.name(), &self.folder, artifact];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }
}

impl Workspace {
    /// Reads every text, and joins the rules that speak of each other
    pub fn read(sources: &Sources) -> Workspace {
        let mut workspace = Workspace::default();
        let placeholders = match &sources.placeholders {
            Some(source) => Placeholders::parse(source, &mut workspace.diagnostics),
            None => Placeholders::default(),
        };
        let of_rules = |text: &&Text| text.role == Role::Rules;
        workspace.files = sources.texts.iter().filter(of_rules).count();
        let read = |text: &Text| read::read(text, &placeholders);
        workspace.join(sources.texts.par_iter().map(read).collect());
        workspace
    }

    /// Joins what stands in the texts, in their order
    fn join(&mut self, texts: Vec<ReadText>) {
        let mut documents = Vec::with_capacity(texts.len());
        let mut heads = Vec::with_capacity(texts.len());
        for one in texts {
            documents.extend(one.documents);
            heads.extend(one.heads);
            self.diagnostics.extend(one.diagnostics);
            self.suppressions.extend(one.suppressions);
            self.refused += one.lost;
        }
        // A rule beside a filter is not asked for; it has been checked all the same.
        let asked_for = |one: &Document| match one.role {
            Role::Rules => true,
            Role::Filters => one.definition.form == Form::Filter,
        };
        documents.retain(asked_for);
        let mut rules: Vec<Option<Rule>> =
            documents.iter_mut().map(|document| document.rule.take()).collect();
        let definitions: Vec<&Definition> = documents.iter().map(|one| &one.definition).collect();
        let through = ir::join(&definitions, &mut rules, &mut self.diagnostics);
        self.rules.reserve(documents.len());
        for ((document, rule), through) in documents.into_iter().zip(rules).zip(through) {
            let Document { definition, folder, stem, .. } = document;
            match rule {
                _ if definition.form == Form::Filter => {}
                Some(rule) => {
                    backend::check_targets(&rule, &mut self.diagnostics);
                    self.rules.push(Loaded { rule, folder, stem, reported: !through });
                }
                None => self.refused += 1,
            }
        }
        names::refuse_repeated_ids(self);
        names::check(&heads, &mut self.diagnostics);
    }

    /// The rules that are reported by themselves
    pub fn reported(&self) -> impl Iterator<Item = &Loaded> {
        self.rules.iter().filter(|loaded| loaded.reported)
    }

    /// Takes the rules that are reported by themselves, for an engine to own; none are left
    pub fn take_reported(&mut self) -> Vec<Rule> {
        let rules = std::mem::take(&mut self.rules).into_iter();
        rules.filter(|loaded| loaded.reported).map(|loaded| loaded.rule).collect()
    }

    /// Emits every rule for these targets, or for those it is meant for when none is given; the
    /// number of rules that some target refused comes second
    pub fn outputs(&mut self, targets: &[Target]) -> (Vec<Output>, usize) {
        output::outputs(&self.rules, targets, &mut self.diagnostics)
    }

    /// The number of rules that some target refuses, for who asks no more: no text is kept
    pub fn refused_by(&mut self, targets: &[Target]) -> usize {
        output::refused(&self.rules, targets, &mut self.diagnostics)
    }

    /// Takes the findings that no comment lets stand, sorted by place
    pub fn findings(&mut self, looked: Looked) -> Vec<Diagnostic> {
        let mut found = std::mem::take(&mut self.diagnostics);
        self.suppressions.apply(&mut found, looked);
        found.sorted()
    }
}
