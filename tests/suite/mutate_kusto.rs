//! Single changes of an emitted query of Kusto.
//!
//! In: a query. Out: queries that differ from it in one place, each with the kind of change and what was changed.
//! Whether the binder takes them, and whether that changes what the query means, is for others to say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

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
    ("leftsemi", &["leftanti"]),
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
pub(crate) type Mutant = (&'static str, String, String);

/// All single changes of a query
pub(crate) fn mutants(query: &str) -> Vec<Mutant> {
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
        let of_table = beside(query, at.start).filter(|_| !query[at.end..].starts_with(" ="));
        for (kind, new) in of_table.into_iter().flat_map(|columns| of_column(columns, word)) {
            found.push((kind, format!("{around} -> {new}"), with(at.clone(), &new)));
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
        for name in NAME_OF_DATA.captures_iter(word).filter_map(|found| found.get(1)) {
            let name = at.start + name.start()..at.start + name.end();
            found.push(("name of data", around.clone(), with(name, "Other")));
        }
        let (before, rest) = (query[..at.start].trim_end(), &query[at.end..]);
        if before.ends_with("Level =") {
            found.push(("level", around, with(at, "\"informational\"")));
        } else if before.ends_with("regex") {
            let shorter = word.replacen('^', "", 1).replace("$\"", "\"");
            if shorter != word {
                found.push(("anchor", around, with(at, &shorter)));
            }
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

/// The name of data in a regular expression over the XML of an event
static NAME_OF_DATA: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"<(?:\(\?:)?Data Name=""(?:\)\?)?(\w+)"#).unwrap());

/// The columns of a table, each with its type
type Columns = Vec<(&'static str, &'static str)>;

/// By table, its columns
static TABLES: LazyLock<BTreeMap<&str, Columns>> = LazyLock::new(|| {
    let mut tables: BTreeMap<&str, Columns> = BTreeMap::new();
    let text = include_str!("../../src/query/kusto/columns.tsv");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        tables.entry(cells[0]).or_default().push((cells[1], cells[2]));
    }
    tables
});

/// The columns of the table whose rows the filter at this place reads; none elsewhere
fn beside(query: &str, at: usize) -> Option<&'static Columns> {
    let statement = &query[query[..at].rfind(";\n").map_or(0, |end| end + 2)..at];
    let filter = statement.rfind("\n| ").map(|bar| &statement[bar + 3..])?;
    let table = statement.lines().find(|line| !line.starts_with("//") && !line.ends_with('='))?;
    let table = table.rsplit([' ', '(']).next()?;
    filter.starts_with("where").then(|| TABLES.get(table)).flatten()
}

/// What a mapping might say by mistake of a column: another one of its type, or another type
fn of_column(columns: &Columns, name: &str) -> Vec<(&'static str, String)> {
    let Some(place) = columns.iter().position(|(known, _)| *known == name) else {
        return Vec::new();
    };
    let kind = columns[place].1;
    let alike = |(other, of): &&(&str, &str)| *of == kind && *other != name;
    let next = columns[place..].iter().chain(columns).find(alike);
    let next = next.map(|(other, _)| ("column of the table", (*other).to_owned()));
    let number = (kind == "string").then(|| ("type", format!("tostring(tolong({name}))")));
    next.into_iter().chain(number).collect()
}
