//! Rules of an earlier run that get another id.
//!
//! In: a folder with the files of an earlier run, and the outputs that are about to replace them.
//! Out: a warning for every rule whose id is gone while another one has come. A target knows a rule
//! by its id alone: with another id it is a new rule, without the alerts and exceptions of the old.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::inside;
use crate::backend::Target;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Rule;
use crate::source::Span;
use crate::workspace::{Output, Workspace};

/// A rule of a target under its id, as a file has it
pub(super) struct Known {
    pub(super) id: String,
    name: String,
}

/// Warnings about rules that get another id when these outputs are written under `folder`
///
/// Files that do not exist, or that nobody could import, tell nothing.
pub fn changed_ids(folder: &Path, outputs: &[Output], workspace: &Workspace) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for output in outputs {
        let Some(target) = target_of(output) else { continue };
        let Ok(place) = inside(folder, &output.path) else { continue };
        let Ok(before) = std::fs::read_to_string(place) else { continue };
        if before == output.text {
            continue;
        }
        let rule = &workspace.rules[output.rule].rule;
        let (before, now) = (ids(&output.path, &before), ids(&output.path, &output.text));
        let has = |all: &[Known]| all.iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>();
        let (old, new) = (has(&before), has(&now));
        let gone = before.iter().filter(|one| !new.contains(&one.id));
        let come = now.iter().enumerate().filter(|(_, one)| !old.contains(&one.id));
        found.extend(gone.zip(come).map(|(gone, (at, come))| told(rule, target, gone, (at, come))));
    }
    found
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
    let elastic = rule.targets.iter().filter(|said| said.target.value == Target::Elastic.name());
    let without = elastic.flat_map(|said| &said.without).map(|name| name.value.as_str());
    let reduced = rule.without(&without.collect::<Vec<_>>()).ok()?;
    let mut signals = (0..reduced.signals.len()).filter(|at| reduced.reports_signal(*at));
    signals.nth(at).map(|at| reduced.signals[at].span)
}

/// The target of an output that holds ids; of several files with the same ids, one counts
fn target_of(output: &Output) -> Option<Target> {
    let target = Target::named(output.path.split('/').next()?)?;
    let ends = match target {
        Target::Elastic => ".ndjson",
        Target::Sentinel | Target::Asim => ".analytic.yaml",
        Target::Xdr => ".detection.json",
        Target::Native => return None,
    };
    output.path.ends_with(ends).then_some(target)
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
