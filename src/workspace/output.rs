//! Emits the outputs of rules for their targets.
//!
//! In: loaded rules and targets. Out: [`Output`]s, texts with their paths, in the order of the
//! rules. Two rules never have an output at the same path.

use std::collections::HashMap;

use rayon::prelude::*;

use super::Loaded;
use crate::backend::{Target, emit};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Span;

/// A file to write
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its path below the output folder, with `/`
    pub path: String,
    /// Its text
    pub text: String,
}

pub(super) fn outputs(
    rules: &[Loaded],
    targets: &[Target],
    diagnostics: &mut Diagnostics,
) -> (Vec<Output>, usize) {
    every(rules, targets, |text| text, diagnostics)
}

pub(super) fn refused(
    rules: &[Loaded],
    targets: &[Target],
    diagnostics: &mut Diagnostics,
) -> usize {
    every(rules, targets, |_| String::new(), diagnostics).1
}

fn every(
    rules: &[Loaded],
    targets: &[Target],
    keep: fn(String) -> String,
    diagnostics: &mut Diagnostics,
) -> (Vec<Output>, usize) {
    let rules: Vec<&Loaded> = rules.iter().filter(|loaded| loaded.reported).collect();
    let emitted: Vec<_> = rules.par_iter().map(|loaded| emit_rule(loaded, targets, keep)).collect();
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

fn emit_rule(
    loaded: &Loaded,
    targets: &[Target],
    keep: fn(String) -> String,
) -> (Vec<Output>, Diagnostics, bool) {
    let mut outputs = Vec::new();
    let mut found = Diagnostics::default();
    let mut complete = true;
    let meant = if targets.is_empty() { Target::of(&loaded.rule) } else { targets.to_vec() };
    for target in &meant {
        match emit(*target, &loaded.rule, &loaded.stem, &mut found) {
            Some(artifacts) => outputs.extend(artifacts.into_iter().map(|artifact| Output {
                path: loaded.place(*target, &artifact.name),
                text: keep(artifact.text),
            })),
            None => complete = false,
        }
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
