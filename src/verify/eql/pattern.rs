//! Tests of one text.
//!
//! In: a pattern of a query and how it compares. Out: a [`Pattern`] that whole texts fit or do not.
//! Nothing escapes `*` and `?`; Elasticsearch escapes each backslash before it searches, except in
//! `endsWith` and `stringContains`.

use regex::Regex;

use super::index::Folding;
use super::regexp;
use crate::query::Error;
use crate::query::eql::Matching;
use crate::verify::elastic::glob::Glob;

/// What a whole text must fit
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Glob(Glob, Case),
    Regex(Regex),
}

/// Which letters are the same
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Ascii,
    Unicode,
}

impl Case {
    /// The case of an operator that folds, or does not
    pub(super) fn of(fold: bool, folding: Folding) -> Case {
        match (fold, folding) {
            (false, _) => Case::Exact,
            (true, Folding::Ascii) => Case::Ascii,
            (true, Folding::Unicode) => Case::Unicode,
        }
    }

    fn folded(self, text: &str) -> String {
        match self {
            Case::Exact | Case::Ascii => text.to_owned(),
            Case::Unicode => text.chars().map(folded).collect(),
        }
    }
}

/// A letter without its case, always one character; the Kelvin sign is a `k`, a long s an `s`
fn folded(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    let upper = upper.next().filter(|_| upper.next().is_none()).unwrap_or(letter);
    let mut lower = upper.to_lowercase();
    lower.next().filter(|_| lower.next().is_none()).unwrap_or(letter)
}

impl Pattern {
    /// A pattern of `:`, `like` or `regex`
    pub(super) fn of(written: &str, kind: Matching, folding: Folding) -> Result<Pattern, Error> {
        if kind.is_regex() {
            return regexp::read(written, kind.folds()).map(Pattern::Regex);
        }
        let escaped = written.replace('\\', r"\\");
        Ok(Pattern::unescaped(&escaped, Case::of(kind.folds(), folding)))
    }

    /// A pattern in which a backslash makes the next character literal
    pub(super) fn unescaped(written: &str, case: Case) -> Pattern {
        Pattern::Glob(Glob::read(&case.folded(written)), case)
    }

    /// Exactly this text
    pub(super) fn literal(text: &str, case: Case) -> Pattern {
        Pattern::Glob(Glob::literal(&case.folded(text)), case)
    }

    /// Every text that starts with this text
    pub(super) fn prefix(text: &str, case: Case) -> Pattern {
        Pattern::Glob(Glob::prefix(&case.folded(text)), case)
    }

    /// Whether the whole text fits
    pub(super) fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Glob(glob, case) => glob.fits(&case.folded(text), *case == Case::Ascii),
            Pattern::Regex(regex) => regex.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_a_wildcard() {
        let fits = |written: &str, text: &str| {
            Pattern::of(written, Matching::Like, Folding::Ascii).unwrap().fits(text)
        };
        assert!(fits(r"c:\*\a?", "c:\\x\n\\ab") && !fits(r"\*", "*") && fits(r"\*", r"\x"));
    }

    #[test]
    fn letters_are_folded_as_the_release_does() {
        let fits = |folding, written: &str, text: &str| {
            Pattern::of(written, Matching::Colon, folding).unwrap().fits(text)
        };
        assert!(fits(Folding::Ascii, "AéK", "aék") && !fits(Folding::Ascii, "é", "É"));
        assert!(!fits(Folding::Ascii, "k", "\u{212a}"));
        for (one, other) in [("é", "É"), ("k", "\u{212a}"), ("ſ", "S"), ("µ", "Μ")] {
            assert!(fits(Folding::Unicode, one, other), "{one} {other}");
        }
        assert!(!fits(Folding::Unicode, "ß", "SS"));
    }
}
