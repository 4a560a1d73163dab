//! Random queries over random rows, and what they return here.
//!
//! In: a seed. Out: `tests/conformance/kusto_answers.jsonl`: the rows, then a query and its answer a line.
//! The proof asks DuckDB the same, so that a mistake of the evaluator that no emitted query shows has a
//! witness.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json, json};

use crate::query::kusto::execute::{Rows, Run};
use crate::query::kusto::{Column, Type, parse};
use crate::verify::near::chance::Dice;

const COLUMNS: [(&str, Type); 6] = [
    ("Id", Type::Long),
    ("A", Type::String),
    ("B", Type::String),
    ("N", Type::Long),
    ("F", Type::Bool),
    ("TimeGenerated", Type::DateTime),
];

const TEXTS: [&str; 24] = [
    "",
    "cmd",
    "cmd.exe",
    "CMD.exe",
    r"C:\Windows\cmd.exe",
    "cmd /c whoami",
    "who-am-i",
    "whoami",
    "WHOAMI /all",
    "a b",
    "a_b",
    "a.b.c",
    "shell.php",
    "SHELL.PHP?q=1",
    "php",
    r#"say "cmd""#,
    r"\\srv\share\x",
    "10.0.0.1",
    "8.8.8.8",
    "::1",
    "5",
    "-5",
    "x5y",
    "true",
];

const NUMBERS: [i64; 7] = [-5, 0, 1, 5, 80, 443, 2_147_483_648];
const PATTERNS: [&str; 7] =
    ["cmd", "^cmd$", r"(?i)\.php$", r"[a-c]\.", r"^\w+$", "(?i)^c:\\\\", r"\d{1,2}"];
const OPERATORS: [&str; 16] = [
    "==",
    "!=",
    "=~",
    "!~",
    "has",
    "!has",
    "has_cs",
    "contains",
    "!contains",
    "contains_cs",
    "startswith",
    "!startswith",
    "startswith_cs",
    "endswith",
    "!endswith",
    "endswith_cs",
];
/// How many queries of each sort are made, and over how many rows
const QUERIES: usize = 120;
const ROWS: usize = 60;

/// Makes parts of queries
struct Author(Dice);

impl Author {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.roll(of.len())]
    }

    fn some(&mut self, make: impl Fn(&mut Self) -> String) -> String {
        let number = 1 + self.0.roll(3);
        (0..number).map(|_| make(self)).collect::<Vec<_>>().join(", ")
    }

    /// A text, or a part of one, that is not empty: what `has ""` finds is said nowhere
    fn literal(&mut self) -> String {
        let text = loop {
            let text = self.one(&TEXTS);
            if !text.is_empty() {
                break text;
            }
        };
        let length = text.len();
        let (from, to) = (self.0.roll(length), length - self.0.roll(length));
        let part = if self.0.roll(2) == 0 && from < to { &text[from..to] } else { text };
        format!("{part:?}")
    }

    fn text(&mut self) -> String {
        match self.0.roll(9) {
            0..4 => "A".to_owned(),
            4..6 => "B".to_owned(),
            6 => format!("tolower({})", self.one(&["A", "B"])),
            7 => format!("strcat(A, {}, B)", self.literal()),
            _ => {
                let (asked, other) = (self.test(1), self.literal());
                format!("iff({asked}, {}, {other})", self.one(&["A", "B"]))
            }
        }
    }

    fn number(&mut self) -> String {
        match self.0.roll(4) {
            0 | 1 => "N".to_owned(),
            2 => format!("strlen({})", self.one(&["A", "B"])),
            _ => format!("N + {}", self.0.roll(9)),
        }
    }

    fn test_of_text(&mut self) -> String {
        let text = self.text();
        match self.0.roll(10) {
            0..5 => format!("{text} {} {}", self.one(&OPERATORS), self.literal()),
            5 => {
                let operator = self.one(&["in", "in~", "!in", "!in~"]);
                format!("{text} {operator} ({})", self.some(Self::literal))
            }
            6 => format!("{text} has_any ({})", self.some(Self::literal)),
            7 => format!("{text} matches regex {:?}", self.one(&PATTERNS)),
            8 => format!("{}({text})", self.one(&["isempty", "isnotempty"])),
            _ => {
                let networks = self.one(&[r#""10.0.0.0/8""#, r#""8.8.8.8/32", "10.0.0.0/24""#]);
                format!("ipv4_is_in_any_range({text}, {networks})")
            }
        }
    }

    fn test_of_number(&mut self) -> String {
        let number = self.number();
        let limit = |author: &mut Self| author.one(&NUMBERS).to_string();
        match self.0.roll(4) {
            0 | 1 => {
                let operator = self.one(&["==", "!=", "<", "<=", ">", ">="]);
                format!("{number} {operator} {}", limit(self))
            }
            2 => format!("{number} in ({})", self.some(limit)),
            _ => {
                let (from, to) = (limit(self), limit(self));
                format!("{number} between ({from} .. {to})")
            }
        }
    }

    /// A test of a row that may be null; `depth` is how many more it may be made of
    fn test(&mut self, depth: usize) -> String {
        match self.0.roll(if depth == 0 { 7 } else { 11 }) {
            0..4 => self.test_of_text(),
            4 | 5 => self.test_of_number(),
            6 => self
                .one(&["F == true", "F != true", "isnull(F)", "isnull(N)", "isnotnull(N)"])
                .to_owned(),
            7 => format!("not({})", self.test(depth - 1)),
            joined => {
                let word = if joined == 8 { "or" } else { "and" };
                let (left, right) = (self.test(depth - 1), self.test(depth - 1));
                format!("(({left}) {word} ({right}))")
            }
        }
    }

    /// Queries whose rows have these columns: the rows of a test, of a sum, of a join, of a union
    fn queries(&mut self) -> [String; 5] {
        let [one, other, third] = [0, 1, 2].map(|_| self.test(2));
        let (text, number) = (self.text(), self.number());
        let by = self.one(&["A", "F", "A, F"]);
        let kind = self.one(&["inner", "leftouter", "leftanti", "leftsemi"]);
        // Nothing says what a key joins that is null.
        let key = self.one(&["A", "B", "A, B"]);
        [
            format!("T\n| where {one}\n| project Id"),
            format!(
                "T\n| where {one}\n| extend X = {text}, Y = {number}, Z = {other}\n| project Id, X, Y, Z"
            ),
            format!(
                "T\n| where {one}\n| summarize C = count(), D = count_distinctif(B, {other}), \
                 E = countif({third}), L = min(N), M = max(N) by {by}\n| where C > 1\n| project {by}, C, D, E, L, M"
            ),
            format!(
                "let Some = T\n| where {one};\nT\n| where {other}\n| join kind={kind} (Some) on {key}\n\
                 | project Id, A, B"
            ),
            format!(
                "union (T\n| where {one}), (T\n| where {other})\n| where {third}\n| project Id, A"
            ),
        ]
    }
}

/// The rows of the table, as JSON of text, numbers and truths
fn rows(author: &mut Author) -> Vec<Map<String, Json>> {
    let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 54);
    let row = |at: usize| {
        let mut row = Map::new();
        row.insert("Id".to_owned(), json!(at));
        for column in ["A", "B"] {
            row.insert(column.to_owned(), json!(author.one(&TEXTS)));
        }
        if author.0.roll(4) > 0 {
            row.insert("N".to_owned(), json!(author.one(&NUMBERS)));
        }
        if author.0.roll(3) > 0 {
            row.insert("F".to_owned(), json!(author.0.roll(2) == 0));
        }
        let time = start + SignedDuration::from_secs(60 * i64::try_from(at).unwrap());
        row.insert("TimeGenerated".to_owned(), json!(time.to_string()));
        row
    };
    (0..ROWS).map(row).collect()
}

