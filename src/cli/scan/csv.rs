//! Findings as comma-separated values.
//!
//! In: findings. Out: RFC 4180 with a header, which the rules decide and not the events: the columns of
//! every scan, then a column for each field that a rule asks for by `fields:`.

use std::io::{self, Write};

use crate::cli::seen::{Columns, Seen};
use crate::cli::spreadsheet;
use crate::ir::Rule;

const HEADER: [&str; 12] = [
    "time",
    "host",
    "user",
    "image",
    "command_line",
    "rule",
    "id",
    "signal",
    "level",
    "file",
    "line",
    "fields",
];

/// Prints the names of the columns
pub(super) fn head(out: &mut impl Write, columns: &Columns) -> io::Result<()> {
    let own = columns.own.iter().map(|field| field.name());
    spreadsheet::row(out, HEADER.into_iter().chain(own))
}

/// Prints a finding; of a correlation, the place is that of its last event
pub(super) fn row(
    out: &mut impl Write,
    (rule, files): (&Rule, &[String]),
    seen: &Seen,
) -> io::Result<()> {
    let metadata = &rule.metadata;
    let (file, line) = match seen.events.last() {
        Some((file, line)) => (files[*file].as_str(), line.to_string()),
        None => ("", String::new()),
    };
    let fields: Vec<String> =
        seen.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cells: [&str; HEADER.len()] = [
        &seen.time.map(|time| time.to_string()).unwrap_or_default(),
        &seen.host,
        &seen.user,
        &seen.image,
        &seen.command,
        &metadata.title.value,
        metadata.id.as_ref().map_or("", |id| &id.value),
        &seen.what,
        seen.level.as_str(),
        file,
        &line,
        &fields.join("; "),
    ];
    spreadsheet::row(out, cells.into_iter().chain(seen.own.iter().map(String::as_str)))
}
