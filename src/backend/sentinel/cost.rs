//! The cost of a test, and cheap tests that an expensive test implies.
//!
//! In: predicates of Kusto, and the patterns that they stand for. Out: their order, cheapest first, and a
//! `has` beside a regular expression, which looks its terms up in the index before any text is read.
//!
//! Source: Microsoft, query best practices: filter by terms first; `has` over `contains`; no regular
//! expression where a string operator does.

use crate::pattern::{Pattern, Token};
use crate::query::kusto::{Expression, Kind};

/// The most alternatives in a chain of `or`; more become one regular expression
///
/// The language service refuses a chain of 500 (KS245), and long chains are slow.
pub(super) const LONG_CHAIN: usize = 50;

/// What a test costs for each row; the order of the variants is the order of tests
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    /// Compares whole values, which the index of terms helps with
    Equal,
    /// Looks terms up in the index
    Term,
    /// Compares a number, or asks whether there is a value
    Number,
    /// Reads one end of a text
    End,
    /// Reads all of a text
    Inside,
    /// Computes a value first
    Computed,
    /// Runs a regular expression
    Regex,
    /// Takes a command line or a document apart
    Parsed,
}

/// Puts the cheapest tests first, and leaves those of one cost in their order
pub(super) fn cheapest_first(tests: &mut [Expression]) {
    tests.sort_by_key(cost);
}

/// Functions that take a text apart
const PARSERS: &[&str] =
    &["parse_command_line", "parse_json", "parse_xml", "replace_regex", "todynamic"];

fn cost(test: &Expression) -> Cost {
    match &test.kind {
        Kind::Compare { operator, left, right } => {
            of_operator(&operator.text).max(of_value(left)).max(of_value(right))
        }
        Kind::OneOf { operator, value, .. } => of_operator(&operator.text).max(of_value(value)),
        Kind::Between { value, .. } => Cost::Number.max(of_value(value)),
        Kind::Chain { first, rest } => {
            rest.iter().map(|(_, part)| cost(part)).fold(cost(first), Cost::max)
        }
        Kind::Call { name, arguments } => match (&*name.text, &**arguments) {
            ("not", [only]) => cost(only),
            ("isempty" | "isnotempty" | "isnull" | "isnotnull", [only]) => {
                Cost::Number.max(of_value(only))
            }
            ("coalesce", [first, ..]) => cost(first),
            _ => of_value(test),
        },
        Kind::Literal(_) | Kind::Name(_) | Kind::Star => Cost::Equal,
        Kind::Given(..)
        | Kind::Member(..)
        | Kind::Element { .. }
        | Kind::Arithmetic { .. }
        | Kind::Pipeline(_) => Cost::Computed,
    }
}

fn of_operator(operator: &str) -> Cost {
    match operator {
        "==" | "=~" | "!=" | "!~" | "in" | "in~" | "!in" | "!in~" => Cost::Equal,
        "has" | "has_cs" | "has_any" | "has_all" | "!has" => Cost::Term,
        "startswith" | "startswith_cs" | "endswith" | "endswith_cs" => Cost::End,
        "contains" | "contains_cs" => Cost::Inside,
        "matches regex" => Cost::Regex,
        _ => Cost::Number,
    }
}

/// The cost of a compared value
fn of_value(value: &Expression) -> Cost {
    match &value.kind {
        Kind::Name(_) | Kind::Literal(_) | Kind::Star => Cost::Equal,
        Kind::Call { name, .. } if PARSERS.contains(&&*name.text) => Cost::Parsed,
        Kind::Call { arguments, .. } => {
            arguments.iter().map(of_value).fold(Cost::Computed, Cost::max)
        }
        Kind::Member(inner, _) => of_value(inner).max(Cost::Computed),
        Kind::Element { value, .. } => of_value(value).max(Cost::Computed),
        Kind::Given(..)
        | Kind::Arithmetic { .. }
        | Kind::Compare { .. }
        | Kind::OneOf { .. }
        | Kind::Between { .. }
        | Kind::Chain { .. }
        | Kind::Pipeline(_) => Cost::Computed,
    }
}

/// The shortest run of letters and digits that the index of terms holds
const SHORTEST_TERM: usize = 3;

/// A text that each match of a pattern has as whole terms, which the index holds: the longest such piece
///
/// An extension is no such piece: most values have it, and to look it up costs more than it saves.
pub(super) fn needle(pattern: &Pattern, edges: (bool, bool)) -> Option<String> {
    let is_worth = |piece: &&str| is_indexed(piece) && !is_extension(piece);
    let pieces = pieces(pattern, edges).filter(is_worth);
    pieces.max_by_key(|piece| piece.len()).map(ToOwned::to_owned)
}

/// The texts that each match of a pattern has as whole terms
///
/// `has` looks for a needle whose ends are no parts of longer terms. Letters and digits at the end of a
/// piece are cut off, unless the piece begins or ends the text there.
pub(super) fn pieces(
    pattern: &Pattern,
    (starts, ends): (bool, bool),
) -> impl Iterator<Item = &str> {
    let tokens = pattern.tokens();
    tokens.iter().enumerate().filter_map(move |(at, token)| {
        let Token::Literal(text) = token else { return None };
        let inner = |c: char| c.is_ascii_alphanumeric();
        let text = if starts && at == 0 { text } else { text.trim_start_matches(inner) };
        Some(match ends && at + 1 == tokens.len() {
            true => text,
            false => text.trim_end_matches(inner),
        })
    })
}

pub(super) fn is_extension(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next() == Some('.') && letters.all(|c| c.is_ascii_alphanumeric())
}

/// Whether `has` finds the needle wherever the text contains it: its ends are no letters or digits, and it
/// has some
pub(super) fn is_bounded(needle: &str) -> bool {
    let is_inner = |end: Option<char>| end.is_some_and(char::is_alphanumeric);
    !is_inner(needle.chars().next())
        && !is_inner(needle.chars().next_back())
        && needle.contains(char::is_alphanumeric)
}

/// Whether a needle has a term that the index holds, and no letter that folds beyond ASCII
pub(super) fn is_indexed(needle: &str) -> bool {
    let mut terms = needle.split(|c: char| !c.is_ascii_alphanumeric());
    needle.is_ascii() && terms.any(|term| term.len() >= SHORTEST_TERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_ends_where_a_term_does() {
        let of = |pattern, edges| needle(&Pattern::read(pattern), edges);
        let whole = (true, true);
        assert_eq!(of(r"tomcat*.exe", whole), None, "an extension");
        assert_eq!(of(r"*\cmd.exe /c*", whole).as_deref(), Some(r"\cmd.exe /"));
        assert_eq!(of(r"*\cmd.exe /c*", (false, false)).as_deref(), Some(r"\cmd.exe /"));
        assert_eq!(of(r"?:\inetpub\\*", whole).as_deref(), Some(r":\inetpub\"));
        assert_eq!(of("*a?b*", whole), None);
        assert_eq!(of("*é-word-*", whole), None, "letters beyond ASCII fold otherwise");
    }

    #[test]
    fn tests_stand_in_the_order_of_their_cost() {
        let column = || Expression::name("A");
        let test = |operator| column().compare(operator, Expression::text("x"));
        let mut tests =
            vec![test("matches regex"), test("contains"), test("has"), test("=~"), test("==")];
        cheapest_first(&mut tests);
        assert_eq!(
            tests,
            [test("=~"), test("=="), test("has"), test("contains"), test("matches regex")]
        );
    }
}
