//! Emits the outputs of rules for their targets.
//!
//! In: loaded rules and targets. Out: [`Output`]s, texts with their paths, in the order of the
//! rules. Two rules never have an output at the same path.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::{Loaded, Outcome, Row};
use crate::backend::{Policy, Target, Weight, translate_by};
use crate::diagnostic::{Cause, Code, Diagnostic, Diagnostics};
use crate::manifest::{Artifact, LossName};
use crate::source::Span;

/// A file to write
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its path below the output folder, with `/`
    pub path: String,
    /// Its text
    pub text: String,
    /// The ids of the target's rules in it; empty in a file without rules, such as a query
    pub ids: Vec<String>,
    /// The index of its rule in [`Workspace::rules`](super::Workspace::rules)
    pub rule: usize,
}

/// The target of an output, by the first folder of its path; `None` for a path that no target has
pub fn target_of(path: &str) -> Option<Target> {
    Target::named(path.split('/').next()?)
}

/// What is kept of the outputs of a rule
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The artifacts
    Artifacts,
    /// The artifacts, and beside them a manifest for each rule and target
    WithManifests,
    /// Only the findings
    Nothing,
}

/// The losses of rules, counted
pub(super) type Losses = BTreeMap<(Target, LossName, Weight), usize>;

/// What comes of one rule on one target
#[derive(Debug)]
pub struct Emitted<'w> {
    /// The rule, the target, the losses and the findings
    pub row: Row<'w>,
    /// The artifacts; none on a target that refuses the rule
    pub outputs: Vec<Output>,
}

/// The same, with the losses counted
pub(super) struct Made<'w> {
    pub(super) row: Row<'w>,
    pub(super) outputs: Vec<Output>,
    losses: Losses,
}

/// The outputs of rules, the number of rules that are refused in part or in whole, and the losses
pub(super) fn outputs(
    rules: &[Loaded],
    targets: &[Target],
    kept: (Kept, &Policy),
    diagnostics: &mut Diagnostics,
) -> (Vec<Output>, usize, Losses) {
    let mut outputs: Vec<Output> = Vec::new();
    let mut losses = Losses::new();
    let mut refused = 0;
    for of_rule in make(rules, targets, kept) {
        let is_refused = |one: &Made<'_>| one.row.outcome() == Outcome::Refused;
        refused += usize::from(of_rule.iter().any(is_refused));
        for made in of_rule {
            diagnostics.extend(made.row.found);
            for (loss, number) in made.losses {
                *losses.entry(loss).or_default() += number;
            }
            outputs.extend(made.outputs);
        }
    }
    (outputs, refused, losses)
}

/// What comes of each reported rule on each of its targets, in the order of the rules
///
/// A rule that would write over an output of an earlier rule is refused there and on the targets
/// after it.
pub(super) fn make<'w>(
    rules: &'w [Loaded],
    targets: &[Target],
    kept: (Kept, &Policy),
) -> Vec<Vec<Made<'w>>> {
    let rules = rules.iter().enumerate().filter(|(_, loaded)| loaded.reported);
    let rules: Vec<(usize, &Loaded)> = rules.collect();
    let mut all: Vec<Vec<Made<'w>>> =
        rules.par_iter().map(|(at, loaded)| make_one((*at, loaded), targets, kept)).collect();
    let mut owners: HashMap<String, &str> = HashMap::new();
    for of_rule in &mut all {
        let mut clashing: Option<Diagnostic> = None;
        for Made { row, outputs, .. } in of_rule {
            outputs.retain(|output| {
                if clashing.is_some() {
                    return false;
                }
                if let Some(first) = owners.get(&output.path) {
                    clashing = Some(clash(row.rule, &output.path, first));
                    return false;
                }
                owners.insert(output.path.clone(), row.rule.rule.source.name());
                true
            });
            clashing.iter().for_each(|diagnostic| row.found.push(diagnostic.clone()));
        }
    }
    all
}

fn make_one<'w>(
    (at, loaded): (usize, &'w Loaded),
    targets: &[Target],
    (kept, policy): (Kept, &Policy),
) -> Vec<Made<'w>> {
    let meant = if targets.is_empty() { Target::of(&loaded.rule) } else { targets.to_vec() };
    let make = |target: Target| {
        let mut diagnostics = Diagnostics::default();
        let attempt = translate_by(policy, target, &loaded.rule, &loaded.stem, &mut diagnostics);
        let row = Row::of((loaded, target), &attempt, diagnostics);
        let mut losses = Losses::new();
        for (name, weight) in attempt.losses {
            *losses.entry((target, name, weight)).or_default() += 1;
        }
        let Some(translation) = attempt.translation else {
            return Made { row, outputs: Vec::new(), losses };
        };
        let wanted = kept == Kept::WithManifests && !translation.artifacts.is_empty();
        let manifest = wanted.then(|| Artifact {
            name: format!("{}.manifest.json", loaded.stem),
            text: translation.manifest.to_json(),
        });
        let named = translation.manifest.files;
        let ids = |name: &str| named.iter().find(|file| file.name == name);
        let files = translation.artifacts.into_iter().chain(manifest);
        let outputs = files.map(|artifact| Output {
            path: loaded.place(target, &artifact.name),
            ids: ids(&artifact.name).map_or_else(Vec::new, |file| file.ids.clone()),
            text: if kept == Kept::Nothing { String::new() } else { artifact.text },
            rule: at,
        });
        Made { row, outputs: outputs.collect(), losses }
    };
    meant.into_iter().map(make).collect()
}

fn clash(loaded: &Loaded, path: &str, first: &str) -> Diagnostic {
    let start = loaded.rule.span.start;
    let message = format!("two rules write {path}");
    let span = Span::new(start, start);
    Diagnostic::new(Code::E0804, &loaded.rule.source, span, message, "the second one")
        .because(Cause::File)
        .note(format!("the first one is in {first}"))
        .help("Give the file another name.")
}
