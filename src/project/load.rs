//! From files to rules.
//!
//! In: rule files, and what surrounds them: filters and placeholders. Out: a [`Project`]. Files are
//! read and lowered on all cores, then joined in their order, so that the result does not depend
//! on the number of cores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::{Failure, Loaded, Project, RuleFile, find, names};
use crate::backend;
use crate::definition::{self, Definition, Form, Placeholders, Suppressions};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::ir::{self, Rule};
use crate::source::{SourceText, Span};

/// What surrounds the rules of a run
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Files and folders of Sigma filters
    pub filters: Vec<PathBuf>,
    /// A file that says what placeholders stand for
    pub placeholders: Option<PathBuf>,
}

/// A document of a rule file, on its way to a rule
struct Document {
    definition: Definition,
    rule: Option<Rule>,
    folder: String,
    stem: String,
    /// Whether it came from the files of filters
    around: bool,
}

/// What one file holds
#[derive(Default)]
struct ReadFile {
    documents: Vec<Document>,
    heads: Vec<names::Head>,
    diagnostics: Diagnostics,
    suppressions: Suppressions,
    /// Documents that are not even there
    lost: usize,
}

/// Reads every rule file
///
/// # Errors
/// When a path cannot be read, or holds no rule file.
pub fn load(paths: &[PathBuf]) -> Result<Project, Failure> {
    load_with(paths, &Around::default())
}

/// Reads every rule file, with what surrounds the rules
///
/// # Errors
/// When a path cannot be read, or holds no rule file.
pub fn load_with(paths: &[PathBuf], around: &Around) -> Result<Project, Failure> {
    let mut project = Project::default();
    let placeholders = match &around.placeholders {
        Some(path) => placeholders(path, &mut project.diagnostics)?,
        None => Placeholders::default(),
    };
    let files = find(paths)?;
    let filters = if around.filters.is_empty() { Vec::new() } else { find(&around.filters)? };
    project.files = files.len();
    let all: Vec<(RuleFile, bool)> = files
        .into_iter()
        .map(|file| (file, false))
        .chain(filters.into_iter().map(|file| (file, true)))
        .collect();
    let read: Vec<_> =
        all.par_iter().map(|(file, around)| read(file, *around, &placeholders)).collect();
    let mut documents = Vec::with_capacity(all.len());
    let mut heads = Vec::with_capacity(all.len());
    for one in read {
        let one = one?;
        documents.extend(one.documents);
        heads.extend(one.heads);
        project.diagnostics.extend(one.diagnostics);
        project.suppressions.extend(one.suppressions);
        project.refused += one.lost;
    }
    // A rule beside a filter is not asked for; it has been checked all the same.
    documents.retain(|document| !document.around || document.definition.form == Form::Filter);
    let mut rules: Vec<Option<Rule>> =
        documents.iter_mut().map(|document| document.rule.take()).collect();
    let definitions: Vec<&Definition> = documents.iter().map(|one| &one.definition).collect();
    let through = ir::join(&definitions, &mut rules, &mut project.diagnostics);
    project.rules.reserve(documents.len());
    for ((document, rule), through) in documents.into_iter().zip(rules).zip(through) {
        let Document { definition, folder, stem, .. } = document;
        match rule {
            _ if definition.form == Form::Filter => {}
            Some(rule) => {
                backend::check_targets(&rule, &mut project.diagnostics);
                let reported = !through;
                project.rules.push(Loaded { rule, folder, stem, reported });
            }
            None => project.refused += 1,
        }
    }
    names::refuse_repeated_ids(&mut project);
    names::check(&heads, &mut project.diagnostics);
    Ok(project)
}

fn placeholders(path: &Path, diagnostics: &mut Diagnostics) -> Result<Placeholders, Failure> {
    let file = RuleFile::at(path);
    let text = String::from_utf8(file.read()?)
        .map_err(|_| Failure::new(format!("{} is not UTF-8", file.name)))?;
    let source = Arc::new(SourceText::new(file.name.clone(), text));
    Ok(Placeholders::parse(&source, diagnostics))
}

