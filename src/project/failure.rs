//! Why a run could not do its work.
//!
//! In: the reason in words. Out: a [`Failure`], which ends the run with exit code 2.

use std::fmt;

/// Why a run could not do its work: a text for the user
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure in these words: lower case, no final period
    pub fn new(why: impl Into<String>) -> Self {
        Failure(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
