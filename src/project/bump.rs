//! Raises the version and the date of definitions whose meaning has changed.
//!
//! In: the outputs of a run, and the folder with those of an earlier run. Out: the rules that mean
//! something else now; and their files, with `version:` one higher and `modified:` of today.
//! Nothing else in a file changes: not a comment, not a blank.
//!
//! INVARIANT: a file is written only when it reads back as the same definition with the new version
//! and date.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::meaning::{self, Meaning};
use super::{Failure, inside, replace};
use crate::definition::{self, Definition, Metadata};
use crate::diagnostic::Diagnostics;
use crate::ir::Rule;
use crate::source::{SourceText, Span, Spanned};
use crate::workspace::{Output, Workspace};

/// A byte order mark, which is no part of a source text
const MARK: &str = "\u{feff}";

/// The rules, by index, that alert on something else now than the files under `folder` do, and whose
/// version and date do not say so yet
///
/// A rule without files there is new, and has its first version. A rule whose version is not that of
/// the files was raised after they were written.
pub fn changed(folder: &Path, outputs: &[Output]) -> BTreeSet<usize> {
    let mut by_rule: BTreeMap<usize, Vec<(Meaning, Meaning)>> = BTreeMap::new();
    for output in outputs {
        let now = meaning::of(&output.path, &output.text);
        let file =
            inside(folder, &output.path).ok().and_then(|path| std::fs::read_to_string(path).ok());
        let before = file.and_then(|text| meaning::of(&output.path, &text));
        by_rule.entry(output.rule).or_default().extend(before.zip(now));
    }
    let is_changed = |pairs: &[(Meaning, Meaning)]| {
        let raised = pairs.iter().any(|(before, now)| before.version != now.version);
        pairs.iter().any(|(before, now)| {
            // A file without a version of its own goes by those beside it.
            let fresh = if now.version.is_some() { before.version != now.version } else { raised };
            before.of != now.of && !fresh
        })
    };
    by_rule.into_iter().filter(|(_, pairs)| is_changed(pairs)).map(|(rule, _)| rule).collect()
}

/// Raises these rules, by index, in their files; `today` is the new date
///
/// # Errors
/// When a file has changed since it was read, cannot be written, or is written in a way that leaves
/// no place for the new lines.
pub fn raise(workspace: &Workspace, rules: &BTreeSet<usize>, today: &str) -> Result<(), Failure> {
    let mut by_file: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for at in rules {
        let rule = &workspace.rules[*at].rule;
        by_file.entry(rule.source.name()).or_default().push(rule);
    }
    // Every file is checked before the first one is written.
    let texts: Vec<(PathBuf, String)> = by_file
        .into_iter()
        .map(|(name, rules)| Ok((PathBuf::from(name), raised(&rules, today)?)))
        .collect::<Result<_, Failure>>()?;
    texts.iter().try_for_each(|(path, text)| replace::replace(path, text.as_bytes()))
}

/// The number of a rule's next version
pub fn next_version(rule: &Rule) -> u32 {
    rule.metadata.version.as_ref().map_or(1, |version| version.value) + 1
}

/// The text of a file with all these rules of it raised
fn raised(rules: &[&Rule], today: &str) -> Result<String, Failure> {
    let Some(source) = rules.first().map(|rule| &rule.source) else { return Ok(String::new()) };
    let name = source.name();
    let failed = |why: &str| Failure::new(format!("cannot raise the version in {name}: {why}"));
    let disk = std::fs::read_to_string(name).map_err(|why| failed(&why.to_string()))?;
    let mark = if disk.starts_with(MARK) { MARK } else { "" };
    if disk.strip_prefix(MARK).unwrap_or(&disk) != source.text() {
        return Err(failed("the file has changed since it was read"));
    }
    let mut text = source.text().to_owned();
    let mut edits: Vec<(Range<usize>, String)> = rules
        .iter()
        .flat_map(|rule| edits(source, &rule.metadata, next_version(rule), today))
        .collect();
    // From the end, so that no edit moves the place of another.
    edits.sort_by_key(|(place, _)| place.start);
    edits.into_iter().rev().for_each(|(place, new)| text.replace_range(place, &new));
    let spans: Vec<Span> = rules.iter().map(|rule| rule.span).collect();
    if !reads_as_raised(source, &text, &spans, today) {
        return Err(failed(
            "write `version:` and `modified:` there yourself, each on a line of its own",
        ));
    }
    Ok([mark, &text].concat())
}

/// The edits that give a definition another version and date
fn edits(
    source: &SourceText,
    metadata: &Metadata,
    version: u32,
    today: &str,
) -> Vec<(Range<usize>, String)> {
    let mut edits = Vec::new();
    let mut missing = Vec::new();
    match &metadata.modified {
        Some(modified) => edits.push((modified.span.range(), today.to_owned())),
        None => missing.push(format!("modified: {today}")),
    }
    match &metadata.version {
        Some(known) => edits.push((known.span.range(), version.to_string())),
        None => missing.push(format!("version: {version}")),
    }
    let dates = metadata.modified.as_ref().or(metadata.date.as_ref());
    if let Some(before) = dates.or(metadata.id.as_ref()).filter(|_| !missing.is_empty()) {
        edits.push(added(source, before, &missing));
    }
    edits
}

/// The edit that adds keys after the value of another one: on lines of their own, or in the same
/// braces
fn added(source: &SourceText, before: &Spanned<String>, keys: &[String]) -> (Range<usize>, String) {
    let text = source.text();
    let value = before.span.range();
    let lines = source.lines(value.clone());
    let key = text.get(lines.start..value.start).unwrap_or_default();
    let indent: String = key.chars().take_while(|c| *c == ' ').collect();
    let plain = |c: char| c.is_ascii_lowercase() || ":'\" ".contains(c);
    if !key.chars().all(plain) {
        return (value.end..value.end, keys.iter().map(|key| format!(", {key}")).collect());
    }
    let line = text.get(lines.clone()).unwrap_or_default();
    let end = lines.start + line.trim_end_matches(['\r', '\n']).len();
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    (end..end, keys.iter().map(|key| format!("{line_break}{indent}{key}")).collect())
}

/// Whether a text is the source with these definitions raised, and no other change
fn reads_as_raised(source: &Arc<SourceText>, text: &str, raised: &[Span], today: &str) -> bool {
    let parse = |source: &Arc<SourceText>| definition::parse(source, &mut Diagnostics::default());
    let (before, after) = (parse(source), parse(&Arc::new(SourceText::new("", text))));
    let as_raised = |mut one: Definition| {
        if raised.contains(&one.span) {
            let metadata = Arc::make_mut(&mut one.metadata);
            let next = metadata.version.as_ref().map_or(1, |version| version.value) + 1;
            metadata.version = Some(Spanned::new(next, Span::default()));
            metadata.modified = Some(Spanned::new(today.to_owned(), Span::default()));
        }
        one.print()
    };
    let wanted: Vec<String> = before.into_iter().map(as_raised).collect();
    wanted == after.iter().map(Definition::print).collect::<Vec<_>>()
}
