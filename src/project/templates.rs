//! Templates of a user.
//!
//! In: a folder with files such as `sentinel/analytic.yaml.hbs`. Out: their texts by the name of the
//! template that each stands for. Other files of the folder are left alone.

use std::path::Path;
use std::sync::Arc;

use walkdir::WalkDir;

use super::{Failure, display};
use crate::source::SourceText;

/// What the name of a template's file ends with
const END: &str = ".hbs";

/// Reads the templates of a folder, sorted by name
///
/// # Errors
/// When the folder cannot be read, or has no template.
pub fn templates(folder: &Path) -> Result<Vec<(String, Arc<SourceText>)>, Failure> {
    let mut all = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|error| Failure::new(format!("cannot read: {error}")))?;
        let below = display(entry.path().strip_prefix(folder).unwrap_or(entry.path()));
        let Some(name) = below.strip_suffix(END).filter(|_| entry.file_type().is_file()) else {
            continue;
        };
        let file = display(entry.path());
        let text = std::fs::read_to_string(entry.path())
            .map_err(|error| Failure::new(format!("cannot read {file}: {error}")))?;
        all.push((name.to_owned(), Arc::new(SourceText::new(file, text))));
    }
    if all.is_empty() {
        return Err(Failure::new(format!("no template (*{END}) in {}", display(folder))));
    }
    Ok(all)
}
