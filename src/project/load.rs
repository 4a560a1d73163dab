//! Loads files into a workspace.
//!
//! In: paths of rule files, filters and placeholders. Out: a [`Workspace`]. Files are read on all
//! cores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::{Failure, RuleFile, find};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceText, Span};
use crate::workspace::{Role, Sources, Text, Workspace};

/// The filters and placeholders for the rules of a run
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Files and folders of Sigma filters and of mappings
    pub filters: Vec<PathBuf>,
    /// A YAML file with the values of placeholders
    pub placeholders: Option<PathBuf>,
    /// The name of the rules on standard input, in messages and outputs; `stdin.yml` without it
    pub stdin_name: Option<String>,
}

/// The name of rules that are read from standard input
const STDIN: &str = "stdin.yml";

/// Reads every rule file, without filters and placeholders
///
/// # Errors
/// When a path cannot be read, or holds no rule file.
pub fn load(paths: &[PathBuf]) -> Result<Workspace, Failure> {
    load_with(paths, &Surroundings::default())
}

/// Reads every rule file, with filters and placeholders
///
/// # Errors
/// When a path cannot be read, or holds no rule file.
pub fn load_with(paths: &[PathBuf], surroundings: &Surroundings) -> Result<Workspace, Failure> {
    let placeholders = surroundings.placeholders.as_deref().map(placeholders).transpose()?;
    let stdin = surroundings.stdin_name.as_deref().unwrap_or(STDIN);
    let mut texts = texts(&find(paths, stdin)?, Role::Rules)?;
    if !surroundings.filters.is_empty() {
        texts.extend(self::texts(&find(&surroundings.filters, stdin)?, Role::Filters)?);
    }
    Ok(Workspace::read(&Sources { texts, placeholders }))
}

fn placeholders(path: &Path) -> Result<Arc<SourceText>, Failure> {
    let file = RuleFile::at(path);
    let text = String::from_utf8(file.read()?)
        .map_err(|_| Failure::new(format!("{} is not UTF-8", file.name)))?;
    Ok(Arc::new(SourceText::new(file.name, text)))
}

fn texts(files: &[RuleFile], role: Role) -> Result<Vec<Text>, Failure> {
    let texts: Vec<_> = files.par_iter().map(text).collect();
    // When several files cannot be read, the failure names the first file.
    texts.into_iter().map(|text| Ok(text?.read_for(role))).collect()
}

fn text(file: &RuleFile) -> Result<Text, Failure> {
    Ok(match &file.folder {
        Some(folder) => Text::of_bytes(&file.name, file.read()?).in_folder(folder),
        None => Text::unreadable(unnameable(file)),
    })
}

/// The finding for a folder whose name is not UTF-8
///
/// Outputs go to a folder of the same name, and a substitute name could be another folder's.
fn unnameable(file: &RuleFile) -> Diagnostic {
    let source = Arc::new(SourceText::new(&file.name, ""));
    let message = "the folder of the file has a name that is not UTF-8";
    Diagnostic::new(Code::E0101, &source, Span::default(), message, "in this folder")
        .help("Give the folder another name.")
}
