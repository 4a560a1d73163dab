//! Parses the text of a query.
//!
//! In: text in Kibana's query language. Out: a [`Kuery`]; the text of a printed query gives the
//! printed tree again. Keywords, escapes and white space are gone; a name or a value keeps only its
//! characters, its wildcards and whether it was quoted.
//!
//! INVARIANT: what is accepted is what Kibana's parser accepts, up to the limits named here.

use pest::Parser;
use pest::iterators::Pair;
use pest_derive::Parser;

use super::tree::{Bound, Kuery, Literal, Values};
use crate::pattern::{Pattern, Token};
use crate::query::Error;
use crate::source::visible;

#[derive(Parser)]
#[grammar = "../grammar/kuery.pest"]
struct Grammar;

/// The longest query that is read, in bytes
const MAX_LENGTH: usize = 1 << 20;
/// The most brackets that may be open at once
const MAX_DEPTH: usize = 100;

/// Reads a query; an empty one fits every document
///
/// # Errors
/// When Kibana rejects the text, or when the text is too long or too deep to be judged.
pub fn parse(text: &str) -> Result<Kuery, Error> {
    if text.len() > MAX_LENGTH || deepest(text) > MAX_DEPTH {
        return Err(Error::new(format!(
            "the query is longer than {MAX_LENGTH} bytes or nests deeper than {MAX_DEPTH}"
        )));
    }
    let pairs = Grammar::parse(Rule::query, text).map_err(|error| syntax(text, &error))?;
    let whole = pairs.flatten().find(|pair| pair.as_rule() == Rule::either);
    whole.map_or_else(|| Ok(Kuery::And(Vec::new())), either)
}

