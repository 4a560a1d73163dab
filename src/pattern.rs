//! A value as a list of tokens: literal text, any run of characters, one character.
//!
//! In: the text of a value. Out: a [`Pattern`], parsed once and never parsed again as text, so no
//! target can confuse a literal star with a wildcard. A pattern keeps its case; comparisons
//! fold it ([`fold`]).

use std::cmp::Ordering;
use std::fmt;

/// A piece of a [`Pattern`]
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Token {
    /// Literal text; never empty
    Literal(String),
    /// Any run of characters; the run may be empty and may hold line breaks
    Any,
    /// Exactly one character
    One,
}

/// A value as tokens, with wildcards separate from literal text
///
/// INVARIANT: no two literals and no two `Any` stand side by side.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Pattern(Vec<Token>);

impl Pattern {
    /// Reads Sigma's notation: `*` and `?` are wildcards, a backslash before one of them or
    /// before a backslash makes it literal, any other backslash is itself
    ///
    /// Source: SigmaHQ sigma-specification, rules specification, "Escaping" and "String wildcard".
    pub fn read(text: &str) -> Pattern {
        if !text.contains(['\\', '*', '?']) {
            return Pattern::literal(text);
        }
        let mut pattern = Pattern::default();
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '\\' => match characters.next_if(|c| matches!(c, '\\' | '*' | '?')) {
                    Some(escaped) => pattern.push_char(escaped),
                    None => pattern.push_char('\\'),
                },
                '*' => pattern.push(Token::Any),
                '?' => pattern.push(Token::One),
                c => pattern.push_char(c),
            }
        }
        pattern
    }

    /// Text without wildcards
    pub fn literal(text: &str) -> Pattern {
        if text.is_empty() {
            Pattern::default()
        } else {
            Pattern(vec![Token::Literal(text.into())])
        }
    }

    /// A pattern of `tokens`; adjacent literals and adjacent `Any` are merged
    pub fn of(tokens: impl IntoIterator<Item = Token>) -> Pattern {
        let tokens = tokens.into_iter();
        let mut pattern = Pattern(Vec::with_capacity(tokens.size_hint().0));
        tokens.for_each(|token| pattern.push(token));
        pattern
    }

    /// The tokens, in order
    pub fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// The literal text; `None` when the pattern has a wildcard
    pub fn as_literal(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Token::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether the pattern is a single [`Token::Any`], which every text matches
    pub fn is_anything(&self) -> bool {
        self.0 == [Token::Any]
    }

    /// The literal parts, in order
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|token| match token {
            Token::Literal(text) => Some(text.as_str()),
            Token::Any | Token::One => None,
        })
    }

    /// Orders two patterns without regard to case
    pub fn compare_folded(&self, other: &Pattern) -> Ordering {
        let tokens = self.0.iter().zip(&other.0).map(|both| match both {
            (Token::Literal(a), Token::Literal(b)) => compare_folded(a, b),
            (a, b) => a.cmp(b),
        });
        let mut different = tokens.filter(|order| order.is_ne());
        different.next().unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }

    /// The pattern with every literal replaced by the result of `change`
    pub fn map_literals(&self, change: impl Fn(&str) -> String) -> Pattern {
        Pattern::of(self.0.iter().map(|token| match token {
            Token::Literal(text) => Token::Literal(change(text)),
            Token::Any | Token::One => token.clone(),
        }))
    }

    fn push(&mut self, token: Token) {
        match (self.0.last_mut(), token) {
            (Some(Token::Literal(last)), Token::Literal(text)) => last.push_str(&text),
            (Some(Token::Any), Token::Any) => {}
            (_, Token::Literal(text)) if text.is_empty() => {}
            (_, token) => self.0.push(token),
        }
    }

    fn push_char(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Token::Literal(last)) => last.push(c),
            _ => self.0.push(Token::Literal(c.to_string())),
        }
    }
}

impl fmt::Display for Pattern {
    /// Writes the notation that [`Pattern::read`] reads
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.0.iter().enumerate() {
            match token {
                Token::Any => f.write_str("*")?,
                Token::One => f.write_str("?")?,
                Token::Literal(text) => {
                    let wildcard_follows = at + 1 < self.0.len();
                    let mut rest = text.chars().peekable();
                    while let Some(c) = rest.next() {
                        let escape = match c {
                            '*' | '?' => true,
                            '\\' => rest
                                .peek()
                                .map_or(wildcard_follows, |next| matches!(next, '\\' | '*' | '?')),
                            _ => false,
                        };
                        if escape {
                            f.write_str("\\")?;
                        }
                        write!(f, "{c}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The character that represents `c` in a comparison without case
///
/// A-Z and a-z are equal, a non-ASCII letter equals another by simple lower-casing, and nothing
/// crosses the ASCII border: neither the Kelvin sign nor the long s is an ASCII letter here.
pub fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => c,
    }
}

/// `text` with every character folded
pub fn fold_text(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold).collect() }
}

/// Orders two texts by their folded characters
pub fn compare_folded(a: &str, b: &str) -> Ordering {
    a.chars().map(fold).cmp(b.chars().map(fold))
}

/// Whether the text holds a letter that only simple lower-casing beyond ASCII can equate
///
/// Neither Kusto's case-insensitive operators (documented as ASCII only) nor Elasticsearch's
/// `case_insensitive` fold such a letter.
pub fn has_wide_case(text: &str) -> bool {
    text.chars().any(|c| {
        !c.is_ascii()
            && (fold(c) != c || c.to_uppercase().next().is_some_and(|u| fold(u) == c && u != c))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn literal(text: &str) -> Token {
        Token::Literal(text.into())
    }

    #[test]
    fn backslashes_follow_the_specification() {
        let read = |text| Pattern::read(text).0;
        assert_eq!(read(r"a\b"), [literal(r"a\b")]);
        assert_eq!(read(r"a\\b"), [literal(r"a\b")]);
        assert_eq!(read(r"a\*b"), [literal("a*b")]);
        assert_eq!(read(r"a\\*b"), [literal(r"a\"), Token::Any, literal("b")]);
        assert_eq!(read(r"a\\\*b"), [literal(r"a\*b")]);
        assert_eq!(read(r"\\\\srv"), [literal(r"\\srv")]);
        assert_eq!(read(r"dir\"), [literal(r"dir\")]);
    }

    #[test]
    fn folding_stays_on_its_side_of_ascii() {
        assert_eq!(fold_text("AbZ ÄÉ"), "abz äé");
        assert_eq!(fold('\u{212a}'), '\u{212a}', "Kelvin sign");
        assert_eq!(fold('ſ'), 'ſ', "long s");
        assert_eq!(fold('İ'), 'İ', "lower-cases to two characters");
        assert!(has_wide_case("ä") && has_wide_case("Ä") && !has_wide_case("日本 –"));
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(text in r"[a\\*?]{0,12}") {
            let pattern = Pattern::read(&text);
            prop_assert_eq!(Pattern::read(&pattern.to_string()), pattern);
        }

        #[test]
        fn folding_twice_changes_nothing(text in ".{0,20}") {
            prop_assert_eq!(fold_text(&fold_text(&text)), fold_text(&text));
        }
    }
}
