//! Where the folders of a set of rules begin.
//!
//! In: the folders of the settings, or the folder `rules`. Out: the path of a file or folder below them.
//! Outputs are laid out by it, so that they lie in the same place however a run names its rules: by a
//! folder, by its absolute path, or by one file in it.

use std::path::{Path, PathBuf};

use super::tree::Tree;
use super::{absolute, display};

/// The folders of a set of rules
#[derive(Debug, Clone, Default)]
pub(super) struct Roots {
    /// Each as written, from the root of the disk, and without links
    folders: Vec<[PathBuf; 2]>,
}

impl Roots {
    /// Those of these paths that are folders
    pub(super) fn of(tree: &Tree, paths: &[PathBuf]) -> Roots {
        let folders = paths.iter().filter(|path| tree.is_dir(path));
        Roots { folders: folders.map(|path| [absolute(path), real(path)]).collect() }
    }

    /// A path below the first folder that holds it
    pub(super) fn below(&self, path: &Path) -> Option<PathBuf> {
        if self.folders.is_empty() {
            return None;
        }
        let find = |at: usize, path: &Path| {
            let below = self.folders.iter().find_map(|folder| path.strip_prefix(&folder[at]).ok());
            below.map(ToOwned::to_owned)
        };
        find(0, &absolute(path)).or_else(|| find(1, &real(path)))
    }

    /// The part of the set that a path names, with `/`; empty for all of it
    pub(super) fn part(&self, tree: &Tree, path: &Path) -> String {
        let below = match tree.is_dir(path) {
            true => self.below(path),
            false => {
                let name = path.file_name().map(PathBuf::from).unwrap_or_default();
                let folder = path.parent().and_then(|folder| self.below(folder));
                Some(folder.unwrap_or_default().join(name))
            }
        };
        display(&below.unwrap_or_default())
    }
}

fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().unwrap_or_else(|_| absolute(path))
}
