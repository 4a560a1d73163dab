//! Texts that a regular expression requires.
//!
//! In: a pattern. Out: lists of texts. One text of each list is in every text that the pattern is found in,
//! compared as flat texts; there is no list when nothing short is required. A character class counts as a character when all its members
//! are one character in flat text, such as `[Cc]`.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::flat::flat;

/// The most texts of one list
const MOST: usize = 64;

/// The most lists of one sequence
const CHOICES: usize = 8;

/// Lists of texts; of each list one text is found wherever the pattern is found
pub(super) fn required(pattern: &str) -> Vec<Vec<String>> {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    let mut lists = of(&hir);
    lists.retain(|texts| shortest(texts) > 0);
    lists
}

fn of(hir: &Hir) -> Vec<Vec<String>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) | HirKind::Literal(_) => {
            exact(hir).into_iter().map(|text| vec![text]).collect()
        }
        HirKind::Repetition(many) if many.min > 0 => of(&many.sub),
        HirKind::Repetition(_) => Vec::new(),
        HirKind::Capture(group) => of(&group.sub),
        HirKind::Concat(parts) => of_sequence(parts),
        HirKind::Alternation(parts) => {
            let best = |part| of(part).into_iter().max_by_key(|texts| shortest(texts));
            let all: Option<Vec<Vec<String>>> = parts.iter().map(best).collect();
            all.map(|all| all.concat()).filter(|all| all.len() <= MOST).into_iter().collect()
        }
    }
}

/// What each of its parts requires; texts that follow each other are one text
fn of_sequence(parts: &[Hir]) -> Vec<Vec<String>> {
    let (mut lists, mut run) = (Vec::new(), String::new());
    for part in parts {
        if let Some(text) = exact(part) {
            run.push_str(&text);
            continue;
        }
        lists.push(vec![std::mem::take(&mut run)]);
        lists.extend(of(part));
    }
    lists.push(vec![run]);
    // The longest are the rarest, as a rule.
    lists.sort_by_key(|texts| std::cmp::Reverse(shortest(texts)));
    lists.truncate(CHOICES);
    lists
}

fn shortest(texts: &[String]) -> usize {
    texts.iter().map(String::len).min().unwrap_or(0)
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
        let of = |pattern: &str| required(pattern).into_iter().next().unwrap_or_default();
        assert_eq!(of(r"(?i)powershell.*\s-enc"), ["powershell"]);
        assert_eq!(of(r"[Cc]md(\.exe)? /c"), ["cmd"]);
        assert_eq!(of(r"(curl|wget)\s+http"), ["curl", "wget"]);
        assert_eq!(of(r"\.(asp|php)$"), ["asp", "php"]);
        assert_eq!(of(r"^(?:abc){2,}x*"), ["abc"]);
        assert_eq!(of("x(?:/a)/b"), ["x-a-b"]);
        assert_eq!(required(r#""(?:\{\d\})+"\s"#), [["\""], ["{"], ["}"], ["\""]]);
        for nothing in [r"\d+", "a*", "(abc|d?)", "(?s).*", ""] {
            assert!(required(nothing).is_empty(), "{nothing}");
        }
    }
}
