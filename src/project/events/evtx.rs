//! Reads Windows event logs (EVTX) as lines of JSON, one for each event.
//!
//! In: the bytes of a log. Out: the lines that `evtx_dump` writes, in the order of the records. A broken
//! chunk or record does not take the others with it: it is counted, and told as the end of the stream.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use evtx::{EvtxChunkData, EvtxParser, IntoIterChunks, ParserSettings};

/// Sizes of the header of a log and of a chunk, in bytes
const HEADER: u64 = 4_096;
const CHUNK: usize = 65_536;

/// The lines of a log
pub(super) struct EvtxLines {
    chunks: IntoIterChunks<File>,
    settings: Arc<ParserSettings>,
    /// Text that was not taken yet, and how much of it was
    text: Vec<u8>,
    taken: usize,
    /// What stands behind the last whole chunk
    torn: Option<Vec<u8>>,
    broken_chunks: usize,
    broken_records: usize,
    is_at_end: bool,
}

impl EvtxLines {
    /// A reader of a file
    pub(super) fn of_file(mut file: File) -> io::Result<EvtxLines> {
        let torn = behind_chunks(&mut file)?;
        let settings = ParserSettings::default();
        let parser = EvtxParser::from_read_seek(file).map_err(|error| broken(&error))?;
        let parser = parser.with_configuration(settings.clone());
        Ok(EvtxLines {
            chunks: parser.into_chunks(),
            settings: Arc::new(settings),
            text: Vec::new(),
            taken: 0,
            broken_chunks: usize::from(torn.is_some()),
            torn,
            broken_records: 0,
            is_at_end: false,
        })
    }

    /// A reader of these bytes
    ///
    /// The records of a log are found by its header and may go round, so the log is kept in a temporary
    /// file.
    pub(super) fn new(mut bytes: impl Read) -> io::Result<EvtxLines> {
        let mut file = tempfile::tempfile()?;
        // Of a torn archive, what was read until then is there.
        let torn = io::copy(&mut bytes, &mut file).err();
        file.flush()?;
        file.seek(SeekFrom::Start(0))?;
        let mut lines = EvtxLines::of_file(file)?;
        lines.broken_chunks = lines.broken_chunks.max(usize::from(torn.is_some()));
        Ok(lines)
    }

    fn chunk(&mut self, mut chunk: EvtxChunkData) {
        let Ok(mut chunk) = chunk.parse(Arc::clone(&self.settings)) else {
            self.broken_chunks += 1;
            return;
        };
        for record in chunk.iter() {
            match record.and_then(|record| record.into_json_bytes()) {
                Ok(record) => {
                    self.text.extend(record.data.iter().filter(|byte| **byte != b'\n'));
                    self.text.push(b'\n');
                }
                Err(_) => self.broken_records += 1,
            }
        }
    }

    /// What could not be read, at the end
    fn end(&mut self) -> io::Result<usize> {
        if std::mem::replace(&mut self.is_at_end, true) {
            return Ok(0);
        }
        match (self.broken_chunks, self.broken_records) {
            (0, 0) => Ok(0),
            (chunks, records) => Err(io::Error::other(format!(
                "{chunks} of its chunks and {records} of its records are broken; the others were judged"
            ))),
        }
    }
}

impl Read for EvtxLines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() {
            self.text.clear();
            self.taken = 0;
            match self.chunks.next() {
                Some(Ok(chunk)) => self.chunk(chunk),
                Some(Err(_)) => self.broken_chunks += 1,
                None => match self.torn.take() {
                    // Records that are whole can be read from a chunk that is not.
                    Some(mut bytes) => {
                        bytes.resize(CHUNK, 0);
                        let chunk = EvtxChunkData::new(bytes, false);
                        chunk.into_iter().for_each(|chunk| self.chunk(chunk));
                    }
                    None => return self.end(),
                },
            }
        }
        let number = (&self.text[self.taken..]).read(into)?;
        self.taken += number;
        Ok(number)
    }
}

/// The bytes behind the last whole chunk, where there are some
fn behind_chunks(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let chunks = file.metadata()?.len().saturating_sub(HEADER);
    let rest = chunks % CHUNK as u64;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(HEADER + chunks - rest))?;
    file.take(rest).read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(0))?;
    Ok((!bytes.is_empty()).then_some(bytes))
}

fn broken(error: &impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("it is no whole event log: {error}"))
}
