//! Regular expressions in Lucene's notation.
//!
//! In: a regular expression of Rust's `regex`, which is searched for. Out: the same for Lucene, which
//! compares the whole value and knows no flags, no positions and no classes with names.
//!
//! Source: Elasticsearch, regular expression syntax and `regexp` query (with `flags: NONE`); Lucene,
//! `RegExp`: `.` is any character, a line break too.

use std::fmt::Write;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use crate::pattern::{Pattern, Token};

/// The most characters of a regular expression (Elasticsearch, `index.max_regex_length`)
const MOST: usize = 1_000;

/// A regular expression of Lucene
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lucene {
    /// The whole value fits it
    pub written: String,
    /// Whether letters of ASCII outside brackets are compared without their case
    pub fold: bool,
}

/// The regular expression for Lucene
///
/// # Errors
/// Why Lucene cannot say it: a clause without a period.
pub fn lucene(pattern: &str) -> Result<Lucene, &'static str> {
    let parsed = regex_syntax::parse(pattern).map_err(|_| "it cannot be read")?;
    let fold = no_letter_has_a_case(&parsed);
    let mut writer = Writer { out: String::new(), fold };
    if let HirKind::Alternation(branches) = parsed.kind() {
        writer.branches(branches, (true, true))?;
    } else {
        writer.edge(&parsed, (true, true))?;
    }
    let Writer { out: written, .. } = writer;
    if written.chars().count() > MOST {
        return Err("the regular expression is longer than the 1,000 characters of Elasticsearch");
    }
    Ok(Lucene { written, fold })
}

/// The regular expression for the values that a pattern fits
pub fn of_pattern(pattern: &Pattern) -> String {
    let mut written = String::new();
    for token in pattern.tokens() {
        match token {
            Token::Any => written.push_str(".*"),
            Token::One => written.push('.'),
            Token::Literal(text) => text.chars().for_each(|letter| escaped(letter, &mut written)),
        }
    }
    written
}

/// Whether each letter of ASCII stands there in both cases, and one does
fn no_letter_has_a_case(hir: &Hir) -> bool {
    fn each<'h>(hir: &'h Hir, of: &mut Vec<&'h HirKind>) {
        match hir.kind() {
            HirKind::Repetition(repetition) => each(&repetition.sub, of),
            HirKind::Capture(capture) => each(&capture.sub, of),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                parts.iter().for_each(|part| each(part, of));
            }
            leaf
            @ (HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_)) => {
                of.push(leaf)
            }
        }
    }
    let mut leaves = Vec::new();
    each(hir, &mut leaves);
    let cased = |leaf: &&HirKind| matches!(leaf, HirKind::Literal(literal) if literal.0.iter().any(u8::is_ascii_alphabetic));
    let both = |leaf: &&HirKind| matches!(leaf, HirKind::Class(Class::Unicode(class)) if both_cases(class).is_some());
    leaves.iter().any(both) && !leaves.iter().any(cased)
}

/// The letter of ASCII whose two cases are the whole class
fn both_cases(class: &ClassUnicode) -> Option<char> {
    let [upper, lower] = class.ranges() else { return None };
    let one = |range: &ClassUnicodeRange| (range.start() == range.end()).then_some(range.start());
    let lower = one(lower).filter(char::is_ascii_lowercase)?;
    (one(upper)? == lower.to_ascii_uppercase()).then_some(lower)
}

/// Writes the parts of a regular expression
struct Writer {
    out: String,
    /// Whether a letter stands for both of its cases
    fold: bool,
}

