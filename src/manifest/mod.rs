//! What was emitted for a rule on a target.
//!
//! In: facts that a backend tells about its plan. Out: the [`Artifact`]s, and a [`Manifest`] that
//! says which files stand for which rule, which signals they hold, what they search and when, and
//! what they lose. Whoever judges or reviews artifacts reads the manifest; nobody reads these facts
//! out of the text of a query.

mod loss;

use serde::Serialize;

pub use loss::{Direction, Loss, LossName};

/// A file that a target imports
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name, made from the rule's file name
    pub name: String,
    /// Its text
    pub text: String,
}

/// What was emitted for a rule on a target
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The rule
    pub rule: RuleName,
    /// The target's name
    pub target: &'static str,
    /// The files, in the order of the artifacts
    pub files: Vec<File>,
    /// The signals of the rule that the files hold, in the order of the rule
    pub signals: Vec<SignalOutput>,
    /// The correlations of the rule that the files hold, in the order of the rule
    pub correlations: Vec<CorrelationOutput>,
    /// When the rule runs; `None` where whoever runs the matcher decides
    pub schedule: Option<Schedule>,
    /// The losses, in the order in which they were found
    pub losses: Vec<LossOutput>,
}

/// The name of a rule
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleName {
    /// Its title
    pub title: String,
    /// Its id, if it has one
    pub id: Option<String>,
}

/// A file
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its name
    pub name: String,
    /// The ids of the target's rules in it; empty in a file without rules, such as a query
    pub ids: Vec<String>,
}

/// A signal in the files
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignalOutput {
    /// Its name in the rule
    pub name: String,
    /// The text for it in the column `Signal` of results
    pub shown: String,
    /// The name that a query binds its rows to, alone or with those of other signals, which the column
    /// `Signal` tells apart; `None` where its rows are the whole query
    pub rows: Option<String>,
    /// The tables or index patterns that it searches
    pub tables: Vec<String>,
    /// The mapping that they belong to; `None` for a target without mappings
    pub mapping: Option<String>,
    /// The product whose events it looks for, if any
    pub product: Option<&'static str>,
    /// Whether its matches are reported; a correlation may use others
    pub reported: bool,
    /// How long a combination of its new terms is remembered, in minutes; `None` without new terms
    pub new_terms: Option<u32>,
}

/// A correlation in the files
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CorrelationOutput {
    /// Its name in the rule
    pub name: String,
    /// Seconds from its first event to its last
    pub timespan: u32,
    /// Whether its groups are reported
    pub reported: bool,
    /// The columns of the result whose values the events of a group share; empty where the target says
    /// them otherwise
    pub keys: Vec<String>,
}

/// When a rule runs
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Minutes between two runs
    pub frequency: u32,
    /// Minutes that a run looks back
    pub period: u32,
    /// The rows of the period that the query itself keeps
    pub keeps: Kept,
}

/// The rows of a period that a query keeps
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// All of them
    All,
    /// Those that have arrived less than so many minutes before the run
    Arrived {
        /// Minutes before the run
        since: u32,
    },
    /// Those of events that happened between two times
    Happened {
        /// Minutes before the run from which on they count
        since: u32,
        /// Minutes before the run from which on they no longer count
        until: u32,
    },
}

/// A loss in the files
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LossOutput {
    /// Its kind
    pub name: LossName,
    /// Whether it may add matches or drop them
    pub direction: Direction,
    /// How much it weighs: `note` or `warn`; a loss that is denied is in no file
    pub weight: &'static str,
    /// The signal that it is about; empty for the whole rule
    pub signal: String,
    /// The difference in words, as a clause without a period
    pub reason: String,
    /// Line and column of its cause in the rule's file, from 1
    pub place: (usize, usize),
}

impl Manifest {
    /// Its text: JSON with a final line break
    pub fn to_json(&self) -> String {
        // INVARIANT: a value of texts, numbers and lists always prints.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
