//! Writes outputs.
//!
//! In: outputs and a folder. Out: files under that folder, and no file outside of it: neither the
//! name of a rule nor a link in the folder leads out. A file that already holds the output's text
//! is not touched.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::replace::{remove_leftovers, replace_output};
use super::{Failure, display};
use crate::workspace::Output;

/// How an output differs from the file at its path
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The file does not exist, or cannot be read
    New,
    /// The file holds another text
    Changed,
    /// The file holds exactly the output's text
    Same,
}

/// The change that writing an output under `folder` would make; writes nothing
///
/// # Errors
/// When the output would not lie in the folder.
pub fn pending(folder: &Path, output: &Output) -> Result<Change, Failure> {
    let place = inside(folder, &output.path)?;
    Ok(match fs::read(place) {
        Ok(text) if text == output.text.as_bytes() => Change::Same,
        Ok(_) => Change::Changed,
        Err(_) => Change::New,
    })
}

/// Writes an output under `folder`; returns the change made
///
/// # Errors
/// When the output would not lie in the folder, the folder cannot be made or the file cannot be
/// written.
pub fn write(folder: &Path, output: &Output) -> Result<Change, Failure> {
    let change = pending(folder, output)?;
    if change == Change::Same {
        return Ok(change);
    }
    let path = inside(folder, &output.path)?;
    if let Some(parent) = path.parent() {
        let failed =
            |error| Failure::new(format!("cannot make the folder of {}: {error}", display(&path)));
        fs::create_dir_all(parent).map_err(failed)?;
    }
    replace_output(&path, output.text.as_bytes())?;
    Ok(change)
}

/// Removes the temporary files of killed runs from the folders of these outputs
pub fn tidy(folder: &Path, outputs: &[Output]) {
    let parent = |output: &Output| {
        let place = inside(folder, &output.path).ok()?;
        place.parent().map(Path::to_owned)
    };
    let folders: BTreeSet<PathBuf> = outputs.iter().filter_map(parent).collect();
    folders.iter().for_each(|folder| remove_leftovers(folder));
}

/// The path of an output under `folder`
///
/// # Errors
/// When `path`, or a link on the way, leads out of the folder.
pub fn inside(folder: &Path, path: &str) -> Result<PathBuf, Failure> {
    let out = |what: &Path, why: &str| {
        Failure::new(format!("{} {why} {}", display(what), display(folder)))
    };
    let mut place = folder.to_owned();
    for part in path.split('/') {
        let mut parts = Path::new(part).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(name)), None) if name == part => place.push(name),
            _ => return Err(out(&folder.join(path), "leads out of")),
        }
        if place.is_symlink() {
            let real = place.canonicalize().and_then(|real| Ok((real, folder.canonicalize()?)));
            if !real.is_ok_and(|(real, folder)| real.starts_with(folder)) {
                return Err(out(&place, "is a link that leads out of"));
            }
        }
    }
    Ok(place)
}
