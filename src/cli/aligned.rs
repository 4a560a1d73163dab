//! Tables of text for people.
//!
//! In: lines of cells. Out: text in columns as wide as their widest cell, safe to print.

use super::screen;

/// Lines of cells; all but the last cell of a line are padded
pub(super) type Table = Vec<Vec<String>>;

/// The lines of a table in columns; a line of one cell is as long as it likes
pub(super) fn aligned(table: &Table) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in table.iter().filter(|line| line.len() > 1) {
        widths.resize(widths.len().max(line.len()), 0);
        for (widest, cell) in widths.iter_mut().zip(line) {
            *widest = (*widest).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in table {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = match &line[..] {
            [alone] => alone.clone(),
            _ => padded.collect::<Vec<_>>().join("  "),
        };
        text.push_str(&screen::line(line.trim_end()));
        text.push('\n');
    }
    text
}
