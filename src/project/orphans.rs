//! Files that rulecast wrote, and that no rule makes any more.
//!
//! In: the manifest that an earlier run left in the output folder, and the outputs of this run. Out: the
//! orphaned files with the reason, as findings or removed from disk. Only a file in the manifest can be an
//! orphan, and only one that holds what was written is removed: what somebody else wrote stays.
//!
//! A file is none of them while its rule lies outside of what this run reads, or has an error, or while the
//! rule makes it only for a run that asks for the target.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::{Failure, Owned, Owners, display, inside};
use crate::backend::Target;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceText, Span};
use crate::workspace::{Loaded, Output, Workspace, target_of};

/// A file without a rule
#[derive(Debug, Clone)]
pub struct Orphan {
    /// The file, with its former owner
    pub owned: Owned,
    /// The reason, as a clause
    pub why: String,
    /// The place to look at: the title of the rule, or the line of the manifest
    place: (Arc<SourceText>, Span),
}

/// The orphans in a folder after this run, in the order of their paths
pub fn orphans(
    folder: &Path,
    (owners, manifest): (&Owners, &Arc<SourceText>),
    outputs: &[Output],
    (workspace, targets): (&Workspace, &[Target]),
) -> Vec<Orphan> {
    let made: BTreeSet<&str> = outputs.iter().map(|output| output.path.as_str()).collect();
    let now = Now::of(outputs, workspace, targets);
    let orphan = |owned: &Owned| {
        if made.contains(owned.path.as_str()) || owned.is_as_written(folder).is_none() {
            return None;
        }
        let (why, loaded) = now.reason(owned)?;
        let place = match loaded {
            Some(loaded) => (Arc::clone(&loaded.rule.source), loaded.rule.metadata.title.span),
            None => (Arc::clone(manifest), owned.span(manifest)),
        };
        Some(Orphan { owned: owned.clone(), why, place })
    };
    owners.files.iter().filter_map(orphan).collect()
}

/// What this run knows of rules
struct Now<'w> {
    workspace: &'w Workspace,
    targets: &'w [Target],
    /// The rules and targets with an output
    emitted: BTreeSet<(usize, Option<Target>)>,
    /// The files with an error, below the root of the rules
    wrong: BTreeSet<String>,
    by_id: BTreeMap<&'w str, usize>,
    by_file: BTreeMap<String, usize>,
}

impl<'w> Now<'w> {
    fn of(outputs: &'w [Output], workspace: &'w Workspace, targets: &'w [Target]) -> Now<'w> {
        let rules = || workspace.rules.iter().enumerate();
        let id = |loaded: &'w Loaded| loaded.rule.metadata.id.as_ref();
        let emitted = |output: &Output| (output.rule, target_of(&output.path));
        Now {
            workspace,
            targets,
            emitted: outputs.iter().map(emitted).collect(),
            wrong: workspace.files_with_errors(),
            by_id: rules().filter_map(|(at, one)| Some((id(one)?.value.as_str(), at))).collect(),
            by_file: rules().map(|(at, loaded)| (loaded.file(), at)).collect(),
        }
    }

    /// Why a file has no rule, and the rule that it had if it is still there; `None` if nothing is wrong
    fn reason(&self, owned: &Owned) -> Option<(String, Option<&'w Loaded>)> {
        let target = target_of(&owned.path);
        let is_asked = target.is_some_and(|target| self.targets.contains(&target));
        if !self.targets.is_empty() && !is_asked {
            return None;
        }
        let at = match &owned.rule.id {
            Some(id) => self.by_id.get(id.as_str()),
            None => self.by_file.get(&owned.rule.file),
        };
        let Some(at) = at else {
            let extent = &self.workspace.extent;
            if !extent.parts.iter().any(|part| holds(part, &owned.rule.file)) {
                return None;
            }
            return match extent.files.get(&owned.rule.file) {
                Some(_) if self.wrong.contains(&owned.rule.file) => None,
                Some(name) => Some((format!("{name} has no such rule any more"), None)),
                None => Some((format!("its rule {} is gone", owned.rule.file), None)),
            };
        };
        let loaded = &self.workspace.rules[*at];
        if self.wrong.contains(&loaded.file()) {
            return None;
        }
        // Another run asks for the target.
        if owned.asked && self.targets.is_empty() {
            return None;
        }
        let (file, before) = (loaded.file(), &owned.rule.file);
        let why = match self.emitted.contains(&(*at, target)) && file != *before {
            true => format!("its rule has moved from {before} to {file}"),
            false => "its rule does not make it any more".to_owned(),
        };
        Some((why, Some(loaded)))
    }
}

/// Whether a part of a set of rules holds a file
fn holds(part: &str, file: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    part.is_empty() || file.strip_prefix(part).is_some_and(below)
}

impl Orphan {
    /// The finding about it
    pub fn finding(&self, folder: &Path) -> Diagnostic {
        let (source, span) = &self.place;
        let path = display(&folder.join(&self.owned.path));
        let message = format!("{path} is orphaned: {}", self.why);
        Diagnostic::new(Code::E0813, source, *span, message, "the owner of the file")
            .note(format!("it was made of `{}`, {}", self.owned.rule.title, self.owned.rule.file))
            .help("`rulecast convert --prune` removes it. Remove its rules from the target, too.")
    }

    /// Removes the file, and the folders that are empty then
    ///
    /// Returns whether it is gone: a file that was changed after it was written stays.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn prune(&self, folder: &Path) -> Result<bool, Failure> {
        if self.owned.is_as_written(folder) != Some(true) {
            return Ok(false);
        }
        let place = inside(folder, &self.owned.path)?;
        std::fs::remove_file(&place)
            .map_err(|error| Failure::new(format!("cannot remove {}: {error}", display(&place))))?;
        let above = place.ancestors().skip(1).take_while(|above| *above != folder);
        for empty in above {
            // A folder that holds anything cannot be removed.
            if std::fs::remove_dir(empty).is_err() {
                break;
            }
        }
        Ok(true)
    }
}
