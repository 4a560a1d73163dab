//! The finding on an event and a signal.
//!
//! In: the verdicts of the engine and of a target. Out: a [`Finding`]: they agree, or the reason
//! why they differ.

use crate::manifest::LossName;

/// The engine's verdict compared with the target's
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Both verdicts agree: `true` for a match
    Same(bool),
    /// They differ as a loss in the artifact's description says
    Lost(LossName),
    /// They differ on an event that no sensor writes, so that the target cannot hold it either
    Unwritten,
    /// They differ without a known reason
    Different(Difference),
}

/// The two verdicts on an event, in words
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The name of the signal
    pub signal: String,
    /// The engine's verdict, such as `no match`
    pub engine: String,
    /// The target's verdict, such as `match`
    pub target: String,
    /// The event as JSON, where it stands in no file
    pub event: Option<String>,
}
