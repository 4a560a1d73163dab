//! Matches text against a pattern with wildcards.
//!
//! In: a [`Pattern`] and text, both folded or both not. Out: true or false, in time linear in
//! the text for each run of literal characters; no pattern makes it exponential.

use crate::pattern::{Pattern, Token};

/// Whether the whole text fits the pattern
pub(crate) fn fits(pattern: &Pattern, text: &str) -> bool {
    let mut runs: Vec<&[Token]> = pattern.tokens().split(|token| *token == Token::Any).collect();
    // INVARIANT: splitting gives at least one run; with one, there is no wildcard run.
    let Some(last) = runs.pop() else { return text.is_empty() };
    let Some((first, middle)) = runs.split_first() else {
        return at_start(last, text) == Some(text.len());
    };
    let Some(mut from) = at_start(first, text) else { return false };
    for run in middle {
        match find(run, &text[from..]) {
            Some(end) => from += end,
            None => return false,
        }
    }
    at_end(last, &text[from..])
}

/// The end of the run in the text; `None` when the text does not start with the run
fn at_start(run: &[Token], text: &str) -> Option<usize> {
    let mut rest = text;
    for token in run {
        rest = match token {
            Token::Literal(literal) => rest.strip_prefix(literal.as_str())?,
            Token::One => {
                let mut characters = rest.chars();
                characters.next()?;
                characters.as_str()
            }
            Token::Any => rest,
        };
    }
    Some(text.len() - rest.len())
}

/// The end of the leftmost occurrence of the run
fn find(run: &[Token], text: &str) -> Option<usize> {
    if let [Token::Literal(literal)] = run {
        return text.find(literal.as_str()).map(|at| at + literal.len());
    }
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.into_iter().find_map(|at| at_start(run, &text[at..]).map(|end| at + end))
}

fn at_end(run: &[Token], text: &str) -> bool {
    let length = |token: &Token| match token {
        Token::Literal(literal) => literal.chars().count(),
        Token::One => 1,
        Token::Any => 0,
    };
    let wanted: usize = run.iter().map(length).sum();
    let Some(skip) = text.chars().count().checked_sub(wanted) else { return false };
    let at = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
    at_start(run, &text[at..]) == Some(text.len() - at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The reference: tries every way to split the text.
    fn plainly(pattern: &[Token], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [Token::Any, rest @ ..] => (0..=text.len()).any(|skip| plainly(rest, &text[skip..])),
            [Token::One, rest @ ..] => !text.is_empty() && plainly(rest, &text[1..]),
            [Token::Literal(literal), rest @ ..] => {
                let literal: Vec<char> = literal.chars().collect();
                text.starts_with(&literal) && plainly(rest, &text[literal.len()..])
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_trying_everything(pattern in "[ab*?é]{0,6}", text in "[abé\n]{0,7}") {
            let pattern = Pattern::read(&pattern);
            let characters: Vec<char> = text.chars().collect();
            prop_assert_eq!(fits(&pattern, &text), plainly(pattern.tokens(), &characters));
        }
    }

    #[test]
    fn overlapping_ends_do_not_share_characters() {
        assert!(!fits(&Pattern::read("ab*ba"), "aba"));
        assert!(fits(&Pattern::read("ab*ba"), "abba"));
    }
}
