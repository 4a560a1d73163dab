//! A folder of rules and a folder of outputs.
//!
//! In: paths from the command line. Out: rules ready to compile, verdicts on their samples and on
//! what is emitted, and artifacts written safely. Every mistake of every file is reported in one run; a rule with a
//! mistake never hides another.

mod events;
mod files;
mod load;
mod names;
mod output;
mod replace;
mod samples;
mod verify;

pub use events::{check_events, events};
pub use files::{Failure, RuleFile, display, find};
pub use load::{Around, load, load_with};
use output::place;
pub use output::{Change, Output, inside, outputs, pending, refused, tidy, write};
pub use replace::{replaceable, update};
pub use samples::{SampleResult, run as run_samples};
pub use verify::{Events, Verified, verify};

use crate::definition::{self, Definition, Suppressions};
use crate::diagnostic::Diagnostics;
use crate::ir::Rule;

/// A rule and where it came from
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rule as meant
    pub rule: Rule,
    /// Folder below the path the user gave, with `/`; empty at the top
    pub folder: String,
    /// File name without extension; from the second document of a file on with its number
    pub stem: String,
    /// Whether it is reported by itself, and not only through a correlation that names it
    pub reported: bool,
}

impl Loaded {
    /// The document as written, read again from its text: few commands show it, and it takes as
    /// much memory as the rule
    pub fn definition(&self) -> Option<Definition> {
        let all = definition::parse(&self.rule.source, &mut Diagnostics::default());
        all.into_iter().find(|one| one.span == self.rule.span)
    }
}

impl Project {
    /// The rules that are reported by themselves
    pub fn reported(&self) -> impl Iterator<Item = &Loaded> {
        self.rules.iter().filter(|loaded| loaded.reported)
    }

    /// Takes the rules that are reported by themselves, for an engine to own; none are left
    pub fn take_reported(&mut self) -> Vec<Rule> {
        let rules = std::mem::take(&mut self.rules).into_iter();
        rules.filter(|loaded| loaded.reported).map(|loaded| loaded.rule).collect()
    }
}

/// What a run has read
#[derive(Debug, Default)]
pub struct Project {
    /// The rules without mistakes, in the order of their files
    pub rules: Vec<Loaded>,
    /// Everything wrong so far
    pub diagnostics: Diagnostics,
    /// Comments that let warnings stand
    pub suppressions: Suppressions,
    /// How many rules were left out because of a mistake
    pub refused: usize,
    /// How many files were read
    pub files: usize,
}
