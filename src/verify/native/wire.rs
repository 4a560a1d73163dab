//! The lines between this program and a compiled one.
//!
//! In: the fields of an event. Out: the line that the program of `harness.rs` reads.

use std::fmt::Write;

use crate::matcher::Record;

/// The question for the table of signals of a matcher
pub(super) fn table(matcher: usize) -> String {
    format!("{matcher} ?")
}

/// The question about an event, and what regular expressions find in which of its texts
pub(super) fn event(matcher: usize, record: &Record, found: &[(&str, String)]) -> String {
    let mut line = matcher.to_string();
    for (field, values) in &record.fields {
        let value = |value: &String| if value.is_empty() { "-".to_owned() } else { hex(value) };
        let values: Vec<String> = values.iter().map(value).collect();
        let _ = write!(line, " {}:{}", hex(field.name()), values.join(","));
    }
    for (pattern, text) in found {
        let _ = write!(line, " ={}:{}", hex(pattern), hex(text));
    }
    line
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
