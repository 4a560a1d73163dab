//! The one pipeline, from texts in memory to rules, findings and outputs.
//!
//! In: [`Sources`]: the texts of rules and filters, and the values of placeholders. Out: a
//! [`Workspace`]: the rules without errors, the diagnostics of all texts, and from the rules
//! [`Output`]s and the results of their own tests. The command line, tests and services use it; no
//! file is read or written here.
//!
//! INVARIANT: texts are read on all cores and joined in their order, so that the result does not
//! depend on the number of cores; a rule with an error never hides another rule.

mod coverage;
mod decided;
mod lost;
mod module;
mod names;
mod output;
mod read;
mod row;
mod samples;
mod summary;
mod text;
mod tuning;

pub use coverage::{Part, parts as tested_parts};
pub use decided::{Decided, decided};
pub use output::{Emitted, Kept, Output, target_of};
pub use row::{Outcome, Row, refused_for};
pub use samples::{SampleResult, run as run_samples};
pub use summary::{Counted, Lost, Outcomes, Reason, Summary};
pub use text::{Role, Sources, Text};
pub use tuning::{Exclusion, Tuner};

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::backend::{self, Files, Policy, Target, Weight};
use crate::definition::{self, Definition, Form, Looked, Placeholders, Suppressions};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::ir::{self, Rule};
use crate::manifest::LossName;
use crate::mapping::Mappings;
use read::{Document, ReadText};

/// The rules and diagnostics of a run
#[derive(Debug, Default)]
pub struct Workspace {
    /// The rules without errors, in the order of their texts
    pub rules: Vec<Loaded>,
    /// The diagnostics so far, before suppressions are applied
    pub diagnostics: Diagnostics,
    /// Comments that suppress warnings
    pub suppressions: Suppressions,
    /// The number of rules left out because of an error
    pub refused: usize,
    /// What the losses of rules weigh
    pub policy: Policy,
    /// Which warnings are left out or denied, in the order of the decisions
    pub checks: Vec<Check>,
    /// How many losses of each kind and weight each target has in the outputs so far
    pub losses: BTreeMap<(Target, LossName, Weight), usize>,
    /// The number of texts read for rules
    pub files: usize,
    /// Which part of a set of rules this is; of texts in memory, nothing is known
    pub extent: Extent,
}

/// The part of a set of rules that a run reads
#[derive(Debug, Clone, Default)]
pub struct Extent {
    /// Folders and files below the root of the set, with `/`; an empty text stands for all of it
    pub parts: Vec<String>,
    /// The names of the files that were read, by their paths below the root
    pub files: BTreeMap<String, String>,
}

/// What becomes of some warnings in some files
#[derive(Debug, Clone)]
pub struct Check {
    /// What the codes of the warnings begin with
    pub codes: Vec<String>,
    /// The files
    pub files: Files,
    /// Whether they are errors; left out otherwise
    pub deny: bool,
}

impl Check {
    fn apply(&self, diagnostics: &mut Vec<Diagnostic>) {
        let fits = |one: &Diagnostic| {
            let code = one.code.as_str();
            let of_code = self.codes.iter().any(|beginning| code.starts_with(beginning.as_str()));
            one.severity == Severity::Warning && of_code && self.files.hold(one.source.name())
        };
        match self.deny {
            true => diagnostics
                .iter_mut()
                .filter(|one| fits(one))
                .for_each(|one| one.severity = Severity::Error),
            false => diagnostics.retain(|one| !fits(one)),
        }
    }
}

/// A rule, with the folder of its text and the name of its outputs
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The normalized rule
    pub rule: Rule,
    /// The folder of its text, with `/`; its outputs go to a folder of the same name
    pub folder: String,
    /// The name of its outputs; from the second document of a text on, with the document's number
    pub stem: String,
    /// Whether it is reported by itself, not only through a correlation that names it
    pub reported: bool,
}

impl Loaded {
    /// The document as written, parsed again from its text
    ///
    /// Few commands show it, and to keep it would take as much memory as the rule.
    pub fn definition(&self) -> Option<Definition> {
        let all = definition::parse(&self.rule.source, &mut Diagnostics::default());
        all.into_iter().find(|one| one.span == self.rule.span)
    }

    /// The path of its file below the root of the rules, with `/`
    pub fn file(&self) -> String {
        let name = self.rule.source.name().rsplit('/').next().unwrap_or_default();
        let parts = [self.folder.as_str(), name].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("/")
    }

    /// The path of an artifact of the rule below the output folder
    pub fn place(&self, target: Target, artifact: &str) -> String {
        let parts = [target.name(), &self.folder, artifact];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("/")
    }
}

impl Workspace {
    /// The files with an error, by their paths below the root of the rules
    pub fn files_with_errors(&self) -> BTreeSet<String> {
        let errors = self.diagnostics.iter().filter(|one| one.severity == Severity::Error);
        let wrong: BTreeSet<&str> = errors.map(|one| one.source.name()).collect();
        let files = self.extent.files.iter().filter(|(_, name)| wrong.contains(name.as_str()));
        files.map(|(path, _)| path.clone()).collect()
    }

