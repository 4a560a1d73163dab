//! Reads a stream in blocks of records as they arrive.
//!
//! In: a reader, fast or slow. Out: [`Block`]s of whole records in their order, each record in one
//! block; a record is a line, unless the [`Form`](super::form::Form) of the stream says otherwise. A block holds the records
//! that have arrived: a slow stream need not fill four megabytes. Memory is bounded by the limit of a
//! record and the blocks in work, whatever the stream holds.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::block::Block;
use super::cut::Cutter;
use super::form::TextForm;

/// The most blocks in the queue of the reading thread
const WAITING: usize = 2;
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

/// What a stream gives
#[derive(Debug)]
pub(super) enum Next {
    /// Lines
    Block,
    /// No line has arrived
    Nothing,
    /// The stream has ended
    End(End),
}

/// A stream of lines
pub struct Lines<'r> {
    source: Source<'r>,
    stop: Stop,
}

enum Source<'r> {
    /// Read by the thread that calls `next`
    Here(Box<dyn BufRead + 'r>, Cutter, Option<End>),
    /// Read by a separate thread
    Thread(Box<Reading>),
}

/// What a separate thread has read
struct Reading {
    receive: Receiver<Block>,
    /// Takes back blocks whose records are copied, so that their room is used again
    used: SyncSender<Block>,
    /// A block that has come and does not fit behind the one before
    next: Option<Block>,
    /// The thread; its result tells whether reading failed
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl<'r> Lines<'r> {
    /// The lines of a reader that never blocks for long, such as text in memory; up to [`MAX_LINE`]
    pub fn new(reader: impl BufRead + 'r) -> Lines<'r> {
        let cutter = Cutter::new(MAX_LINE, None);
        Lines { source: Source::Here(Box::new(reader), cutter, None), stop: Stop::default() }
    }

    /// The lines of a reader that a separate thread opens, reads and unpacks
    ///
    /// `limit` is the length of the longest record, in bytes; `text` is the form of the text, which is
    /// found out without it. A thread that waits for a silent stream when reading stops lives until the
    /// process ends.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn spawn<R: BufRead>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        (limit, text): (usize, Option<TextForm>),
        stop: Stop,
    ) -> io::Result<Lines<'static>> {
        let (send, receive) = sync_channel(WAITING);
        let (used, again) = sync_channel(WAITING);
        let work = move || pass_on(open()?, Cutter::new(limit, text), (&send, &again));
        let thread = Some(thread::Builder::new().name("reader".to_owned()).spawn(work)?);
        let reading = Box::new(Reading { receive, used, next: None, thread });
        Ok(Lines { source: Source::Thread(reading), stop })
    }

    /// Fills the block with the lines that have arrived; waits when there are none
    ///
    /// When the stream has ended, and only then, the block stays empty and the end is returned.
    pub fn next(&mut self, block: &mut Block) -> Option<End> {
        loop {
            match self.next_there(block, true) {
                Next::Block => return None,
                Next::Nothing => {}
                Next::End(end) => return Some(end),
            }
        }
    }

    /// Fills the block with the lines that have arrived; where there are none, only `waits` waits for them
    pub(super) fn next_there(&mut self, block: &mut Block, waits: bool) -> Next {
        block.clear();
        match &mut self.source {
            _ if is_stopped(&self.stop) => Next::End(End::Stopped),
            Source::Here(reader, cutter, ended) => {
                while !block.is_full() && ended.is_none() {
                    let read = advance(&mut **reader, cutter, block);
                    *ended = read.map(|read| match read {
                        Ok(()) => End::Whole,
                        Err(error) => End::Broken(error),
                    });
                }
                // The lines before the end go first.
                match ended.take_if(|_| block.is_empty()) {
                    Some(end) => Next::End(end),
                    None => Next::Block,
                }
            }
            Source::Thread(reading) => {
                let failed = |_| Err(io::Error::other("the file made its reader fail"));
                let there = reading.receive_lines(block, &self.stop, waits);
                let Next::End(End::Whole) = there else { return there };
                match reading.thread.take().map(|t| t.join().unwrap_or_else(failed)) {
                    Some(Err(error)) => Next::End(End::Broken(error)),
                    Some(Ok(())) | None => there,
                }
            }
        }
    }
}

fn is_stopped(stop: &Stop) -> bool {
    stop.load(Ordering::Relaxed) != 0
}

