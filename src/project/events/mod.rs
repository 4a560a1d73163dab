//! Opens files of events.
//!
//! In: paths of files, folders, globs, pipes and devices; `-` for standard input. Out: [`Source`]s, and
//! the [`Lines`] of each, unpacked and as UTF-8. A stream is opened and read once, since a pipe gives its
//! bytes to its first reader only. It is opened when its turn comes, since a run may have more files than
//! a process may hold open.

mod evtx;
mod expand;
mod gauge;
mod unpack;
mod utf16;

use std::fs::File;
use std::io::{self, BufRead, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

pub use expand::sources;
use flate2::read::DeflateDecoder;
use gauge::{Counted, Gauge};

use super::{Failure, display};
use crate::matcher::{Lines, Stop, TextForm};

/// A stream of events
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in messages
    pub name: String,
    place: Place,
    gauge: Gauge,
}

impl Source {
    fn new(name: String, place: Place) -> Source {
        Source { name, place, gauge: Gauge::default() }
    }

    /// Its size in bytes, packed as it is; `None` for a pipe, a device and standard input
    pub fn size(&self) -> Option<u64> {
        match &self.place {
            Place::Input => None,
            Place::File(path) => {
                path.metadata().ok().filter(|file| file.is_file()).map(|file| file.len())
            }
            Place::Member(_, member) => Some(member.size),
        }
    }

    /// The bytes of it that were read so far; of an event log, all of them as soon as it is open
    pub fn read(&self) -> u64 {
        self.gauge.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Clone)]
enum Place {
    Input,
    File(PathBuf),
    /// A file of a zip archive
    Member(PathBuf, Member),
}

/// Where a file of a zip archive lies
#[derive(Debug, Clone, Copy)]
struct Member {
    start: u64,
    size: u64,
    is_packed: bool,
}

/// The records of a stream of events; a record above `limit` bytes is skipped and reported
///
/// `text` is the form of the text, which is found out without it.
///
/// # Errors
/// When the reading thread cannot be started. A path that cannot be opened breaks the stream.
pub fn events(
    source: &Source,
    (limit, text): (usize, Option<TextForm>),
    stop: Stop,
) -> Result<Lines<'static>, Failure> {
    let (place, gauge) = (source.place.clone(), Gauge::clone(&source.gauge));
    Lines::spawn(move || open(place, gauge), (limit, text), stop)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", source.name)))
}

fn open(place: Place, gauge: Gauge) -> io::Result<Box<dyn BufRead>> {
    match place {
        Place::Input => unpack::unpacked(Counted { inner: io::stdin().lock(), gauge }),
        Place::File(path) => unpack::of_file(File::open(path)?, gauge),
        Place::Member(path, member) => {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(member.start))?;
            let bytes = Counted { inner: io::Read::take(file, member.size), gauge };
            match member.is_packed {
                true => unpack::unpacked(DeflateDecoder::new(bytes)),
                false => unpack::unpacked(bytes),
            }
        }
    }
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read {}: {error}", display(path)))
}
