//! Prints a query as text.
//!
//! In: a [`Kuery`]. Out: its text: `field:value` without spaces, `and` and `or` at the ends of
//! lines, a long list with one value per line. Only this file quotes and escapes values.
//!
//! INVARIANT: a text that is read back gives the expression it was written from.

use std::fmt;

use super::tree::{Bound, Kuery, Literal, Values};
use crate::pattern::{Pattern, Token};
use crate::query::layout::Doc;

/// The width that lines keep to where words allow it
const WIDTH: usize = 100;

/// The characters that end an unquoted value unless a backslash stands before them
const RESERVED: &str = r#"\():<>"*{}"#;

impl fmt::Display for Kuery {
    /// The whole query, with one line for each of its parts
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = match self {
            Kuery::And(parts) => joined_by("and", parts.iter().map(clause)).broken(),
            Kuery::Or(parts) => joined_by("or", parts.iter().map(clause)).broken(),
            Kuery::Not(_)
            | Kuery::Field(..)
            | Kuery::Range(..)
            | Kuery::Nested(..)
            | Kuery::Anywhere(_) => Doc::all([clause(self)]).broken(),
        };
        f.write_str(&query.print(WIDTH))
    }
}

/// A part of the whole query, on as many lines as its values need
fn clause(part: &Kuery) -> Doc {
    match part {
        Kuery::Field(name, values) => list(name, values),
        Kuery::Not(inner) => match &**inner {
            Kuery::Field(name, values) => Doc::all([Doc::text("not "), list(name, values)]),
            Kuery::Range(..) | Kuery::Nested(..) | Kuery::Anywhere(_) => {
                Doc::text(format!("not {}", inline(inner)))
            }
            Kuery::And(parts) => group("not (", "and", parts),
            Kuery::Or(parts) => group("not (", "or", parts),
            Kuery::Not(_) => Doc::text(format!("not ({})", inline(inner))),
        },
        Kuery::And(parts) => group("(", "and", parts),
        Kuery::Or(parts) => group("(", "or", parts),
        Kuery::Range(..) | Kuery::Nested(..) | Kuery::Anywhere(_) => Doc::text(inline(part)),
    }
}

/// Parts with a word and a possible line end between each two
fn joined_by(word: &str, parts: impl Iterator<Item = Doc>) -> Doc {
    let mut all = Vec::new();
    for part in parts {
        if !all.is_empty() {
            all.extend([Doc::text(format!(" {word}")), Doc::line()]);
        }
        all.push(part);
    }
    Doc::all(all)
}

/// An operand of `not`
fn unit(part: &Kuery) -> String {
    match part {
        Kuery::Field(..) | Kuery::Range(..) | Kuery::Nested(..) | Kuery::Anywhere(_) => {
            inline(part)
        }
        Kuery::And(_) | Kuery::Or(_) | Kuery::Not(_) => format!("({})", inline(part)),
    }
}

/// An expression on one line
fn inline(part: &Kuery) -> String {
    let join = |parts: &[Kuery], word: &str| {
        let grouped = |part: &Kuery| match part {
            Kuery::And(_) | Kuery::Or(_) => format!("({})", inline(part)),
            Kuery::Not(_)
            | Kuery::Field(..)
            | Kuery::Range(..)
            | Kuery::Nested(..)
            | Kuery::Anywhere(_) => inline(part),
        };
        parts.iter().map(grouped).collect::<Vec<_>>().join(word)
    };
    match part {
        Kuery::And(parts) => join(parts, " and "),
        Kuery::Or(parts) => join(parts, " or "),
        Kuery::Not(inner) => format!("not {}", unit(inner)),
        Kuery::Field(name, values) => format!("{}:{}", plain(name), as_list(values)),
        Kuery::Range(name, bound, limit) => {
            let sign = match bound {
                Bound::Below => "<",
                Bound::AtMost => "<=",
                Bound::Above => ">",
                Bound::AtLeast => ">=",
            };
            format!("{} {sign} {limit}", plain(name))
        }
        Kuery::Nested(name, inner) => format!("{}:{{ {} }}", plain(name), inline(inner)),
        Kuery::Anywhere(value) => value.to_string(),
    }
}

/// A field with its values
fn list(name: &Pattern, values: &Values) -> Doc {
    let head = format!("{}:", plain(name));
    let open = format!("{head}(");
    match values {
        Values::Any(parts) => bracketed(&open, "or", parts.iter().map(grouped).map(Doc::text)),
        Values::All(parts) => bracketed(&open, "and", parts.iter().map(wrapped)),
        Values::One(_) | Values::Not(_) => Doc::text(format!("{head}{}", as_list(values))),
    }
}

/// A part of a list that may itself be a long list; lists go two deep
fn wrapped(values: &Values) -> Doc {
    let (head, inner) = match values {
        Values::Not(inner) => ("not (", &**inner),
        inner @ (Values::One(_) | Values::Any(_) | Values::All(_)) => ("(", inner),
    };
    match inner {
        Values::Any(parts) => bracketed(head, "or", parts.iter().map(grouped).map(Doc::text)),
        Values::One(_) | Values::All(_) | Values::Not(_) => Doc::text(grouped(values)),
    }
}

