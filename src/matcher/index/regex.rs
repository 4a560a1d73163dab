//! Texts that a regular expression requires.
//!
//! In: a pattern. Out: texts of which one is in every text that the pattern is found in, compared as flat
//! texts; `None` when no such list is short. A character class counts as a character when all its members
//! are one character in flat text, such as `[Cc]`.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::flat::flat;

/// The most texts of one pattern
const MOST: usize = 64;

/// Texts of which one is found wherever the pattern is found
pub(super) fn required(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    of(&hir).filter(|texts| texts.iter().all(|text| !text.is_empty()))
}

fn of(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => exact(hir).map(|one| vec![one]),
        HirKind::Literal(_) => exact(hir).map(|one| vec![one]),
        HirKind::Repetition(many) if many.min > 0 => of(&many.sub),
        HirKind::Repetition(_) => None,
        HirKind::Capture(group) => of(&group.sub),
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(parts) => {
            let all: Option<Vec<Vec<String>>> = parts.iter().map(of).collect();
            let all = all?.concat();
            (all.len() <= MOST).then_some(all)
        }
    }
}

/// The best of what its parts require; texts that follow each other are one text
fn of_sequence(parts: &[Hir]) -> Option<Vec<String>> {
    let (mut best, mut run) = (None, String::new());
    for part in parts {
        if let Some(text) = exact(part) {
            run.push_str(&text);
            continue;
        }
        better(&mut best, vec![std::mem::take(&mut run)]);
        if let Some(texts) = of(part) {
            better(&mut best, texts);
        }
    }
    better(&mut best, vec![run]);
    best
}

/// Keeps the list whose shortest text is longer
fn better(best: &mut Option<Vec<String>>, other: Vec<String>) {
    let shortest = |texts: &[String]| texts.iter().map(String::len).min().unwrap_or(0);
    if best.as_ref().is_none_or(|best| shortest(&other) > shortest(best)) {
        *best = Some(other);
    }
}

/// The one flat text that the pattern stands for; `None` when it stands for several
fn exact(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(text) => {
            let text = std::str::from_utf8(&text.0).ok()?;
            Some(text.chars().map(flat).collect())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut ranges = class.ranges().iter();
            let first = flat(ranges.clone().next()?.start());
            let alike = ranges.all(|range| {
                let few = u32::from(range.end()) - u32::from(range.start()) < 4;
                few && (range.start()..=range.end()).all(|c| flat(c) == first)
            });
            alike.then(|| first.to_string())
        }
        HirKind::Capture(group) => exact(&group.sub),
        HirKind::Class(Class::Bytes(_))
        | HirKind::Repetition(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_requires_its_longest_text() {
        let of = |pattern: &str| required(pattern).unwrap_or_default();
        assert_eq!(of(r"(?i)powershell.*\s-enc"), ["powershell"]);
        assert_eq!(of(r"[Cc]md(\.exe)? /c"), ["cmd"]);
        assert_eq!(of(r"(curl|wget)\s+http"), ["curl", "wget"]);
        assert_eq!(of(r"\.(asp|php)$"), ["asp", "php"]);
        assert_eq!(of(r"^(?:abc){2,}x*"), ["abc"]);
        assert_eq!(of("x(?:/a)/b"), ["x-a-b"]);
        assert_eq!(of(r"\w+`(?:\w+|-|.)`[\w+|\s]"), ["`"]);
        for nothing in [r"\d+", "a*", "(abc|d?)", "(?s).*", ""] {
            assert_eq!(required(nothing), None, "{nothing}");
        }
    }
}
