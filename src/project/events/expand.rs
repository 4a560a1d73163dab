//! Finds the files that paths, folders and globs of events mean.
//!
//! In: paths as the user gives them. Out: [`Source`]s in a stable order; a zip archive gives one for each
//! file in it. What cannot be read is reported before hours of work. Of a folder, files with the name of a
//! log are taken; that others were passed over is told.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use walkdir::WalkDir;
use zip::{CompressionMethod, ZipArchive};

use super::super::{Failure, display};
use super::{Member, Place, Source, cannot_read};

/// The ends of names that files of events have in a folder; `.gz`, `.zst` and `.zip` may stand behind
const NAMES: &[&str] =
    &["json", "jsonl", "ndjson", "log", "csv", "tsv", "txt", "evtx", "zip", "gz", "zst"];

const ZIP: [u8; 4] = *b"PK\x03\x04";

/// The streams of events that these paths mean, and the number of files of folders that are none
///
/// Files are opened; pipes and devices are not.
///
/// # Errors
/// When a path does not exist or may not be read, or a folder or glob holds no file of events.
pub fn sources(paths: &[impl AsRef<Path>]) -> Result<(Vec<Source>, usize), Failure> {
    let (mut sources, mut others) = (Vec::new(), 0);
    for path in paths.iter().map(AsRef::as_ref) {
        if path == Path::new("-") {
            sources.push(Source::new(display(path), Place::Input));
            continue;
        }
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => others += folder(path, &mut sources)?,
            Ok(metadata) if metadata.is_file() => file(path, &mut sources)?,
            // A pipe or a device.
            Ok(_) => sources.push(of_file(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_glob(path) => {
                glob(path, &mut sources)?;
            }
            Err(error) => return Err(cannot_read(path, &error)),
        }
    }
    Ok((sources, others))
}

fn of_file(path: &Path) -> Source {
    Source::new(display(path), Place::File(path.to_owned()))
}

/// Adds a file, or the files in it
fn file(path: &Path, sources: &mut Vec<Source>) -> Result<(), Failure> {
    let failed = |error: io::Error| cannot_read(path, &error);
    let mut head = Vec::new();
    File::open(path).map_err(failed)?.take(4).read_to_end(&mut head).map_err(failed)?;
    if head != ZIP {
        sources.push(of_file(path));
        return Ok(());
    }
    members(path, sources)
}

/// Adds the files of a zip archive
fn members(path: &Path, sources: &mut Vec<Source>) -> Result<(), Failure> {
    let failed = |why: String| Failure::new(format!("cannot read {}: {why}", display(path)));
    let file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let archive = ZipArchive::new(BufReader::new(file));
    let mut archive = archive.map_err(|error| failed(error.to_string()))?;
    let before = sources.len();
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at).map_err(|error| failed(error.to_string()))?;
        if !member.is_file() {
            continue;
        }
        let name = member.name().map_or_else(|_| format!("file {}", at + 1), |n| n.into_owned());
        let method = member.compression();
        let is_packed = method == CompressionMethod::Deflated;
        if !is_packed && method != CompressionMethod::Stored {
            return Err(failed(format!("`{name}` in it is packed by {method}")));
        }
        let start = member.data_start().filter(|_| !member.encrypted());
        let start = start.ok_or_else(|| failed(format!("`{name}` in it is encrypted")))?;
        let member = Member { start, size: member.compressed_size(), is_packed };
        let place = Place::Member(path.to_owned(), member);
        sources.push(Source::new(format!("{}/{name}", display(path)), place));
    }
    if sources.len() == before { Err(failed("there is no file in it".to_owned())) } else { Ok(()) }
}

/// Adds the files of a folder; returns how many were passed over
fn folder(path: &Path, sources: &mut Vec<Source>) -> Result<usize, Failure> {
    let before = sources.len();
    let mut others = 0;
    for path in files_below(path)? {
        let is_log = path
            .extension()
            .is_some_and(|end| NAMES.iter().any(|name| end.eq_ignore_ascii_case(name)));
        if is_log { file(&path, sources)? } else { others += 1 }
    }
    if sources.len() > before {
        return Ok(others);
    }
    let ends = NAMES.join(", ");
    let path = display(path);
    Err(Failure::new(format!("no file of events in {path}: their names end in one of {ends}")))
}

/// The files below a folder, sorted by name; names that begin with a dot are left out
fn files_below(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let is_shown = |name: &std::ffi::OsStr| !name.to_string_lossy().starts_with('.');
    let walk = WalkDir::new(path).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|entry| entry.depth() == 0 || is_shown(entry.file_name()));
    let mut files = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| Failure::new(format!("cannot read {error}")))?;
        // A link to a folder may lead round in circles.
        let is_link = entry.path_is_symlink() && entry.path().is_file();
        if entry.file_type().is_file() || is_link {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn is_glob(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// Adds the files that fit a glob
fn glob(path: &Path, sources: &mut Vec<Source>) -> Result<(), Failure> {
    let text = path.to_string_lossy().into_owned();
    let glob = GlobBuilder::new(&text).literal_separator(true).build();
    let glob = glob.map_err(|error| Failure::new(format!("cannot read {text}: {error}")))?;
    let glob = glob.compile_matcher();
    let fixed: PathBuf = path.components().take_while(|part| !is_glob(part.as_ref())).collect();
    let start = if fixed.as_os_str().is_empty() { Path::new(".") } else { &fixed };
    let before = sources.len();
    if start.is_dir() {
        for path in files_below(start)? {
            let path = path.strip_prefix(".").unwrap_or(&path);
            if glob.is_match(path) {
                file(path, sources)?;
            }
        }
    }
    let none = || Failure::new(format!("cannot read {text}: no file fits it"));
    if sources.len() == before { Err(none()) } else { Ok(()) }
}
