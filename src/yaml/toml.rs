//! TOML as the same tree.
//!
//! In: the text of a file of settings. Out: one map as a [`Node`] with the place of every key and
//! value, or a diagnostic at the first mistake in the TOML itself.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::{Kind, Node, Style};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span};

/// Reads the document
pub(crate) fn parse_toml(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Option<Node> {
    match DeTable::parse(source.text()) {
        Ok(table) => {
            let whole = place(0..source.text().len());
            Some(Node { span: whole, kind: Kind::Map(entries(table.into_inner())) })
        }
        Err(error) => {
            let span = error.span().map_or(Span::new(0, 0), place);
            let message = format!("not valid TOML: {}", error.message());
            diagnostics.push(Diagnostic::new(Code::E0102, source, span, message, "here"));
            None
        }
    }
}

fn place(range: Range<usize>) -> Span {
    Span::new(range.start as u32, range.end as u32)
}

fn entries(table: DeTable<'_>) -> Vec<(Node, Node)> {
    let mut entries: Vec<(Node, Node)> = Vec::new();
    for (key, value) in table {
        let span = place(key.span());
        let key = text(span, &key.into_inner(), Style::Plain);
        let span = place(value.span());
        entries.push((key, node(span, value.into_inner())));
    }
    entries.sort_by_key(|(key, _)| key.span.start);
    entries
}

fn text(span: Span, text: &str, style: Style) -> Node {
    Node { span, kind: Kind::Scalar(text.into(), style) }
}

fn node(span: Span, value: DeValue<'_>) -> Node {
    let plain = |written: &str| text(span, written, Style::Plain);
    match value {
        DeValue::String(written) => text(span, &written, Style::Double),
        DeValue::Integer(number) => plain(number.as_str()),
        DeValue::Float(number) => plain(number.as_str()),
        DeValue::Boolean(truth) => plain(if truth { "true" } else { "false" }),
        DeValue::Datetime(date) => plain(&date.to_string()),
        DeValue::Array(items) => {
            let items = items.into_iter();
            let items = items.map(|item| node(place(item.span()), item.into_inner()));
            Node { span, kind: Kind::List(items.collect()) }
        }
        DeValue::Table(table) => Node { span, kind: Kind::Map(entries(table)) },
    }
}
