//! The forms of text that events are written in.
//!
//! In: the beginning of a stream. Out: its [`Form`], by which [`lines`](super::lines) cuts the stream
//! into records; and a record as JSON. Events of one line each are the usual form; objects over several
//! lines or in an array, tables with a header, and the logs of web servers are the others.

mod documents;
mod table;
mod web;

use std::sync::Arc;

pub(super) use documents::{Cut, Documents};
pub(super) use table::Rows;

use super::shape::quoted;
use crate::taxonomy::EventKind;

/// The most bytes of a stream that are looked at to find its form
pub(super) const HEAD: usize = 1 << 16;

/// The form of a text
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// An object of JSON in each line
    Lines,
    /// Objects of JSON, each over any number of lines or in an array
    Documents,
    /// Rows with this separator; the header is known once it is read
    Table(u8, Option<Arc<[String]>>),
    /// W3C extended log format: the names of the fields once they are read
    W3c(Option<Arc<web::Fields>>),
    /// Apache's and nginx' combined or common access log
    Access,
}

/// A form of text that the user names
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// Values separated by commas, or by semicolons where the header has more of them
    Csv,
    /// Values separated by tabs
    Tsv,
    /// W3C extended log format
    W3c,
    /// Combined or common access log
    Access,
}

impl TextForm {
    /// The forms that a user may name
    pub const ALL: &[(&'static str, TextForm)] = &[
        ("csv", TextForm::Csv),
        ("tsv", TextForm::Tsv),
        ("w3c", TextForm::W3c),
        ("access", TextForm::Access),
    ];

    /// The form of a stream that begins so; `None` when more must be read to tell
    fn form(self, head: &[u8], is_all: bool) -> Option<Form> {
        Some(match self {
            TextForm::Csv => {
                let end = memchr::memchr(b'\n', head);
                let end = end.or_else(|| (is_all || head.len() >= HEAD).then_some(head.len()))?;
                Form::Table(table::most_used(&head[..end], b";,"), None)
            }
            TextForm::Tsv => Form::Table(b'\t', None),
            TextForm::W3c => Form::W3c(None),
            TextForm::Access => Form::Access,
        })
    }
}

/// A record as JSON
pub(super) struct Converted {
    pub(super) json: String,
    /// The log sources of the event, where its form tells them
    pub(super) kinds: Vec<EventKind>,
}

impl Form {
    /// The form of a stream that begins so; `None` when more must be read to tell
    pub(super) fn of(head: &[u8], is_all: bool, given: Option<TextForm>) -> Option<Form> {
        if let Some(text) = given {
            return text.form(head, is_all);
        }
        let start = head.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = &head[start..];
        let end = memchr::memchr(b'\n', rest);
        if end.is_none() && !is_all && head.len() < HEAD && rest[0] != b'[' {
            return None;
        }
        let line = rest[..end.unwrap_or(rest.len())].trim_ascii();
        let next = end.map_or(&[][..], |end| &rest[end + 1..]);
        Some(match rest[0] {
            b'[' => Form::Documents,
            b'{' if documents::goes_on(line) || documents::begins_list(line) => Form::Documents,
            b'{' => Form::Lines,
            b'#' if web::is_directive(line) => Form::W3c(None),
            _ if web::is_request(line) => Form::Access,
            _ => table::separator(line, next).map_or(Form::Lines, |by| Form::Table(by, None)),
        })
    }

    /// Its name in talk; `None` for JSON, whose shape says more
    pub(super) fn title(&self) -> Option<&'static str> {
        match self {
            Form::Lines | Form::Documents => None,
            Form::Table(b'\t', _) => Some("TSV"),
            Form::Table(..) => Some("CSV"),
            Form::W3c(_) => Some("W3C log"),
            Form::Access => Some("access log"),
        }
    }

    /// A record as JSON; `None` when it is JSON already
    ///
    /// # Errors
    /// The reason why the record is no event.
    pub(super) fn convert(&self, record: &str) -> Result<Option<Converted>, String> {
        match self {
            Form::Lines | Form::Documents => Ok(None),
            Form::Table(by, header) => {
                let header = header.as_deref().unwrap_or_default();
                table::convert(record, *by, header).map(Some)
            }
            Form::W3c(fields) => web::convert(record, fields.as_deref()).map(Some),
            Form::Access => web::request(record).map(Some),
        }
    }
}

/// An object of JSON with these texts
fn object<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let fields: Vec<String> =
        fields.map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", fields.join(","))
}

/// The columns that a header names
pub(super) fn columns(line: &[u8], by: u8) -> Arc<[String]> {
    table::header(line, by).into()
}

/// A line break ends a directive or a header, and may stand behind a carriage return
fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Names of fields in a directive of W3C's; `None` for any other line
pub(super) fn directive(line: &[u8], before: Option<&web::Fields>) -> Option<Arc<web::Fields>> {
    web::read_directive(without_return(line), before)
}

#[cfg(test)]
mod tests;
