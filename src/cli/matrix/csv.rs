//! The report as comma-separated values: a row for each rule and target.
//!
//! In: rows. Out: RFC 4180 with a header; a cell with several values separates them by `; `.

use super::Row;
use crate::cli::{Stop, spreadsheet};

const HEADER: [&str; 13] = [
    "file",
    "title",
    "id",
    "log_sources",
    "target",
    "outcome",
    "mappings",
    "losses",
    "without",
    "code",
    "cause",
    "message",
    "further_refusals",
];

/// Prints the rows
pub(super) fn print(rows: &[Row<'_>]) -> Result<(), Stop> {
    let mut out = anstream::stdout().lock();
    spreadsheet::row(&mut out, HEADER)?;
    for row in rows {
        spreadsheet::row(&mut out, cells(row).iter().map(String::as_str))?;
    }
    Ok(())
}

fn cells(row: &Row<'_>) -> [String; 13] {
    let metadata = &row.rule.rule.metadata;
    let losses = row.losses.iter();
    let losses: Vec<String> =
        losses.map(|(name, weight)| format!("{}={}", name.name(), weight.name())).collect();
    let first = row.refusals().next();
    let further = row.refusals().count().saturating_sub(1);
    let cause = first.and_then(|refusal| refusal.cause.as_ref());
    [
        row.rule.rule.source.name().to_owned(),
        metadata.title.value.clone(),
        metadata.id.as_ref().map_or_else(String::new, |id| id.value.clone()),
        row.log_sources().join("; "),
        row.target.name().to_owned(),
        row.outcome().name().to_owned(),
        row.mappings.join("; "),
        losses.join("; "),
        row.without.join("; "),
        first.map_or_else(String::new, |refusal| refusal.code.to_string()),
        cause.map_or_else(String::new, ToString::to_string),
        first.map_or_else(String::new, |refusal| refusal.message.clone()),
        first.map_or_else(String::new, |_| further.to_string()),
    ]
}
