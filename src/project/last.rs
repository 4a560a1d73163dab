//! What an output folder held when it was deployed.
//!
//! In: the folder with its manifest. Out: the rules in its files, and the ids of every rule that rulecast has
//! emitted there. A file that somebody changed after it was written says nothing of what was emitted.

use std::path::Path;

use super::{Failure, OWNERS, Owners, display, inside};
use crate::backend::Target;
use crate::review::{Last, emitted};
use crate::workspace::{Workspace, target_of};

/// What a folder held of these targets
///
/// # Errors
/// When the folder has no manifest.
pub fn last(folder: &Path, targets: &[Target], workspace: &Workspace) -> Result<Last, Failure> {
    let (owners, manifest) = Owners::read(folder)?;
    if manifest.text().is_empty() {
        return Err(Failure::new(format!("{} has no {OWNERS}", display(folder))));
    }
    let wrong = workspace.files_with_errors();
    let mut last = Last::default();
    for owned in &owners.files {
        if !target_of(&owned.path).is_some_and(|target| targets.contains(&target)) {
            continue;
        }
        last.know(&owned.ids, wrong.contains(&owned.rule.file));
        if owned.is_as_written(folder) == Some(true) {
            let place = inside(folder, &owned.path)?;
            let text = std::fs::read_to_string(place).unwrap_or_default();
            last.rules.extend(emitted(&owned.path, &text));
        }
    }
    Ok(last)
}
