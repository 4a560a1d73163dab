//! JSON values as TOML, for the parts of a rule that detection-rules accepts as free tables.
//!
//! In: a `serde_json` value. Out: an inline table with one list item per line, so that a review
//! of a filter with forty names shows one name per line.

use serde_json::Value;

use crate::source::quoted;

/// A TOML basic string
pub(super) fn string(text: &str) -> String {
    quoted(text, |c| match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if u32::from(c) > 0xffff => format!("\\U{:08X}", u32::from(c)),
        c => format!("\\u{:04X}", u32::from(c)),
    })
}

/// A TOML multi-line string with the text's own line breaks
///
/// The backslash before the closing quotes removes the line break after the text.
pub(super) fn paragraphs(text: &str) -> String {
    let escape = |line: &str| {
        let line = string(line);
        line[1..line.len() - 1].replace("\\\"", "\"").replace("\"\"\"", "\"\"\\\"")
    };
    let lines: Vec<String> = text.split('\n').map(escape).collect();
    format!("\"\"\"\n{}\\\n\"\"\"", lines.join("\n"))
}

/// Whether a text can be a literal string in `'''`, which has no escapes
pub(super) fn is_literal(text: &str) -> bool {
    !text.contains("'''")
}

/// A list of strings, on one line if it is short enough
pub(super) fn strings(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| string(item)).collect();
    let inline = format!("[{}]", quoted.join(", "));
    if inline.len() <= 80 {
        return inline;
    }
    format!("[\n    {},\n]", quoted.join(",\n    "))
}

/// A value as TOML; TOML has no null, and no rule contains one
pub(super) fn inline(value: &Value, indent: usize) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text),
        Value::Array(items) => {
            let pad = " ".repeat(indent + 4);
            let items: Vec<String> = items.iter().map(|item| inline(item, indent + 4)).collect();
            let flat = format!("[{}]", items.join(", "));
            if flat.len() <= 60 && !flat.contains('\n') {
                return flat;
            }
            format!("[\n{pad}{},\n{}]", items.join(&format!(",\n{pad}")), " ".repeat(indent))
        }
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
                let key = if bare { key.clone() } else { string(key) };
                format!("{key} = {}", inline(value, indent))
            };
            let entries: Vec<String> = map.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
