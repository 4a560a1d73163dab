//! Operator × target: the exact form, or the named loss, or the refusal.
//!
//! In: `operators.tsv`. Out: [`ROWS`], for `list operators`. A test compiles the example of every
//! row and compares each target's result with the table.

use std::sync::LazyLock;

use super::Target;

/// The text of the table
const TABLE: &str = include_str!("operators.tsv");

/// An operator and its support on each target
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name
    pub operator: &'static str,
    /// The example's kind of event, with the product
    pub event: &'static str,
    /// A key and its values as an author writes them
    pub example: &'static str,
    /// The support of each column of [`COLUMNS`]
    pub support: [Support; COLUMNS.len()],
}

/// A target, and the language that its setting `query` asks for
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The target
    pub target: Target,
    /// The language, where the target has several
    pub language: Option<&'static str>,
}

impl Column {
    /// The language, or the name of a target that has one only
    pub fn name(&self) -> &'static str {
        self.language.unwrap_or(self.target.name())
    }
}

/// The columns of the table
pub const COLUMNS: [Column; 4] = [
    Column { target: Target::Sentinel, language: None },
    Column { target: Target::Elastic, language: Some("kuery") },
    Column { target: Target::Elastic, language: Some("eql") },
    Column { target: Target::Native, language: None },
];

/// How well a target expresses an operator
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Expresses it exactly; the artifact contains this text
    Exact(&'static str),
    /// May match more, by the loss of this name
    Wider(&'static str),
    /// May miss events, by the loss of this name
    Narrower(&'static str),
    /// Refuses the rule
    Refused,
    /// A malformed cell; the table's test fails on it
    Unreadable,
}

/// Every row
pub static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| TABLE.lines().filter(|line| !line.starts_with('#')).map(row).collect());

fn row(line: &'static str) -> Row {
    let mut cells = line.split('\t');
    let mut next = || cells.next().unwrap_or_default();
    let (operator, event, example) = (next(), next(), next());
    Row { operator, event, example, support: std::array::from_fn(|_| cell(next())) }
}

fn cell(text: &'static str) -> Support {
    match text.split_once(' ') {
        Some(("=", fragment)) => Support::Exact(fragment),
        Some(("wider", loss)) => Support::Wider(loss),
        Some(("narrower", loss)) => Support::Narrower(loss),
        None if text == "refused" => Support::Refused,
        _ => Support::Unreadable,
    }
}