impl Writer {
    /// A part at the start or the end of the value, with all that may stand before and after it
    fn edge(&mut self, hir: &Hir, (start, end): (bool, bool)) -> Result<(), &'static str> {
        match hir.kind() {
            HirKind::Look(Look::Start) if start => {
                if end {
                    self.out.push_str(".*");
                }
            }
            HirKind::Look(Look::End) if end => {
                if start {
                    self.out.push_str(".*");
                }
            }
            HirKind::Capture(capture) if start || end => {
                // An alternation writes brackets of its own.
                let bare = matches!(capture.sub.kind(), HirKind::Alternation(_));
                self.out.push_str(if bare { "" } else { "(" });
                self.edge(&capture.sub, (start, end))?;
                self.out.push_str(if bare { "" } else { ")" });
            }
            HirKind::Alternation(branches) if start || end => {
                self.out.push('(');
                self.branches(branches, (start, end))?;
                self.out.push(')');
            }
            HirKind::Concat(parts) if start || end => {
                let last = parts.len() - 1;
                let both = matches!(parts.as_slice(), [first, second]
                    if is(first, Look::Start) && is(second, Look::End));
                if start && end && both {
                    self.out.push_str("()");
                    return Ok(());
                }
                for (at, part) in parts.iter().enumerate() {
                    self.edge(part, (start && at == 0, end && at == last))?;
                }
            }
            HirKind::Empty
            | HirKind::Literal(_)
            | HirKind::Class(_)
            | HirKind::Look(_)
            | HirKind::Repetition(_)
            | HirKind::Capture(_)
            | HirKind::Concat(_)
            | HirKind::Alternation(_) => {
                self.out.push_str(if start { ".*" } else { "" });
                self.one(hir)?;
                self.out.push_str(if end { ".*" } else { "" });
            }
        }
        Ok(())
    }

    /// Alternatives at an edge; Lucene reads nothing between two `|` as a sign of the text
    fn branches(&mut self, branches: &[Hir], edge: (bool, bool)) -> Result<(), &'static str> {
        for (at, branch) in branches.iter().enumerate() {
            self.out.push_str(if at > 0 { "|" } else { "" });
            let before = self.out.len();
            self.edge(branch, edge)?;
            if self.out.len() == before {
                self.out.push_str("()");
            }
        }
        Ok(())
    }

    fn one(&mut self, hir: &Hir) -> Result<(), &'static str> {
        match hir.kind() {
            HirKind::Empty => self.out.push_str("()"),
            HirKind::Literal(literal) => {
                let bytes = |_| "it looks for single bytes";
                let text = std::str::from_utf8(&literal.0).map_err(bytes)?;
                text.chars().for_each(|letter| escaped(letter, &mut self.out));
            }
            HirKind::Class(Class::Unicode(class)) => self.class(class),
            HirKind::Class(Class::Bytes(class)) => {
                self.class(&class.to_unicode_class().ok_or("it looks for single bytes")?);
            }
            HirKind::Look(_) => {
                return Err("Lucene knows no positions inside a regular expression");
            }
            HirKind::Repetition(repetition) => self.repeated(repetition)?,
            HirKind::Capture(capture) => self.grouped(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.one(part))?,
            HirKind::Alternation(branches) => {
                self.out.push('(');
                for (at, branch) in branches.iter().enumerate() {
                    self.out.push_str(if at > 0 { "|" } else { "" });
                    self.one(branch)?;
                }
                self.out.push(')');
            }
        }
        Ok(())
    }

    fn grouped(&mut self, hir: &Hir) -> Result<(), &'static str> {
        // An alternation writes brackets of its own.
        if matches!(hir.kind(), HirKind::Alternation(_) | HirKind::Empty) {
            return self.one(hir);
        }
        self.out.push('(');
        self.one(hir)?;
        self.out.push(')');
        Ok(())
    }

    fn repeated(&mut self, repetition: &Repetition) -> Result<(), &'static str> {
        let one_letter =
            |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| text.chars().count() == 1);
        let single = |hir: &Hir| {
            matches!(hir.kind(), HirKind::Class(_))
                || matches!(hir.kind(), HirKind::Literal(literal) if one_letter(&literal.0))
        };
        match single(&repetition.sub) || matches!(repetition.sub.kind(), HirKind::Capture(_)) {
            true => self.one(&repetition.sub)?,
            false => self.grouped(&repetition.sub)?,
        }
        let out = &mut self.out;
        // A `String` takes every text.
        let _ = match (repetition.min, repetition.max) {
            (0, None) => write!(out, "*"),
            (1, None) => write!(out, "+"),
            (0, Some(1)) => write!(out, "?"),
            (min, None) => write!(out, "{{{min},}}"),
            (min, Some(max)) if min == max => write!(out, "{{{min}}}"),
            (min, Some(max)) => write!(out, "{{{min},{max}}}"),
        };
        Ok(())
    }

    /// A class by its ranges, or by those that it leaves out where these are fewer
    fn class(&mut self, class: &ClassUnicode) {
        if let (true, Some(letter)) = (self.fold, both_cases(class)) {
            return self.out.push(letter);
        }
        let mut rest = class.clone();
        rest.negate();
        let out = &mut self.out;
        if rest.ranges().is_empty() {
            return out.push('.');
        }
        if class.ranges().is_empty() {
            // No character fits, and Lucene has no empty class: this one leaves every character out.
            return out.push_str("[^\u{0}-\u{10ffff}]");
        }
        let negated = rest.ranges().len() < class.ranges().len();
        out.push_str(if negated { "[^" } else { "[" });
        for range in if negated { rest.ranges() } else { class.ranges() } {
            in_class(range.start(), out);
            if range.start() != range.end() {
                out.push('-');
                in_class(range.end(), out);
            }
        }
        out.push(']');
    }
}

