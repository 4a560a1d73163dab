//! A text that a regular expression matches.
//!
//! In: the expression. Out: a short text, built from its literals, classes, repetitions and first
//! alternatives. Assertions are ignored, so an expression with a word boundary may not match it.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A text that the expression matches; `None` when the expression cannot be parsed
pub(super) fn sample(pattern: &str) -> Option<String> {
    let mut text = Vec::new();
    add(&regex_syntax::parse(pattern).ok()?, &mut text);
    String::from_utf8(text).ok()
}

fn add(hir: &Hir, text: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges();
            let fits = |c: &char| ranges.iter().any(|r| r.start() <= *c && *c <= r.end());
            let first = ranges.first().map(|range| range.start());
            if let Some(chosen) = "z1 ".chars().find(fits).or(first) {
                text.extend_from_slice(chosen.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.extend(class.ranges().first().map(|range| range.start()));
        }
        HirKind::Repetition(repetition) => {
            (0..repetition.min).for_each(|_| add(&repetition.sub, text));
        }
        HirKind::Capture(capture) => add(&capture.sub, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| add(part, text)),
        HirKind::Alternation(parts) => parts.iter().take(1).for_each(|part| add(part, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_found_by_its_expression() {
        for pattern in
            [r"^(?i)cmd\.exe\s+/c", r"[^a-z]{2,}|x", r"(GET|POST) /\w+\.(php|jsp)$", "é?b+"]
        {
            let text = sample(pattern).unwrap();
            assert!(regex::Regex::new(pattern).unwrap().is_match(&text), "{pattern}: {text:?}");
        }
    }
}
