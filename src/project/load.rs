//! Loads files into a workspace.
//!
//! In: paths of rule files, filters and placeholders. Out: a [`Workspace`]. Files are read on all
//! cores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::roots::Roots;
use super::{Failure, RuleFile, Tree, find};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceText, Span};
use crate::workspace::{Extent, Role, Sources, Text, Workspace};

/// The filters and placeholders for the rules of a run
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Files and folders of Sigma filters and of mappings
    pub filters: Vec<PathBuf>,
    /// A YAML file with the values of placeholders
    pub placeholders: Option<PathBuf>,
    /// The name of the rules on standard input, in messages and outputs; `stdin.yml` without it
    pub stdin_name: Option<String>,
    /// The folders of the whole set of rules; outputs are laid out by the folders below them. A path in
    /// none of them is a root itself, or the folder of a file
    pub roots: Vec<PathBuf>,
    /// Where all of them are read from
    pub tree: Tree,
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
    let tree = &surroundings.tree;
    let lists = surroundings.placeholders.as_deref();
    let placeholders = lists.map(|path| placeholders(tree, path)).transpose()?;
    let stdin = surroundings.stdin_name.as_deref().unwrap_or(STDIN);
    let roots = Roots::of(tree, &surroundings.roots);
    let files = find(tree, paths, (&roots, stdin))?;
    let mut texts = texts(tree, &files, Role::Rules)?;
    if !surroundings.filters.is_empty() {
        let files = find(tree, &surroundings.filters, (&roots, stdin))?;
        texts.extend(self::texts(tree, &files, Role::Filters)?);
    }
    let mut workspace = Workspace::read(&Sources { texts, placeholders });
    let part = |path: &PathBuf| match path.as_os_str() == "-" {
        true => RuleFile::at(Path::new(stdin)).below(),
        false => roots.part(tree, path),
    };
    workspace.extent = Extent {
        parts: paths.iter().map(part).collect(),
        files: files.iter().map(|file| (file.below(), file.name.clone())).collect(),
    };
    Ok(workspace)
}

fn placeholders(tree: &Tree, path: &Path) -> Result<Arc<SourceText>, Failure> {
    let file = RuleFile::at(path);
    let text = String::from_utf8(file.read(tree)?)
        .map_err(|_| Failure::new(format!("{} is not UTF-8", file.name)))?;
    Ok(Arc::new(SourceText::new(file.name, text)))
}

fn texts(tree: &Tree, files: &[RuleFile], role: Role) -> Result<Vec<Text>, Failure> {
    tree.fetch(&files.iter().filter_map(RuleFile::path).collect::<Vec<_>>());
    let texts: Vec<_> = files.par_iter().map(|file| text(tree, file)).collect();
    // When several files cannot be read, the failure names the first file.
    texts.into_iter().map(|text| Ok(text?.read_for(role))).collect()
}

fn text(tree: &Tree, file: &RuleFile) -> Result<Text, Failure> {
    Ok(match &file.folder {
        Some(folder) => Text::of_bytes(&file.name, file.read(tree)?).in_folder(folder),
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
