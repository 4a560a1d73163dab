//! Paths as people read them, and as they can be compared.
//!
//! In: a path as it was given. Out: its text for messages, or the path from the root of the disk.

use std::path::{Component, Path, PathBuf};

/// A path for messages, with `/`; outside of Windows, a backslash is part of a name and stays
pub fn display(path: &Path) -> String {
    let shown = path.to_string_lossy();
    if cfg!(windows) { shown.replace('\\', "/") } else { shown.into_owned() }
}

/// A path from the root of the disk, without `.` and `..`
pub(super) fn absolute(path: &Path) -> PathBuf {
    let here = if path.is_absolute() { PathBuf::new() } else { here() };
    let mut whole = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => whole.push(part),
        }
    }
    whole
}

fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}
