//! Findings as a table for a terminal.
//!
//! In: findings, and the width of the terminal. Out: a line a finding, as the events come: so the width
//! alone decides the columns. A text that does not fit ends with `…`.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::cli::screen;
use crate::cli::seen::{Columns, Seen};
use crate::ir::Rule;
use crate::matcher::{base_name, short_host};
use crate::source::visible;

/// The width without a terminal
pub(super) const WIDTH: usize = 80;
/// The narrowest table; a terminal that is narrower breaks its lines
const NARROWEST: usize = 60;
/// Between two columns
const GAP: &str = "  ";

/// What the columns are called, and how wide they are: at least, and in parts of what is left
const COLUMNS: [(&str, usize, usize); 7] = [
    ("time", 19, 0),
    ("level", 5, 0),
    ("host", 6, 2),
    ("user", 5, 1),
    ("rule", 6, 5),
    ("image", 6, 2),
    ("command line and fields", 1, 8),
];

/// A table of this many columns of the terminal
pub(super) struct Table([usize; COLUMNS.len()]);

impl Table {
    /// Lays the columns out
    pub(super) fn new(width: usize) -> Table {
        let gaps = GAP.len() * (COLUMNS.len() - 1);
        let least: usize = COLUMNS.iter().map(|(_, least, _)| least).sum();
        let rest = width.max(NARROWEST).saturating_sub(gaps + least);
        let parts: usize = COLUMNS.iter().map(|(.., parts)| parts).sum();
        let mut widths = COLUMNS.map(|(_, least, part)| least + rest * part / parts);
        let used: usize = widths.iter().sum();
        // The last column takes what rounding leaves.
        if let Some(last) = widths.last_mut() {
            *last += (least + rest).saturating_sub(used);
        }
        Table(widths)
    }

    /// Prints the names of the columns
    pub(super) fn head(&self, out: &mut impl Write) -> io::Result<()> {
        self.line(out, COLUMNS.map(|(name, ..)| name.to_owned()))
    }

    /// Prints a finding
    pub(super) fn row(
        &self,
        out: &mut impl Write,
        (rule, columns): (&Rule, &Columns),
        seen: &Seen,
    ) -> io::Result<()> {
        let time = seen.time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string());
        let level = match seen.level.as_str() {
            "informational" => "info",
            "critical" => "crit",
            "medium" => "med",
            level => level,
        };
        let cells = [
            time.unwrap_or_default(),
            level.to_owned(),
            short_host(&seen.host),
            base_name(&seen.user).to_owned(),
            rule.metadata.title.value.clone(),
            base_name(&seen.image).to_owned(),
            said(columns, seen),
        ];
        self.line(out, cells)
    }

    fn line(&self, out: &mut impl Write, cells: [String; COLUMNS.len()]) -> io::Result<()> {
        let cells = cells.iter().zip(self.0).map(|(cell, width)| fitted(cell, width));
        let line = cells.collect::<Vec<_>>().join(GAP);
        writeln!(out, "{}", screen::line(line.trim_end()))
    }
}

/// The command line, then the rule's own columns; where it has none, the fields that it tested
fn said(columns: &Columns, seen: &Seen) -> String {
    let mut parts: Vec<String> =
        Some(&seen.command).filter(|text| !text.is_empty()).into_iter().cloned().collect();
    let own: Vec<(&str, &str)> = seen.own(columns).collect();
    let tested = seen.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields = if own.is_empty() { tested.collect() } else { own };
    let is_shown = |value: &str| value == seen.command || value == seen.image;
    let fields = fields.into_iter().filter(|(_, value)| !is_shown(value));
    parts.extend(fields.map(|(name, value)| format!("{name}={value}")));
    parts.join(GAP)
}

/// The text in exactly this many columns of a terminal
fn fitted(text: &str, width: usize) -> String {
    // A value may be megabytes long, of characters without a width.
    let most = text.char_indices().nth(4 * width).map(|(at, _)| at);
    let text = visible(&text[..most.unwrap_or(text.len())]);
    let wide = text.width();
    if wide <= width && most.is_none() {
        return format!("{text}{}", " ".repeat(width - wide));
    }
    let (mut cut, mut used) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide >= width {
            break;
        }
        cut.push(c);
        used += wide;
    }
    format!("{cut}…{}", " ".repeat(width.saturating_sub(used + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_terminal() {
        for width in [60, 80, 81, 100, 200] {
            let Table(widths) = Table::new(width);
            assert_eq!(widths.iter().sum::<usize>() + GAP.len() * 6, width);
        }
        assert_eq!(Table::new(20).0, Table::new(NARROWEST).0);
    }

    #[test]
    fn a_text_takes_its_columns_and_no_more() {
        assert_eq!(fitted("abc", 5), "abc  ");
        assert_eq!(fitted("abcdef", 5), "abcd…");
        assert_eq!(fitted("日本語", 5), "日本…");
        assert_eq!(fitted("日本語", 4), "日… ");
        assert_eq!(fitted("a\u{1b}[2J\u{202e}", 9), "a\u{fffd}[2J\u{fffd}   ");
        assert_eq!(fitted("abc", 1), "…");
        assert_eq!(fitted(&format!("e{}", "\u{301}".repeat(99)), 4).chars().last(), Some(' '));
    }
}
