//! Replaces files.
//!
//! In: a path and a text. Out: the file holds the text. The text is written to a temporary file
//! beside the path, which is then renamed: a crash leaves the old or the new text, never half of a
//! text. A run locks its temporary file while it lives, so the next run recognizes the temporary
//! files of killed runs. Outputs do not wait for the disk: after a power failure they are made again.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use same_file::Handle;
use tempfile::NamedTempFile;

use super::{Failure, display};

/// Prefix of the names of temporary files
const PREFIX: &str = ".rulecast-";

/// Replaces the text of a file; a crash leaves the old or the new text
///
/// A link is followed, and the file keeps its permissions.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<(), Failure> {
    put(path, text, synced)
}

/// Replaces the text of an output, as [`replace`] does, but does not wait until the disk has it
///
/// Waiting takes most of the time of a large export.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn replace_output(path: &Path, text: &[u8]) -> Result<(), Failure> {
    put(path, text, written)
}

/// Renames the temporary file that `write` makes to the file at a path
fn put(
    path: &Path,
    text: &[u8],
    write: fn(&Path, &[u8]) -> io::Result<NamedTempFile>,
) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let rename = |temporary: NamedTempFile| temporary.persist(&target).map_err(|error| error.error);
    write(&target, text).and_then(rename).map(drop).map_err(|error| cannot("write", path, &error))
}

/// A temporary file beside a path, with this text on disk
fn synced(target: &Path, text: &[u8]) -> io::Result<NamedTempFile> {
    let temporary = written(target, text)?;
    // The text must be on disk before the rename.
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// A temporary file beside a path, with this text and the permissions of the file at the path
fn written(target: &Path, text: &[u8]) -> io::Result<NamedTempFile> {
    let mut temporary = temporary(folder_of(target))?;
    if let Ok(metadata) = fs::metadata(target) {
        temporary.as_file().set_permissions(metadata.permissions())?;
    }
    temporary.write_all(text)?;
    Ok(temporary)
}

/// Checks that `replace` can create a file beside this path, and removes temporary files that
/// killed runs have left there
///
/// # Errors
/// When no file can be created in the folder.
pub fn replaceable(path: &Path) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    remove_leftovers(folder_of(&target));
    temporary(folder_of(&target)).map(drop).map_err(|error| cannot("write", path, &error))
}

/// Replaces a file by the result of `change` on its text, under a lock against other runs
///
/// The text is `None` when the file does not exist. When another run creates the file first,
/// `change` is called again with the text of that run.
///
/// # Errors
/// When the file cannot be read or written, or when `change` fails.
pub fn update(
    path: &Path,
    mut change: impl FnMut(Option<&str>) -> Result<String, Failure>,
) -> Result<(), Failure> {
    loop {
        let Some(mut held) = lock(path).map_err(|error| cannot("lock", path, &error))? else {
            let new = change(None)?;
            match synced(path, new.as_bytes()).map(|new| new.persist_noclobber(path)) {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) if error.error.kind() == io::ErrorKind::AlreadyExists => continue,
                Ok(Err(error)) => return Err(cannot("write", path, &error.error)),
                Err(error) => return Err(cannot("write", path, &error)),
            }
        };
        let mut text = String::new();
        held.read_to_string(&mut text).map_err(|error| cannot("read", path, &error))?;
        return replace(path, change(Some(&text))?.as_bytes());
    }
}

/// The file at a path, locked; waits while another run holds the lock
///
/// `None` when the file does not exist.
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        file.lock()?;
        // The run that held the lock may have replaced the file: then lock the new file.
        if Handle::from_file(file.try_clone()?)? == Handle::from_path(path)? {
            return Ok(Some(file));
        }
    }
}

/// Removes the temporary files of killed runs: the files that are not locked
pub(super) fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let locked = File::open(entry.path()).map(|file| file.try_lock().map(|()| file));
            if let Ok(Ok(_dead)) = locked {
                // Another run may have removed the file first.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// A new temporary file in a folder, locked while its run lives
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = builder().tempfile_in(folder)?;
        // On a file system without locks, other runs cannot lock and so do not remove it.
        let _ = file.as_file().lock();
        // Another run may have removed the file before it was locked.
        if file.path().exists() {
            return Ok(file);
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot {what} {}: {error}", display(path)))
}

/// Temporary files get the permissions of any new file: `tempfile` would make them private
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_run_left_goes_and_what_a_live_one_writes_stays() {
        let folder = tempfile::tempdir().unwrap();
        let dead = folder.path().join(".rulecast-dead");
        fs::write(&dead, "half").unwrap();
        let live = temporary(folder.path()).unwrap();
        remove_leftovers(folder.path());
        assert!(!dead.exists());
        assert!(live.path().exists());
    }

    #[test]
    fn updates_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        update(&path, |text| Ok(format!("{}x", text.unwrap_or("")))).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_to_string(path).unwrap().len(), 160);
    }
}