/// Parts in brackets: on one line when they fit, else one line each
fn group(head: &str, word: &str, parts: &[Kuery]) -> Doc {
    bracketed(head, word, parts.iter().map(clause))
}

/// Values in brackets: on one line when they fit, else one line each
fn bracketed(head: &str, word: &str, parts: impl Iterator<Item = Doc>) -> Doc {
    let inner = Doc::all([Doc::soft(), joined_by(word, parts)]).nest(2);
    Doc::all([Doc::text(head), inner, Doc::soft(), Doc::text(")")]).group()
}

fn joined(values: &Values) -> String {
    let join =
        |parts: &[Values], word: &str| parts.iter().map(grouped).collect::<Vec<_>>().join(word);
    match values {
        Values::One(value) => value.to_string(),
        Values::Any(parts) => join(parts, " or "),
        Values::All(parts) => join(parts, " and "),
        Values::Not(part) => match &**part {
            Values::Not(_) => format!("not ({})", joined(part)),
            Values::One(_) | Values::Any(_) | Values::All(_) => format!("not {}", grouped(part)),
        },
    }
}

fn grouped(values: &Values) -> String {
    match values {
        Values::One(_) | Values::Not(_) => joined(values),
        Values::Any(_) | Values::All(_) => format!("({})", joined(values)),
    }
}

fn as_list(values: &Values) -> String {
    match values {
        Values::One(value) => value.to_string(),
        Values::Any(_) | Values::All(_) | Values::Not(_) => format!("({})", joined(values)),
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Quoted(text) => write!(f, "\"{}\"", escaped(text)),
            Literal::Plain(pattern) => f.write_str(&plain(pattern)),
        }
    }
}

impl Literal {
    /// The text between the quotes, or the whole value when it has no quotes
    pub fn unquoted(&self) -> String {
        match self {
            Literal::Quoted(text) => escaped(text),
            Literal::Plain(pattern) => plain(pattern),
        }
    }
}

/// A text, escaped for use between quotes
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '"') {
            out.push('\\');
            out.push(c);
        } else {
            // Writing to a text never fails.
            let _ = spaced(c, &mut out);
        }
    }
    out
}

fn spaced(c: char, f: &mut impl fmt::Write) -> fmt::Result {
    match c {
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        '\n' => f.write_str("\\n"),
        c => write!(f, "{c}"),
    }
}

/// A name or value without quotes
fn plain(pattern: &Pattern) -> String {
    let mut out = String::new();
    for (place, token) in pattern.tokens().iter().enumerate() {
        let ends = place + 1 == pattern.tokens().len();
        match token {
            Token::Any => out.push('*'),
            // The language has no wildcard for one character; `Literal::wildcard` refuses it.
            Token::One => out.push('?'),
            Token::Literal(text) => {
                for (at, c) in text.char_indices() {
                    if RESERVED.contains(c) {
                        out.push('\\');
                        out.push(c);
                    } else if is_keyword(&text[..at], &text[at..], ends) {
                        out.push_str(&format!("\\u{:04x}", u32::from(c)));
                    } else {
                        // Writing to a text never fails.
                        let _ = spaced(c, &mut out);
                    }
                }
            }
        }
    }
    out
}

/// Whether the rest begins with `and`, `or` or `not`; a blank may follow the end
fn is_keyword(before: &str, rest: &str, ends: bool) -> bool {
    let space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{a0}');
    let starts = |word: &str| {
        let Some((head, tail)) = rest.split_at_checked(word.len()) else { return false };
        head.eq_ignore_ascii_case(word) && (tail.starts_with(space) || ends && tail.is_empty())
    };
    starts("not") || before.ends_with(space) && (starts("and") || starts("or"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_escaped() {
        let quoted = Literal::quoted("C:\\temp \"x\"\t").unwrap();
        assert_eq!(quoted.to_string(), r#""C:\\temp \"x\"\t""#);
        let wildcard = Literal::wildcard(&Pattern::read(r"C:\a(*")).unwrap();
        assert_eq!(wildcard.to_string(), r"C\:\\a\(*");
    }

    #[test]
    fn brackets_inside_a_value_stay_as_they_are() {
        let one = |text: &str| Values::One(Literal::quoted(text).unwrap());
        let either = Kuery::Or(vec![Kuery::field("a", one("b( c )")), Kuery::field("d", one("e"))]);
        let query = Kuery::And(vec![either, Kuery::field("f", one("g"))]);
        assert_eq!(query.to_string(), "(a:\"b( c )\" or d:\"e\") and\nf:\"g\"");
    }

    #[test]
    fn a_word_of_the_language_inside_a_value_is_spelled() {
        let word = |text: &str| Literal::word(text).to_string();
        assert_eq!(word("a or b"), r"a \u006fr b");
        assert_eq!(word("cannot open"), r"can\u006eot open");
        assert_eq!(word("do not"), r"do \u006eot");
        assert_eq!(word("or nothing"), "or nothing");
    }
}
