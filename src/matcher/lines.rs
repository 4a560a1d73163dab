//! The lines of a stream, as they come.
//!
//! In: a reader, at rest or slow. Out: [`Block`]s of whole lines in their order, each line in one
//! block. A block holds what has come so far: nobody waits for four megabytes of a slow stream. A
//! line above the limit is skipped and told; memory is bounded by the limit and the blocks under
//! way, whatever the stream holds.

use std::io::{self, BufRead};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Bytes of lines that are worked on at once
const BLOCK: usize = 4 << 20;
/// Lines that are worked on at once
const MOST_LINES: usize = 1 << 16;
/// Blocks that wait for work while others are read
const WAITING: usize = 4;
/// How often a silent stream looks for a wish to stop
const PATIENCE: Duration = Duration::from_millis(100);

/// The longest line that is read when nobody says otherwise, in bytes
pub const MAX_LINE: usize = 16 << 20;

/// A wish to stop reading: any number but zero, such as that of a signal
pub type Stop = Arc<AtomicUsize>;

/// How a stream ended
#[derive(Debug)]
pub enum End {
    /// Everything was read
    Whole,
    /// Reading failed; what came before was given
    Broken(io::Error),
    /// Somebody wished to stop
    Stopped,
}

/// A line of a block
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Its place in the block, without the line break
    Text(Range<usize>),
    /// It has more bytes than this
    TooLong(usize),
}

/// Whole lines, one after another
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

impl Block {
    /// How many lines it holds
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it holds no line
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A line by its index
    ///
    /// # Errors
    /// The limit, when the line is longer.
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

/// Cuts what is read into lines
struct Cutter {
    limit: usize,
    /// The beginning of a line whose end has not come
    begun: Vec<u8>,
    /// Whether the line at hand is above the limit
    skipping: bool,
}

impl Cutter {
    fn new(limit: usize) -> Cutter {
        Cutter { limit, begun: Vec::new(), skipping: false }
    }

    /// Takes lines until the block is full; gives the number of bytes taken
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

    /// Puts a line into the block, of which these are the last bytes
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

    /// Puts the last line into the block, where no line break ends it
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
    /// Read by whoever asks
    Here(Box<dyn BufRead + 'r>, Cutter),
    /// Read by a thread of its own, which tells at its end whether reading failed
    Thread(Receiver<Block>, Option<JoinHandle<io::Result<()>>>),
}

impl<'r> Lines<'r> {
    /// The lines of a reader that never waits long, such as text in memory
    pub fn new(reader: impl BufRead + 'r) -> Lines<'r> {
        let cutter = Cutter::new(MAX_LINE);
        Lines { source: Source::Here(Box::new(reader), cutter), stop: Stop::default() }
    }

    /// The lines of a reader that a thread opens, reads and unpacks while others work
    ///
    /// `limit` is the length of the longest line, in bytes. A thread that waits for a silent stream
    /// when reading stops ends with the process.
    ///
    /// # Errors
    /// When there can be no further thread.
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

    /// Puts the lines that have come into the block, or waits for some
    ///
    /// When the stream has ended, and only then, the block stays empty and the end is given.
    pub fn next(&mut self, block: &mut Block) -> Option<End> {
        block.clear();
        match &mut self.source {
            _ if is_stopped(&self.stop) => Some(End::Stopped),
            Source::Here(reader, cutter) => match read(&mut **reader, cutter, block) {
                Ok(()) if block.is_empty() => Some(End::Whole),
                Ok(()) => None,
                Err(error) => Some(End::Broken(error)),
            },
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

/// Fills a block, or what is left of the stream
fn read(reader: &mut dyn BufRead, cutter: &mut Cutter, block: &mut Block) -> io::Result<()> {
    while !block.is_full() {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            cutter.finish(block);
            return Ok(());
        }
        let taken = cutter.take(chunk, block);
        reader.consume(taken);
    }
    Ok(())
}

/// Passes on what each read gives; before an error, the lines that came before it
fn pass_on(mut reader: impl BufRead, limit: usize, send: &SyncSender<Block>) -> io::Result<()> {
    let mut cutter = Cutter::new(limit);
    loop {
        let mut block = Block::default();
        let ended = match reader.fill_buf() {
            Ok([]) => Some(Ok(())),
            Ok(chunk) => {
                let taken = cutter.take(chunk, &mut block);
                reader.consume(taken);
                None
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(error) => Some(Err(error)),
        };
        if ended.is_some() {
            cutter.finish(&mut block);
        }
        // Nobody listens any more when the run has stopped.
        if !block.is_empty() && send.send(block).is_err() {
            return Ok(());
        }
        if let Some(ended) = ended {
            return ended;
        }
    }
}

/// Waits for lines and takes those that stand behind them already
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

    /// Gives its text a few bytes at a time, then fails
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
        let (found, end) = spawned("one\ntwo", MAX_LINE, true);
        assert_eq!(found, ["one", "two"].map(|line| Ok(line.to_owned())));
        assert!(matches!(end, End::Broken(error) if error.to_string() == "torn"));
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
