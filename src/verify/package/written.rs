//! The notations of packages.
//!
//! In: `facts.tsv`, and a value of a package. Out: the value as one text that can be compared with a fact.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

/// Where a kind of package says a fact
pub(super) struct Row {
    /// How the name of its file ends
    pub(super) package: &'static str,
    /// A JSON pointer
    pub(super) path: &'static str,
    /// The name of the fact
    pub(super) fact: &'static str,
    written: &'static str,
    /// The fact that a package says by leaving it out; `-` where it has to be there
    without: &'static str,
}

pub(super) static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let lines = include_str!("facts.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(row).collect()
});

fn row(line: &'static str) -> Option<Row> {
    let [package, path, fact, written, without] =
        <[&str; 5]>::try_from(line.split('\t').collect::<Vec<_>>()).ok()?;
    Some(Row { package, path, fact, written, without })
}

impl Row {
    /// What a package says, in the words of facts
    pub(super) fn found(&self, value: Option<&Value>) -> String {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return if self.without == "-" { "not there" } else { self.without }.to_owned();
        };
        match self.written {
            "back" => value.as_str().and_then(|text| span(text.strip_prefix("now-")?)),
            "iso" => value.as_str().filter(|text| text.starts_with('P')).and_then(span),
            "span" => value.as_str().filter(|text| !text.starts_with('P')).and_then(span),
            "list" => {
                let mut texts = Vec::new();
                leaves(value, &mut texts);
                Some(joined(texts))
            }
            "ids" => {
                let mut texts = Vec::new();
                ids(value, &mut texts);
                Some(joined(texts))
            }
            "operator" if value == "gt" => Some("GreaterThan".to_owned()),
            _ => value.as_str().map(ToOwned::to_owned),
        }
        .unwrap_or_else(|| value.to_string())
    }

    /// Whether a fact and what a package says are the same in this notation
    pub(super) fn same(&self, wanted: &str, value: &str) -> bool {
        match self.written {
            "folded" => folded(wanted) == folded(value),
            "list" | "ids" => items(wanted) == items(value),
            _ => wanted == value,
        }
    }
}

/// Texts in one text, in an order of their own
pub(super) fn joined(mut texts: Vec<&str>) -> String {
    texts.sort_unstable();
    texts.dedup();
    texts.join(", ")
}

fn items(text: &str) -> BTreeSet<String> {
    text.split(", ").map(folded).collect()
}

fn folded(text: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '*' | '.');
    text.chars().filter(kept).flat_map(char::to_lowercase).collect()
}

fn leaves<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn ids<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| ids(item, texts)),
        Value::Object(map) => {
            texts.extend(map.get("id").and_then(Value::as_str));
            map.values().for_each(|item| ids(item, texts));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn span(text: &str) -> Option<String> {
    minutes(text).map(|minutes| minutes.to_string())
}

/// The minutes of `1h`, `PT1H` or `P1DT2H`; other units are no times of packages
fn minutes(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok()?;
    let rest = span.days(0).hours(0).minutes(0);
    let hours = i64::from(span.get_days()) * 24 + i64::from(span.get_hours());
    rest.is_zero().then_some(hours * 60 + span.get_minutes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_minutes_in_every_notation() {
        let read = |text| minutes(text).unwrap();
        assert_eq!([read("1h"), read("9m"), read("PT26H"), read("P1DT1H")], [60, 9, 1560, 1500]);
        assert_eq!(minutes("5"), None);
        assert_eq!(minutes("soon"), None);
    }

    #[test]
    fn a_span_in_the_notation_of_another_package_is_none() {
        let read = |path: &str, text: &str| {
            let row = ROWS.iter().find(|row| row.path.ends_with(path)).unwrap();
            row.found(Some(&text.into()))
        };
        let arm = "properties/queryPeriod";
        assert_eq!([read("/from", "now-9m"), read("/interval", "9m")], ["9", "9"]);
        assert_eq!([read("/queryPeriod", "9m"), read(arm, "PT9M")], ["9", "9"]);
        for (path, other) in
            [("/from", "9m"), ("/interval", "now-9m"), ("/queryPeriod", "PT9M"), (arm, "9m")]
        {
            assert_eq!(read(path, other), format!("{other:?}"), "{path}");
        }
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("facts.tsv").lines().filter(|line| !line.starts_with('#'));
        assert_eq!(lines.count(), ROWS.len());
        for row in ROWS.iter() {
            assert!(
                ["text", "folded", "span", "iso", "back", "list", "ids", "operator"]
                    .contains(&row.written),
                "{}",
                row.path
            );
        }
    }
}