/// The rows that a query returns, in an order that is theirs
fn answer(query: &str, rows: &Rows, now: Timestamp) -> Json {
    let tree = parse(query).unwrap_or_else(|why| panic!("{query}\n{why:?}"));
    let result = Run::new(&tree, rows, now).result();
    let data = result.unwrap_or_else(|why| panic!("{query}\n{why}"));
    let mut all: Vec<Json> = data.values().map(Json::from).collect();
    all.sort_by_cached_key(ToString::to_string);
    all.into()
}

#[test]
fn random_queries_are_answered_as_they_were_and_as_duckdb_answers_them() {
    let mut author = Author(Dice(0x5eed_0019));
    let written = rows(&mut author);
    let now: Timestamp = "2024-06-01T00:00:00Z".parse().unwrap();
    let columns = COLUMNS.map(|(name, kind)| Column { name: name.to_owned(), kind });
    let mut table = Rows::default();
    table.add("T", &columns, written.iter().cloned().map(|row| (now, row)));
    let mut text = format!("{}\n", json!({"rows": written}));
    let mut sizes = BTreeSet::new();
    for _ in 0..QUERIES {
        for query in author.queries() {
            let answered = answer(&query, &table, now);
            sizes.insert(answered.as_array().map_or(0, Vec::len));
            writeln!(text, "{}", json!({"query": query, "found": answered})).unwrap();
        }
    }
    assert!(sizes.len() > 30, "hardly any query chooses: {sizes:?}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/kusto_answers.jsonl");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == text, "run the tests with UPDATE_GENERATED=1 and review the change");
}

#[test]
fn a_test_and_its_negation_part_the_rows_for_which_it_is_not_null() {
    let mut author = Author(Dice(0x5eed_0020));
    let written = rows(&mut author);
    let now = Timestamp::UNIX_EPOCH;
    let columns = COLUMNS.map(|(name, kind)| Column { name: name.to_owned(), kind });
    let mut table = Rows::default();
    table.add("T", &columns, written.into_iter().map(|row| (now, row)));
    let count = |test: String| answer(&format!("T | where {test} | project Id"), &table, now);
    let size = |answered: Json| answered.as_array().map_or(0, Vec::len);
    for _ in 0..300 {
        let test = author.test(2);
        let parts = [test.clone(), format!("not({test})"), format!("isnull({test})")];
        let sizes = parts.map(|part| size(count(part)));
        assert_eq!(sizes.iter().sum::<usize>(), ROWS, "{test}: {sizes:?}");
        assert_eq!(count(format!("not(not({test}))")), count(test));
    }
}
