//! Outputs: what `convert` would write, and writing it.
//!
//! In: loaded rules and targets. Out: files under one folder. A file is written beside its place
//! and moved there, so that a crash leaves the old or the new text and never half of one; a file
//! that already holds the text is not touched.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Failure, Loaded};
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
pub fn pending(folder: &Path, output: &Output) -> Change {
    match fs::read(folder.join(&output.path)) {
        Ok(text) if text == output.text.as_bytes() => Change::Same,
        Ok(_) => Change::Changed,
        Err(_) => Change::New,
    }
}

/// Writes an output under `folder`
///
/// # Errors
/// When the folder cannot be made or the file cannot be written.
pub fn write(folder: &Path, output: &Output) -> Result<Change, Failure> {
    let change = pending(folder, output);
    if change == Change::Same {
        return Ok(change);
    }
    let path: PathBuf = folder.join(&output.path);
    if let Some(parent) = path.parent() {
        let failed =
            |error| Failure::new(format!("cannot make the folder of {}: {error}", path.display()));
        fs::create_dir_all(parent).map_err(failed)?;
    }
    replace(&path, output.text.as_bytes())?;
    Ok(change)
}

/// Puts a text in the place of a file's, so that a crash leaves the one or the other
///
/// A link is followed, and the file keeps who may read it.
///
/// # Errors
/// When the file cannot be written.
pub fn replace(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot write {}: {error}", path.display()));
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut temporary = builder().tempfile_in(folder_of(&target)).map_err(failed)?;
    if let Ok(metadata) = fs::metadata(&target) {
        temporary.as_file().set_permissions(metadata.permissions()).map_err(failed)?;
    }
    temporary.write_all(text).map_err(failed)?;
    // The name must not be there before the text is.
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Whether [`replace`] will be able to write there, as far as that can be known before
///
/// # Errors
/// When the folder takes no new file.
pub fn replaceable(path: &Path) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let failed = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
    builder().tempfile_in(folder_of(&target)).map(drop).map_err(failed)
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Temporary files get the permissions any new file gets, not those of a secret.
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rulecast-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}