fn read(file: &RuleFile, around: bool, placeholders: &Placeholders) -> Result<ReadFile, Failure> {
    let mut diagnostics = Diagnostics::default();
    let Some(folder) = &file.folder else {
        diagnostics.push(unnameable(file));
        return Ok(ReadFile { diagnostics, lost: 1, ..ReadFile::default() });
    };
    let unread = |diagnostics| Ok(ReadFile { diagnostics, lost: 1, ..ReadFile::default() });
    let text = match String::from_utf8(file.read()?) {
        Ok(text) if text.contains('\0') => {
            diagnostics.push(not_utf8(file, text.as_bytes(), 0));
            return unread(diagnostics);
        }
        // A byte order mark is no part of the first key, nor of its column.
        Ok(text) => text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text),
        Err(error) => {
            diagnostics.push(not_utf8(file, error.as_bytes(), error.utf8_error().valid_up_to()));
            return unread(diagnostics);
        }
    };
    let source = Arc::new(SourceText::new(file.name.clone(), text));
    let definitions = definition::parse(&source, &mut diagnostics);
    let suppressions = Suppressions::read(&source, &mut diagnostics);
    let mut errors: Vec<u32> = diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .map(|found| found.primary.span.start)
        .collect();
    errors.sort_unstable();
    // Documents stand one after the other.
    let within = |of: Span| {
        let from = errors.partition_point(|error| *error < of.start);
        let to = errors.partition_point(|error| *error <= of.end);
        from..to
    };
    let mut told = 0;
    let mut astray = false;
    for one in &definitions {
        astray |= within(one.span).start > told;
        told = told.max(within(one.span).end);
    }
    astray |= told < errors.len();
    let (mut documents, mut heads) = (Vec::new(), Vec::new());
    for (at, mut definition) in definitions.into_iter().enumerate() {
        let stem = match at {
            0 => file.stem.clone(),
            at => format!("{}_{}", file.stem, at + 1),
        };
        let broken = !within(definition.span).is_empty();
        let mut own = Diagnostics::default();
        let rule = ir::lower_with(&definition, placeholders, &mut own);
        let rule = rule.filter(|_| !broken);
        definition::check(&definition, &mut own);
        diagnostics.extend(own);
        heads.push(names::Head::of(file, &definition));
        // The rule says what they mean, and what joins rules does not look at them.
        (definition.signals, definition.lists) = (Vec::new(), Vec::new());
        let folder = folder.clone();
        documents.push(Document { definition, rule, folder, stem, around });
    }
    let lost = usize::from(astray);
    Ok(ReadFile { documents, heads, diagnostics, suppressions, lost })
}

/// Outputs lie in a folder of the same name, which must not be another's after all
fn unnameable(file: &RuleFile) -> Diagnostic {
    let source = Arc::new(SourceText::new(file.name.clone(), ""));
    let message = "the folder of the file has a name that is not UTF-8";
    Diagnostic::new(Code::E0101, &source, Span::default(), message, "in this folder")
        .help("Give the folder another name.")
}

fn not_utf8(file: &RuleFile, bytes: &[u8], valid: usize) -> Diagnostic {
    let guess = match bytes {
        [0xff, 0xfe, ..] | [_, 0, ..] => "UTF-16, little endian",
        [0xfe, 0xff, ..] | [0, _, ..] => "UTF-16, big endian",
        _ => "another encoding",
    };
    let head = String::from_utf8_lossy(&bytes[..valid]).into_owned();
    let at = crate::source::Span::new(head.len() as u32, head.len() as u32);
    let source = Arc::new(SourceText::new(file.name.clone(), head));
    Diagnostic::new(
        Code::E0101,
        &source,
        at,
        "the file is not UTF-8",
        format!("looks like {guess}"),
    )
    .help("Save the file as UTF-8.")
}
