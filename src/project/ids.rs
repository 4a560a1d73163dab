//! Rules of an earlier run that get another id.
//!
//! In: a folder with the files of an earlier run, and the outputs that are about to replace them.
//! Out: a warning for every rule whose id is gone while another one has come. A target knows a rule
//! by its id alone: with another id it is a new rule, without the alerts and exceptions of the old.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{Owner, Owners, inside};
use crate::backend::Target;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Rule;
use crate::source::Span;
use crate::workspace::{Output, Workspace, target_of};

/// A rule of a target under its id, as a file has it
pub(super) struct Known {
    pub(super) id: String,
    name: String,
}

/// Warnings about rules that get another id when these outputs are written under `folder`
///
/// A rule whose file has another name or folder now is told by its id in the manifest of the folder. Files
/// that do not exist, or that nobody could import, tell nothing.
pub fn changed_ids(
    folder: &Path,
    owners: &Owners,
    (outputs, workspace): (&[Output], &Workspace),
) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for output in outputs {
        let Some(target) = target_of_ids(output) else { continue };
        let rule = &workspace.rules[output.rule].rule;
        let of_rule = || owners.files.iter().filter(|one| is_of(&one.rule, rule));
        let of_target = |path: &str| ends(target).is_some_and(|end| path.ends_with(end));
        let moved =
            of_rule().find(|one| target_of(&one.path) == Some(target) && of_target(&one.path));
        let earlier = moved.map(|one| one.path.as_str()).into_iter();
        let mut places = std::iter::once(output.path.as_str()).chain(earlier);
        let text = |path: &str| std::fs::read_to_string(inside(folder, path).ok()?).ok();
        let Some(before) = places.find_map(text) else { continue };
        if before == output.text {
            continue;
        }
        let (before, now) = (ids(&output.path, &before), ids(&output.path, &output.text));
        let has = |all: &[Known]| all.iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>();
        let (old, new) = (has(&before), has(&now));
        let gone = before.iter().filter(|one| !new.contains(&one.id));
        let come = now.iter().enumerate().filter(|(_, one)| !old.contains(&one.id));
        findings
            .extend(gone.zip(come).map(|(gone, (at, come))| told(rule, target, gone, (at, come))));
    }
    findings
}

fn told(rule: &Rule, target: Target, gone: &Known, (at, come): (usize, &Known)) -> Diagnostic {
    let id = rule.metadata.id.as_ref().map_or(rule.metadata.title.span, |id| id.span);
    let signal = if target == Target::Elastic { signal_of_line(rule, at) } else { None };
    let help = match (target, signal) {
        (Target::Elastic, Some(_)) => format!(
            "If it is the same signal under another name, write `id: {}` in it. If the \
             definition's `id` changed, put the old one back.",
            gone.id
        ),
        (Target::Elastic, None) => {
            "If it is the same correlation, give it and the definition the name and the `id` that \
             they had."
                .to_owned()
        }
        (Target::Sentinel | Target::Asim | Target::Xdr | Target::Native, _) => {
            "If it is the same rule, give the definition the `id` that it had.".to_owned()
        }
    };
    let span = signal.unwrap_or(id);
    let message = format!(
        "`{}` gets the id {} on {}, and `{}` with the id {} is gone",
        come.name,
        come.id,
        target.name(),
        gone.name,
        gone.id
    );
    Diagnostic::new(Code::W0811, &rule.source, span, message, "a new rule there").help(help)
}

/// The place of the signal's name behind a rule of Kibana's import file; `None` for a correlation,
/// which stands after all signals
fn signal_of_line(rule: &Rule, at: usize) -> Option<Span> {
    let reduced = rule.of_target(Target::Elastic.name()).ok()?;
    let mut signals = (0..reduced.signals.len()).filter(|at| reduced.reports_signal(*at));
    signals.nth(at).map(|at| reduced.signals[at].span)
}

/// The target of an output that holds ids; of several files with the same ids, one counts
fn target_of_ids(output: &Output) -> Option<Target> {
    let target = target_of(&output.path)?;
    output.path.ends_with(ends(target)?).then_some(target)
}

/// The ending of the file of a target that holds ids; `None` for a target without ids
fn ends(target: Target) -> Option<&'static str> {
    match target {
        Target::Elastic => Some(".ndjson"),
        Target::Sentinel | Target::Asim => Some(".analytic.yaml"),
        Target::Xdr => Some(".detection.json"),
        Target::Native => None,
    }
}

/// Whether a rule is the owner of a file, by its id
fn is_of(owner: &Owner, rule: &Rule) -> bool {
    let id = rule.metadata.id.as_ref().map(|id| &id.value);
    id.is_some() && id == owner.id.as_ref()
}

/// The rules in a file, in its order
pub(super) fn ids(path: &str, text: &str) -> Vec<Known> {
    let of_json = |value: &Value, (id, name): (&str, &str)| {
        let text = |key: &str| value[key].as_str().map(ToOwned::to_owned);
        Some(Known { id: text(id)?, name: text(name).unwrap_or_default() })
    };
    if path.ends_with(".ndjson") {
        let values = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        return values.filter_map(|value| of_json(&value, ("rule_id", "name"))).collect();
    }
    if path.ends_with(".json") {
        let value = serde_json::from_str::<Value>(text).ok();
        return value
            .and_then(|value| of_json(&value, ("id", "displayName")))
            .into_iter()
            .collect();
    }
    // The keys of an analytic rule begin its file, one on a line.
    let after = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let id = after("id: ").map(ToOwned::to_owned);
    let name = after("name: ").unwrap_or_default().trim_matches('\'').to_owned();
    id.map(|id| Known { id, name }).into_iter().collect()
}
