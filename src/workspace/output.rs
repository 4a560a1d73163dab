//! Emits the outputs of rules for their targets.
//!
//! In: loaded rules and targets. Out: [`Output`]s, texts with their paths, in the order of the
//! rules. Two rules never have an output at the same path.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::Loaded;
use crate::backend::{Policy, Target, Weight, translate_by};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::manifest::{Artifact, LossName};
use crate::source::Span;

/// A file to write
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its path below the output folder, with `/`
    pub path: String,
    /// Its text
    pub text: String,
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

/// What comes of one rule
struct Made {
    outputs: Vec<Output>,
    found: Diagnostics,
    losses: Losses,
    complete: bool,
}

/// The outputs of rules, the number of rules that are refused in part or in whole, and the losses
pub(super) fn outputs(
    rules: &[Loaded],
    targets: &[Target],
    (kept, policy): (Kept, &Policy),
    diagnostics: &mut Diagnostics,
) -> (Vec<Output>, usize, Losses) {
    let rules: Vec<&Loaded> = rules.iter().filter(|loaded| loaded.reported).collect();
    let made: Vec<Made> =
        rules.par_iter().map(|loaded| emit_rule(loaded, targets, (kept, policy))).collect();
    let mut outputs: Vec<Output> = Vec::new();
    let mut owners: HashMap<String, &str> = HashMap::new();
    let mut losses = Losses::new();
    let mut refused = 0;
    for (made, loaded) in made.into_iter().zip(rules) {
        diagnostics.extend(made.found);
        refused += usize::from(!made.complete);
        for (loss, number) in made.losses {
            *losses.entry(loss).or_default() += number;
        }
        for output in made.outputs {
            let mine = loaded.rule.source.name();
            if let Some(first) = owners.get(&output.path) {
                diagnostics.push(clash(loaded, &output.path, first));
                refused += usize::from(made.complete);
                break;
            }
            owners.insert(output.path.clone(), mine);
            outputs.push(output);
        }
    }
    (outputs, refused, losses)
}

fn emit_rule(loaded: &Loaded, targets: &[Target], (kept, policy): (Kept, &Policy)) -> Made {
    let mut made = Made {
        outputs: Vec::new(),
        found: Diagnostics::default(),
        losses: Losses::new(),
        complete: true,
    };
    let meant = if targets.is_empty() { Target::of(&loaded.rule) } else { targets.to_vec() };
    for target in &meant {
        let attempt = translate_by(policy, *target, &loaded.rule, &loaded.stem, &mut made.found);
        for (name, weight) in attempt.losses {
            *made.losses.entry((*target, name, weight)).or_default() += 1;
        }
        let Some(translation) = attempt.translation else {
            made.complete = false;
            continue;
        };
        let wanted = kept == Kept::WithManifests && !translation.artifacts.is_empty();
        let manifest = wanted.then(|| Artifact {
            name: format!("{}.manifest.json", loaded.stem),
            text: translation.manifest.to_json(),
        });
        let files = translation.artifacts.into_iter().chain(manifest);
        made.outputs.extend(files.map(|artifact| Output {
            path: loaded.place(*target, &artifact.name),
            text: if kept == Kept::Nothing { String::new() } else { artifact.text },
        }));
    }
    made
}

fn clash(loaded: &Loaded, path: &str, first: &str) -> Diagnostic {
    let start = loaded.rule.span.start;
    let message = format!("two rules write {path}");
    let span = Span::new(start, start);
    Diagnostic::new(Code::E0804, &loaded.rule.source, span, message, "the second one")
        .note(format!("the first one is in {first}"))
        .help("Give the file another name.")
}
