//! Regular expressions in Lucene's notation.
//!
//! In: a regular expression of Rust's `regex`, which is searched for. Out: the same for Lucene, which
//! compares the whole value and knows no flags, no positions and no classes with names.
//!
//! Source: Elasticsearch, regular expression syntax and `regexp` query (with `flags: NONE`); Lucene,
//! `RegExp`: `.` is any character, a line break too.

use std::fmt::Write;

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition};

/// The most characters of a regular expression (Elasticsearch, `index.max_regex_length`)
const MOST: usize = 1_000;

/// The regular expression for Lucene
///
/// # Errors
/// Why Lucene cannot say it: a clause without a period.
pub fn lucene(pattern: &str) -> Result<String, &'static str> {
    let parsed = regex_syntax::parse(pattern).map_err(|_| "it cannot be read")?;
    let mut written = String::new();
    let branches = if let HirKind::Alternation(branches) = parsed.kind() {
        branches.as_slice()
    } else {
        std::slice::from_ref(&parsed)
    };
    for (at, branch) in branches.iter().enumerate() {
        if at > 0 {
            written.push('|');
        }
        edge(branch, (true, true), &mut written)?;
    }
    if written.chars().count() > MOST {
        return Err("the regular expression is longer than the 1,000 characters of Elasticsearch");
    }
    Ok(written)
}

/// A part at the start or the end of the value, with all that may stand before and after it
fn edge(hir: &Hir, (start, end): (bool, bool), out: &mut String) -> Result<(), &'static str> {
    match hir.kind() {
        HirKind::Look(Look::Start) if start => {
            if end {
                out.push_str(".*");
            }
        }
        HirKind::Look(Look::End) if end => {
            if start {
                out.push_str(".*");
            }
        }
        HirKind::Capture(capture) if start || end => {
            // An alternation writes brackets of its own.
            let bare = matches!(capture.sub.kind(), HirKind::Alternation(_));
            out.push_str(if bare { "" } else { "(" });
            edge(&capture.sub, (start, end), out)?;
            out.push_str(if bare { "" } else { ")" });
        }
        HirKind::Alternation(branches) if start || end => {
            out.push('(');
            for (at, branch) in branches.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                edge(branch, (start, end), out)?;
            }
            out.push(')');
        }
        HirKind::Concat(parts) if start || end => {
            let last = parts.len() - 1;
            let both = matches!(parts.as_slice(), [first, second]
                if is(first, Look::Start) && is(second, Look::End));
            if start && end && both {
                out.push_str("()");
                return Ok(());
            }
            for (at, part) in parts.iter().enumerate() {
                edge(part, (start && at == 0, end && at == last), out)?;
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
            out.push_str(if start { ".*" } else { "" });
            one(hir, out)?;
            out.push_str(if end { ".*" } else { "" });
        }
    }
    Ok(())
}

fn is(hir: &Hir, look: Look) -> bool {
    matches!(hir.kind(), HirKind::Look(own) if *own == look)
}

fn one(hir: &Hir, out: &mut String) -> Result<(), &'static str> {
    match hir.kind() {
        HirKind::Empty => out.push_str("()"),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "it looks for single bytes")?;
            text.chars().for_each(|letter| escaped(letter, out));
        }
        HirKind::Class(Class::Unicode(class)) => of_class(class, out),
        HirKind::Class(Class::Bytes(class)) => {
            let class = class.to_unicode_class().ok_or("it looks for single bytes")?;
            of_class(&class, out);
        }
        HirKind::Look(_) => return Err("Lucene knows no positions inside a regular expression"),
        HirKind::Repetition(repetition) => repeated(repetition, out)?,
        HirKind::Capture(capture) => grouped(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| one(part, out))?,
        HirKind::Alternation(branches) => {
            out.push('(');
            for (at, branch) in branches.iter().enumerate() {
                if at > 0 {
                    out.push('|');
                }
                one(branch, out)?;
            }
            out.push(')');
        }
    }
    Ok(())
}

fn grouped(hir: &Hir, out: &mut String) -> Result<(), &'static str> {
    // An alternation writes brackets of its own.
    if matches!(hir.kind(), HirKind::Alternation(_) | HirKind::Empty) {
        return one(hir, out);
    }
    out.push('(');
    one(hir, out)?;
    out.push(')');
    Ok(())
}

fn repeated(repetition: &Repetition, out: &mut String) -> Result<(), &'static str> {
    let one_letter =
        |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| text.chars().count() == 1);
    let single = |hir: &Hir| {
        matches!(hir.kind(), HirKind::Class(_))
            || matches!(hir.kind(), HirKind::Literal(literal) if one_letter(&literal.0))
    };
    match single(&repetition.sub) || matches!(repetition.sub.kind(), HirKind::Capture(_)) {
        true => one(&repetition.sub, out)?,
        false => grouped(&repetition.sub, out)?,
    }
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
fn of_class(class: &ClassUnicode, out: &mut String) {
    let mut rest = class.clone();
    rest.negate();
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
        escaped(range.start(), out);
        if range.start() != range.end() {
            out.push('-');
            escaped(range.end(), out);
        }
    }
    out.push(']');
}

/// A letter or digit as it is, any other ASCII character behind a backslash
fn escaped(letter: char, out: &mut String) {
    if letter.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_becomes_a_whole_value() {
        let lucene = |pattern| lucene(pattern).unwrap();
        assert_eq!(lucene(r"^a\.b$"), r"a\.b");
        assert_eq!(lucene("a+"), ".*a+.*");
        assert_eq!(lucene("^a|b$"), "a.*|.*b");
        assert_eq!(lucene(r"(?s)^x.(?:ab|c){2,3}"), "x.(ab|c){2,3}.*");
        assert_eq!(lucene("^(ab)*$"), "(ab)*");
        assert_eq!(lucene("(?i)k"), ".*[Kk\u{212a}].*");
        assert_eq!(lucene("^[^a]$"), "[^a]");
        assert_eq!(lucene("^.$"), "[^\n]");
        assert_eq!(lucene("^$"), "()");
        assert_eq!(lucene(r"(?:^|x)a"), "(|.*x)a.*");
        assert_eq!(lucene("a(b|$)"), ".*a(b.*|)");
    }

    #[test]
    fn a_position_inside_is_refused() {
        assert!(lucene(r"a\b").is_err() && lucene("a(?:^b)").is_err());
        assert!(lucene(r"\w{50}").is_err(), "too long");
    }
}
