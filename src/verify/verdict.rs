//! What is said of a rule on a target.
//!
//! In: what a trial or a binding has found. Out: a [`Verdict`]: one word, and what stands behind it.

use std::ops::Range;

use super::trial::Tally;
use crate::backend::Artifact;

/// What is said of a rule on a target
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Executed here: every event got the engine's verdict, or has a named reason for another one
    Same(Tally),
    /// Not executed here, but all that it names is there, and of the right type
    Binds {
        /// How many columns the query returns
        columns: usize,
        /// How many of them the packages around it name
        named: usize,
    },
    /// Executed here: events got other verdicts
    Different(Tally),
    /// The target would not take it, or would run something else
    Broken(Vec<Fault>),
    /// Nothing can be said here, and why
    Unchecked(String),
}

/// Something wrong with an artifact
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The artifact
    pub artifact: Artifact,
    /// What is wrong, as a clause without a period
    pub message: String,
    /// The bytes of the artifact that it is about; empty at the start where that is not known
    pub place: Range<usize>,
}

impl Fault {
    /// A fault whose place is not known
    pub fn new(artifact: &Artifact, message: impl Into<String>) -> Fault {
        Fault { artifact: artifact.clone(), message: message.into(), place: 0..0 }
    }
}

impl Verdict {
    /// The verdict on a trial that is over
    pub fn of_trial(tally: Tally) -> Verdict {
        match (tally.differences.is_empty(), tally.events) {
            (false, _) => Verdict::Different(tally),
            (true, 0) => Verdict::Unchecked("no test, and no event that it looks at".to_owned()),
            (true, _) => Verdict::Same(tally),
        }
    }

    /// Every word, the best verdict first
    pub const WORDS: &[&str] = &["same", "binds", "different", "broken", "not checkable"];

    /// One or two words
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Same(_) => "same",
            Verdict::Binds { .. } => "binds",
            Verdict::Different(_) => "different",
            Verdict::Broken(_) => "broken",
            Verdict::Unchecked(_) => "not checkable",
        }
    }
}
