//! `convert --check` and `convert --prune`: what an output folder has of an earlier run.
//!
//! In: the outputs of a run, the folder, and its orphans. Out: a finding for each file that is out of date,
//! missing or orphaned, at its rule; or the orphans that were removed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::Stop;
use super::report::{count, warn};
use crate::diagnostic::{Code, Diagnostic};
use crate::project::{self, Change, Edit, OWNERS, Orphan, Owners};
use crate::source::{SourceText, Span};
use crate::workspace::{Output, Workspace};

/// The most lines that are shown of a file that differs
const SHOWN: usize = 6;

/// Reports every file that is not what `convert` would leave; returns the end of the summary
pub(super) fn report(
    folder: &Path,
    (earlier, manifest): (&Owners, &Arc<SourceText>),
    (outputs, workspace): (&[Output], &mut Workspace),
    orphans: &[Orphan],
) -> Result<String, Stop> {
    let (mut stale, mut missing) = (0, 0);
    let mut findings = Vec::new();
    for output in outputs {
        match project::pending(folder, output)? {
            Change::Same => continue,
            Change::New => missing += 1,
            Change::Changed => stale += 1,
        }
        findings.push(out_of_date(folder, output, workspace));
    }
    let now = Owners::of(outputs, workspace).after(earlier, &BTreeSet::new());
    // Where files differ, the manifest does too, and one finding says enough.
    if findings.is_empty() && now != *earlier {
        let (what, label) = match manifest.text().is_empty() {
            true => ("is missing", "not there"),
            false => ("is out of date", "says something else of some file"),
        };
        findings.push(
            Diagnostic::new(
                Code::E0803,
                manifest,
                Span::new(0, 0),
                format!("{OWNERS} {what}"),
                label,
            )
            .help("Run `convert` again."),
        );
        stale += 1;
    }
    findings.extend(orphans.iter().map(|orphan| orphan.finding(folder)));
    findings.into_iter().for_each(|finding| workspace.diagnostics.push(finding));
    let stale = count(stale, "file");
    Ok(format!(": {stale} out of date, {missing} missing, {} orphaned", orphans.len()))
}

/// Removes orphans; returns those that are gone
pub(super) fn prune(folder: &Path, orphans: &[Orphan]) -> Result<Vec<Orphan>, Stop> {
    let mut pruned = Vec::new();
    for orphan in orphans {
        if orphan.prune(folder)? {
            pruned.push(orphan.clone());
        } else {
            let path = project::display(&folder.join(&orphan.owned.path));
            warn(&format!("{path} stays: {}, but it was changed by hand", orphan.why));
        }
    }
    Ok(pruned)
}

fn out_of_date(folder: &Path, output: &Output, workspace: &Workspace) -> Diagnostic {
    let rule = &workspace.rules[output.rule].rule;
    let span = rule.metadata.title.span;
    let place = folder.join(&output.path);
    let name = project::display(&place);
    let saying = |what: &str| {
        let message = format!("{name} {what}");
        let diagnostic =
            Diagnostic::new(Code::E0803, &rule.source, span, message, "made of this rule");
        diagnostic.help("Run `convert` again.")
    };
    let Ok(have) = std::fs::read_to_string(&place) else { return saying("is missing") };
    let edits = project::edits(&have, &output.text);
    let line = |edit: &Edit| match edit.is_new {
        true => format!("now     {}: {}", edit.line, edit.text),
        false => format!("before  {}: {}", edit.line, edit.text),
    };
    let mut diagnostic =
        edits.iter().take(SHOWN).map(line).fold(saying("is out of date"), Diagnostic::note);
    if edits.len() > SHOWN {
        diagnostic = diagnostic.note(format!("{} more differ", count(edits.len() - SHOWN, "line")));
    }
    diagnostic
}
