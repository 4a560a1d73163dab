//! Comma-separated values for a spreadsheet.
//!
//! In: cells. Out: a row of RFC 4180, safe to print: a cell is one cell, never a formula, and holds no
//! character that controls a terminal.

use std::io::{self, Write};

use super::screen;

/// Prints a row
pub(super) fn row<'c>(
    out: &mut impl Write,
    cells: impl IntoIterator<Item = &'c str>,
) -> io::Result<()> {
    let cells: Vec<String> = cells.into_iter().map(quoted).collect();
    write!(out, "{}\r\n", screen::line(&cells.join(",")))
}

/// A cell as it is written
///
/// A spreadsheet runs a cell that begins like a formula, and a rule or an event may be anybody's: a `'`
/// before the cell makes it text. Some read the wide forms of these characters alike.
fn quoted(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let cell = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_cell_and_no_formula() {
        assert_eq!(quoted("plain text"), "plain text");
        assert_eq!(quoted("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(quoted("two\nlines"), "\"two\nlines\"");
        assert_eq!(quoted("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        for cell in ["+1", "-1", "@a", "＝1"] {
            assert_eq!(quoted(cell), format!("'{cell}"));
        }
        assert_eq!(quoted("\t=1"), "'\t=1");
    }

    #[test]
    fn a_row_is_one_line_that_controls_no_terminal() {
        let mut out = Vec::new();
        row(&mut out, ["a\u{1b}[2J", "b\r\n=1", "\r=1", ""]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "a\u{fffd}[2J,\"b\u{fffd}\u{fffd}=1\",\"'\u{fffd}=1\",\r\n");
    }
}