/// Takes the records that one read gives; how the stream ended, where it did and all are taken
fn advance(
    reader: &mut dyn BufRead,
    cutter: &mut Cutter,
    block: &mut Block,
) -> Option<io::Result<()>> {
    let failed = cutter.failed.take();
    let ended = match failed.map_or_else(|| reader.fill_buf(), Err) {
        Ok([]) => Ok(()),
        Ok(chunk) => {
            let taken = cutter.take(chunk, block);
            reader.consume(taken);
            return None;
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return None,
        Err(error) => Err(error),
    };
    if !cutter.finish(block) {
        // A reader that has failed says nothing more, so its error waits for the last records.
        cutter.failed = ended.err();
        return None;
    }
    Some(ended)
}

/// Sends the records of each read as a block; before an error, the records read until then
fn pass_on(
    mut reader: impl BufRead,
    mut cutter: Cutter,
    (send, again): (&SyncSender<Block>, &Receiver<Block>),
) -> io::Result<()> {
    loop {
        let mut block = again.try_recv().unwrap_or_default();
        block.clear();
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

impl Reading {
    /// Takes a block, which only `waits` waits for, and appends the blocks that are already queued behind it
    /// and fit
    fn receive_lines(&mut self, block: &mut Block, stop: &Stop, waits: bool) -> Next {
        let first = match self.next.take() {
            Some(next) => next,
            None => match self.first(stop, waits) {
                Ok(first) => first,
                Err(none) => return none,
            },
        };
        self.take(first, block);
        while !block.is_full() {
            let Ok(next) = self.receive.try_recv() else { break };
            if !block.takes(&next) {
                self.next = Some(next);
                break;
            }
            self.take(next, block);
        }
        Next::Block
    }

    fn take(&self, mut from: Block, block: &mut Block) {
        if block.is_empty() {
            std::mem::swap(block, &mut from);
        } else {
            block.append(&from);
        }
        // The thread may have ended, or have blocks enough.
        let _ = self.used.try_send(from);
    }

    /// The next block, or why there is none
    fn first(&self, stop: &Stop, waits: bool) -> Result<Block, Next> {
        let patience = if waits { PATIENCE } else { Duration::ZERO };
        loop {
            match self.receive.recv_timeout(patience) {
                Ok(first) => return Ok(first),
                Err(RecvTimeoutError::Disconnected) => return Err(Next::End(End::Whole)),
                Err(RecvTimeoutError::Timeout) if !waits => return Err(Next::Nothing),
                Err(RecvTimeoutError::Timeout) if is_stopped(stop) => {
                    return Err(Next::End(End::Stopped));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
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
        let (mut block, mut read) = (Block::default(), Vec::new());
        loop {
            if let Some(end) = lines.next(&mut block) {
                assert!(block.is_empty());
                return (read, end);
            }
            let texts = (0..block.len()).map(|at| block.line(at));
            read.extend(texts.map(|line| line.map(|l| String::from_utf8_lossy(l).into_owned())));
        }
    }

    fn spawned(text: &'static str, limit: usize, torn: bool) -> (Vec<Result<String, usize>>, End) {
        let open = move || Ok(BufReader::with_capacity(4, Slow(text.as_bytes(), torn)));
        all(Lines::spawn(open, (limit, None), Stop::default()).unwrap())
    }

    #[test]
    fn every_line_comes_once_however_it_is_cut() {
        let text = "one\n\ntwo two\r\nthree";
        let wanted = ["one", "", "two two\r", "three"].map(|line| Ok(line.to_owned()));
        let (read, end) = spawned(text, MAX_LINE, false);
        assert_eq!(read, wanted);
        assert!(matches!(end, End::Whole));
        assert_eq!(all(Lines::new(text.as_bytes())).0, wanted);
    }

    #[test]
    fn a_line_above_the_limit_is_told_and_the_next_one_read() {
        let (read, _) = spawned("1234567890\n12345\n123456\n1\n1234567", 5, false);
        let text = |text: &str| Ok(text.to_owned());
        assert_eq!(read, [Err(5), text("12345"), Err(5), text("1"), Err(5)]);
    }

    #[test]
    fn what_came_before_an_error_is_given() {
        let here = Lines::new(BufReader::with_capacity(4, Slow(b"one\ntwo", true)));
        for (read, end) in [spawned("one\ntwo", MAX_LINE, true), all(here)] {
            assert_eq!(read, ["one", "two"].map(|line| Ok(line.to_owned())));
            assert!(matches!(end, End::Broken(error) if error.to_string() == "torn"));
        }
    }

    #[test]
    fn a_wish_to_stop_ends_a_silent_stream() {
        let (reader, _writer) = io::pipe().unwrap();
        let stop = Stop::default();
        let open = move || Ok(BufReader::new(reader));
        let mut lines = Lines::spawn(open, (MAX_LINE, None), Stop::clone(&stop)).unwrap();
        stop.store(2, Ordering::Relaxed);
        assert!(matches!(lines.next(&mut Block::default()), Some(End::Stopped)));
    }
}
