//! The report as one JSON object; its keys are in the help of the command.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Map, Value, json};

use super::{Row, Summary, Target};
use crate::cli::Stop;
use crate::diagnostic::{Cause, Diagnostic};
use crate::source::visible_json;
use crate::workspace::{Counted, Loaded, Outcome, Outcomes};

/// Prints the rows and their counts
pub(super) fn print(
    rows: &[Row<'_>],
    summary: &Summary,
    (targets, unread): (&[Target], usize),
) -> Result<(), Stop> {
    let mut of_targets = Vec::new();
    for target in targets {
        let outcomes = summary.targets.get(target);
        of_targets.extend(outcomes.map(|one| counts(json!({"target": target.name()}), one)));
    }
    let mut sources = Vec::new();
    for (source, outcomes) in &summary.sources {
        for (target, outcomes) in outcomes {
            let key = json!({"log_source": source, "target": target.name()});
            sources.push(counts(key, outcomes));
        }
    }
    let refusals = summary.refusals.iter().map(|one| {
        let what = &one.what;
        let key = json!({
            "target": what.target.name(),
            "code": what.code.as_str(),
            "title": what.code.title(),
            "cause": what.cause.as_ref().map(cause),
        });
        counted(key, one)
    });
    let losses = summary.losses.iter().map(|one| {
        let what = &one.what;
        let key = json!({
            "target": what.target.name(),
            "name": what.name.name(),
            "weight": what.weight.name(),
        });
        counted(key, one)
    });
    let report = json!({
        "version": 1,
        "targets": of_targets,
        "rules": rules(rows),
        "refusals": refusals.collect::<Vec<_>>(),
        "losses": losses.collect::<Vec<_>>(),
        "log_sources": sources,
        "unread": unread,
    });
    let text = visible_json(&format!("{report:#}\n"));
    Ok(anstream::stdout().lock().write_all(text.as_bytes())?)
}

/// The rules with their targets; the rows of a rule follow each other
fn rules(rows: &[Row<'_>]) -> Vec<Value> {
    let same = |one: &Row<'_>, other: &Row<'_>| std::ptr::eq(one.rule, other.rule);
    let rules = rows.chunk_by(same).filter_map(|of_rule| {
        let first = of_rule.first()?;
        let Loaded { rule, .. } = first.rule;
        let targets = of_rule.iter().map(|row| (row.target.name().to_owned(), cell(row)));
        Some(json!({
            "file": rule.source.name(),
            "line": rule.source.line_column(rule.span.start).0,
            "title": rule.metadata.title.value,
            "id": rule.metadata.id.as_ref().map(|id| &id.value),
            "log_sources": first.log_sources(),
            "targets": targets.collect::<Map<_, _>>(),
        }))
    });
    rules.collect()
}

fn cell(row: &Row<'_>) -> Value {
    let losses = row.losses.iter();
    let losses = losses.map(|(name, weight)| json!({"name": name, "weight": weight.name()}));
    json!({
        "outcome": row.outcome().name(),
        "mappings": row.mappings,
        "losses": losses.collect::<Vec<_>>(),
        "without": row.without,
        "refusals": row.refusals().map(refusal).collect::<Vec<_>>(),
    })
}

fn refusal(refusal: &Diagnostic) -> Value {
    let (line, column) = refusal.source.line_column(refusal.primary.span.start);
    json!({
        "code": refusal.code.as_str(),
        "message": refusal.message,
        "line": line,
        "column": column,
        "cause": refusal.cause.as_ref().map(cause),
    })
}

fn cause(cause: &Cause) -> Value {
    json!({"kind": cause.kind(), "name": cause.name(), "field": cause.field()})
}

/// Adds the numbers of each outcome to an object
fn counts(mut object: Value, outcomes: &Outcomes) -> Value {
    let (rules, converted) = (outcomes.rules(), outcomes.converted());
    // Rounded down, so that only all of them are 1.
    let share = (converted * 10_000 / rules.max(1)) as f64 / 10_000.0;
    object["rules"] = json!(rules);
    object["converted"] = json!(converted);
    object["share"] = json!(share);
    for outcome in Outcome::ALL {
        object[outcome.name()] = json!(outcomes.of(outcome));
    }
    object
}

/// Adds the numbers of rules to an object
fn counted<T>(mut object: Value, one: &Counted<T>) -> Value {
    let sources: &BTreeMap<String, usize> = &one.sources;
    object["rules"] = json!(one.rules);
    object["alone"] = json!(one.alone);
    object["log_sources"] = json!(sources);
    object
}