/// The deepest nesting of brackets, without brackets inside quotes
fn deepest(text: &str) -> usize {
    let (mut depth, mut most, mut quoted) = (0usize, 0, false);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '"' => quoted = !quoted,
            '(' | '{' if !quoted => depth += 1,
            ')' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// Reads parts joined by a word; a single part is returned as it is
fn chain<T>(
    pair: Pair<'_, Rule>,
    part: fn(Pair<'_, Rule>) -> Result<T, Error>,
    group: fn(Vec<T>) -> T,
) -> Result<T, Error> {
    let parts = pair.into_inner().filter(|pair| !matches!(pair.as_rule(), Rule::and | Rule::or));
    let mut parts = parts.map(part).collect::<Result<Vec<T>, Error>>()?;
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => Ok(only),
        (last, _) => {
            parts.extend(last);
            Ok(group(parts))
        }
    }
}

fn either(pair: Pair<'_, Rule>) -> Result<Kuery, Error> {
    chain(pair, |both| chain(both, negated, Kuery::And), Kuery::Or)
}

fn negated(pair: Pair<'_, Rule>) -> Result<Kuery, Error> {
    let (not, unit) = parts(pair)?;
    let unit = match unit.as_rule() == Rule::either {
        true => either(unit)?,
        false => clause(unit)?,
    };
    Ok(if not { Kuery::Not(Box::new(unit)) } else { unit })
}

/// Whether `not` stands first, and what follows
fn parts(pair: Pair<'_, Rule>) -> Result<(bool, Pair<'_, Rule>), Error> {
    let span = pair.as_span();
    let mut inner = pair.into_inner();
    let first = inner.next();
    let not = first.as_ref().is_some_and(|pair| pair.as_rule() == Rule::not);
    let unit = if not { inner.next() } else { first };
    unit.map(|unit| (not, unit)).ok_or_else(|| nothing(&span))
}

// The grammar has something in every such place, so this error never occurs.
fn nothing(span: &pest::Span<'_>) -> Error {
    Error::at("nothing stands here".to_owned(), span.start_pos().line_col())
}

fn clause(pair: Pair<'_, Rule>) -> Result<Kuery, Error> {
    let span = pair.as_span();
    let mut inner = pair.into_inner();
    let head = literal(&inner.next().ok_or_else(|| nothing(&span))?)?;
    let Some(second) = inner.next() else { return Ok(Kuery::Anywhere(head)) };
    let name = match head {
        Literal::Quoted(text) => Pattern::literal(&text),
        Literal::Plain(pattern) => pattern,
    };
    if second.as_rule() == Rule::nested {
        let inner = second.into_inner().next().ok_or_else(|| nothing(&span))?;
        return Ok(Kuery::Nested(name, Box::new(either(inner)?)));
    }
    if second.as_rule() != Rule::bound {
        return Ok(Kuery::Field(name, values(second)?));
    }
    let bound = match second.as_str() {
        "<" => Bound::Below,
        "<=" => Bound::AtMost,
        ">" => Bound::Above,
        _ => Bound::AtLeast,
    };
    let limit = inner.next().ok_or_else(|| nothing(&span))?;
    Ok(Kuery::Range(name, bound, literal(&limit)?))
}

fn values(pair: Pair<'_, Rule>) -> Result<Values, Error> {
    match pair.as_rule() == Rule::any_of {
        true => chain(pair, |all| chain(all, none_of, Values::All), Values::Any),
        false => literal(&pair).map(Values::One),
    }
}

fn none_of(pair: Pair<'_, Rule>) -> Result<Values, Error> {
    let (not, unit) = parts(pair)?;
    let unit = values(unit)?;
    Ok(if not { Values::Not(Box::new(unit)) } else { unit })
}

fn literal(pair: &Pair<'_, Rule>) -> Result<Literal, Error> {
    let text = pair.as_str();
    let half = || {
        let message = "half a character, written `\\u` and a number, stands alone".to_owned();
        Error::at(message, pair.as_span().start_pos().line_col())
    };
    if pair.as_rule() == Rule::quoted {
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        let pieces = unescape(inner, true).ok_or_else(half)?;
        return Ok(Literal::Quoted(pieces.into_iter().flatten().collect()));
    }
    let mut pieces = unescape(text, false).ok_or_else(half)?;
    // Kibana trims after reading the escapes, so an escaped blank at an end is cut off too.
    let blank = |piece: &Option<char>| piece.is_some_and(is_blank);
    while pieces.last().is_some_and(blank) {
        pieces.pop();
    }
    let pieces = pieces.into_iter().skip_while(blank);
    let token = |piece: Option<char>| piece.map_or(Token::Any, |c| Token::Literal(c.to_string()));
    Ok(Literal::Plain(Pattern::of(pieces.map(token))))
}

/// White space as JavaScript's `trim` knows it
fn is_blank(c: char) -> bool {
    c == '\u{feff}' || c != '\u{85}' && c.is_whitespace()
}

/// The characters of a literal, each wildcard as an inner `None`; `None` for half a surrogate pair
fn unescape(text: &str, quoted: bool) -> Option<Vec<Option<char>>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '*' && !quoted {
            out.push(None);
            continue;
        }
        if c != '\\' {
            out.push(Some(c));
            continue;
        }
        if let Some(unit) = unit(rest) {
            let low = rest.get(5..).and_then(|rest| self::unit(rest.strip_prefix('\\')?));
            let pair = |low| char::decode_utf16([unit, low]).next().and_then(Result::ok);
            let (c, length) = match (char::from_u32(u32::from(unit)), low) {
                (Some(c), _) => (c, 5),
                (None, Some(low)) => (pair(low)?, 11),
                (None, None) => return None,
            };
            out.push(Some(c));
            rest = &rest[length..];
            continue;
        }
        let Some(next) = rest.chars().next() else {
            out.push(Some('\\'));
            continue;
        };
        let meant = match next {
            't' => Some('\t'),
            'r' => Some('\r'),
            'n' => Some('\n'),
            '\\' | '"' => Some(next),
            _ if quoted => None,
            // The grammar allows only reserved characters and the first letter of a keyword here.
            _ => Some(next),
        };
        match meant {
            Some(c) => {
                out.push(Some(c));
                rest = &rest[next.len_utf8()..];
            }
            None => out.push(Some('\\')),
        }
    }
    Some(out)
}

/// The number after a backslash, as in `\u0041`
fn unit(rest: &str) -> Option<u16> {
    let digits = rest.strip_prefix('u')?.get(..4)?;
    let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
    hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())?
}

