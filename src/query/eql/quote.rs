//! Quotes texts and names.
//!
//! In: the characters of a text or of a name. Out: how a query writes them. Only this file knows
//! escapes and backticks from the writing side; `lex` reads them.
//!
//! Source: Elasticsearch, EQL syntax reference, "Strings" and "Escape event categories and field
//! names".

use std::fmt::Write;

use super::tree::FieldName;
use crate::source::is_unprintable;

/// The words that are no names unless they stand in backticks
pub(super) const KEYWORDS: &[&str] = &[
    "and", "any", "by", "false", "in", "join", "like", "maxspan", "not", "null", "of", "or",
    "regex", "sample", "sequence", "true", "until", "where", "with",
];

/// A text in quotes
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            // The language wants two digits at least. A `String` takes every text.
            c if is_unprintable(c) => drop(write!(out, "\\u{{{:02x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A regular expression in quotes, raw where this saves escapes and nothing in it is invisible
pub(super) fn quote_regex(text: &str) -> String {
    let gains = text.contains(['\\', '"']);
    let edge = text.starts_with('"') || text.ends_with('"');
    if gains && !edge && !text.contains("\"\"\"") && !text.contains(is_unprintable) {
        format!("\"\"\"{text}\"\"\"")
    } else {
        quote(text)
    }
}

/// The name of a field, with backticks where the language needs them
pub(super) fn field(field: &FieldName) -> String {
    let mark = if field.optional { "?" } else { "" };
    match field.name.split('.').all(is_word) {
        true => format!("{mark}{}", field.name),
        false => format!("{mark}`{}`", field.name.replace('`', "``")),
    }
}

/// A category of events; quotes stand where backticks stand in other names
pub(super) fn category(name: &str) -> String {
    if is_word(name) { name.to_owned() } else { quote(name) }
}

/// Whether a part of a name needs no backticks
fn is_word(part: &str) -> bool {
    part.starts_with(starts_word) && part.chars().skip(1).all(in_word) && !KEYWORDS.contains(&part)
}

/// Whether a word may begin so
pub(super) fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | '@')
}

/// Whether a word may go on so
pub(super) fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_spelled() {
        assert_eq!(quote("C:\\a \"b\"\t\u{1}\u{202e}é"), r#""C:\\a \"b\"\t\u{01}\u{202e}é""#);
    }

    #[test]
    fn a_regular_expression_is_raw_where_it_may_be() {
        assert_eq!(quote_regex(r"php\d"), r#""""php\d""""#);
        assert_eq!(quote_regex("php[0-9]"), r#""php[0-9]""#);
        assert_eq!(quote_regex(r#"a\.""#), r#""a\\.\"""#);
        assert_eq!(quote_regex("\\\u{202e}"), r#""\\\u{202e}""#);
    }

    #[test]
    fn names_stand_in_backticks_where_they_are_no_words() {
        let name = |name: &str| field(&FieldName::of(name));
        assert_eq!(name("process.Ext.token_1"), "process.Ext.token_1");
        assert_eq!(name("@timestamp"), "@timestamp");
        for odd in ["a-b", "a.5", "any", "a.in", "", "a..b", "é"] {
            assert_eq!(name(odd), format!("`{odd}`"));
        }
        assert_eq!(field(&FieldName { name: "a`b".to_owned(), optional: true }), "?`a``b`");
        assert_eq!((category("web"), category("any")), ("web".to_owned(), "\"any\"".to_owned()));
    }
}
