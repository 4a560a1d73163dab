//! Wildcards as prefix and suffix where they are equivalent, else as a regular expression.
//!
//! In: patterns and their letter case. Out: a prefix and a suffix, or a regular expression of Rust's
//! regex crate.
//!
//! Kusto's regular expressions have the syntax of Rust's regex crate (Microsoft, regex.md of the
//! Kusto reference). Its `(?i)` folds by Unicode, so the Kelvin sign equals `k` and the long s
//! equals `s`; a rule keeps them apart. ASCII text with one of these letters is therefore put in
//! a group without Unicode folding. A test runs the output through that crate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::ir::Case;
use crate::pattern::{Pattern, Token, fold, fold_text};

/// The literals before and after the only `*`, when `startswith` and `endswith` are equivalent
///
/// `None` when the two could overlap: `ab*ba` does not match `aba`, but the two tests would.
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

/// A regular expression for any of the patterns, anchored as `around` says
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
        Around::Nothing | Around::Elements => ("", ""),
    };
    format!("{flags}{open}{alternatives}{close}")
}

/// The anchors of a regular expression
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// The whole text
    Ends,
    /// The start of the text
    Start,
    /// None: the pattern may occur anywhere
    Nothing,
    /// None, and no wildcard takes the unit separator, which stands between the elements of a list
    Elements,
}

/// One pattern; `bare` when its literals need no `(?i-u:)` group
fn body(pattern: &Pattern, bare: bool, around: Around) -> String {
    let (any, one) = match around {
        Around::Elements => (r"[^\x1f]*", r"[^\x1f]"),
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

/// Whether Unicode folding may differ from a rule's folding on one of the letters
fn crosses_ascii(text: &str) -> bool {
    !text.is_ascii() || text.chars().any(|c| matches!(c, 'k' | 'K' | 's' | 'S'))
}

/// A class of all cases of a letter beyond ASCII
///
/// The cases come from simple lower-casing, which keeps the final sigma apart from the other
/// sigma; `(?i)` would make them equal.
fn either_case(c: char) -> String {
    match CASES.get(&fold(c)) {
        Some(cases) => format!("[{}]", escape(cases)),
        None => escape(c.encode_utf8(&mut [0; 4])),
    }
}

/// The letters beyond ASCII that have more than one case, by their folded letter
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

/// The text as runs that are each all ASCII or all beyond ASCII
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

/// Escapes special characters, and writes unprintable characters as `\x1f` or `\x{…}`
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if crate::source::is_unprintable(c) => {
                out.push_str(&format!("\\x{{{:x}}}", c as u32))
            }
            // `regex::escape` also escapes these; Kusto does not need it.
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
