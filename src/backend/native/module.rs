//! A module of several matchers, behind one trait.
//!
//! In: rules, each with the path of its matcher below the folder of the module. Out: the text of `mod.rs`: a
//! module for each matcher, one `Event` that all of them ask, and a function that judges an event by all.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::expr::literal;
use super::view::optional;
use crate::backend::template::{Failed, Templates};
use crate::ir::Rule;

/// The template of a module
const TEMPLATE: &str = "native/mod.rs";

/// The view of `native/mod.rs`
#[derive(Serialize)]
struct ModuleView {
    heading: String,
    /// Whether a matcher asks for regular expressions
    asks_regex: bool,
    matchers: Vec<MatcherView>,
}

#[derive(Serialize)]
struct MatcherView {
    path: String,
    module: String,
    title: String,
    id: String,
    asks_regex: bool,
}

/// Words that name no module (The Rust Reference, keywords of the edition 2024)
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The text of a module of rules as they are emitted; paths have `/` between folders
///
/// # Errors
/// Why the template made nothing.
pub(crate) fn module(matchers: &[(&Rule, &str)], templates: &Templates) -> Result<String, Failed> {
    let mut taken = BTreeSet::new();
    let matchers = matchers.iter().map(|(rule, path)| MatcherView {
        path: literal(path),
        module: name_of(path, &mut taken),
        title: literal(&rule.metadata.title.value),
        asks_regex: rule.asks_regex(),
        id: optional(rule.metadata.id.as_ref().map(|id| id.value.as_str())),
    });
    let matchers: Vec<MatcherView> = matchers.collect();
    let heading = match matchers.len() {
        1 => "The matcher of one rule, behind one trait".to_owned(),
        number => format!("The matchers of {number} rules, behind one trait"),
    };
    let asks_regex = matchers.iter().any(|one| one.asks_regex);
    templates.render(TEMPLATE, &ModuleView { heading, asks_regex, matchers })
}

/// A name for the module of a file, unlike every other
fn name_of(path: &str, taken: &mut BTreeSet<String>) -> String {
    let stem = Path::new(path).with_extension("");
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let mut name: String = stem.to_string_lossy().chars().map(letter).collect();
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !begins || KEYWORDS.contains(&name.as_str()) {
        name.insert_str(0, "m_");
    }
    let mut free = name.clone();
    let mut numbers = 2..;
    while !taken.insert(free.clone()) {
        free = format!("{name}_{}", numbers.next().unwrap_or_default());
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_name_that_rust_takes() {
        let mut taken = BTreeSet::new();
        let names: Vec<String> =
            ["a/b.rs", "a_b.rs", "A-B.rs", "match.rs", "7z.rs", "_.rs", "é.rs"]
                .iter()
                .map(|path| name_of(path, &mut taken))
                .collect();
        let wanted = ["a_b", "a_b_2", "a_b_3", "m_match", "m_7z", "m__", "m___2"];
        assert_eq!(names, wanted);
    }
}
