//! Tables of text with a header: CSV as RFC 4180 has it, and TSV.
//!
//! In: bytes as they come. Out: rows, each a record, also where a quoted value holds line breaks; and a
//! row as an object of its columns. An empty value is no value: a table cannot say which it is.

use super::{Converted, object, without_return};

/// Cuts bytes into rows
#[derive(Debug, Default)]
pub(in crate::matcher) struct Rows {
    in_quotes: bool,
}

impl Rows {
    /// The end of the row in these bytes, which continue one; `None` when it goes on
    pub(in crate::matcher) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for at in memchr::memchr2_iter(b'"', b'\n', bytes) {
            if bytes[at] == b'"' {
                self.in_quotes = !self.in_quotes;
            } else if !self.in_quotes {
                return Some(at);
            }
        }
        None
    }

    /// Forgets the row that has begun
    pub(in crate::matcher) fn restart(&mut self) {
        self.in_quotes = false;
    }
}

/// The separator of a table that begins with this line; `None` when it looks like no header
pub(super) fn separator(line: &[u8], next: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(line).ok()?;
    let is_json = |line: &[u8]| line.trim_ascii_start().first() == Some(&b'{');
    if is_json(next) {
        return None;
    }
    let by = most_used(line, b"\t,;");
    let names = split(text, by);
    let is_name = |name: &String| {
        let mut chars = name.chars();
        chars.next().is_some_and(|first| first.is_ascii_alphabetic() || "_@$".contains(first))
            && name.len() <= 100
            && chars.all(|c| c.is_alphanumeric() || " _@$.()[]:/-#".contains(c))
    };
    (names.len() > 1 && names.iter().all(is_name)).then_some(by)
}

/// The separator that a header has most of; of equals the last one
pub(super) fn most_used(header: &[u8], separators: &[u8]) -> u8 {
    let number = |by: &&u8| header.iter().filter(|byte| byte == by).count();
    separators.iter().max_by_key(number).copied().unwrap_or(b',')
}

/// The names of the columns
pub(in crate::matcher) fn header(line: &[u8], by: u8) -> Vec<String> {
    split(&String::from_utf8_lossy(without_return(line)), by)
}

/// The row as an object of its columns
pub(super) fn convert(row: &str, by: u8, header: &[String]) -> Result<Converted, String> {
    let values = split(row, by);
    if values.len() != header.len() {
        return Err(format!("it has {} values for {} columns", values.len(), header.len()));
    }
    let named = header.iter().map(String::as_str).zip(values.iter().map(String::as_str));
    let json = object(named.filter(|(_, value)| !value.is_empty()));
    Ok(Converted { json, kinds: Vec::new() })
}

/// The values of a row
fn split(row: &str, by: u8) -> Vec<String> {
    let (mut values, mut value, mut rest) = (Vec::new(), String::new(), row);
    let by = char::from(by);
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let Some(end) = quoted.find('"') else {
                value.push_str(quoted);
                values.push(value);
                return values;
            };
            value.push_str(&quoted[..end]);
            rest = &quoted[end + 1..];
            // Two quotes are one, inside a value.
            if rest.starts_with('"') {
                value.push('"');
                continue;
            }
        }
        let end = rest.find(by).unwrap_or(rest.len());
        value.push_str(&rest[..end]);
        values.push(std::mem::take(&mut value));
        if end == rest.len() {
            return values;
        }
        rest = &rest[end + by.len_utf8()..];
    }
}