    /// Reads every text, and joins the rules that refer to each other
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

    /// Joins the documents of the texts, in the order of the texts
    fn join(&mut self, texts: Vec<ReadText>) {
        let mut documents = Vec::with_capacity(texts.len());
        let mut heads = Vec::with_capacity(texts.len());
        let (mut lost_filters, mut mappings) = (Vec::new(), Vec::new());
        for one in texts {
            documents.extend(one.documents);
            heads.extend(one.heads);
            self.diagnostics.extend(one.diagnostics);
            self.suppressions.extend(one.suppressions);
            self.refused += one.lost;
            lost_filters.extend(one.lost_filter);
            mappings.extend(one.mappings);
        }
        self.policy.mappings = Mappings::with_own(mappings, &mut self.diagnostics);
        // A rule in a text of filters is not loaded; `read` has checked it.
        let asked_for = |one: &Document| match one.role {
            Role::Rules => true,
            Role::Filters => one.definition.form == Form::Filter,
        };
        documents.retain(asked_for);
        let mut rules: Vec<Option<Rule>> =
            documents.iter_mut().map(|document| document.rule.take()).collect();
        let definitions: Vec<&Definition> = documents.iter().map(|one| &one.definition).collect();
        lost::refuse(&lost_filters, &definitions, &mut rules, &mut self.diagnostics);
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

    /// Takes the rules that are reported by themselves, for an engine to own; leaves no rule
    pub fn take_reported(&mut self) -> Vec<Rule> {
        let rules = std::mem::take(&mut self.rules).into_iter();
        rules.filter(|loaded| loaded.reported).map(|loaded| loaded.rule).collect()
    }

    /// Emits every reported rule; returns the outputs and the number of refused rules
    ///
    /// A rule is refused when some target refuses it, or when an earlier rule writes to the same
    /// path. When `targets` is empty, each rule is emitted for its own targets.
    pub fn outputs(&mut self, targets: &[Target], kept: Kept) -> (Vec<Output>, usize) {
        let (outputs, refused, losses) =
            output::outputs(&self.rules, targets, (kept, &self.policy), &mut self.diagnostics);
        self.losses = losses;
        (outputs, refused)
    }

    /// What becomes of every reported rule on every target, in the order of the rules
    ///
    /// Tries what [`Workspace::outputs`] emits, and keeps neither the outputs nor their findings. When
    /// `targets` is empty, each rule is tried on its own targets.
    pub fn rows(&self, targets: &[Target]) -> Vec<Row<'_>> {
        let made = output::make(&self.rules, targets, (Kept::Nothing, &self.policy));
        made.into_iter().flatten().map(|made| made.row).collect()
    }

    /// The artifacts of every reported rule on every target, with what becomes of it there
    ///
    /// The workspace's own findings stay as they are. When `targets` is empty, each rule is emitted for its
    /// own targets.
    pub fn emitted(&self, targets: &[Target]) -> Vec<Emitted<'_>> {
        let made = output::make(&self.rules, targets, (Kept::Artifacts, &self.policy));
        made.into_iter()
            .flatten()
            .map(|one| Emitted { row: one.row, outputs: one.outputs })
            .collect()
    }

    /// The number of rules that some target refuses; the emitted texts are dropped
    pub fn refused_by(&mut self, targets: &[Target]) -> usize {
        self.outputs(targets, Kept::Nothing).1
    }

    /// Takes the findings that no comment suppresses, sorted by place
    pub fn findings(&mut self, looked: Looked) -> Vec<Diagnostic> {
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        self.suppressions.apply(&mut diagnostics, looked);
        let mut findings = diagnostics.sorted();
        for check in &self.checks {
            check.apply(&mut findings);
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::{Engine, Options};
    use crate::taxonomy::EventKind;

    #[test]
    fn names_outside_the_tables_are_freed_with_the_rules() {
        let text = "title: a\nlogsource: {product: nowhere_known}\n\
                    detection: {one: {NowhereKnown: b}, condition: one}\n";
        let workspace = Workspace::read(&Text::new("a.yml", text).into());
        let [loaded] = &*workspace.rules else { panic!("{text} is a rule") };
        let signal = &loaded.rule.signals[0];
        let EventKind::Log(log) = &signal.kind else { panic!("{} is a log", signal.kind) };
        let field = &signal.tests().next().unwrap().subject.field;
        let names = [log.outside().unwrap(), field.outside().unwrap()];
        let options = Options { kind: Some(signal.kind.clone()), ..Options::default() };
        let engine = Engine::new([loaded.rule.clone()], &options);
        drop(workspace);
        let matches = engine.judge(r#"{"NowhereKnown": "b"}"#).unwrap();
        drop((engine, options));
        assert_eq!(matches[0].fields["NowhereKnown"], ["b"]);
        assert!(names[0].upgrade().is_none(), "no rule is left");
        assert!(names[1].upgrade().is_some(), "the match holds the name of its field");
        drop(matches);
        assert!(names[1].upgrade().is_none());
    }
}
