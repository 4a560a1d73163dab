//! Cuts a stream into lines as they arrive.
//!
//! In: a reader, fast or slow. Out: [`Block`]s of whole lines in their order, each line in one
//! block. A block holds the lines that have arrived: a slow stream need not fill four megabytes. A
//! line above the limit is skipped and reported. Memory is bounded by the limit and the blocks in
//! work, whatever the stream holds.

use std::io::{self, BufRead};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A block is full at this many bytes
const BLOCK: usize = 4 << 20;
/// A block is full at this many lines
const MOST_LINES: usize = 1 << 16;
/// The most blocks in the queue of the reading thread
const WAITING: usize = 4;
/// How often the stop flag is checked while the stream is silent
const PATIENCE: Duration = Duration::from_millis(100);

/// The default limit of a line, in bytes
pub const MAX_LINE: usize = 16 << 20;

/// A flag that stops reading: any number but zero, such as the number of a signal
pub type Stop = Arc<AtomicUsize>;

/// How a stream ended
#[derive(Debug)]
pub enum End {
    /// The whole stream was read
    Whole,
    /// Reading failed; the lines before the error were given
    Broken(io::Error),
    /// The [`Stop`] flag was set
    Stopped,
}

/// A line of a block
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Byte range in the block, without the line break
    Text(Range<usize>),
    /// The line has more bytes than this limit
    TooLong(usize),
}

/// Whole lines of a stream, in their order
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

impl Block {
    /// The number of lines, including lines above the limit
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether the block holds no line
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A line by its index, without its line break
    ///
    /// # Errors
    /// The limit in bytes, when the line is longer.
    ///
    /// # Panics
    /// When the block has no such line.
    pub fn line(&self, index: usize) -> Result<&[u8], usize> {
        match &self.lines[index] {
            Line::Text(place) => Ok(&self.bytes[place.clone()]),
            Line::TooLong(limit) => Err(*limit),
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK || self.lines.len() >= MOST_LINES
    }

    fn append(&mut self, other: &Block) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.lines.extend(other.lines.iter().map(|line| match line {
            Line::Text(place) => Line::Text(place.start + offset..place.end + offset),
            Line::TooLong(limit) => Line::TooLong(*limit),
        }));
    }
}

/// Cuts bytes into lines
struct Cutter {
    limit: usize,
    /// The beginning of a line whose end has not arrived
    begun: Vec<u8>,
    /// Whether the current line is above the limit
    skipping: bool,
}

impl Cutter {
    fn new(limit: usize) -> Cutter {
        Cutter { limit, begun: Vec::new(), skipping: false }
    }

    /// Adds lines until the block is full; returns the number of bytes taken
    fn take(&mut self, chunk: &[u8], block: &mut Block) -> usize {
        let mut taken = 0;
        while taken < chunk.len() && !block.is_full() {
            let rest = &chunk[taken..];
            let Some(end) = memchr::memchr(b'\n', rest) else {
                self.begin(rest);
                return chunk.len();
            };
            self.end(&rest[..end], block);
            taken += end + 1;
        }
        taken
    }

    /// Keeps the beginning of a line
    fn begin(&mut self, bytes: &[u8]) {
        self.skipping |= self.begun.len() + bytes.len() > self.limit;
        if self.skipping {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    /// Adds a line to the block; `bytes` are the last bytes of the line
    fn end(&mut self, bytes: &[u8], block: &mut Block) {
        if self.skipping || self.begun.len() + bytes.len() > self.limit {
            block.lines.push(Line::TooLong(self.limit));
        } else {
            let start = block.bytes.len();
            block.bytes.extend_from_slice(&self.begun);
            block.bytes.extend_from_slice(bytes);
            block.lines.push(Line::Text(start..block.bytes.len()));
        }
        self.begun.clear();
        self.skipping = false;
    }

    /// Adds the last line to the block, when no line break ends it
    fn finish(&mut self, block: &mut Block) {
        if self.skipping || !self.begun.is_empty() {
            self.end(&[], block);
        }
    }
}

/// A stream of lines
pub struct Lines<'r> {
    source: Source<'r>,
    stop: Stop,
}

enum Source<'r> {
    /// Read by the thread that calls `next`
    Here(Box<dyn BufRead + 'r>, Cutter, Option<End>),
    /// Read by a separate thread, whose result tells whether reading failed
    Thread(Receiver<Block>, Option<JoinHandle<io::Result<()>>>),
}

impl<'r> Lines<'r> {
    /// The lines of a reader that never blocks for long, such as text in memory; up to [`MAX_LINE`]
    pub fn new(reader: impl BufRead + 'r) -> Lines<'r> {
        let cutter = Cutter::new(MAX_LINE);
        Lines { source: Source::Here(Box::new(reader), cutter, None), stop: Stop::default() }
    }

    /// The lines of a reader that a separate thread opens, reads and unpacks
    ///
    /// `limit` is the length of the longest line, in bytes. A thread that waits for a silent stream
    /// when reading stops lives until the process ends.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn spawn<R: BufRead>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        limit: usize,
        stop: Stop,
    ) -> io::Result<Lines<'static>> {
        let (send, receive) = sync_channel(WAITING);
        let work = move || pass_on(open()?, limit, &send);
        let reader = thread::Builder::new().name("reader".to_owned()).spawn(work)?;
        Ok(Lines { source: Source::Thread(receive, Some(reader)), stop })
    }

