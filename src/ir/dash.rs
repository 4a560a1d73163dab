//! Expands the modifier `windash`: any dash before an option of a Windows program may be meant.
//!
//! In: a value. Out: the value with each of its dashes written in every way. The number of results
//! is known before any of them is made.

use crate::pattern::{Pattern, Token};

/// The characters that Windows programs take before an option
///
/// Source: SigmaHQ sigma-specification, modifiers appendix, `windash`.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// The number of results of [`dashed`], and a limit on the bytes of text in each
pub(super) fn ways(pattern: &Pattern) -> (usize, usize) {
    let count: usize = pattern.literals().map(|text| dashes(text).len()).sum();
    let ways = DASHES.len().saturating_pow(u32::try_from(count).unwrap_or(u32::MAX));
    // The longest dash has two bytes more than the shortest.
    (ways, pattern.literals().map(str::len).sum::<usize>() + 2 * count)
}

/// Every way to write the dashes that start a word
///
/// A dash inside a word is left alone, as in `a-b`. The specification does not say which dashes to
/// replace; this follows pySigma.
pub(super) fn dashed(pattern: &Pattern) -> Vec<Pattern> {
    let mut ways: Vec<Vec<Token>> = vec![Vec::new()];
    for token in pattern.tokens() {
        let Token::Literal(text) = token else {
            ways.iter_mut().for_each(|way| way.push(token.clone()));
            continue;
        };
        let texts = dashed_text(text);
        let longer = |way: Vec<Token>| {
            texts.iter().map(move |text| {
                let text = Token::Literal(text.clone());
                way.iter().cloned().chain([text]).collect()
            })
        };
        ways = ways.into_iter().flat_map(longer).collect();
    }
    ways.into_iter().map(Pattern::of).collect()
}

/// Writes the dashes of one literal in every way, as [`dashed`] does
fn dashed_text(text: &str) -> Vec<String> {
    let mut ways = vec![String::with_capacity(text.len())];
    let mut done = 0;
    for (at, dash) in dashes(text) {
        let before = &text[done..at];
        done = at + dash.len_utf8();
        let longer =
            |way: String| DASHES.into_iter().map(move |dash| format!("{way}{before}{dash}"));
        ways = ways.into_iter().flat_map(longer).collect();
    }
    ways.iter_mut().for_each(|way| way.push_str(&text[done..]));
    ways
}

/// The dashes that start a word, with their byte offsets
fn dashes(text: &str) -> Vec<(usize, char)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut dashes = Vec::new();
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let starts_word = !before.is_some_and(word) && rest.peek().is_some_and(|(_, c)| word(*c));
        before = Some(c);
        if starts_word && DASHES.contains(&c) {
            dashes.push((at, c));
        }
    }
    dashes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Vec<String> {
        dashed(&Pattern::read(text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_a_dash_before_a_word_is_any_dash() {
        assert_eq!(written("-c"), ["-c", "/c", "–c", "—c", "―c"]);
        assert_eq!(written(" /a -b").len(), 25);
        assert_eq!(written("a-b"), ["a-b"]);
        assert_eq!(written("- "), ["- "]);
        assert_eq!(written("*-x*").len(), 5);
    }

    #[test]
    fn ways_are_counted_before_they_are_made() {
        let pattern = Pattern::read("-a*/b - c");
        let longest = dashed(&pattern).iter().map(|way| way.literals().map(str::len).sum()).max();
        assert_eq!((25, longest), (ways(&pattern).0, Some(ways(&pattern).1)));
        assert_eq!(ways(&Pattern::read(&" -a".repeat(10_000))).0, usize::MAX);
    }
}
