//! Values of a key: one, a list, or `{not: [...]}`.
//!
//! In: the node after a key. Out: [`Values`]; text is parsed into a token list here, once. The
//! type that the key requires (a number, a network …) is checked later, when its field is known.

use crate::diagnostic::Code;
use crate::pattern::Pattern;
use crate::source::{SourceText, Span};
use crate::yaml::Reader;
use crate::yaml::Style;
use crate::yaml::{Kind, Node};

/// The values of one key
#[derive(Debug, Clone)]
pub struct Values {
    /// The place of all the values
    pub span: Span,
    /// Whether the values stand under `not`
    pub negated: bool,
    /// The values in the author's order; never empty
    pub items: Vec<Value>,
}

/// One value
#[derive(Debug, Clone)]
pub struct Value {
    /// Its place in the file
    pub span: Span,
    /// The parsed value
    pub scalar: Scalar,
    /// The decoded text, as written
    pub written: String,
    style: Style,
}

/// A parsed value
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Text, with its wildcards
    Text(Pattern),
    /// A whole number, written without quotes
    Number(i64),
    /// `true` or `false`, written without quotes
    Bool(bool),
    /// `null`
    Null,
    /// `$name`: the values of a named list
    List(String),
}

impl Value {
    /// The place of a range of [`Value::written`]
    pub fn part(&self, source: &SourceText, range: std::ops::Range<usize>) -> Span {
        crate::yaml::locate(source, self.span, &self.written, self.style, range)
    }

    /// This value with another text, at the same place
    pub(crate) fn with(&self, text: Pattern) -> Value {
        let written = text.to_string();
        Value { scalar: Scalar::Text(text), written, ..self.clone() }
    }

    /// The value as a pattern; `None` for null and named lists
    ///
    /// A number or a truth value becomes its written text.
    pub fn pattern(&self) -> Option<Pattern> {
        match &self.scalar {
            Scalar::Text(pattern) => Some(pattern.clone()),
            Scalar::Number(_) | Scalar::Bool(_) => Some(Pattern::literal(&self.written)),
            Scalar::Null | Scalar::List(_) => None,
        }
    }
}

/// The longest value that is read, in bytes: a Windows command line has at most 32,767 characters
const LONGEST: usize = 32 << 10;

/// Reads the values of the key that `what` names
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Values> {
    let (negated, inner) = match &node.kind {
        Kind::Map(entries) => match &**entries {
            [(key, inner)] if key.text() == Some("not") => (true, inner),
            _ => {
                let message = format!("{what} is a map, not values");
                reader.error(Code::E0108, node.span, message, "expected values or `{not: [...]}`");
                return None;
            }
        },
        Kind::Scalar(..) | Kind::List(_) => (false, node),
    };
    let items = list(reader, inner, what);
    (!items.is_empty()).then_some(Values { span: node.span, negated, items })
}

/// Reads one value or a list of values
pub(super) fn list(reader: &mut Reader<'_>, node: &Node, what: &str) -> Vec<Value> {
    let nodes = reader.one_or_many(node, what);
    nodes.iter().filter_map(|node| one(reader, node, what)).collect()
}

/// Reads one value
pub(super) fn one(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Value> {
    let Kind::Scalar(text, style) = &node.kind else {
        let message = format!("a value of {what} is {}", node.noun());
        reader.error(Code::E0108, node.span, message, "expected text or a number");
        return None;
    };
    let plain = *style == Style::Plain;
    if plain && text.is_empty() {
        // Only a written `null` means null; an empty value was probably forgotten.
        reader.empty(node.span, &format!("a value of {what}"));
        return None;
    }
    if text.len() > LONGEST {
        let message = format!("a value of {what} has {} bytes, more than {LONGEST}", text.len());
        reader.error(Code::E0106, Span::new(node.span.start, node.span.start), message, "too long");
        return None;
    }
    let scalar = match &**text {
        _ if node.is_null() => Scalar::Null,
        "true" | "True" | "TRUE" if plain => Scalar::Bool(true),
        "false" | "False" | "FALSE" if plain => Scalar::Bool(false),
        text => match (plain, whole_number(text), list_name(text)) {
            (true, Some(number), _) => Scalar::Number(number),
            (_, _, Some(name)) if reader.has_lists => Scalar::List(name.to_owned()),
            _ => Scalar::Text(Pattern::read(text)),
        },
    };
    Some(Value { span: node.span, scalar, written: text.to_string(), style: *style })
}

/// Digits with a leading zero are text: `00000429` is a keyboard layout, not a number.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let padded = digits.len() > 1 && digits.starts_with('0');
    let numeric = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if numeric && !padded { text.parse().ok() } else { None }
}

/// The name in `$name`; accepts `-`, `.` and capitals, so that a misspelt name is reported as such
fn list_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    (starts && goes_on).then_some(name)
}
