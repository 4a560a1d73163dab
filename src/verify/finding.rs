//! What is found of an event and a signal.
//!
//! In: the verdicts of the engine and of a target. Out: a [`Finding`]: both say the same, or why not.

use crate::backend::LossName;

/// How the two sides stand to each other
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Both say that the event matches, or both that it does not
    Same(bool),
    /// They differ as a loss says that the artifact names
    Lost(LossName),
    /// They differ because Elastic's pipelines drop what the event says, or cannot hold it
    Dropped,
    /// They differ
    Different(Difference),
}

/// What each side says of an event
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The signal
    pub signal: String,
    /// What the engine says
    pub engine: String,
    /// What the target says
    pub target: String,
}
