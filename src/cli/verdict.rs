//! Prints verdicts in words.
//!
//! In: the verdict on a rule and a target. Out: a line for people, and a finding for every
//! difference and fault, at the test, the event or the word that shows it.

use std::path::Path;
use std::sync::Arc;

use super::events::line_of;
use super::report::count;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::project::{Verified, display};
use crate::source::{SourceText, Span};
use crate::verify::{Difference, Fault, Place, Tally, Verdict};

/// The most findings per rule and target; of the others, only the number is reported
const SHOWN: usize = 10;

/// The reason of a verdict, on one line; `files` are the names of the files of events
pub(super) fn detail(verified: &Verified<'_>, files: &[String]) -> String {
    let first = |what: String, all: usize| match all {
        0 | 1 => what,
        all => format!("{what}; {} more", all - 1),
    };
    match &verified.verdict {
        Verdict::Same(tally) => same(tally),
        Verdict::Binds { columns, named, why } => {
            let mut detail = count(*columns, "column");
            if *named > 0 {
                detail.push_str(&format!(", {named} of them named by packages"));
            }
            if !why.is_empty() {
                detail.push_str(&format!("; not executed: {why}"));
            }
            detail
        }
        Verdict::Different(tally) => tally.differences.first().map_or_else(String::new, |shown| {
            let (place, Difference { signal, engine, target, .. }) = shown;
            let place = standing(verified, *place, files);
            let what = format!(
                "{signal}, {place}: engine: {engine}; {}: {target}",
                verified.target.name()
            );
            first(what, tally.differences.len())
        }),
        Verdict::Broken(faults) => faults.first().map_or_else(String::new, |fault| {
            first(format!("{}: {}", fault.artifact.name, fault.message), faults.len())
        }),
        Verdict::Unchecked(why) => why.clone(),
    }
}

fn same(tally: &Tally) -> String {
    let mut parts = vec![format!("{}, {} matched", count(tally.events, "event"), tally.matched)];
    if tally.lost > 0 {
        let names: Vec<&str> = tally.losses.iter().map(|loss| loss.name()).collect();
        parts.push(format!("{} as the loss {} says", tally.lost, names.join(", ")));
    }
    if tally.unwritten > 0 {
        parts.push(format!("{} that no sensor writes", tally.unwritten));
    }
    let never = tally.signals.iter().filter(|(_, matched)| **matched == 0);
    let never: Vec<&str> = never.map(|(name, _)| name.as_str()).collect();
    if !never.is_empty() {
        parts.push(format!("never matched: {}", never.join(", ")));
    }
    parts.join("; ")
}

fn standing(verified: &Verified<'_>, place: Place, files: &[String]) -> String {
    match place {
        Place::Test { test, event } => {
            let sample = &verified.loaded.rule.tests[test];
            let name = format!("test `{}`", sample.name.value);
            if sample.events.len() > 1 { format!("{name}, event {}", event + 1) } else { name }
        }
        Place::Near(event) => format!("event {} near a literal (`rulecast near`)", event + 1),
        Place::Course(event) => format!("event {} of the course (`rulecast near`)", event + 1),
        Place::Line { file, line } => format!("{}:{line}", files[file]),
    }
}

/// Reports differences and faults; `folder` is the folder that the artifacts were read from
pub(super) fn report(
    verified: &Verified<'_>,
    files: &[String],
    folder: Option<&Path>,
    diagnostics: &mut Diagnostics,
) {
    let (all, findings): (usize, Vec<Diagnostic>) = match &verified.verdict {
        Verdict::Different(Tally { differences, .. }) => {
            let shown = differences.iter().take(SHOWN);
            let findings = shown.map(|(place, one)| different(verified, *place, one, files));
            (differences.len(), findings.collect())
        }
        Verdict::Broken(faults) => {
            let findings = faults.iter().take(SHOWN).map(|fault| broken(verified, fault, folder));
            (faults.len(), findings.collect())
        }
        Verdict::Same(_) | Verdict::Binds { .. } | Verdict::Unchecked(_) => return,
    };
    for (at, one) in findings.into_iter().enumerate() {
        diagnostics.push(match all - SHOWN.min(all) {
            more if more > 0 && at + 1 == SHOWN => one.note(format!("{more} more like it")),
            _ => one,
        });
    }
}

fn different(
    verified: &Verified<'_>,
    place: Place,
    difference: &Difference,
    files: &[String],
) -> Diagnostic {
    let Difference { signal, engine, target, event } = difference;
    let rule = &verified.loaded.rule;
    let (source, span) = match place {
        Place::Test { test, .. } => (Arc::clone(&rule.source), rule.tests[test].name.span),
        Place::Near(_) | Place::Course(_) => (Arc::clone(&rule.source), rule.metadata.title.span),
        Place::Line { file, line } => line_of(&files[file], line),
    };
    let on = verified.target.name();
    let message = format!("the signal {signal} means something else on {on}");
    let label = format!("engine: {engine}; {on}: {target}");
    let title = &rule.metadata.title.value;
    let diagnostic = Diagnostic::new(Code::E0808, &source, span, message, label);
    let diagnostic = diagnostic.note(format!("rule: {title}"));
    match event {
        Some(event) => diagnostic.note(format!("event: {event}")),
        None => diagnostic,
    }
}

fn broken(verified: &Verified<'_>, fault: &Fault, folder: Option<&Path>) -> Diagnostic {
    let artifact = &fault.artifact;
    let path = verified.place(&artifact.name);
    let name = folder.map_or_else(|| path.clone(), |folder| display(&folder.join(&path)));
    let source = Arc::new(SourceText::new(name, artifact.text.as_str()));
    let span = Span::new(fault.place.start as u32, fault.place.end as u32);
    let message = format!("{} would not take this", verified.target.name());
    Diagnostic::new(Code::E0809, &source, span, message, fault.message.as_str())
}
