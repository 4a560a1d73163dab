//! A YAML document as a tree in which every key, value and item has its span.
//!
//! Built by [`super::tree`]. Text is decoded, with the quoting it was written in; nothing is read as
//! a number or a truth value here.

use std::ops::Range;

use super::subspan::{self, Style};
use crate::source::{SourceText, Span};

/// A value in a YAML document
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its place in the file
    pub span: Span,
    /// Its shape with its content
    pub kind: Kind,
}

/// The three shapes of a value
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text as decoded, with the quoting it was written in
    Scalar(Box<str>, Style),
    /// A list
    List(Vec<Node>),
    /// A map, in the order of the file
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, _) => Some(text),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Whether this is a scalar that YAML's core schema reads as null
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(text, Style::Plain)
            if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The value under a key of a map
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)).map(|e| &e.1),
            Kind::Scalar(..) | Kind::List(_) => None,
        }
    }

    /// A map with the entries of another one below its own, key by key
    pub(crate) fn over(self, under: Node) -> Node {
        let span = self.span;
        let (mut all, below) = match (self.kind, under.kind) {
            (Kind::Map(all), Kind::Map(below)) => (all, below),
            (kind, _) => return Node { span, kind },
        };
        for (key, value) in below {
            match all.iter_mut().find(|(known, _)| known.text() == key.text()) {
                Some((_, own)) => *own = own.clone().over(value),
                None => all.push((key, value)),
            }
        }
        Node { span, kind: Kind::Map(all) }
    }

    /// `a list`, `a map`, `text` …: for messages
    pub fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar(..) if self.is_null() => "nothing",
            Kind::Scalar(text, Style::Plain) if text.parse::<f64>().is_ok() => "a number",
            Kind::Scalar(text, Style::Plain) if matches!(&**text, "true" | "false") => {
                "true or false"
            }
            Kind::Scalar(..) => "text",
        }
    }

    /// The place in the file of a range of this scalar's decoded text
    pub fn part(&self, source: &SourceText, range: Range<usize>) -> Span {
        match &self.kind {
            Kind::Scalar(text, style) => subspan::locate(source, self.span, text, *style, range),
            Kind::List(_) | Kind::Map(_) => self.span,
        }
    }

    /// The places in the file of this scalar's decoded text, for many ranges
    pub(crate) fn parts(&self, source: &SourceText) -> subspan::Places {
        let (text, style) = match &self.kind {
            Kind::Scalar(text, style) => (&**text, *style),
            Kind::List(_) | Kind::Map(_) => ("", Style::Plain),
        };
        subspan::Places::new(source, self.span, text, style)
    }
}
