//! Finds and reads rule files.
//!
//! In: files and folders; `-` is standard input. Out: [`RuleFile`]s in a stable order: paths as given,
//! folders sorted by file name, without dot files. A link is followed only when the user gives its path.

use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Why a run could not do its work: a text for the user
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure in these words: lower case, no final period
    pub fn new(why: impl Into<String>) -> Self {
        Failure(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// A file that may hold rules
#[derive(Debug, Clone)]
pub(crate) struct RuleFile {
    /// The path in messages, with `/`
    pub(crate) name: String,
    /// Its folder below the path that the user gave, with `/`; `None` when the folder is not UTF-8
    pub(crate) folder: Option<String>,
    /// Where it is; `None` for standard input
    path: Option<PathBuf>,
}

impl RuleFile {
    /// The text on standard input, under a name for messages and outputs
    fn input(name: &str) -> RuleFile {
        RuleFile { name: name.to_owned(), folder: Some(String::new()), path: None }
    }

    /// A file that the user names directly; its folder is empty
    pub(super) fn at(path: &Path) -> RuleFile {
        RuleFile::new(path, path.parent().unwrap_or(Path::new("")))
    }

    fn new(path: &Path, root: &Path) -> RuleFile {
        let below = path.parent().and_then(|parent| parent.strip_prefix(root).ok());
        let folders = below.unwrap_or(Path::new("")).iter().map(OsStr::to_str);
        let folders: Option<Vec<&str>> = folders.collect();
        RuleFile {
            name: display(path),
            folder: folders.map(|folders| folders.join("/")),
            path: Some(path.to_owned()),
        }
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        let read = match &self.path {
            Some(path) => std::fs::read(path),
            None => {
                let mut bytes = Vec::new();
                std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
            }
        };
        read.map_err(|error| Failure::new(format!("cannot read {}: {error}", self.name)))
    }
}

/// A path for messages, with `/`; outside of Windows, a backslash is part of a name and stays
pub fn display(path: &Path) -> String {
    let shown = path.to_string_lossy();
    if cfg!(windows) { shown.replace('\\', "/") } else { shown.into_owned() }
}

/// Every `.yml` and `.yaml` file of these paths; `-` is standard input, under this name
///
/// # Errors
/// When a path does not exist or cannot be read, or when no path holds a rule file.
pub(crate) fn find(paths: &[PathBuf], stdin: &str) -> Result<Vec<RuleFile>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            files.push(RuleFile::input(stdin));
            continue;
        }
        if path.is_file() {
            files.push(RuleFile::at(path));
            continue;
        }
        if !path.is_dir() {
            return Err(Failure::new(format!("no such file or folder: {}", display(path))));
        }
        let hidden = |name: &OsStr| name.to_string_lossy().starts_with('.');
        let walk = WalkDir::new(path).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|e| e.depth() == 0 || !hidden(e.file_name())) {
            let entry = entry.map_err(|error| Failure::new(format!("cannot read: {error}")))?;
            let extension = entry.path().extension().map(|e| e.to_string_lossy().to_lowercase());
            if entry.file_type().is_file() && matches!(extension.as_deref(), Some("yml" | "yaml")) {
                files.push(RuleFile::new(entry.path(), path));
            }
        }
    }
    if paths.len() > 1 {
        // The paths may be a folder and a file in it.
        let mut seen = std::collections::HashSet::new();
        let real = |file: &RuleFile| {
            let path = file.path.as_ref()?;
            Some(path.canonicalize().unwrap_or_else(|_| path.clone()))
        };
        files.retain(|file| seen.insert(real(file)));
    }
    if files.is_empty() {
        let looked: Vec<_> = paths.iter().map(|path| display(path)).collect();
        return Err(Failure::new(format!("no rule files (.yml, .yaml) in {}", looked.join(", "))));
    }
    Ok(files)
}
