//! Files of an earlier run that nobody writes any more.
//!
//! In: a folder with the files of an earlier run, and the outputs that are about to replace them.
//! Out: a warning for every rule file of detection-rules that belongs to one of these rules and is
//! not written now: its signal has another name, or is gone. Such a file is never deleted here. A file in
//! the folder's manifest is left to [`orphans`](super::orphans).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ids::ids;
use super::{Owners, display, inside};
use crate::backend::Target;
use crate::diagnostic::{Code, Diagnostic};
use crate::workspace::{Output, Workspace, target_of};

/// Warnings about files under `folder` that these outputs leave behind
pub fn left_over(
    folder: &Path,
    owners: &Owners,
    (outputs, workspace): (&[Output], &Workspace),
) -> Vec<Diagnostic> {
    let owned = owners.files.iter().filter_map(|owned| inside(folder, &owned.path).ok());
    let mut written: BTreeSet<PathBuf> = owned.collect();
    // The ids before and now in each folder, with the index of their rule.
    let mut known: BTreeMap<PathBuf, BTreeMap<String, usize>> = BTreeMap::new();
    for output in outputs.iter().filter(|output| target_of(&output.path) == Some(Target::Elastic)) {
        let Ok(place) = inside(folder, &output.path) else { continue };
        if output.path.ends_with(".ndjson") {
            let before = std::fs::read_to_string(&place).unwrap_or_default();
            let all = [before.as_str(), &output.text].map(|text| ids(&output.path, text));
            let of_folder = known.entry(place.parent().unwrap_or(folder).to_owned()).or_default();
            of_folder.extend(all.into_iter().flatten().map(|one| (one.id, output.rule)));
        }
        written.insert(place);
    }
    let mut findings = Vec::new();
    for (folder, rules) in known {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
        files.sort();
        for file in files.iter().filter(|file| !written.contains(*file)) {
            let rule = rule_id(file).and_then(|id| rules.get(&id));
            findings.extend(rule.map(|rule| told(file, *rule, workspace)));
        }
    }
    findings
}

/// The id of the rule in a file of detection-rules
fn rule_id(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("rule_id = \""))?;
    line.strip_suffix('"').map(ToOwned::to_owned)
}

fn told(file: &Path, rule: usize, workspace: &Workspace) -> Diagnostic {
    let rule = &workspace.rules[rule].rule;
    let span = rule.metadata.title.span;
    let message = format!("{} is left from an earlier run of this rule", display(file));
    Diagnostic::new(Code::W0812, &rule.source, span, message, "no longer writes it")
        .help("Delete the file: with it, detection-rules would load a rule that is not meant.")
}
