//! Takes the text of a query apart into words, signs and constants.
//!
//! In: a text. Out: its tokens, each with the byte where it begins; comments, white space, quotes and
//! escapes are gone. A word is not yet known to be a keyword or a name.
//!
//! Source: the lexer rules of Elasticsearch's EQL grammar. Texts in single quotes belong to its past.

use super::quote::{in_word, starts_word};
use crate::query::Error;
use crate::source::visible;

/// The smallest part of a query
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// A keyword or a name
    Word(&'t str),
    /// A word with `~` behind it, which is not part of it
    Folded(&'t str),
    /// A name in backticks
    Name(String),
    /// A text in quotes
    Text(String),
    /// A number without its sign
    Number(&'t str),
    /// An operator or a bracket
    Sign(&'static str),
    /// The end of the query
    End,
}

/// Signs, longer ones before those that they begin with
const SIGNS: &[&str] = &[
    "![", "==", "!=", "<=", ">=", "<", ">", ":", "=", "+", "-", "*", "/", "%", ".", ",", "(", ")",
    "[", "]", "|", "?",
];

/// A mistake at a byte of the text
pub(super) fn error(text: &str, at: usize, message: impl Into<String>) -> Error {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    Error::at(message.into(), (before.matches('\n').count() + 1, line.chars().count() + 1))
}

/// The tokens with their places; the last one is the end
pub(super) fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, Error> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let Some(first) = rest.chars().next() else { break };
        let skipped = skipped(rest).map_err(|message| error(text, at, message))?;
        if skipped > 0 {
            at += skipped;
            continue;
        }
        let (token, length) = if first == '"' {
            quoted(rest).map_err(|(byte, message)| error(text, at + byte, message))?
        } else {
            unquoted(rest, first).map_err(|message| error(text, at, message))?
        };
        tokens.push((token, at));
        at += length;
    }
    tokens.push((Token::End, text.len()));
    Ok(tokens)
}

/// The length of white space or of a comment at the start
fn skipped(rest: &str) -> Result<usize, &'static str> {
    if rest.starts_with("//") {
        return Ok(rest.find(['\r', '\n']).unwrap_or(rest.len()));
    }
    if let Some(inside) = rest.strip_prefix("/*") {
        return inside.find("*/").map(|end| end + 4).ok_or("a comment has no end");
    }
    Ok(rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len())
}

fn unquoted(rest: &str, first: char) -> Result<(Token<'_>, usize), String> {
    let span = |from: &str, fits: fn(char) -> bool| from.find(|c| !fits(c)).unwrap_or(from.len());
    if starts_word(first) {
        let length = 1 + span(&rest[1..], in_word);
        let word = &rest[..length];
        return Ok(match rest[length..].starts_with('~') {
            true => (Token::Folded(word), length + 1),
            false => (Token::Word(word), length),
        });
    }
    if first == '`' {
        return backticks(rest).ok_or_else(|| "a name has no closing backtick".to_owned());
    }
    if first == '\'' {
        return Err("a text stands in double quotes, not in single ones".to_owned());
    }
    if let Some(length) = number(rest) {
        return Ok((Token::Number(&rest[..length]), length));
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
    let stray = || format!("`{}` cannot stand here in a query", visible(&first.to_string()));
    sign.map(|sign| (Token::Sign(sign), sign.len())).ok_or_else(stray)
}

/// The length of a number at the start
fn number(rest: &str) -> Option<usize> {
    let digits = |from: usize| {
        let rest = rest.get(from..).unwrap_or_default();
        rest.bytes().take_while(u8::is_ascii_digit).count()
    };
    let whole = digits(0);
    let mut length = whole;
    if rest[length..].starts_with('.') {
        let places = digits(length + 1);
        if whole + places == 0 {
            return None;
        }
        length += 1 + places;
    }
    if length > 0 && rest[length..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[length + 1..].starts_with(['+', '-']));
        let places = digits(length + 1 + sign);
        length += if places > 0 { 1 + sign + places } else { 0 };
    }
    (length > 0).then_some(length)
}

