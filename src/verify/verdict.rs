//! The verdict on a rule for a target.
//!
//! In: the result of a trial or a binding. Out: a [`Verdict`]: one word, and the details behind it.

use std::ops::Range;

use super::trial::Tally;
use crate::manifest::Artifact;

/// The verdict on a rule for a target
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Executed: every event got the engine's verdict, or a known reason explains the difference
    Same(Tally),
    /// Not executed as a whole, but every table and column it names exists and has the right type
    Binds {
        /// The number of columns that the query returns
        columns: usize,
        /// The number of these columns that the packages name
        named: usize,
        /// Why it was not executed
        why: String,
    },
    /// Executed: some event got another verdict than the engine's, without a known reason
    Different(Tally),
    /// The target would reject an artifact, or would run something else
    Broken(Vec<Fault>),
    /// Not checkable, with the reason
    Unchecked(String),
}

/// A fault in an artifact
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The artifact that has the fault
    pub artifact: Artifact,
    /// The fault, as a clause without a period
    pub message: String,
    /// The bytes of the artifact at fault; empty at the start when the place is not known
    pub place: Range<usize>,
}

impl Fault {
    /// A fault whose place is not known
    pub fn new(artifact: &Artifact, message: impl Into<String>) -> Fault {
        Fault { artifact: artifact.clone(), message: message.into(), place: 0..0 }
    }
}

impl Verdict {
    /// The verdict that follows from a finished trial
    pub fn of_trial(tally: Tally) -> Verdict {
        match (tally.differences.is_empty(), tally.events) {
            (false, _) => Verdict::Different(tally),
            (true, 0) => Verdict::Unchecked("no test, and no event that it looks at".to_owned()),
            (true, _) => Verdict::Same(tally),
        }
    }

    /// Every word, the best verdict first
    pub const WORDS: &[&str] = &["same", "binds", "different", "broken", "not checkable"];

    /// The verdict in one or two words, one of [`Verdict::WORDS`]
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