    /// Fills the block with the lines that have arrived; waits when there are none
    ///
    /// When the stream has ended, and only then, the block stays empty and the end is returned.
    pub fn next(&mut self, block: &mut Block) -> Option<End> {
        block.clear();
        match &mut self.source {
            _ if is_stopped(&self.stop) => Some(End::Stopped),
            Source::Here(reader, cutter, ended) => {
                while !block.is_full() && ended.is_none() {
                    *ended = advance(&mut **reader, cutter, block).map(|read| match read {
                        Ok(()) => End::Whole,
                        Err(error) => End::Broken(error),
                    });
                }
                // The lines before the end go first.
                if block.is_empty() { ended.take() } else { None }
            }
            Source::Thread(receive, reader) => {
                let ended = receive_lines(receive, block, &self.stop)?;
                let read = match ended {
                    End::Whole => reader.take().and_then(|reader| reader.join().ok()),
                    End::Broken(_) | End::Stopped => None,
                };
                Some(match read {
                    Some(Err(error)) => End::Broken(error),
                    Some(Ok(())) | None => ended,
                })
            }
        }
    }
}

fn is_stopped(stop: &Stop) -> bool {
    stop.load(Ordering::Relaxed) != 0
}

/// Takes the lines that one read gives; how the stream ended, where it did
fn advance(
    reader: &mut dyn BufRead,
    cutter: &mut Cutter,
    block: &mut Block,
) -> Option<io::Result<()>> {
    let ended = match reader.fill_buf() {
        Ok([]) => Some(Ok(())),
        Ok(chunk) => {
            let taken = cutter.take(chunk, block);
            reader.consume(taken);
            None
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
        Err(error) => Some(Err(error)),
    };
    if ended.is_some() {
        cutter.finish(block);
    }
    ended
}

/// Sends the lines of each read as a block; before an error, the lines read until then
fn pass_on(mut reader: impl BufRead, limit: usize, send: &SyncSender<Block>) -> io::Result<()> {
    let mut cutter = Cutter::new(limit);
    loop {
        let mut block = Block::default();
        let ended = advance(&mut reader, &mut cutter, &mut block);
        // The receiver is gone when the run has stopped.
        if !block.is_empty() && send.send(block).is_err() {
            return Ok(());
        }
        if let Some(ended) = ended {
            return ended;
        }
    }
}

/// Waits for a block and appends the blocks that are already queued behind it
fn receive_lines(receive: &Receiver<Block>, block: &mut Block, stop: &Stop) -> Option<End> {
    loop {
        match receive.recv_timeout(PATIENCE) {
            Ok(first) => {
                *block = first;
                break;
            }
            Err(RecvTimeoutError::Disconnected) => return Some(End::Whole),
            Err(RecvTimeoutError::Timeout) if is_stopped(stop) => return Some(End::Stopped),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    while !block.is_full() {
        let Ok(next) = receive.try_recv() else { break };
        block.append(&next);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    /// Gives its text three bytes at a time, then fails if the flag is set
    struct Slow<'t>(&'t [u8], bool);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && self.1 {
                return Err(io::Error::other("torn"));
            }
            let few = self.0.len().min(3).min(into.len());
            into[..few].copy_from_slice(&self.0[..few]);
            self.0 = &self.0[few..];
            Ok(few)
        }
    }

    fn all(mut lines: Lines<'_>) -> (Vec<Result<String, usize>>, End) {
        let (mut block, mut found) = (Block::default(), Vec::new());
        loop {
            if let Some(end) = lines.next(&mut block) {
                assert!(block.is_empty());
                return (found, end);
            }
            let texts = (0..block.len()).map(|at| block.line(at));
            found.extend(texts.map(|line| line.map(|l| String::from_utf8_lossy(l).into_owned())));
        }
    }

    fn spawned(text: &'static str, limit: usize, torn: bool) -> (Vec<Result<String, usize>>, End) {
        let open = move || Ok(BufReader::with_capacity(4, Slow(text.as_bytes(), torn)));
        all(Lines::spawn(open, limit, Stop::default()).unwrap())
    }

    #[test]
    fn every_line_comes_once_however_it_is_cut() {
        let text = "one\n\ntwo two\r\nthree";
        let wanted = ["one", "", "two two\r", "three"].map(|line| Ok(line.to_owned()));
        let (found, end) = spawned(text, MAX_LINE, false);
        assert_eq!(found, wanted);
        assert!(matches!(end, End::Whole));
        assert_eq!(all(Lines::new(text.as_bytes())).0, wanted);
    }

    #[test]
    fn a_line_above_the_limit_is_told_and_the_next_one_read() {
        let (found, _) = spawned("1234567890\n12345\n123456\n1\n1234567", 5, false);
        let text = |text: &str| Ok(text.to_owned());
        assert_eq!(found, [Err(5), text("12345"), Err(5), text("1"), Err(5)]);
    }

    #[test]
    fn what_came_before_an_error_is_given() {
        let here = Lines::new(BufReader::with_capacity(4, Slow(b"one\ntwo", true)));
        for (found, end) in [spawned("one\ntwo", MAX_LINE, true), all(here)] {
            assert_eq!(found, ["one", "two"].map(|line| Ok(line.to_owned())));
            assert!(matches!(end, End::Broken(error) if error.to_string() == "torn"));
        }
    }

    #[test]
    fn a_wish_to_stop_ends_a_silent_stream() {
        let (reader, _writer) = io::pipe().unwrap();
        let stop = Stop::default();
        let open = move || Ok(BufReader::new(reader));
        let mut lines = Lines::spawn(open, MAX_LINE, Stop::clone(&stop)).unwrap();
        stop.store(2, Ordering::Relaxed);
        assert!(matches!(lines.next(&mut Block::default()), Some(End::Stopped)));
    }
}