fn backticks(rest: &str) -> Option<(Token<'_>, usize)> {
    let mut name = String::new();
    let mut at = 1;
    loop {
        let end = at + rest[at..].find('`')?;
        name.push_str(&rest[at..end]);
        if !rest[end + 1..].starts_with('`') {
            return Some((Token::Name(name), end + 1));
        }
        name.push('`');
        at = end + 2;
    }
}

/// A text in quotes, or the byte of the mistake in it
fn quoted(rest: &str) -> Result<(Token<'_>, usize), (usize, String)> {
    let open = || (0, "a text has no closing quote".to_owned());
    if let Some(inside) = rest.strip_prefix("\"\"\"") {
        let mut end = inside.find("\"\"\"").ok_or_else(open)?;
        // Quotes before the last three belong to the text.
        end += inside[end + 3..].bytes().take(2).take_while(|byte| *byte == b'"').count();
        return Ok((Token::Text(inside[..end].to_owned()), end + 6));
    }
    let mut text = String::new();
    let mut at = 1;
    loop {
        let c = rest[at..].chars().next().ok_or_else(open)?;
        match c {
            '"' => return Ok((Token::Text(text), at + 1)),
            '\n' | '\r' => return Err((at, "a text ends in its line".to_owned())),
            '\\' => {
                let (meant, length) = escape(&rest[at + 1..]).ok_or_else(|| {
                    let shown: String = rest[at..].chars().take(2).collect();
                    (at, format!("`{}` is no escape, a backslash is `\\\\`", visible(&shown)))
                })?;
                text.push(meant);
                at += 1 + length;
            }
            c => {
                text.push(c);
                at += c.len_utf8();
            }
        }
    }
}

/// The character that is meant behind a backslash, and how long its spelling is
fn escape(rest: &str) -> Option<(char, usize)> {
    if let Some(inside) = rest.strip_prefix("u{") {
        let digits = &inside[..inside.find('}')?];
        let spelled = (2..=8).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = spelled.then(|| u32::from_str_radix(digits, 16).ok())??;
        return Some((char::from_u32(number)?, digits.len() + 3));
    }
    let meant = match rest.chars().next()? {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        c @ ('"' | '\'' | '\\') => c,
        _ => return None,
    };
    Some((meant, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Result<Token<'_>, String> {
        let mut all = tokens(text).map_err(|error| error.to_string())?;
        Ok(all.swap_remove(0).0)
    }

    #[test]
    fn texts_lose_their_quotes_and_escapes() {
        let text = |text: &str| Ok(Token::Text(text.to_owned()));
        assert_eq!(first(r#""a\"\'\\\t\u{2e}b""#), text("a\"'\\\t.b"));
        assert_eq!(first(r#""""a\d"b"""""#), text(r#"a\d"b""#));
        assert_eq!(first(r#""""#), text(""));
    }

    #[test]
    fn mistakes_in_texts_are_refused_at_their_place() {
        for (query, message) in [
            (r#""a\*""#, r"`\*` is no escape, a backslash is `\\` (line 1, column 3)"),
            (r#""\u{d800}""#, r"`\u` is no escape, a backslash is `\\` (line 1, column 2)"),
            ("a\n \"b", "a text has no closing quote (line 2, column 2)"),
            ("\"a\nb\"", "a text ends in its line (line 1, column 3)"),
            ("'a'", "a text stands in double quotes, not in single ones (line 1, column 1)"),
            ("/* a", "a comment has no end (line 1, column 1)"),
            ("a `b", "a name has no closing backtick (line 1, column 3)"),
            ("a & b", "`&` cannot stand here in a query (line 1, column 3)"),
        ] {
            assert_eq!(first(query), Err(message.to_owned()));
        }
    }

    #[test]
    fn numbers_end_where_a_unit_begins() {
        for (text, number) in [("1m", "1"), ("1.5e3]", "1.5e3"), (".5", ".5"), ("2e", "2")] {
            assert_eq!(first(text), Ok(Token::Number(number)));
        }
        assert_eq!(first("`a``b`"), Ok(Token::Name("a`b".to_owned())));
        assert_eq!(first("/* x */ // y\nlike~"), Ok(Token::Folded("like")));
    }
}
