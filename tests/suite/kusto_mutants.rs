//! Whether the trial of emitted Kusto would notice a mistake in a query.
//!
//! Each emitted query is changed in one place, as if the change stood in every file that holds the query: an operator, a
//! `not`, a list item, a literal, a level, a filter, a length of time, the kind of a join, a column, an anchor. Of the
//! changes that the binder takes, the rule's own tests, the events near its literals and the runs of its
//! schedule notice nearly all; `kusto_survivors.tsv` says of others why not.

use std::collections::BTreeMap;

use rayon::prelude::*;
use regex::Regex;
use rulecast::backend::{Target, Translation, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir::Rule;
use rulecast::manifest::Artifact;
use rulecast::project;
use rulecast::query::kusto::{Platform, Schema, bind};
use rulecast::verify::{Asked, Observer, try_course, try_near, try_own};

use crate::mutants::{Listed, listed};
use crate::support::root;

/// Of each kind of change, so many a query, evenly spread; all with `RULECAST_MUTANTS=all`, or all of one kind
/// with its name
const MOST: usize = 2;

/// The rules that are always tried
const SOME: [&str; 2] = ["web_requests", "web_shell_script_child"];

/// Words, each with those that stand in its place
const SWAPS: &[(&str, &[&str])] = &[
    ("=~", &["!~", "=="]),
    ("==", &["!="]),
    ("!=", &["=="]),
    ("in~", &["!in~", "in"]),
    ("in", &["!in"]),
    ("and", &["or"]),
    ("or", &["and"]),
    ("contains", &["startswith", "contains_cs"]),
    ("startswith", &["contains", "startswith_cs"]),
    ("endswith", &["contains", "endswith_cs"]),
    ("has_any", &["in~"]),
    (">=", &[">", "<"]),
    ("<=", &["<", ">"]),
    (">", &["<"]),
    ("<", &[">="]),
    ("isempty", &["isnotempty"]),
    ("isnotempty", &["isempty"]),
    ("isnotnull", &["isnull"]),
    ("inner", &["leftouter"]),
    ("leftanti", &["inner"]),
    ("leftouter", &["inner"]),
    ("max", &["min"]),
    ("min", &["max"]),
];

/// Columns that stand in each other's place
const COLUMNS: &[(&str, &str)] = &[
    ("ProcessCommandLine", "InitiatingProcessCommandLine"),
    ("InitiatingProcessFileName", "FileName"),
    ("FileName", "InitiatingProcessFileName"),
    ("FolderPath", "FileName"),
    ("AccountName", "AccountDomain"),
    ("DeviceName", "AccountName"),
    ("csUriStem", "csUriQuery"),
    ("csUriQuery", "csUriStem"),
    ("csMethod", "csHost"),
    ("cIP", "sIP"),
    ("scStatus", "scSubStatus"),
    ("RemotePort", "LocalPort"),
    ("RemoteIP", "LocalIP"),
    ("CommandLine", "FileName"),
    ("AlertName", "AlertSeverity"),
];

/// A change: its kind, what stands there, and the changed query
type Mutant = (&'static str, String, String);

fn mutants(query: &str) -> Vec<Mutant> {
    let token =
        r#"//[^\n]*|@"(?:[^"]|"")*"|"(?:\\.|[^"\\])*"|!?[A-Za-z_]\w*~?|\d+\w*|[=!<>]=|=~|!~|\S"#;
    let token = Regex::new(token).unwrap();
    let mut found: Vec<Mutant> = Vec::new();
    let with = |at: std::ops::Range<usize>, new: &str| {
        format!("{}{new}{}", &query[..at.start], &query[at.end..])
    };
    for one in token.find_iter(query) {
        let (word, at) = (one.as_str(), one.range());
        let line = query[..at.start].rsplit('\n').next().unwrap_or_default().len();
        let text = query[at.start - line..].lines().next().unwrap_or_default().trim();
        let around = format!("{word} in `{text}`");
        let swaps = SWAPS.iter().filter(|(known, _)| *known == word).flat_map(|(_, new)| *new);
        for new in swaps {
            found.push(("operator", format!("{around} -> {new}"), with(at.clone(), new)));
        }
        let columns = COLUMNS.iter().filter(|(known, _)| *known == word);
        for (_, new) in columns.filter(|_| !query[at.end..].starts_with(" =")) {
            found.push(("column", format!("{around} -> {new}"), with(at.clone(), new)));
        }
        if word == "not" {
            found.push(("not", around.clone(), with(at.clone(), "")));
        }
        let span = word.strip_suffix(['d', 'h', 'm', 's']).and_then(|n| n.parse::<u32>().ok());
        if let Some(number) = span {
            let new = format!("{}{}", number * 2, &word[word.len() - 1..]);
            found.push(("timespan", around.clone(), with(at.clone(), &new)));
        }
        if let Ok(number) = word.parse::<u32>() {
            let new = (number + 1).to_string();
            found.push(("number", around.clone(), with(at.clone(), &new)));
        }
        if !word.starts_with(['"', '@']) || text.starts_with("//") {
            continue;
        }
        let (before, rest) = (query[..at.start].trim_end(), &query[at.end..]);
        if before.ends_with("Level =") {
            found.push(("level", around, with(at, "\"informational\"")));
        } else if before.ends_with("regex") {
            let shorter = word.replacen('^', "", 1).replace("$\"", "\"");
            found.push(("anchor", around, with(at, &shorter)));
        } else if before.ends_with(['(', '[', ',']) && rest.starts_with(", ") {
            found.push(("list item", around, with(at.start..at.end + 2, "")));
        } else if word.len() > 4 {
            let end = at.end - 1..at.end - 1;
            found.push(("literal", around, with(end, "x")));
        }
    }
    let steps: Vec<usize> = query.match_indices("\n| ").map(|(at, _)| at).collect();
    for (number, start) in steps.iter().enumerate() {
        let end = steps.get(number + 1).copied().unwrap_or(query.len());
        let step = &query[*start..end];
        if step.starts_with("\n| where") && !step.contains(";\n") {
            found.push(("where", step.trim().to_owned(), with(*start..end, "")));
        }
    }
    found
}

/// The rules of the project with what they become on Sentinel
fn translations() -> Vec<(Rule, Translation)> {
    let loaded = project::load(&[root().join("rules")]).expect("the rules can be read").rules;
    let every = std::env::var_os("RULECAST_MUTANTS").is_some();
    let tried = |stem: &str| every || SOME.contains(&stem);
    let made = loaded.into_iter().filter(|loaded| tried(&loaded.stem)).filter_map(|loaded| {
        let mut found = Diagnostics::default();
        let made = translate(Target::Sentinel, &loaded.rule, &loaded.stem, &mut found)?;
        Some((loaded.rule, made))
    });
    made.collect()
}

#[test]
fn nearly_every_mistake_in_a_query_is_noticed() {
    let asked = std::env::var("RULECAST_MUTANTS").ok();
    let every = asked.is_some();
    let observer = Observer::default();
    let listed = listed(&root().join("tests/suite/kusto_survivors.tsv"), 3);
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut survivors = Vec::new();
    for (rule, made) in translations() {
        let query = made.artifacts.iter().find(|one| one.name.ends_with(".kql")).unwrap();
        let mut of_kind: BTreeMap<&str, Vec<Mutant>> = BTreeMap::new();
        let is_asked = |mutant: &Mutant| {
            asked.as_deref().is_none_or(|asked| asked == "all" || asked == mutant.0)
        };
        for mutant in mutants(&query.text).into_iter().filter(is_asked) {
            of_kind.entry(mutant.0).or_default().push(mutant);
        }
        let some = of_kind.into_values().flat_map(|all| {
            let each = if every { 1 } else { all.len().div_ceil(MOST) };
            all.into_iter().step_by(each)
        });
        let some: Vec<Mutant> = some.collect();
        let judged = some.into_par_iter().filter_map(|(kind, what, text)| {
            bind(&text, Platform::Sentinel).ok()?;
            let artifact = Artifact { name: query.name.clone(), text };
            let of = (Platform::Sentinel, &Schema::default());
            let noticed = match Asked::read(&made.rule, &made.manifest, &[artifact], of) {
                Err(_) => true,
                Ok(asked) => [try_own(&asked, &rule, &observer), try_near(&asked, &observer)]
                    .into_iter()
                    .chain(std::iter::once_with(|| try_course(&asked, &observer)))
                    .any(|tried| tried.is_err() || tried.is_ok_and(|t| !t.differences.is_empty())),
            };
            Some((kind, what, noticed))
        });
        let judged: Vec<_> = judged.collect();
        for (kind, what, noticed) in judged {
            let cells = [rule.metadata.title.value.as_str(), kind, &what];
            let fits = |one: &Listed| one.patterns.iter().zip(cells).all(|(p, c)| p.is_match(c));
            let known = (!noticed).then(|| listed.iter().find(|one| fits(one))).flatten();
            if known.is_some_and(|one| one.equal) {
                continue;
            }
            let (all, caught) = counts.entry(kind).or_default();
            *all += 1;
            *caught += usize::from(noticed);
            if !noticed {
                let reason = known.map_or("no reason is known", |one| &one.line);
                survivors.push(format!("{}: {reason}", cells.join(": ")));
            }
        }
    }
    let (all, caught) = counts.values().fold((0, 0), |(a, c), (x, y)| (a + x, c + y));
    println!("{caught} of {all} noticed: {counts:?}\n{}", survivors.join("\n"));
    assert!(all > 20, "{all}");
    // A sample may meet the survivors.
    let least = match asked.as_deref() {
        Some("all") => 95,
        Some(_) => 90,
        None => 80,
    };
    let of_kind = counts.iter().filter(|_| every).map(|(kind, counts)| (*kind, *counts, 90));
    for (what, (all, caught), least) in of_kind.chain([("all", (all, caught), least)]) {
        let noticed = || format!("{what}: {caught} of {all}\n{}", survivors.join("\n"));
        assert!(caught * 100 >= all * least, "{}", noticed());
    }
}
