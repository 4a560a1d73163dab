//! Rules as a revision of git has them.
//!
//! In: a revision, and paths of this folder. Out: a [`Workspace`] of the files that git keeps there. Nothing
//! is checked out: each file is read with `git show`.

use std::path::PathBuf;
use std::process::Command;

use super::{Failure, display};
use crate::workspace::{Role, Sources, Text, Workspace};

/// The rules under these paths at a revision; under the folder `rules` without one
///
/// # Errors
/// When git is not there, knows no such revision, or has no rule file there.
pub fn at_revision(revision: &str, paths: &[PathBuf]) -> Result<Workspace, Failure> {
    // An option of git is no revision.
    if revision.starts_with('-') {
        return Err(Failure::new(format!("no such file, folder or revision: {revision}")));
    }
    let rules = [PathBuf::from("rules")];
    let paths = if paths.is_empty() { &rules[..] } else { paths };
    let mut list = vec!["ls-tree".to_owned(), "-r".to_owned(), "--name-only".to_owned()];
    list.extend([revision.to_owned(), "--".to_owned()]);
    list.extend(paths.iter().map(|path| display(path)));
    let names = String::from_utf8_lossy(&git(&list)?).into_owned();
    let is_rule = |name: &&str| {
        let lower = name.to_ascii_lowercase();
        lower.ends_with(".yml") || lower.ends_with(".yaml")
    };
    let mut texts = Vec::new();
    for name in names.lines().filter(is_rule) {
        let bytes = git(&["show".to_owned(), format!("{revision}:./{name}")])?;
        texts.push(Text::of_bytes(name, bytes).read_for(Role::Rules));
    }
    if texts.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| display(path)).collect();
        let paths = paths.join(", ");
        return Err(Failure::new(format!("{revision} has no rule file in {paths}")));
    }
    Ok(Workspace::read(&Sources { texts, placeholders: None }))
}

fn git(arguments: &[String]) -> Result<Vec<u8>, Failure> {
    let output = Command::new("git").args(arguments).output();
    let output = output.map_err(|error| Failure::new(format!("cannot run git: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    let why = why.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
    Err(Failure::new(format!("git: {why}")))
}
