//! The manifest of an output folder: which rule owns which file.
//!
//! In: the outputs of a run, and the manifest that an earlier run left in the folder. Out: the manifest after
//! the run. A file that only the earlier run wrote stays in it until it is pruned, so that no file which
//! rulecast wrote is ever without an owner.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::replace::{remove_leftovers, replace};
use super::{Digest, Failure, display, inside};
use crate::backend::Target;
use crate::source::{SourceText, Span};
use crate::workspace::{Output, Workspace, target_of};

/// The name of the manifest
pub const OWNERS: &str = "rulecast-outputs.json";

/// The manifest of an output folder
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owners {
    /// The version of its format, which grows only by new keys
    version: u32,
    /// The files, in the order of their paths
    pub files: Vec<Owned>,
}

/// A file with its owner
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// The path of the file below the output folder, with `/`
    pub path: String,
    /// The rule that it was made of
    pub rule: Owner,
    /// Whether the rule makes it only for a run that asks for the target
    #[serde(default)]
    pub asked: bool,
    /// The ids of the target's rules in it
    pub ids: Vec<String>,
    /// The SHA-256 of its text as it was written
    pub sha256: String,
}

/// The rule behind a file
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The path of its file below the root of the rules, with `/`
    pub file: String,
    /// Its title
    pub title: String,
    /// Its id, if it has one
    pub id: Option<String>,
}

impl Default for Owners {
    fn default() -> Self {
        Owners { version: 1, files: Vec::new() }
    }
}

impl Owners {
    /// The manifest in a folder, with its text; an empty one where there is none
    ///
    /// # Errors
    /// When the file is no manifest.
    pub fn read(folder: &Path) -> Result<(Owners, Arc<SourceText>), Failure> {
        let place = inside(folder, OWNERS)?;
        let name = display(&place);
        let text = match std::fs::read_to_string(&place) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::new(format!("cannot read {name}: {error}"))),
        };
        let owners = match &*text {
            "" => Owners::default(),
            text => serde_json::from_str(text).map_err(|why| {
                let help = "delete it and convert every rule again";
                Failure::new(format!("{name} is no manifest of outputs: {why}; {help}"))
            })?,
        };
        Ok((owners, Arc::new(SourceText::new(name, text))))
    }

    /// The manifest of these outputs alone
    pub fn of(outputs: &[Output], workspace: &Workspace) -> Owners {
        let owned = |output: &Output| {
            let loaded = &workspace.rules[output.rule];
            let metadata = &loaded.rule.metadata;
            let target = target_of(&output.path);
            let is_usual = target.is_some_and(|target| Target::of(&loaded.rule).contains(&target));
            Owned {
                asked: !is_usual,
                path: output.path.clone(),
                rule: Owner {
                    file: loaded.file(),
                    title: metadata.title.value.clone(),
                    id: metadata.id.as_ref().map(|id| id.value.clone()),
                },
                ids: output.ids.clone(),
                sha256: Digest::of(&output.path, &output.text).sha256,
            }
        };
        Owners { files: outputs.iter().map(owned).collect(), ..Owners::default() }.sorted()
    }

    /// The manifest with the files of an earlier one that these outputs do not replace, without `gone`
    #[must_use]
    pub fn after(mut self, earlier: &Owners, gone: &BTreeSet<String>) -> Owners {
        let known: BTreeSet<&str> = self.files.iter().map(|one| one.path.as_str()).collect();
        let kept = |one: &&Owned| !known.contains(one.path.as_str()) && !gone.contains(&one.path);
        let kept: Vec<Owned> = earlier.files.iter().filter(kept).cloned().collect();
        self.files.extend(kept);
        self.sorted()
    }

    fn sorted(self) -> Owners {
        let files = self.files.into_iter().map(|one| (one.path.clone(), one));
        let files: BTreeMap<String, Owned> = files.collect();
        Owners { files: files.into_values().collect(), ..Owners::default() }
    }

    /// Its text: JSON with a final line break
    pub fn to_json(&self) -> String {
        // INVARIANT: a value of texts and lists always prints.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Writes the manifest of a folder; none for a folder without outputs
///
/// # Errors
/// When the folder cannot be made or the file cannot be written.
pub fn own(folder: &Path, owners: &Owners) -> Result<(), Failure> {
    let place = inside(folder, OWNERS)?;
    let text = owners.to_json();
    let is_same = std::fs::read(&place).is_ok_and(|have| have == text.as_bytes());
    if is_same || (owners.files.is_empty() && !place.exists()) {
        return Ok(());
    }
    let failed =
        |error| Failure::new(format!("cannot make the folder {}: {error}", display(folder)));
    std::fs::create_dir_all(folder).map_err(failed)?;
    remove_leftovers(folder);
    replace(&place, text.as_bytes())
}

impl Owned {
    /// Whether its file holds what was written; `None` without a file
    pub fn is_as_written(&self, folder: &Path) -> Option<bool> {
        let bytes = std::fs::read(inside(folder, &self.path).ok()?).ok()?;
        let digest = |text: &str| Digest::of(&self.path, text).sha256;
        Some(std::str::from_utf8(&bytes).is_ok_and(|text| digest(text) == self.sha256))
    }

    /// The place of its path in the text of the manifest
    pub(super) fn span(&self, manifest: &SourceText) -> Span {
        let path = serde_json::to_string(&self.path).unwrap_or_default();
        let key = "\"path\": ";
        let at = manifest.text().find(&format!("{key}{path}"));
        let start = at.map_or(0, |at| at + key.len());
        let length = at.map_or(0, |_| path.len());
        Span::new(start as u32, (start + length) as u32)
    }
}
