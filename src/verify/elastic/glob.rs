//! Whole values with wildcards.
//!
//! In: a pattern of Kibana's language or in Elasticsearch's notation. Out: a [`Glob`] that tells
//! whether a text matches. It folds as `case_insensitive` does, which Elasticsearch documents as
//! ASCII only. It deliberately shares no code with the matcher, since the two are compared.

use crate::pattern::{Pattern, Token};

/// A text with any number of wildcards
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::verify) struct Glob(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    One,
    Any,
    Char(char),
}

impl Glob {
    /// Exactly this text
    pub(in crate::verify) fn literal(text: &str) -> Glob {
        Glob(text.chars().map(Piece::Char).collect())
    }

    /// Every text that starts with this text
    pub(in crate::verify) fn prefix(text: &str) -> Glob {
        Glob(text.chars().map(Piece::Char).chain([Piece::Any]).collect())
    }

    /// Elasticsearch's notation: a backslash makes the next character literal
    pub(in crate::verify) fn read(text: &str) -> Glob {
        let mut pieces = Vec::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            pieces.push(match c {
                '\\' => Piece::Char(characters.next().unwrap_or('\\')),
                '*' => Piece::Any,
                '?' => Piece::One,
                c => Piece::Char(c),
            });
        }
        Glob(pieces)
    }

    /// A pattern of Kibana's language
    pub(super) fn of(pattern: &Pattern) -> Glob {
        let mut pieces = Vec::new();
        for token in pattern.tokens() {
            match token {
                Token::Any => pieces.push(Piece::Any),
                Token::One => pieces.push(Piece::One),
                Token::Literal(text) => pieces.extend(text.chars().map(Piece::Char)),
            }
        }
        Glob(pieces)
    }

    /// The glob in lower case, as an index folds its values
    pub(super) fn lowered(mut self) -> Glob {
        for piece in &mut self.0 {
            if let Piece::Char(c) = piece {
                *c = lower(*c);
            }
        }
        self
    }

    /// Whether the whole text matches; `fold` ignores the case of ASCII letters
    pub(in crate::verify) fn fits(&self, text: &str, fold: bool) -> bool {
        let equal = |wanted: char, c: char| match fold {
            true => wanted.eq_ignore_ascii_case(&c),
            false => wanted == c,
        };
        let (mut at, mut rest) = (0, text.chars());
        // Where to resume after a mismatch: after the last `*`, one character later in the text.
        let mut again: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = rest.clone();
            let c = rest.next();
            match (self.0.get(at), c) {
                (Some(Piece::Any), _) => {
                    at += 1;
                    rest = before;
                    again = Some((at, rest.clone()));
                }
                (Some(Piece::One), Some(_)) => at += 1,
                (Some(Piece::Char(wanted)), Some(c)) if equal(*wanted, c) => at += 1,
                (None, None) => return true,
                (Some(Piece::One | Piece::Char(_)) | None, _) => {
                    let Some((after, from)) = &mut again else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    at = *after;
                    rest = from.clone();
                }
            }
        }
    }
}

/// The lower case of a character as Lucene folds it: always one character
pub(super) fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_marks_and_escapes() {
        let fits = |glob: &str, text: &str| Glob::read(glob).fits(text, false);
        assert!(fits("*a?c*", "xxabcabd") && !fits("*a?c", "abcd"));
        assert!(fits(r"\*\?\\*", r"*?\") && !fits(r"\*", "a"));
        assert!(fits("", "") && fits("*", "") && !fits("", "a") && !fits("?", ""));
        assert!(fits("*ab*ab", "abab") && !fits("*ab*ab", "ab"));
        assert!(fits("a*\u{e4}?", "axx\u{e4}\n"));
    }

    #[test]
    fn folding_is_ascii_only() {
        let fits = |glob: &str, text: &str| Glob::read(glob).fits(text, true);
        assert!(fits("AbC*", "aBcD"));
        assert!(!fits("ä", "Ä") && !fits("k", "\u{212a}") && !fits("s", "ſ"));
    }

    #[test]
    fn a_long_text_with_many_stars_is_no_trouble() {
        assert!(!Glob::read(&format!("{}b", "*a".repeat(50))).fits(&"a".repeat(20_000), false));
    }
}
