//! Carries out the fixes of findings.
//!
//! In: the findings of a run. Out: for each file with a fix its text before and after. Only the bytes that a
//! fix names change: comments and layout stay. Where two fixes want the same bytes, the first one is carried
//! out, and the other is left for the next run.
//!
//! INVARIANT: a file is written only when it still holds what was read, and when it has no more errors after
//! the fixes than before.

use std::collections::BTreeMap;
use std::path::Path;

use super::Failure;
use super::replace::replace;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::workspace::{Sources, Text, Workspace};

/// A byte order mark, which is no part of a source text
const MARK: &str = "\u{feff}";

/// A file with fixes
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The name of the file
    pub name: String,
    /// Its text as it was read
    pub before: String,
    /// Its text with the fixes
    pub after: String,
    /// The number of fixes carried out
    pub done: usize,
    /// The number of fixes left, which want the same bytes or would bring an error
    pub left: usize,
}

/// The files with fixes, in the order of their names
pub fn fixes(findings: &[Diagnostic]) -> Vec<Fixed> {
    let mut by_file: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for one in findings.iter().filter(|one| one.fix.is_some()) {
        by_file.entry(one.source.name()).or_default().push(one);
    }
    by_file.into_iter().filter_map(|(name, of_file)| fixed(name, &of_file)).collect()
}

fn fixed(name: &str, findings: &[&Diagnostic]) -> Option<Fixed> {
    let before = findings.first()?.source.text().to_owned();
    let (mut taken, mut done, mut left) = (Vec::new(), 0, 0);
    for fix in findings.iter().filter_map(|one| one.fix.as_ref()) {
        let new: Vec<&(Span, String)> =
            fix.edits.iter().filter(|edit| !taken.contains(*edit)).collect();
        let clash = new.iter().any(|(span, _)| taken.iter().any(|(other, _)| meet(*span, *other)));
        if clash {
            left += 1;
            continue;
        }
        done += 1;
        taken.extend(new.into_iter().cloned());
    }
    // From the end, so that no edit moves the place of another.
    taken.sort_by_key(|(span, _)| (span.start, span.end));
    let mut after = before.clone();
    for (span, text) in taken.iter().rev() {
        let range = span.start as usize..span.end as usize;
        after.get(range.clone())?;
        after.replace_range(range, text);
    }
    if errors(name, &after) > errors(name, &before) {
        return Some(Fixed {
            name: name.to_owned(),
            after: before.clone(),
            before,
            done: 0,
            left: done + left,
        });
    }
    Some(Fixed { name: name.to_owned(), before, after, done, left })
}

/// Whether two edits want the same bytes, or the same place
fn meet(one: Span, other: Span) -> bool {
    let overlap = one.start < other.end && other.start < one.end;
    overlap || one.start == other.start
}

/// The number of errors of a text by itself
fn errors(name: &str, text: &str) -> usize {
    let read = Workspace::read(&Sources::from(Text::new(name, text)));
    read.diagnostics.iter().filter(|one| one.severity == crate::diagnostic::Severity::Error).count()
}

impl Fixed {
    /// Writes the file
    ///
    /// # Errors
    /// When the file no longer holds what was read, or cannot be written.
    pub fn write(&self) -> Result<(), Failure> {
        let failed = |why: &str| Failure::new(format!("cannot fix {}: {why}", self.name));
        let disk = std::fs::read_to_string(&self.name).map_err(|why| failed(&why.to_string()))?;
        let (mark, text) = match disk.strip_prefix(MARK) {
            Some(text) => (MARK, text),
            None => ("", &*disk),
        };
        if text != self.before {
            return Err(failed("it has changed since it was read"));
        }
        replace(Path::new(&self.name), [mark, &self.after].concat().as_bytes())
    }
}
