//! Counts the bytes that are read of a file.
//!
//! In: a reader, and a [`Gauge`] that the thread which shows progress holds as well. Out: the same bytes.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number of bytes that threads share
pub(super) type Gauge = Arc<AtomicU64>;

/// A reader that counts
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) gauge: Gauge,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let number = self.inner.read(into)?;
        self.gauge.fetch_add(number as u64, Ordering::Relaxed);
        Ok(number)
    }
}
