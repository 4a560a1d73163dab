//! Prints changes of rules: as text, as a comment for a pull request, or as JSON.
//!
//! In: the changes that `diff` found, and the events that moved. Out: for each rule a line with its effect,
//! and below it what changed, what targets get, and which losses came and went.

use std::io::Write;

use serde_json::{Value, json};

use super::report::count;
use super::screen;
use crate::backend::Weight;
use crate::review::{Change, Emission, Movement};
use crate::workspace::Outcome;

/// What `diff` has to tell
#[derive(Clone, Copy)]
pub(super) struct Told<'t> {
    pub(super) changes: &'t [Change],
    /// What events do; `None` when none were tried
    pub(super) movement: Option<&'t Movement>,
}

/// Prints for people; as Markdown for a comment
pub(super) fn print(told: Told<'_>, markdown: bool) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let (head, item) = if markdown { ("### ", "- ") } else { ("", "  ") };
    if markdown {
        // A bot finds its own comment by this line.
        writeln!(out, "<!-- rulecast diff -->")?;
    }
    for change in told.changes {
        let line = format!("{head}{}: {} ({})", change.title, change.fate.name(), change.file);
        writeln!(out, "{}", screen::line(&line))?;
        let undated = change
            .is_undated
            .then(|| "the meaning changed, and neither `modified` nor `version` did".to_owned());
        for line in change.lines.iter().cloned().chain(undated).chain(change.emission.lines()) {
            writeln!(out, "{}", screen::line(&format!("{item}{line}")))?;
        }
    }
    if told.changes.is_empty() {
        writeln!(out, "no rule changed")?;
    }
    let Some(Movement { moved, untried }) = told.movement else { return Ok(()) };
    for one in moved {
        let word = if one.is_new { "found newly" } else { "found no longer" };
        let mut line = format!("{item}{}: {word} by {}: {}", one.place, one.rule, one.signal);
        if !one.not_on.is_empty() {
            line.push_str(&format!(" ({})", one.places()));
        }
        writeln!(out, "{}", screen::line(&line))?;
    }
    for line in untried {
        writeln!(out, "{}", screen::line(&format!("{item}{line}")))?;
    }
    let new = moved.iter().filter(|one| one.is_new).count();
    let (new, old) = (count(new, "event"), count(moved.len() - new, "event"));
    writeln!(out, "{head}{new} found newly, {old} no longer")
}

/// Prints one JSON object
pub(super) fn print_json(told: Told<'_>) -> std::io::Result<()> {
    let changes = told.changes.iter().map(|change| {
        json!({
            "title": change.title, "file": change.file, "change": change.fate.name(),
            "lines": change.lines, "undated": change.is_undated,
            "targets": targets(&change.emission),
        })
    });
    let changes: Vec<Value> = changes.collect();
    let movement = told.movement.cloned().unwrap_or_default();
    let moved = movement.moved.iter().map(|one| {
        let word = if one.is_new { "newly" } else { "no longer" };
        json!({
            "place": one.place, "rule": one.rule, "signal": one.signal, "found": word,
            "on": one.on, "not_on": one.not_on,
        })
    });
    let moved: Vec<Value> = moved.collect();
    let told = json!({"rules": changes, "events": moved, "not_executed": movement.untried});
    writeln!(anstream::stdout().lock(), "{told}")
}

fn targets(emission: &Emission) -> Value {
    let artifacts = emission.artifacts.iter().map(
        |one| json!({"target": one.target.name(), "path": one.path, "change": one.fate.name()}),
    );
    let ids = emission
        .ids
        .iter()
        .map(|one| json!({"target": one.target.name(), "before": one.before, "after": one.after}));
    let losses = emission.losses.iter().map(|one| {
        let (before, after) = (one.before.map(Weight::name), one.after.map(Weight::name));
        json!({
            "target": one.target.name(), "loss": one.loss.name(), "before": before, "after": after,
        })
    });
    let outcomes = emission.outcomes.iter().map(|one| {
        let (before, after) = (one.before.map(Outcome::name), one.after.map(Outcome::name));
        json!({"target": one.target.name(), "before": before, "after": after})
    });
    json!({
        "artifacts": artifacts.collect::<Vec<_>>(), "ids": ids.collect::<Vec<_>>(),
        "losses": losses.collect::<Vec<_>>(), "outcomes": outcomes.collect::<Vec<_>>(),
    })
}
