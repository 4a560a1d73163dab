//! Errors about the text of a query, or about the rule around it.
//!
//! In: a message and, for a text, a place in it. Out: one line for a person. A parser returns such
//! an error, and so does the judge for a query that it cannot run.
//!
//! INVARIANT: a place lies in the text that was read, so a caller that shows the text can point at
//! it.

use std::fmt;

/// The reason why a rule or a query is not read, or not judged
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// One line, lower case, no final period
    pub message: String,
    /// Line and column in the query, from 1, when there is one place to look at
    pub place: Option<(usize, usize)>,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), place: None }
    }

    pub(crate) fn at(message: String, place: (usize, usize)) -> Error {
        Error { message, place: Some(place) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.place {
            Some((line, column)) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
