//! Wildcards as Kusto: prefix and suffix where that is the same, else a regular expression.
//!
//! Kusto's regular expressions have the syntax of Rust's regex crate (Microsoft, regex.md of the
//! Kusto reference). `(?i)` there folds by Unicode: the Kelvin sign is a `k`, the long s an `s`,
//! which is not what a rule means. ASCII text that holds one of these letters therefore stands in
//! a group without Unicode folding. A test runs what is written here through that very crate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::ir::Case;
use crate::pattern::{Pattern, Token, fold, fold_text};

/// The literals before and after the only `*`, when testing them apart is the same
///
/// It is not the same when the two could overlap: `ab*ba` does not fit `aba`.
pub(super) fn prefix_and_suffix(pattern: &Pattern) -> Option<(&str, &str)> {
    let [Token::Literal(prefix), Token::Any, Token::Literal(suffix)] = pattern.tokens() else {
        return None;
    };
    let (head, tail) = (fold_text(prefix), fold_text(suffix));
    let borders = tail.char_indices().map(|(at, c)| at + c.len_utf8());
    let overlap = borders.into_iter().any(|at| head.ends_with(&tail[..at]))
        || head.contains(&tail)
        || tail.contains(&head);
    (!overlap).then_some((prefix, suffix))
}

/// A regular expression for the whole text; between `open` and `close` instead of the ends
pub(super) fn regex(patterns: &[Pattern], case: Case, around: Around) -> String {
    let plain = patterns.iter().flat_map(Pattern::literals).all(|text| !crosses_ascii(text));
    let bare = plain || case == Case::Sensitive;
    let parts: Vec<String> = patterns.iter().map(|p| body(p, bare, around)).collect();
    let alternatives = match &*parts {
        [only] => only.clone(),
        parts => format!("(?:{})", parts.join("|")),
    };
    let flags = if plain && case == Case::Insensitive { "(?is)" } else { "(?s)" };
    let (open, close) = match around {
        Around::Ends => ("^", "$"),
        Around::Start => ("^", ""),
        Around::Nothing => ("", ""),
        Around::Arguments => (r"(?:^|\x1f)", r"(?:\x1f|$)"),
    };
    format!("{flags}{open}{alternatives}{close}")
}

/// What the pattern is anchored to
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// The whole text
    Ends,
    /// The start of the text
    Start,
    /// Nothing: anywhere
    Nothing,
    /// One argument of a list joined by the unit separator
    Arguments,
}

/// One pattern; `bare` when its letters need no group of their own
fn body(pattern: &Pattern, bare: bool, around: Around) -> String {
    let (any, one) = match around {
        Around::Arguments => (r"[^\x1f]*", r"[^\x1f]"),
        Around::Ends | Around::Start | Around::Nothing => (".*", "."),
    };
    let mut out = String::new();
    for token in pattern.tokens() {
        match token {
            Token::Any => out.push_str(any),
            Token::One => out.push_str(one),
            Token::Literal(text) if bare => {
                out.push_str(&escape(text));
            }
            Token::Literal(text) => runs(text).for_each(|run| match run.is_ascii() {
                true => out.push_str(&format!("(?i-u:{})", escape(run))),
                false => run.chars().for_each(|c| out.push_str(&either_case(c))),
            }),
        }
    }
    out
}

/// Whether Unicode folding would treat one of its letters in another way than a rule does
fn crosses_ascii(text: &str) -> bool {
    !text.is_ascii() || text.chars().any(|c| matches!(c, 'k' | 'K' | 's' | 'S'))
}

/// A letter beyond ASCII in all its cases: simple lower-casing, unlike the `(?i)` of a regular
/// expression, keeps the final sigma apart from the other
fn either_case(c: char) -> String {
    match CASES.get(&fold(c)) {
        Some(cases) => format!("[{}]", escape(cases)),
        None => escape(c.encode_utf8(&mut [0; 4])),
    }
}

/// The letters beyond ASCII that have more than one case, by what they fold to
static CASES: LazyLock<BTreeMap<char, String>> = LazyLock::new(|| {
    let mut cases: BTreeMap<char, String> = BTreeMap::new();
    for c in '\u{80}'..=char::MAX {
        let folded = fold(c);
        if folded != c {
            cases.entry(folded).or_insert_with(|| folded.to_string()).push(c);
        }
    }
    cases
});

/// The text in runs that are all ASCII or all beyond
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c: char| c.is_ascii() != first.is_ascii()).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        rest = tail;
        Some(run)
    })
}

/// Escapes what is special, and writes control characters so that they stay visible
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if crate::source::is_unprintable(c) => {
                out.push_str(&format!("\\x{{{:x}}}", c as u32))
            }
            // `regex::escape` also escapes these, which Kusto need not.
            '-' | '#' | '&' | '~' => out.push(c),
            c => out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pattern: &str) -> String {
        regex(&[Pattern::read(pattern)], Case::Insensitive, Around::Ends)
    }

    #[test]
    fn only_letters_that_fold_across_ascii_need_groups() {
        assert_eq!(written("tomcat*.exe"), r"(?is)^tomcat.*\.exe$");
        assert_eq!(written("a*k?é"), "(?s)^(?i-u:a).*(?i-u:k).[éÉ]$");
        let kelvin = ::regex::Regex::new(&written("?k")).unwrap();
        assert!(kelvin.is_match("xK") && !kelvin.is_match("x\u{212a}"));
    }

    #[test]
    fn one_letter_that_folds_across_ascii_groups_every_pattern() {
        let patterns = ["/c", "-k"].map(Pattern::read);
        let written = regex(&patterns, Case::Insensitive, Around::Ends);
        assert_eq!(written, "(?s)^(?:(?i-u:/c)|(?i-u:-k))$");
    }

    #[test]
    fn ends_that_could_overlap_are_not_split() {
        assert_eq!(prefix_and_suffix(&Pattern::read("tomcat*.exe")), Some(("tomcat", ".exe")));
        assert_eq!(prefix_and_suffix(&Pattern::read("ab*BA")), None);
        assert_eq!(prefix_and_suffix(&Pattern::read("a*b*c")), None);
    }
}
