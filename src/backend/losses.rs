//! Losses: differences between a rule and its form on a target.
//!
//! In: the name, direction and reason of a difference. Out: a sentence for an artifact, and a
//! diagnostic. A loss that may miss events is an error, and a loss that may match more is a
//! warning; the author accepts either by name.

use std::fmt;

use super::Target;
use crate::definition::nearest_name;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Rule;
use crate::source::{Span, Spanned};

/// Whether a loss adds matches or drops them
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// May match events that the rule does not
    Wider,
    /// May miss events that the rule matches
    Narrower,
}

impl Direction {
    /// The direction under one more negation
    pub(super) fn flipped(self) -> Direction {
        match self {
            Direction::Wider => Direction::Narrower,
            Direction::Narrower => Direction::Wider,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Wider => "wider",
            Direction::Narrower => "narrower",
        })
    }
}

macro_rules! losses {
    ($($variant:ident $name:literal $says:literal),* $(,)?) => {
        /// A kind of loss; authors accept it by its name
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LossName { $(#[doc = $says] $variant),* }

        impl LossName {
            /// Every kind of loss, by name
            pub const ALL: &[LossName] = &[$(LossName::$variant),*];

            /// The name under `accept:`
            pub fn name(self) -> &'static str {
                match self { $(LossName::$variant => $name),* }
            }

            /// One line about the loss, for lists
            pub fn says(self) -> &'static str {
                match self { $(LossName::$variant => $says),* }
            }
        }
    };
}

losses! {
    Actions "actions" "what happened to a file or a registry key is known less exactly",
    Case "case" "letters beyond ASCII compare with their case",
    Empty "empty" "an empty value and a missing one are the same",
    Encoding "encoding" "a pipeline decodes text before it is compared",
    Inbound "inbound" "connections that the host took are left out",
    LevelCases "levels" "one severity for all matches of the rule",
    LongValue "long_value" "values longer than 1,024 characters are not indexed",
    Product "product" "events of every operating system are searched",
    Repeats "repeats" "what is known already is reported again",
}

/// A loss of one signal at one place
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Loss {
    /// The kind of loss
    pub name: LossName,
    /// Whether it adds matches or drops them
    pub direction: Direction,
    /// The difference in words, as a clause without a period
    pub reason: String,
    /// The value, key or signal that causes it
    pub span: Span,
    /// The name of the signal that was being planned
    pub signal: String,
}

impl Loss {
    /// The loss as a sentence of an artifact's own description
    pub(super) fn sentence(&self) -> String {
        match self.direction {
            Direction::Wider => format!("May match more than the definition: {}.", self.reason),
            Direction::Narrower => format!("May miss events: {}.", self.reason),
        }
    }

    /// The loss as a finding of a rule whose author does not accept it
    pub(super) fn diagnostic(&self, target: Target, rule: &Rule) -> Diagnostic {
        let (code, verb) = match (self.direction, target) {
            (Direction::Narrower, Target::Elastic) => (Code::E0604, "miss events"),
            (Direction::Narrower, _) => (Code::E0504, "miss events"),
            (Direction::Wider, Target::Elastic) => (Code::W0605, "match more"),
            (Direction::Wider, _) => (Code::W0505, "match more"),
        };
        let (target, name) = (target.name(), self.name.name());
        let message = format!("on {target} this may {verb}: {}", self.reason);
        let label = format!("loss `{name}`, {}", self.direction);
        let help = format!("Accept it with `targets: {{{target}: {{accept: [{name}]}}}}`.");
        Diagnostic::new(code, &rule.source, self.span, message, label).help(help)
    }
}

/// A finding about a name under `accept:` that is no loss of this rule
pub(super) fn needless(
    rule: &Rule,
    accepted: &Spanned<String>,
    losses: &[Loss],
) -> Option<Diagnostic> {
    let (name, span) = (accepted.value.as_str(), accepted.span);
    let known = || LossName::ALL.iter().map(|loss| loss.name());
    if !known().any(|loss| loss == name) {
        let message = format!("no loss is called `{name}`");
        let unknown = Diagnostic::new(Code::E0112, &rule.source, span, message, "unknown word");
        return Some(match nearest_name(name, known()) {
            Some(near) => unknown.replace(span, near),
            None => unknown,
        });
    }
    let is_lost = losses.iter().any(|loss| loss.name.name() == name);
    let message = format!("this rule has no loss `{name}` here");
    (!is_lost).then(|| Diagnostic::new(Code::W0406, &rule.source, span, message, "not needed"))
}
