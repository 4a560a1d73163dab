//! Sets of characters, and the texts by which the regex crate knows them.
//!
//! In: a set as PCRE has it, and texts that may mean the same. Out: the first text that does, which
//! the regex crate's own parser decides.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

use super::flags::Flags;

/// A named set: how it is written inside brackets of the regex crate
///
/// Its members are never folded: PCRE's `\w` stays ASCII under `(?i)`.
#[derive(Debug, Clone)]
pub(super) struct Named(pub(super) String);

impl Named {
    pub(super) fn set(&self) -> ClassUnicode {
        read(&format!("[{}]", self.0), Flags::default()).unwrap_or_else(ClassUnicode::empty)
    }

    /// How the set is written outside of brackets
    pub(super) fn alone(&self) -> String {
        if self.0.starts_with("[^") { self.0.clone() } else { format!("[{}]", self.0) }
    }
}

/// The set of one range, with its other cases when letters compare without case
pub(super) fn range(from: char, to: char, flags: Flags) -> ClassUnicode {
    let mut set = ClassUnicode::new([ClassUnicodeRange::new(from, to)]);
    if flags.ignore_case {
        // The tables are compiled in; without them nothing is equal, and the pattern is refused.
        let _ = set.try_case_fold_simple();
    }
    set
}

/// Whether a character is in a set
pub(super) fn holds(set: &ClassUnicode, c: char) -> bool {
    set.ranges().iter().any(|range| range.start() <= c && c <= range.end())
}

/// The first of the texts that the regex crate reads as this set, then the set spelt out
pub(super) fn choose(texts: &[&str], wanted: &ClassUnicode, flags: Flags) -> String {
    let spelt = spelt(wanted);
    let texts = texts.iter().copied().chain([&*spelt]);
    for text in texts {
        if read(text, flags).as_ref() == Some(wanted) {
            return text.to_owned();
        }
        let cased = format!("(?-i:{text})");
        if flags.ignore_case && read(&cased, flags).as_ref() == Some(wanted) {
            return cased;
        }
    }
    format!("(?-i:{spelt})")
}

/// The set that a text means, when it means one character
fn read(text: &str, flags: Flags) -> Option<ClassUnicode> {
    let mut parser = ParserBuilder::new();
    parser.case_insensitive(flags.ignore_case).multi_line(flags.multi_line);
    let hir: Hir = parser.dot_matches_new_line(flags.dot_all).build().parse(text).ok()?;
    match hir.kind() {
        HirKind::Class(Class::Unicode(set)) => Some(set.clone()),
        HirKind::Class(Class::Bytes(set)) => set.to_unicode_class(),
        HirKind::Literal(literal) => {
            let mut characters = std::str::from_utf8(&literal.0).ok()?.chars();
            let one = characters.next().filter(|_| characters.next().is_none())?;
            Some(ClassUnicode::new([ClassUnicodeRange::new(one, one)]))
        }
        HirKind::Empty
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Capture(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => None,
    }
}

/// A set range by range
fn spelt(set: &ClassUnicode) -> String {
    let mut others = set.clone();
    others.negate();
    let negated = holds(set, char::MAX) || set.ranges().is_empty();
    let mut text = String::from(if negated { "[^" } else { "[" });
    for range in if negated { others.ranges() } else { set.ranges() } {
        text.push_str(&inside(range.start()));
        if range.start() != range.end() {
            text.push('-');
            text.push_str(&inside(range.end()));
        }
    }
    text.push(']');
    text
}

/// A character inside brackets
pub(super) fn inside(c: char) -> String {
    match c {
        '\\' | '[' | ']' | '^' | '-' | '&' | '~' => format!("\\{c}"),
        c => printable(c),
    }
}

/// A character outside of brackets
pub(super) fn outside(c: char) -> String {
    match c {
        '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
            format!("\\{c}")
        }
        c => printable(c),
    }
}

fn printable(c: char) -> String {
    match c {
        '\t' => r"\t".to_owned(),
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        ' ' => " ".to_owned(),
        // The Kelvin sign and the long s look like other letters.
        c if (c.is_alphanumeric() && !matches!(c, '\u{212a}' | '\u{17f}'))
            || c.is_ascii_graphic() =>
        {
            c.to_string()
        }
        c => format!("\\x{{{:x}}}", c as u32),
    }
}
