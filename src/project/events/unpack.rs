//! Unpacks a stream, whatever it is packed in.
//!
//! In: bytes. Out: UTF-8 text: of gzip and Zstandard what was packed, of EVTX a line of JSON for each
//! event, of UTF-16 the same text. The first bytes tell.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::Ordering;

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::evtx::EvtxLines;
use super::gauge::{Counted, Gauge};
use super::utf16::{Order, Utf16};

/// Size of the read buffer, in bytes
const CHUNK: usize = 1 << 20;

/// The most layers of packing: an EVTX file or text in gzip in gzip
const DEEPEST: usize = 4;

const EVTX: &[u8] = b"ElfFile\0";

/// The text of a file; an event log is read where it stands
pub(super) fn of_file(mut file: File, gauge: Gauge) -> io::Result<Box<dyn BufRead>> {
    let metadata = file.metadata()?;
    // A pipe gives its bytes once.
    if !metadata.is_file() {
        return unpacked(Counted { inner: file, gauge });
    }
    let mut head = Vec::new();
    file.by_ref().take(EVTX.len() as u64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    if head != EVTX {
        return unpacked(Counted { inner: file, gauge });
    }
    gauge.store(metadata.len(), Ordering::Relaxed);
    Ok(Box::new(BufReader::with_capacity(CHUNK, EvtxLines::of_file(file)?)))
}

/// The text of a stream
pub(super) fn unpacked<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    layer(Box::new(reader), DEEPEST)
}

fn layer<'r>(mut reader: Box<dyn Read + 'r>, deepest: usize) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut head = Vec::with_capacity(EVTX.len());
    // A pipe may give the first byte alone, and a person types less than eight bytes in the first line.
    while head.len() < EVTX.len() && is_open(&head) {
        let mut byte = [0];
        match reader.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let kind = Kind::of(&head);
    let skipped = if kind == Kind::Bom { 3 } else { 0 };
    let whole = Cursor::new(head.split_off(skipped)).chain(reader);
    let inner: Box<dyn Read + 'r> = match kind {
        Kind::Text | Kind::Bom => return Ok(Box::new(BufReader::with_capacity(CHUNK, whole))),
        Kind::Zip => return Err(io::Error::other("a zip archive must be a file of its own")),
        _ if deepest == 0 => return Err(io::Error::other("it is packed too many times")),
        Kind::Evtx => return Ok(Box::new(BufReader::with_capacity(CHUNK, EvtxLines::new(whole)?))),
        Kind::Utf16(order) => Box::new(Utf16::new(BufReader::with_capacity(CHUNK, whole), order)),
        Kind::Gzip => Box::new(MultiGzDecoder::new(whole)),
        Kind::Zstd => Box::new(Zstd::new(BufReader::with_capacity(CHUNK, whole))),
    };
    layer(inner, deepest - 1)
}

/// What a stream is packed in
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Text behind a byte order mark
    Bom,
    Utf16(Order),
    Gzip,
    Zstd,
    Zip,
    Evtx,
}

impl Kind {
    fn of(head: &[u8]) -> Kind {
        match head {
            [0x1f, 0x8b, ..] => Kind::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Zstd,
            [b'P', b'K', 3, 4, ..] => Kind::Zip,
            [0xef, 0xbb, 0xbf, ..] => Kind::Bom,
            [0xff, 0xfe, ..] => Kind::Utf16(Order::Little),
            [0xfe, 0xff, ..] => Kind::Utf16(Order::Big),
            // Without a mark: the first letter of JSON or of a header is ASCII.
            [b' '..=b'~', 0, ..] => Kind::Utf16(Order::Little),
            [0, b' '..=b'~', ..] => Kind::Utf16(Order::Big),
            _ if head.starts_with(EVTX) => Kind::Evtx,
            _ => Kind::Text,
        }
    }
}

/// Whether more bytes must be read to tell what a stream is
fn is_open(head: &[u8]) -> bool {
    match head {
        [] | [_] => true,
        [0x28, ..] | [b'P', ..] | [0xef, ..] => head.len() < 4 && Kind::of(head) == Kind::Text,
        _ => EVTX.starts_with(head),
    }
}

/// Frames of Zstandard, one behind the other
struct Zstd<R: BufRead> {
    frame: Option<Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>>,
    /// The source between frames
    source: Option<R>,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Zstd<R> {
        Zstd { frame: None, source: Some(source) }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let number = frame.read(into)?;
                if number > 0 || into.is_empty() {
                    return Ok(number);
                }
                self.source = self.frame.take().map(|frame| frame.into_inner());
            }
            let Some(mut source) = self.source.take() else { return Ok(0) };
            if source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let frame = StreamingDecoder::new(source).map_err(io::Error::other)?;
            self.frame = Some(Box::new(frame));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_bytes_are_read_as_tell_what_it_is() {
        for (head, more) in [
            (&b""[..], true),
            (b"{", true),
            (b"{\"", false),
            (b"El", true),
            (b"ElfFile\0", true),
            (b"Ex", false),
            (b"PK", true),
            (b"Pa", true),
            (b"PK\x03\x04", false),
            (&[0x1f, 0x8b], false),
        ] {
            assert_eq!(is_open(head), more, "{head:?}");
        }
    }

    #[test]
    fn marks_and_empty_streams_are_text() {
        for (bytes, wanted) in
            [(&b"\xef\xbb\xbf{}"[..], "{}"), (b"", ""), (b"x", "x"), (b"PK", "PK")]
        {
            let mut text = String::new();
            unpacked(bytes).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, wanted);
        }
        assert!(unpacked(&b"PK\x03\x04..."[..]).is_err());
    }
}