/// The name of a grammar rule in a message; `None` for rules that messages leave out
fn word(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::and => Some("`and`"),
        Rule::or => Some("`or`"),
        Rule::not => Some("`not`"),
        Rule::quoted | Rule::plain | Rule::clause => Some("a field or a value"),
        Rule::bound => Some("a comparison"),
        Rule::nested => Some("`{`"),
        Rule::EOI => Some("the end"),
        Rule::query
        | Rule::either
        | Rule::both
        | Rule::negated
        | Rule::unit
        | Rule::group
        | Rule::values
        | Rule::list
        | Rule::any_of
        | Rule::all_of
        | Rule::none_of
        | Rule::literal
        | Rule::keyword
        | Rule::escape
        | Rule::reserved
        | Rule::sp => None,
    }
}

fn syntax(text: &str, error: &pest::error::Error<Rule>) -> Error {
    let at = match error.location {
        pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
    };
    let place = match error.line_col {
        pest::error::LineColLocation::Pos(place) | pest::error::LineColLocation::Span(place, _) => {
            place
        }
    };
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find(is_blank).unwrap_or(rest.len());
    let stray = match rest.chars().next() {
        Some(c) if end == 0 => c.to_string(),
        _ => rest[..end].chars().take(40).collect(),
    };
    let mut wanted: Vec<&str> = match &error.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => {
            positives.iter().filter_map(|rule| word(*rule)).collect()
        }
        pest::error::ErrorVariant::CustomError { .. } => Vec::new(),
    };
    wanted.sort_unstable();
    wanted.dedup();
    let mut message = match &*stray {
        "" => "the query ends too early".to_owned(),
        stray => format!("`{}` cannot stand here in a query", visible(stray)),
    };
    if !wanted.is_empty() {
        message.push_str(&format!(", expected {}", wanted.join(" or ")));
    }
    Error::at(message, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |query| query.to_string())
    }

    #[test]
    fn not_binds_before_and_before_or() {
        assert_eq!(printed("a:1 OR b:2 And Not c:3"), "a:1 or\n(b:2 and not c:3)");
        assert_eq!(printed("not (a:1 or b:2)"), "not (a:1 or b:2)");
        assert_eq!(printed(" "), "");
        assert_eq!(parse(""), Ok(Kuery::And(Vec::new())));
    }

    #[test]
    fn values_run_over_blanks_up_to_a_word_of_the_language() {
        assert_eq!(printed("a : foo  bar and b:(x y or z)"), "a:foo  bar and\nb:(x y or z)");
        assert_eq!(printed("a:notepad.exe"), "a:notepad.exe");
        assert_eq!(printed("a:or"), "a:or");
        assert!(printed("a:cannot open").contains("column 6"), "{}", printed("a:cannot open"));
    }

    #[test]
    fn escapes_are_those_of_kibana() {
        let value = |text: &str| match parse(&format!("f:{text}")) {
            Ok(Kuery::Field(_, Values::One(Literal::Quoted(text)))) => text,
            Ok(Kuery::Field(_, Values::One(Literal::Plain(pattern)))) => pattern.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(value(r#""a\q\"\\\u0041\t*""#), "a\\q\"\\A\t*");
        assert_eq!(value(r"\(a\:\u0041 \and b"), "(a:A and b");
        // Kibana reads the line break first.
        assert_eq!(value(r"a\not"), "a\not");
        assert_eq!(value(r"\u00e4\ud83d\ude00"), "ä😀");
        assert!(parse(r"f:a\qb").is_err() && parse(r"f:\ud83d").is_err());
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(printed("a.*:{ b:1 and c > \"2\" } "), "a.*:{ b:1 and c > \"2\" }");
        assert_eq!(printed("\"a b\" <= 5 or free text"), "a b <= 5 or\nfree text");
        assert_eq!(
            printed("a:(* and not (1 or not 2) or (3))"),
            "a:((* and not (1 or not 2)) or 3)"
        );
    }

    #[test]
    fn mistakes_have_a_place_and_human_words() {
        assert_eq!(
            printed("a:1 and\n  (b:2"),
            "the query ends too early, expected `and` or `or` (line 2, column 7)"
        );
        assert_eq!(
            printed("a:"),
            "the query ends too early, expected `{` or a field or a value (line 1, column 3)"
        );
        let deep = format!("{}a:1{}", "(".repeat(200), ")".repeat(200));
        assert!(printed(&deep).contains("nests deeper than 100"));
        assert!(printed(&format!("a:{}", r"\(".repeat(200))).starts_with("a:"));
    }
}
