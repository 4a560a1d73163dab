//! Expressions, and the one definition of what each comparison means.
//!
//! In: nothing; these are types. Out: closed expressions over fields. [`Op`] defines each
//! comparison; every target and the engine follow it. The span of a [`Test`] is for messages and no
//! part of its meaning.

use std::cmp::Ordering;

use ipnet::IpNet;

use super::RegexPattern;
use super::number::Numbers;
use super::text_test::{Case, Relation, TextTest};
use crate::pattern::Pattern;
use crate::source::Span;
use crate::taxonomy::{Field, Product};

/// A closed expression; ordered so that tests come first and negations last
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expr {
    /// A comparison
    Test(Test),
    /// A part holds; false when empty
    Any(Vec<Expr>),
    /// Every part holds; true when empty
    All(Vec<Expr>),
    /// The part does not hold
    Not(Box<Expr>),
}

/// A comparison of one subject with one or more values
#[derive(Debug, Clone)]
pub struct Test {
    /// The field, or the part of a field, that is compared
    pub subject: Subject,
    /// The comparison and its values
    pub op: Op,
    /// Name of the list that holds exactly these values
    pub list: Option<String>,
    /// Span of the value or key it came from
    pub span: Span,
}

/// A field, or a part of one
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The field
    pub field: Field,
    /// Which part of its value
    pub part: Part,
}

/// A part of a value
///
/// A part that a value does not have makes the test false, as a missing field does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The whole value
    Whole,
    /// What follows the last `\` or `/`; of an account, what follows the last `\`
    Name,
    /// What follows the last dot of the name
    Extension,
    /// Each argument of a command line, split as the product splits it
    Argument(Product),
    /// A registry key with a backslash after it, so that its last segment is whole as well
    Key,
    /// One unit of a date or time, as the value writes it; no time zone is applied
    Time(TimeUnit),
}

/// A unit of a date or time
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// 0 to 59
    Minute,
    /// 0 to 23
    Hour,
    /// Of the month, 1 to 31
    Day,
    /// Of the year as in ISO 8601, 1 to 53
    Week,
    /// 1 to 12
    Month,
    /// Four digits
    Year,
}

/// A comparison and its values; true when one of the values fits
///
/// This is the one definition of meaning: every target and the matcher follow it. A field that the
/// event lacks, or holds null, fits only [`Op::Null`]; a field that holds a list fits when one
/// element does. A field whose name has dots is looked for under that name, then inside objects.
/// [`Field::EVERY`] holds every value of the event, at any depth. Where a target cannot tell empty,
/// missing and null text apart, they are one there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// The text compares with patterns
    Text(TextTest),
    /// A regular expression is found in the text
    Regex(Vec<RegexPattern>),
    /// The directories of a path, or a registry key, hold a run of whole segments. Patterns are
    /// written with `/` and end with it; one that starts with `/` fits anywhere, another at the
    /// start. The path may use `\` or `/`, the same throughout the run
    Segments(Vec<Pattern>),
    /// The value is an address in a network; an IPv4-mapped IPv6 address is the IPv4 address
    Networks(Vec<IpNet>),
    /// The value is an address outside every network of [`NON_PUBLIC`](super::NON_PUBLIC)
    Public,
    /// The value is a number in a range
    Numbers(Vec<Numbers>),
    /// The event has the field, be it empty or null
    Exists,
    /// The event lacks the field, or it is null
    Null,
    /// Both fields are there, and the first stands in this relation to the second
    Same(Relation, Field, Case),
}

impl Part {
    /// The spellings of a run of segments written with `/`: a path takes either separator, a
    /// registry key only the backslash
    pub fn spellings(self, run: &Pattern) -> Vec<Pattern> {
        let backslashes = run.map_literals(|text| text.replace('/', "\\"));
        if self == Part::Key { vec![backslashes] } else { vec![run.clone(), backslashes] }
    }
}

impl Test {
    /// The fields that it reads: that of its subject, and the one that its value is compared with
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let other = if let Op::Same(_, other, _) = &self.op { Some(other) } else { None };
        [&self.subject.field].into_iter().chain(other)
    }
}

impl Subject {
    /// The whole value of a field
    pub fn whole(field: Field) -> Subject {
        Subject { field, part: Part::Whole }
    }
}

impl Op {
    /// The name of the comparison, as Sigma's modifiers call it where they have it
    pub fn name(&self) -> &'static str {
        match self {
            Op::Text(text) => text.relation.name(),
            Op::Regex(_) => "re",
            Op::Segments(_) => "paths",
            Op::Networks(_) => "cidr",
            Op::Public => "public",
            Op::Numbers(_) => "number",
            Op::Exists => "exists",
            Op::Null => "null",
            Op::Same(..) => "fieldref",
        }
    }

    /// Whether a text has to be one of the values as a whole
    pub fn is_equality(&self) -> bool {
        self.as_text().is_some_and(|text| text.relation == Relation::Equals)
    }

    /// The comparison of text; `None` for any other
    pub fn as_text(&self) -> Option<&TextTest> {
        match self {
            Op::Text(text) => Some(text),
            Op::Regex(_)
            | Op::Segments(_)
            | Op::Networks(_)
            | Op::Public
            | Op::Numbers(_)
            | Op::Exists
            | Op::Null
            | Op::Same(..) => None,
        }
    }
}

impl Expr {
    /// Sets the span of every test in the expression, for messages
    pub(super) fn place(&mut self, span: Span) {
        match self {
            Expr::All(parts) | Expr::Any(parts) => {
                parts.iter_mut().for_each(|part| part.place(span));
            }
            Expr::Not(part) => part.place(span),
            Expr::Test(test) => test.span = span,
        }
    }

    /// The test, when the expression is a single test
    pub fn as_test(&self) -> Option<&Test> {
        match self {
            Expr::Test(test) => Some(test),
            Expr::All(_) | Expr::Any(_) | Expr::Not(_) => None,
        }
    }

    /// How many tests the expression has
    pub fn size(&self) -> usize {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().map(Expr::size).sum(),
            Expr::Not(part) => part.size(),
            Expr::Test(_) => 1,
        }
    }

    /// Every test in the expression
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().flat_map(Expr::tests).collect(),
            Expr::Not(part) => part.tests(),
            Expr::Test(test) => vec![test],
        }
    }
}

// Tests are compared by meaning: the span does not count.
impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Test {}

impl PartialOrd for Test {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Test {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.subject, &self.op, &self.list).cmp(&(&other.subject, &other.op, &other.list))
    }
}
