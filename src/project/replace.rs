//! Replacing files.
//!
//! In: a path and a text. Out: the file holds the text. It is written beside its place and moved
//! there, so that a crash leaves the old or the new text and never half of one. The temporary file
//! is locked while its run lives, so the next run can tell what a killed one has left.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use same_file::Handle;
use tempfile::NamedTempFile;

use super::{Failure, display};

/// What the names of temporary files begin with
const PREFIX: &str = ".rulecast-";

/// Puts a text in the place of a file's, so that a crash leaves the one or the other
///
/// A link is followed, and the file keeps who may read it.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn replace(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let put = |temporary: NamedTempFile| temporary.persist(&target).map_err(|error| error.error);
    written(&target, text).and_then(put).map(drop).map_err(|error| cannot("write", path, &error))
}

/// A temporary file beside a path, with this text and with who may read the file at the path
fn written(target: &Path, text: &[u8]) -> io::Result<NamedTempFile> {
    let mut temporary = temporary(folder_of(target))?;
    if let Ok(metadata) = fs::metadata(target) {
        temporary.as_file().set_permissions(metadata.permissions())?;
    }
    temporary.write_all(text)?;
    // The name must not be there before the text is.
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Whether [`replace`] will be able to write there, as far as that can be known before; what killed
/// runs have left beside it is removed
///
/// # Errors
/// When the folder takes no new file.
pub fn replaceable(path: &Path) -> Result<(), Failure> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    remove_leftovers(folder_of(&target));
    temporary(folder_of(&target)).map(drop).map_err(|error| cannot("write", path, &error))
}

/// Replaces a file by what `change` makes of its text, while no other run does the same
///
/// The text is `None` when the file is not there. Where another run is faster, `change` is asked
/// again, with the text of that run.
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
            match written(path, new.as_bytes()).map(|new| new.persist_noclobber(path)) {
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

/// The file at a path, locked; waits for who holds it
fn lock(path: &Path) -> io::Result<Option<File>> {
    loop {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        file.lock()?;
        // Who held it has put another file in its place.
        if Handle::from_file(file.try_clone()?)? == Handle::from_path(path)? {
            return Ok(Some(file));
        }
    }
}

/// Removes the temporary files of runs that were killed
pub(super) fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let locked = File::open(entry.path()).map(|file| file.try_lock().map(|()| file));
            if let Ok(Ok(_dead)) = locked {
                // Another run may have removed it first.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// A new file in a folder, locked as long as its run lives
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = builder().tempfile_in(folder)?;
        // Where there are no locks, no other run takes the file for a leftover either.
        let _ = file.as_file().lock();
        // Another run may have seen it before it was locked, and removed it.
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

/// Temporary files get the permissions any new file gets, not those of a secret.
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
