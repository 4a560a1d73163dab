//! Emits the outputs of rules for their targets.
//!
//! In: loaded rules and targets. Out: [`Output`]s, texts with their paths, in the order of the
//! rules. Two rules never have an output at the same path.

use std::collections::HashMap;

use rayon::prelude::*;

use super::Loaded;
use crate::backend::{Target, translate};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::manifest::Artifact;
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

/// The outputs of rules, and the number of rules that are refused in part or in whole
pub(super) fn outputs(
    rules: &[Loaded],
    targets: &[Target],
    kept: Kept,
    diagnostics: &mut Diagnostics,
) -> (Vec<Output>, usize) {
    let rules: Vec<&Loaded> = rules.iter().filter(|loaded| loaded.reported).collect();
    let emitted: Vec<_> = rules.par_iter().map(|loaded| emit_rule(loaded, targets, kept)).collect();
    let mut outputs: Vec<Output> = Vec::new();
    let mut owners: HashMap<String, &str> = HashMap::new();
    let mut refused = 0;
    for ((mine, found, complete), loaded) in emitted.into_iter().zip(rules) {
        diagnostics.extend(found);
        refused += usize::from(!complete);
        for output in mine {
            let mine = loaded.rule.source.name();
            if let Some(first) = owners.get(&output.path) {
                diagnostics.push(clash(loaded, &output.path, first));
                refused += usize::from(complete);
                break;
            }
            owners.insert(output.path.clone(), mine);
            outputs.push(output);
        }
    }
    (outputs, refused)
}

fn emit_rule(loaded: &Loaded, targets: &[Target], kept: Kept) -> (Vec<Output>, Diagnostics, bool) {
    let mut outputs = Vec::new();
    let mut found = Diagnostics::default();
    let mut complete = true;
    let meant = if targets.is_empty() { Target::of(&loaded.rule) } else { targets.to_vec() };
    for target in &meant {
        let Some(translation) = translate(*target, &loaded.rule, &loaded.stem, &mut found) else {
            complete = false;
            continue;
        };
        let wanted = kept == Kept::WithManifests && !translation.artifacts.is_empty();
        let manifest = wanted.then(|| Artifact {
            name: format!("{}.manifest.json", loaded.stem),
            text: translation.manifest.to_json(),
        });
        let files = translation.artifacts.into_iter().chain(manifest);
        outputs.extend(files.map(|artifact| Output {
            path: loaded.place(*target, &artifact.name),
            text: if kept == Kept::Nothing { String::new() } else { artifact.text },
        }));
    }
    (outputs, found, complete)
}

fn clash(loaded: &Loaded, path: &str, first: &str) -> Diagnostic {
    let start = loaded.rule.span.start;
    let message = format!("two rules write {path}");
    let span = Span::new(start, start);
    Diagnostic::new(Code::E0804, &loaded.rule.source, span, message, "the second one")
        .note(format!("the first one is in {first}"))
        .help("Give the file another name.")
}
