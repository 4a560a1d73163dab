//! Removes pages of earlier runs.
//!
//! In: a folder of pages, the paths that this run wrote, and the line by which a page is known. Out: the
//! number of files removed: pages of rules that are gone, and of what this run was not asked for. A file
//! without the line was not made by rulecast, and stays.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use walkdir::WalkDir;

use super::{Failure, display};

/// How far into a page the line stands at most, in bytes
const HEAD: u64 = 4_096;

/// Removes the pages below a folder that are not among these paths
///
/// # Errors
/// When a page cannot be removed.
pub fn remove_stale(folder: &Path, kept: &BTreeSet<&str>, line: &str) -> Result<usize, Failure> {
    let mut removed = 0;
    for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok) {
        let path = entry.path();
        let below = display(path.strip_prefix(folder).unwrap_or(path));
        let is_page = entry.file_type().is_file() && below.ends_with(".html");
        if is_page && !kept.contains(below.as_str()) && has(path, line) {
            std::fs::remove_file(path).map_err(|error| {
                Failure::new(format!("cannot remove {}: {error}", display(path)))
            })?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether the head of a file holds a line
fn has(path: &Path, line: &str) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).lines().any(|one| one == line)
}
