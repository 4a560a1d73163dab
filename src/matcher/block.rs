//! Records of a stream, as many as are judged at a time.

use std::ops::Range;

use super::form::Form;

/// A block is full at this many bytes: no more than one read of a file gives, so that its records need
/// not be copied
const BLOCK: usize = 1 << 20;
/// The room of a block: it may end with the rest of a record
const ROOM: usize = BLOCK + BLOCK / 4;
/// A block is full at this many lines
const MOST_LINES: usize = 1 << 16;

/// A line of a block
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Byte range in the block, without the line break
    Text(Range<usize>),
    /// The line has more bytes than this limit
    TooLong(usize),
}

/// Whole records of a stream, in their order
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    lines: Vec<Line>,
    /// The form of all its records; `None` for lines of JSON
    pub(super) form: Option<Form>,
    /// Whether the next record has another form
    pub(super) is_closed: bool,
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

    /// Adds a record of these parts
    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        let start = self.bytes.len();
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.lines.push(Line::Text(start..self.bytes.len()));
    }

    pub(super) fn push_line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Empties the block and keeps its room, which is made whole at once: a block that grows step by step
    /// leaves its smaller rooms behind
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.reserve(ROOM);
        self.lines.clear();
        (self.form, self.is_closed) = (None, false);
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK || self.lines.len() >= MOST_LINES || self.is_closed
    }

    /// Whether the records of the other block can follow here, and no room has to be made
    pub(super) fn takes(&self, other: &Block) -> bool {
        self.form == other.form && self.bytes.len() + other.bytes.len() <= ROOM
    }

    /// Adds the records of a block of the same form
    pub(super) fn append(&mut self, other: &Block) {
        self.is_closed = other.is_closed;
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.lines.extend(other.lines.iter().map(|line| match line {
            Line::Text(place) => Line::Text(place.start + offset..place.end + offset),
            Line::TooLong(limit) => Line::TooLong(*limit),
        }));
    }
}
