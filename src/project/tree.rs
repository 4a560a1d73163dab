//! The files of a run: those on disk, or those that a revision of git keeps.
//!
//! In: paths, seen from the working folder. Out: whether they exist, what lies below them, and their bytes.
//! Whoever reads rules and settings through a [`Tree`] reads an old revision as if it were on disk.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::revision::Revision;
use super::{Failure, display};

/// Where files are read from
#[derive(Debug, Clone, Default)]
pub enum Tree {
    /// The disk
    #[default]
    Disk,
    /// A revision of git
    Revision(Revision),
}

impl Tree {
    /// The files of a revision of the working folder's repository
    ///
    /// # Errors
    /// When git is not there, or knows no such revision.
    pub fn at(revision: &str) -> Result<Tree, Failure> {
        Revision::open(revision).map(Tree::Revision)
    }

    /// Whether a path is a file or a folder there
    pub fn has(&self, path: &Path) -> bool {
        self.is_file(path) || self.is_dir(path)
    }

    pub(super) fn is_file(&self, path: &Path) -> bool {
        match self {
            Tree::Disk => path.is_file(),
            Tree::Revision(revision) => revision.is_file(path),
        }
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        match self {
            Tree::Disk => path.is_dir(),
            Tree::Revision(revision) => revision.files(path).next().is_some(),
        }
    }

    /// Has the bytes of many files at hand, where that is faster than one by one
    pub(super) fn fetch(&self, paths: &[&Path]) {
        match self {
            Tree::Disk => {}
            Tree::Revision(revision) => revision.fetch(paths),
        }
    }

    /// The bytes of a file
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self {
            Tree::Disk => std::fs::read(path),
            Tree::Revision(revision) => revision.read(path),
        }
    }

    /// The files below a folder, in the order of their names, without dot files
    pub(super) fn files(&self, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
        let hidden = |name: &OsStr| name.to_string_lossy().starts_with('.');
        let mut files = Vec::new();
        match self {
            Tree::Disk => {
                let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
                for entry in walk.filter_entry(|e| e.depth() == 0 || !hidden(e.file_name())) {
                    let entry = entry.map_err(|error| {
                        Failure::new(format!("cannot read {}: {error}", display(folder)))
                    })?;
                    if entry.file_type().is_file() {
                        files.push(entry.into_path());
                    }
                }
            }
            Tree::Revision(revision) => {
                let all = revision.files(folder);
                let shown = all.filter(|below| !below.iter().any(hidden));
                files.extend(shown.map(|below| folder.join(below)));
            }
        }
        Ok(files)
    }
}
