//! Finds and reads rule files.
//!
//! In: files and folders; `-` is standard input. Out: [`RuleFile`]s in a stable order: paths as given,
//! folders sorted by file name, without dot files. A link is followed only when the user gives its path.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::roots::Roots;
use super::tree::Tree;
use super::{Failure, absolute, display};

/// A file that may hold rules
#[derive(Debug, Clone)]
pub(crate) struct RuleFile {
    /// The path in messages, with `/`
    pub(crate) name: String,
    /// Its folder below the root of the rules, with `/`; `None` when the folder is not UTF-8
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
        RuleFile::new(path, Path::new(""))
    }

    fn new(path: &Path, folder: &Path) -> RuleFile {
        let folders: Option<Vec<&str>> = folder.iter().map(OsStr::to_str).collect();
        RuleFile {
            name: display(path),
            folder: folders.map(|folders| folders.join("/")),
            path: Some(path.to_owned()),
        }
    }

    pub(crate) fn read(&self, tree: &Tree) -> Result<Vec<u8>, Failure> {
        let read = match &self.path {
            Some(path) => tree.read(path),
            None => {
                let mut bytes = Vec::new();
                std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
            }
        };
        read.map_err(|error| Failure::new(format!("cannot read {}: {error}", self.name)))
    }

    /// Where it is; `None` for standard input
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Its path below the root of the rules, with `/`
    pub(super) fn below(&self) -> String {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        match self.folder.as_deref() {
            None | Some("") => name.to_owned(),
            Some(folder) => format!("{folder}/{name}"),
        }
    }
}

/// The rule files of the disk under a path; none where it cannot be listed
#[cfg(feature = "cli")]
pub(crate) fn on_disk(path: &PathBuf) -> Vec<RuleFile> {
    let paths = std::slice::from_ref(path);
    let roots = Roots::of(&Tree::Disk, paths);
    find(&Tree::Disk, paths, (&roots, "stdin.yml")).unwrap_or_default()
}

/// Every `.yml` and `.yaml` file of these paths; `-` is standard input, under this name
///
/// # Errors
/// When a path does not exist or cannot be read, or when no path holds a rule file.
pub(super) fn find(
    tree: &Tree,
    paths: &[PathBuf],
    (roots, stdin): (&Roots, &str),
) -> Result<Vec<RuleFile>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            files.push(RuleFile::input(stdin));
        } else if tree.is_file(path) {
            let folder = path.parent().unwrap_or(Path::new(""));
            files.push(RuleFile::new(path, &roots.below(folder).unwrap_or_default()));
        } else if tree.is_dir(path) {
            let below = |file: &Path| {
                let folder = file.parent().unwrap_or(Path::new(""));
                let plain = || folder.strip_prefix(path).unwrap_or(Path::new("")).to_owned();
                roots.below(folder).unwrap_or_else(plain)
            };
            let listed = tree.files(path)?;
            let rules = listed.iter().filter(|file| is_rule(file));
            files.extend(rules.map(|file| RuleFile::new(file, &below(file))));
        } else {
            return Err(Failure::new(format!("no such file or folder: {}", display(path))));
        }
    }
    if paths.len() > 1 {
        // The paths may be a folder and a file in it.
        let mut seen = std::collections::HashSet::new();
        let real = |file: &RuleFile| {
            let path = file.path.as_ref()?;
            Some(path.canonicalize().unwrap_or_else(|_| absolute(path)))
        };
        files.retain(|file| seen.insert(real(file)));
    }
    if files.is_empty() {
        let looked: Vec<_> = paths.iter().map(|path| display(path)).collect();
        return Err(Failure::new(format!("no rule files (.yml, .yaml) in {}", looked.join(", "))));
    }
    Ok(files)
}

fn is_rule(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("yml" | "yaml"))
}
