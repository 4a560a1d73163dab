//! `convert --bump`: raises the version and the date of definitions whose meaning has changed.
//!
//! In: the rules of a run, and the folder that an earlier run wrote. Out: raised files, and a
//! message for each; the caller reads the rules again. Rules of others are named and never edited.

use std::collections::BTreeSet;
use std::path::Path;

use super::report::{self, count};
use super::{Global, Stop};
use crate::backend::Target;
use crate::definition::Form;
use crate::project;
use crate::workspace::{Kept, Workspace};

/// Raises what has changed against the files under `folder`
pub(super) fn bump(
    global: &Global,
    workspace: &mut Workspace,
    (targets, folder): (&[Target], &Path),
) -> Result<(), Stop> {
    let (outputs, _) = workspace.outputs(targets, Kept::Artifacts);
    let is_own = |at: &usize| workspace.rules[*at].rule.form == Form::Definition;
    let (own, others): (BTreeSet<usize>, BTreeSet<usize>) =
        project::changed(folder, &outputs).into_iter().partition(is_own);
    let today = project::today();
    project::raise(workspace, &own, &today)?;
    let name = |at: &usize| workspace.rules[*at].rule.source.name();
    for at in &own {
        let version = project::next_version(&workspace.rules[*at].rule);
        let says = format!("  raised to version {version} and modified {today}: {}", name(at));
        report::say(global, &says)?;
    }
    if !others.is_empty() {
        let rules = count(others.len(), "changed rule");
        let names: Vec<&str> = others.iter().map(name).collect();
        let says = format!(
            "  {rules} not raised, for Sigma documents are never edited; set `modified:` there: {}",
            names.join(", ")
        );
        report::say(global, &says)?;
    }
    Ok(())
}
