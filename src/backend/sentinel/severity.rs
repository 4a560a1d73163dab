//! Levels in the words of Microsoft Sentinel.
//!
//! In: the levels of a rule, its cases and correlations. Out: the severity of an analytic rule, and the
//! column that tells the severity of each row.

use crate::definition::Level;
use crate::query::kusto::{Expression, Item};

/// A level in Sentinel's words, which has none above `High`
pub(super) fn of(level: Level) -> &'static str {
    match level {
        Level::Informational => "Informational",
        Level::Low => "Low",
        Level::Medium => "Medium",
        Level::High | Level::Critical => "High",
    }
}

/// The severity of each row, whose level is one of these
pub(super) fn column(mut levels: Vec<Level>) -> Item {
    levels.sort_unstable_by(|a, b| b.cmp(a));
    levels.dedup();
    let mut arguments = Vec::new();
    for alike in levels.chunk_by(|a, b| of(*a) == of(*b)) {
        let words: Vec<Expression> =
            alike.iter().map(|level| Expression::text(level.as_str())).collect();
        let test = Expression::name("Level").equals_any(words);
        arguments.extend([test, Expression::text(of(alike[0]))]);
    }
    // The last test holds for every row that is left.
    arguments.remove(arguments.len().saturating_sub(2));
    let severity = match arguments.len() {
        1 => arguments.remove(0),
        3 => Expression::call("iff", arguments),
        _ => Expression::call("case", arguments),
    };
    Item::named("Severity", severity)
}
