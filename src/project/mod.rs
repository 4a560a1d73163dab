//! A folder of rules and a folder of outputs.
//!
//! In: paths from the command line. Out: rules ready to compile, verdicts on their samples, and
//! artifacts written safely. Every mistake of every file is reported in one run; a rule with a
//! mistake never hides another.

mod files;
mod names;
mod output;
mod samples;

use std::sync::Arc;

use rayon::prelude::*;

pub use files::{Failure, RuleFile, find};
pub use output::{Change, Output, outputs, pending, replace, replaceable, write};
pub use samples::{SampleResult, run as run_samples};

use crate::backend;
use crate::definition::{self, Definition, Suppressions};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{self, Rule};
use crate::source::SourceText;

/// A rule and where it came from
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The document as written
    pub definition: Definition,
    /// The rule as meant
    pub rule: Rule,
    /// Folder below the path the user gave, with `/`; empty at the top
    pub folder: String,
    /// File name without extension; from the second document of a file on with its number
    pub stem: String,
}

/// What a run has read
#[derive(Debug, Default)]
pub struct Project {
    /// The rules without mistakes, in the order of their files
    pub rules: Vec<Loaded>,
    /// Everything wrong so far
    pub diagnostics: Diagnostics,
    /// Comments that let warnings stand
    pub suppressions: Suppressions,
    /// How many rules were left out because of a mistake
    pub refused: usize,
    /// How many files were read
    pub files: usize,
}

/// Reads every rule file
///
/// # Errors
/// When a path cannot be read, or holds no rule file.
pub fn load(paths: &[std::path::PathBuf]) -> Result<Project, Failure> {
    let files = find(paths)?;
    let read: Vec<_> = files.par_iter().map(read).collect();
    let mut project = Project { files: files.len(), ..Project::default() };
    let mut heads = Vec::new();
    for one in read {
        let one = one?;
        project.rules.extend(one.rules);
        project.diagnostics.extend(one.diagnostics);
        project.suppressions.extend(one.suppressions);
        project.refused += one.refused;
        heads.extend(one.heads);
    }
    names::refuse_repeated_ids(&mut project);
    names::check(&heads, &mut project.diagnostics);
    Ok(project)
}

/// What one file holds
#[derive(Default)]
struct Read {
    rules: Vec<Loaded>,
    heads: Vec<names::Head>,
    diagnostics: Diagnostics,
    suppressions: Suppressions,
    refused: usize,
}

impl Read {
    fn refused(diagnostic: Diagnostic) -> Read {
        let mut read = Read { refused: 1, ..Read::default() };
        read.diagnostics.push(diagnostic);
        read
    }
}

fn read(file: &RuleFile) -> Result<Read, Failure> {
    let bytes = file.read()?;
    let text = match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => {
            return Ok(Read::refused(not_utf8(file, text.as_bytes(), 0)));
        }
        // A byte order mark is no part of the first key, nor of its column.
        Ok(text) => text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            return Ok(Read::refused(not_utf8(file, error.as_bytes(), valid)));
        }
    };
    let source = Arc::new(SourceText::new(file.name.clone(), text));
    let mut diagnostics = Diagnostics::default();
    let definitions = definition::parse(&source, &mut diagnostics);
    let suppressions = Suppressions::read(&source, &mut diagnostics);
    let broken = diagnostics.has_errors();
    let mut rules = Vec::new();
    let mut heads = Vec::new();
    let mut refused = usize::from(definitions.is_empty());
    for (at, definition) in definitions.into_iter().enumerate() {
        let stem = match at {
            0 => file.stem.clone(),
            at => format!("{}_{}", file.stem, at + 1),
        };
        let folder = file.folder.clone();
        let rule = ir::lower(&definition, &mut diagnostics);
        definition::check(&definition, &mut diagnostics);
        heads.push(names::Head::of(file, &definition));
        match rule {
            Some(rule) if !broken => {
                backend::check_targets(&rule, &mut diagnostics);
                rules.push(Loaded { definition, rule, folder, stem });
            }
            _ => refused += 1,
        }
    }
    Ok(Read { rules, heads, diagnostics, suppressions, refused })
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
