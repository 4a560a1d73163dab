//! What must hold of an event for an expression to hold.
//!
//! In: an [`Expr`]. Out: a [`Need`]: the facts of which one must hold, and the choices between several
//! such lists. What this file does not understand needs nothing, so that its signal is tried on every
//! event; nothing is ever left out. Negations need nothing: an event may fit them for want of a field.

use super::fact::{EXACT, Facts, Says};
use super::flat::flattened;
use super::regex;
use crate::ir::{Expr, Numbers, Op, Part, RegexPattern, Relation, Subject, Test, TextTest};
use crate::pattern::{Pattern, Token};
use crate::taxonomy::{Field, FieldType};

/// What must hold
#[derive(Debug)]
pub(super) enum Need {
    /// Nothing is known
    Nothing,
    /// One of these facts
    One(Vec<u32>),
    /// Each of these; a single one is enough to look for
    All(Vec<Need>),
    /// One of these; all must be looked for
    Any(Vec<Need>),
}

/// Finds what expressions need
pub(super) struct Needs<'l> {
    pub(super) slot_of: &'l dyn Fn(&Field) -> Option<usize>,
    pub(super) facts: Facts,
}

impl Needs<'_> {
    pub(super) fn of(&mut self, expr: &Expr) -> Need {
        match expr {
            Expr::All(parts) => Need::All(parts.iter().map(|part| self.of(part)).collect()),
            Expr::Any(parts) => Need::Any(parts.iter().map(|part| self.of(part)).collect()),
            Expr::Test(test) => self.of_test(test),
            Expr::Not(part) => match &**part {
                // A field that is not null has a value.
                Expr::Test(Test { subject, op: Op::Null, .. }) => self.one(subject, [Says::There]),
                Expr::Test(_) | Expr::All(_) | Expr::Any(_) | Expr::Not(_) => Need::Nothing,
            },
        }
    }

    fn of_test(&mut self, test: &Test) -> Need {
        let subject = &test.subject;
        match &test.op {
            Op::Text(text) => self.one(subject, of_text(subject, text)),
            Op::Regex(patterns) => {
                let each = |pattern: &RegexPattern| {
                    let lists = regex::required(pattern);
                    let lists = lists.iter().map(|texts| {
                        self.one(subject, texts.iter().map(|text| within(subject.part, text)))
                    });
                    let mut lists: Vec<Need> = lists.collect();
                    lists.push(self.one(subject, [Says::There]));
                    Need::All(lists)
                };
                Need::Any(patterns.iter().map(each).collect())
            }
            Op::Segments(values) => {
                let spellings = values.iter().flat_map(|value| subject.part.spellings(value));
                self.one(subject, spellings.map(|pattern| longest(subject.part, &pattern)))
            }
            Op::Numbers(ranges) => self.one(subject, of_numbers(subject, ranges)),
            Op::Networks(_) | Op::Public | Op::Exists | Op::Same(..) => {
                self.one(subject, [Says::There])
            }
            Op::Null => Need::Nothing,
        }
    }

    /// One of these facts about the field
    fn one(&mut self, subject: &Subject, says: impl IntoIterator<Item = Says>) -> Need {
        let Some(slot) = (self.slot_of)(&subject.field) else { return Need::Nothing };
        let mut facts: Vec<u32> =
            says.into_iter().map(|says| self.facts.number(slot, says)).collect();
        facts.sort_unstable();
        facts.dedup();
        Need::One(facts)
    }
}

/// A fact for each pattern of a text test
fn of_text(subject: &Subject, test: &TextTest) -> Vec<Says> {
    let of = |pattern: &Pattern| match pattern.as_literal() {
        Some(literal) => of_literal(subject, test.relation, literal),
        None => of_wildcards(subject.part, pattern),
    };
    test.values.iter().map(of).collect()
}

fn of_literal(subject: &Subject, relation: Relation, literal: &str) -> Says {
    match (subject.part, relation) {
        (Part::Whole, Relation::Equals | Relation::Wildcard) => Says::Whole(flattened(literal)),
        (Part::Whole, Relation::Ends) => ending(literal),
        // The name of an account follows the last backslash only.
        (Part::Name, Relation::Equals | Relation::Wildcard)
            if subject.field.kind() != FieldType::Account =>
        {
            Says::Name(flattened(literal))
        }
        (Part::Extension, Relation::Equals | Relation::Wildcard) => {
            Says::within(&format!(".{literal}"))
        }
        (part, _) => within(part, literal),
    }
}

/// The fact that a value ends with the text: its base name, when the text holds a whole one
fn ending(text: &str) -> Says {
    match text.rfind(['\\', '/']) {
        Some(at) if at + 1 < text.len() => Says::Name(flattened(&text[at + 1..])),
        Some(_) | None => Says::within(text),
    }
}

fn of_wildcards(part: Part, pattern: &Pattern) -> Says {
    match (part, pattern.tokens()) {
        (Part::Whole, [.., Token::Literal(last)]) if last.contains(['\\', '/']) => ending(last),
        _ => longest(part, pattern),
    }
}

/// That a value holds the longest literal of the pattern
fn longest(part: Part, pattern: &Pattern) -> Says {
    let longest = pattern.literals().max_by_key(|literal| literal.len());
    longest.map_or(Says::There, |literal| within(part, literal))
}

/// That a value holds a text that its part holds
fn within(part: Part, text: &str) -> Says {
    match part {
        Part::Whole | Part::Name | Part::Extension => Says::within(text),
        // The part has a backslash after the value.
        Part::Key => Says::within(text.strip_suffix('\\').unwrap_or(text)),
        // Quotes and backslashes are gone from an argument; a unit of a time is a new text.
        Part::Argument(_) | Part::Time(_) => Says::There,
    }
}

/// The numbers, when the test names each of them
fn of_numbers(subject: &Subject, ranges: &[Numbers]) -> Vec<Says> {
    let number = |range: &Numbers| {
        let is_one = range.is_one() && !range.open && range.fraction.is_none();
        (is_one && range.from.unsigned_abs() < EXACT.unsigned_abs())
            .then_some(Says::Number(range.from))
    };
    let whole = subject.part == Part::Whole;
    let all: Option<Vec<Says>> = if whole { ranges.iter().map(number).collect() } else { None };
    all.unwrap_or_else(|| vec![Says::There])
}
