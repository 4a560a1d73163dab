//! Opens files of events.
//!
//! In: paths of files, pipes and devices; `-` for standard input. Out: [`Lines`], unpacked if
//! gzipped. A stream is opened and read once, since a pipe gives its bytes to its first reader
//! only. It is opened when its turn comes, since a run may have more files than a process may hold
//! open.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{Failure, display};
use crate::matcher::{Lines, Stop};

/// Size of the read buffer, in bytes
const CHUNK: usize = 1 << 20;

/// Checks that events can be read from these paths, without reading them
///
/// Files are opened; pipes and devices are not.
///
/// # Errors
/// When a path does not exist, is a folder, or may not be read.
pub fn check_events(paths: &[impl AsRef<Path>]) -> Result<(), Failure> {
    for path in paths.iter().map(AsRef::as_ref).filter(|path| *path != Path::new("-")) {
        let failed = |error: io::Error| cannot_read(path, &error);
        let metadata = path.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if metadata.is_file() {
            File::open(path).map_err(failed)?;
        }
    }
    Ok(())
}

/// The lines of a file of events; a line above `limit` bytes is skipped and reported
///
/// # Errors
/// When the reading thread cannot be started. A path that cannot be opened breaks the stream.
pub fn events(path: &Path, limit: usize, stop: Stop) -> Result<Lines<'static>, Failure> {
    let own = path.to_owned();
    let open = move || match own.to_str() {
        Some("-") => unpacked(io::stdin().lock()),
        _ => unpacked(File::open(own)?),
    };
    Lines::spawn(open, limit, stop).map_err(|error| cannot_read(path, &error))
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read {}: {error}", display(path)))
}

/// The bytes of a reader, unpacked when they begin with the gzip magic number
fn unpacked<'r>(mut reader: impl Read + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let mut head = Vec::with_capacity(GZIP.len());
    // A pipe may give the first byte alone.
    reader.by_ref().take(GZIP.len() as u64).read_to_end(&mut head)?;
    let gzipped = head == GZIP;
    let whole = Cursor::new(head).chain(reader);
    Ok(match gzipped {
        true => Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(whole))),
        false => Box::new(BufReader::with_capacity(CHUNK, whole)),
    })
}
