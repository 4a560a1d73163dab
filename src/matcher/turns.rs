//! The order in which the blocks of a stream are judged and told.
//!
//! In: a stream, how a block is judged, and who is told. Out: each block is told once, in the order of the
//! stream, as soon as all before it are. Blocks are judged [`ahead`] of those that are told, so that no
//! core waits for the last events of a block; or [`in_turn`], where a block needs what was told before.
//! The number of blocks in work is bounded.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};

use super::block::Block;
use super::lines::{End, Lines, Next};

/// Judges and tells block after block; `begin` sees the first one
///
/// # Errors
/// When a block cannot be told; the error ends the stream.
pub(super) fn in_turn<S: Copy>(
    lines: &mut Lines<'_>,
    begin: impl Fn(&Block) -> S,
    mut tell: impl FnMut(&Block, S) -> io::Result<()>,
) -> io::Result<End> {
    let (mut block, mut start) = (Block::default(), None);
    loop {
        if let Some(end) = lines.next(&mut block) {
            return Ok(end);
        }
        let start = *start.get_or_insert_with(|| begin(&block));
        tell(&block, start)?;
    }
}

/// Judges blocks on all cores while those before are told; `begin` sees the first one
///
/// A thread of the pool judges block after block: if all of them waited for blocks, none would judge.
///
/// # Errors
/// When a block cannot be told; the error ends the stream.
pub(super) fn ahead<S: Copy + Send, T: Send>(
    lines: &mut Lines<'_>,
    begin: impl Fn(&Block) -> S,
    judge: impl Fn(&Block, S) -> T + Sync,
    mut tell: impl FnMut(&Block, T) -> io::Result<()>,
) -> io::Result<End> {
    if rayon::current_thread_index().is_some() {
        return in_turn(lines, begin, |block, start| tell(block, judge(block, start)));
    }
    let most = rayon::current_num_threads() + 1;
    let judge = &judge;
    rayon::in_place_scope(|scope| {
        let mut in_work: VecDeque<Receiver<(Block, T)>> = VecDeque::new();
        let (mut free, mut start, mut end) = (Vec::new(), None, None);
        loop {
            if end.is_none() && in_work.len() < most {
                let mut block = free.pop().unwrap_or_default();
                match lines.next_there(&mut block, in_work.is_empty()) {
                    Next::Block => {
                        let start = *start.get_or_insert_with(|| begin(&block));
                        let (send, receive) = sync_channel(1);
                        scope.spawn(move |_| {
                            let verdicts = judge(&block, start);
                            // Nobody waits for it when an error has ended the stream.
                            let _ = send.send((block, verdicts));
                        });
                        in_work.push_back(receive);
                        continue;
                    }
                    Next::Nothing => free.push(block),
                    Next::End(ended) => end = Some(ended),
                }
            }
            if let Some(oldest) = in_work.pop_front() {
                // The scope passes on the panic of a judge, in place of this error.
                let (block, verdicts) = oldest.recv().map_err(io::Error::other)?;
                tell(&block, verdicts)?;
                free.push(block);
            } else if let Some(end) = end.take() {
                return Ok(end);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    /// Numbers, a line each, in several blocks
    fn numbers() -> String {
        (0..300_000).map(|number| format!("{number}\n")).collect()
    }

    fn first(block: &Block) -> usize {
        std::str::from_utf8(block.line(0).unwrap()).unwrap().parse().unwrap()
    }

    /// The first number of each block, as they are told, and whether the stream was read to its end
    fn told(judge: impl Fn(&Block) -> usize + Sync) -> (Vec<usize>, usize, bool) {
        let (text, mut told, mut lines) = (numbers(), Vec::new(), 0);
        let begin = |block: &Block| first(block) + 1;
        let judge = |block: &Block, start| judge(block) + start;
        let end = ahead(&mut Lines::new(text.as_bytes()), begin, judge, |block, verdict| {
            assert_eq!(verdict, first(block) + 1);
            told.push(verdict - 1);
            lines += block.len();
            Ok(())
        });
        (told, lines, matches!(end, Ok(End::Whole)))
    }

    #[test]
    fn blocks_are_told_in_their_order_whoever_is_judged_first() {
        let slow_at_first = |block: &Block| {
            sleep(Duration::from_millis(if first(block) == 0 { 50 } else { 1 }));
            first(block)
        };
        let (blocks, lines, is_whole) = told(slow_at_first);
        assert!(blocks.len() > 3 && blocks.is_sorted(), "{blocks:?}");
        assert_eq!((lines, is_whole), (300_000, true));
        // In a pool whose only thread would wait for itself
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| told(slow_at_first)), (blocks, lines, true));
    }

    #[test]
    fn an_error_ends_the_stream_and_a_panic_is_passed_on() {
        let (text, mut told) = (numbers(), 0);
        let end = ahead(
            &mut Lines::new(text.as_bytes()),
            |_| (),
            |_, ()| (),
            |_, ()| {
                told += 1;
                Err(io::Error::other("the disk is full"))
            },
        );
        assert_eq!((end.unwrap_err().to_string(), told), ("the disk is full".to_owned(), 1));
        let judged =
            || self::told(|block| if first(block) == 0 { 0 } else { panic!("no verdict") });
        assert!(catch_unwind(AssertUnwindSafe(judged)).is_err());
    }
}
