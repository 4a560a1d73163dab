//! Losses: differences between a rule and its form on a target.
//!
//! In: the name, direction and reason of a difference. Out: a [`Loss`] with the sentence for an
//! artifact's own description.

use std::fmt;

use serde::Serialize;

use crate::source::Span;

/// Whether a loss adds matches or drops them
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// May match events that the rule does not
    Wider,
    /// May miss events that the rule matches
    Narrower,
}

impl Direction {
    /// The direction under one more negation
    pub(crate) fn flipped(self) -> Direction {
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
    Alerts "alerts" "a group of events makes more than one alert",
    Ancestry "ancestry" "the parent of a parent is known from the parent's own start only",
    Case "case" "letters beyond ASCII compare with their case",
    Empty "empty" "an empty value, null and a missing one are the same",
    Encoding "encoding" "a pipeline decodes text before it is compared",
    Gaps "gaps" "a pipeline leaves a value out, or a part of one",
    Grid "grid" "a run counts the events that it sees, not those of each timespan",
    Inbound "inbound" "connections that the host took are left out",
    Keys "keys" "an event without a key is in no group, and keys compare as they are stored",
    Keywords "keywords" "keywords are searched in some columns, with the names in them",
    Late "late" "an event that arrives late is in no sequence",
    LevelCases "levels" "one severity for all matches of the rule",
    LongValue "long_value" "values longer than 1,024 characters are not indexed",
    Lookback "lookback" "a run does not see each sequence as a whole",
    Place "place" "a place holds more than the values of the field",
    Product "product" "events of every operating system are searched",
    Repeats "repeats" "what is known already is reported again",
    Ties "ties" "two events of one millisecond have no order",
    Words "words" "a text is searched by its words, not by any part of it",
}

impl Serialize for LossName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
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
    /// Whether only values show it that sensors hardly write
    pub rare: bool,
}

impl Loss {
    /// The loss as a sentence of an artifact's own description
    pub(crate) fn sentence(&self) -> String {
        match self.direction {
            Direction::Wider => format!("May match more than the definition: {}.", self.reason),
            Direction::Narrower => format!("May miss events: {}.", self.reason),
        }
    }
}
