//! Outputs: what `convert` would write, and writing it.
//!
//! In: loaded rules and targets. Out: files under one folder, and none outside of it: neither the
//! name of a rule nor a link in the folder leads out. A file that already holds its text is not
//! touched.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::replace::{remove_leftovers, replace};
use super::{Failure, Loaded, display};
use crate::backend::{Target, emit};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Span;

/// A file to be written
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where, below the output folder, with `/`
    pub path: String,
    /// Its text
    pub text: String,
}

/// What writing would do to a file
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is not there
    New,
    /// It holds other text
    Changed,
    /// It holds just this text
    Same,
}

/// Emits every rule for these targets, or for those it is meant for when none is given; the number
/// of rules that some target refused comes second
pub fn outputs(
    rules: &[Loaded],
    targets: &[Target],
    diagnostics: &mut Diagnostics,
) -> (Vec<Output>, usize) {
    every(rules, targets, |text| text, diagnostics)
}

/// The same for who asks only what is refused: no text is kept
pub fn refused(rules: &[Loaded], targets: &[Target], diagnostics: &mut Diagnostics) -> usize {
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
                path: place(*target, loaded, &artifact.name),
                text: keep(artifact.text),
            })),
            None => complete = false,
        }
    }
    (outputs, found, complete)
}

/// Where an artifact stands below the output folder
pub(super) fn place(target: Target, loaded: &Loaded, artifact: &str) -> String {
    let parts = [target.name(), &loaded.folder, artifact];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("/")
}

fn clash(loaded: &Loaded, path: &str, first: &str) -> Diagnostic {
    let start = loaded.rule.span.start;
    let message = format!("two rules write {path}");
    let span = Span::new(start, start);
    Diagnostic::new(Code::E0804, &loaded.rule.source, span, message, "the second one")
        .note(format!("the first one is in {first}"))
        .help("Give the file another name.")
}

/// What writing an output under `folder` would change
///
/// # Errors
/// When the output would not lie in the folder.
pub fn pending(folder: &Path, output: &Output) -> Result<Change, Failure> {
    let place = inside(folder, &output.path)?;
    Ok(match fs::read(place) {
        Ok(text) if text == output.text.as_bytes() => Change::Same,
        Ok(_) => Change::Changed,
        Err(_) => Change::New,
    })
}

/// Writes an output under `folder`
///
/// # Errors
/// When the output would not lie in the folder, the folder cannot be made or the file cannot be
/// written.
pub fn write(folder: &Path, output: &Output) -> Result<Change, Failure> {
    let change = pending(folder, output)?;
    if change == Change::Same {
        return Ok(change);
    }
    let path = inside(folder, &output.path)?;
    if let Some(parent) = path.parent() {
        let failed =
            |error| Failure::new(format!("cannot make the folder of {}: {error}", display(&path)));
        fs::create_dir_all(parent).map_err(failed)?;
    }
    replace(&path, output.text.as_bytes())?;
    Ok(change)
}

/// Removes what killed runs have left in the folders of these outputs
pub fn tidy(folder: &Path, outputs: &[Output]) {
    let parent = |output: &Output| {
        let place = inside(folder, &output.path).ok()?;
        place.parent().map(Path::to_owned)
    };
    let folders: BTreeSet<PathBuf> = outputs.iter().filter_map(parent).collect();
    folders.iter().for_each(|folder| remove_leftovers(folder));
}

/// The place of an output under `folder`
///
/// # Errors
/// When its path, or a link on the way, leads out of the folder.
pub fn inside(folder: &Path, path: &str) -> Result<PathBuf, Failure> {
    let out = |what: &Path, why: &str| {
        Failure::new(format!("{} {why} {}", display(what), display(folder)))
    };
    let mut place = folder.to_owned();
    for part in path.split('/') {
        let mut parts = Path::new(part).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(name)), None) if name == part => place.push(name),
            _ => return Err(out(&folder.join(path), "leads out of")),
        }
        if place.is_symlink() {
            let real = place.canonicalize().and_then(|real| Ok((real, folder.canonicalize()?)));
            if !real.is_ok_and(|(real, folder)| real.starts_with(folder)) {
                return Err(out(&place, "is a link that leads out of"));
            }
        }
    }
    Ok(place)
}
