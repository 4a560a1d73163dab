//! Operator × target: the exact form, or the named loss, or the refusal.
//!
//! In: `operators.tsv`. Out: [`ROWS`], for `list operators` and for the test that compiles every
//! row and holds the table to what the targets do.

use std::sync::LazyLock;

/// The table as written
const TABLE: &str = include_str!("operators.tsv");

/// An operator and what becomes of it
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name
    pub operator: &'static str,
    /// The kind of event of the example, with the product
    pub event: &'static str,
    /// A key and its values as an author writes them
    pub example: &'static str,
    /// What each target does, in the order of [`Target::USUAL`](super::Target::USUAL)
    pub targets: [Support; 3],
}

/// What a target does with an operator
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Says exactly that; the artifact holds this text
    Exact(&'static str),
    /// May match more, by the loss of this name
    Wider(&'static str),
    /// May miss events, by the loss of this name
    Narrower(&'static str),
    /// Cannot say it
    Refused,
    /// A cell that cannot be read; the table's test finds it
    Unreadable,
}

/// Every row
pub static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| TABLE.lines().filter(|line| !line.starts_with('#')).map(row).collect());

fn row(line: &'static str) -> Row {
    let mut cells = line.split('\t');
    let mut next = || cells.next().unwrap_or_default();
    let (operator, event, example) = (next(), next(), next());
    Row { operator, event, example, targets: [cell(next()), cell(next()), cell(next())] }
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