fn is(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(own) if *own == look)
}

/// The characters with a meaning, those of Lucene's optional operators too
const SIGNS: &str = r#".?+*|{}[]()"\#@&<>~"#;

/// A letter as it is, a sign behind a backslash
fn escaped(letter: char, out: &mut String) {
    if SIGNS.contains(letter) {
        out.push('\\');
    }
    out.push(letter);
}

/// A letter between brackets
fn in_class(letter: char, out: &mut String) {
    if r"[]\^-".contains(letter) {
        out.push('\\');
    }
    out.push(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_becomes_a_whole_value() {
        let lucene = |pattern| lucene(pattern).unwrap().written;
        assert_eq!(lucene(r"^a\.b$"), r"a\.b");
        assert_eq!(lucene("a+"), ".*a+.*");
        assert_eq!(lucene("^a|b$"), "a.*|.*b");
        assert_eq!(lucene(r"(?s)^x.(?:ab|c){2,3}"), "x.(ab|c){2,3}.*");
        assert_eq!(lucene("^(ab)*$"), "(ab)*");
        assert_eq!(lucene("(?i)k"), ".*[Kk\u{212a}].*");
        assert_eq!(lucene("^[^a]$"), "[^a]");
        assert_eq!(lucene("^.$"), "[^\n]");
        assert_eq!(lucene("^$"), "()");
        assert_eq!(lucene(r"(?:^|x)a"), "(()|.*x)a.*");
        assert_eq!(lucene("a(b|$)"), ".*a(b.*|())");
        assert_eq!(lucene("a'_/-$"), ".*a'_/-");
    }

    #[test]
    fn letters_in_both_cases_are_written_once() {
        let folds = |pattern| lucene(pattern).unwrap();
        let told = |written: &str, fold| Lucene { written: written.to_owned(), fold };
        assert_eq!(folds("(?i)^cmd[0-9a-f]$"), told("cmd[0-9A-Fa-f]", true));
        assert_eq!(folds("(?i)^ok$"), told("o[Kk\u{212a}]", true), "the Kelvin sign is a k");
        assert_eq!(folds("(?i:a)b"), told(".*[Aa]b.*", false));
        assert_eq!(folds("(?i)[0-9]"), told(".*[0-9].*", false));
    }

    #[test]
    fn a_position_inside_is_refused() {
        assert!(lucene(r"a\b").is_err() && lucene("a(?:^b)").is_err());
        assert!(lucene(r"\w{50}").is_err(), "too long");
    }
}
