//! A pattern as a tree, its smallest pieces already printed.
//!
//! In: nothing; these are types. Out: [`Node`], which says of each piece how the regex crate writes
//! it, and what [`follow`](super::follow) needs to know about it.

use std::ops::Range;

/// A piece of a pattern
#[derive(Debug)]
pub(super) enum Node {
    /// Matches the empty text everywhere: a flag, `\K`
    Nothing(String),
    /// One character; `newline` when it may be a line feed
    One { text: String, newline: bool },
    /// A place between characters
    Place { text: String, place: Place, range: Range<usize> },
    /// `\R`: a line break of one or two characters, which is not tried again in halves
    Break(Range<usize>),
    /// A group; one that is `atomic` is not tried again
    Group { open: String, body: Box<Node>, atomic: Option<Range<usize>> },
    /// A repetition; one that is `possessive` is not tried again
    Repeat { body: Box<Node>, times: Times, possessive: Option<Range<usize>> },
    /// One after the other
    Sequence(Vec<Node>),
    /// One of these
    Choice(Vec<Node>),
}

/// A place between characters
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The end, or before a last line feed
    NearEnd,
    /// The end of any line
    LineEnd,
    /// The start of any line, but not after a last line feed
    LineStart,
    /// Any other, which both dialects know
    Other,
}

/// How often a piece is repeated
#[derive(Debug)]
pub(super) struct Times {
    /// As written
    pub(super) text: String,
    pub(super) least: u32,
    /// `None` without a limit
    pub(super) most: Option<u32>,
}
