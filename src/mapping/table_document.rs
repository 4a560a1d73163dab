//! Reads the tables of a mapping.
//!
//! In: a document with `tables`. Out: [`Table`]s, and a diagnostic for every mistake in them.

use std::collections::BTreeMap;

use super::place::Holds;
use super::read::{
    check_absent, entries_of, events, expression, field, inherited, platforms, text_of, with_shared,
};
use super::table::{Column, Kind, Rows, Table};
use crate::diagnostic::Code;
use crate::query::kusto::{self, Step};
use crate::taxonomy::EventKind;
use crate::yaml::{Kind as Shape, Node, Reader};

const KEYS: &[&str] = &[
    "table",
    "events",
    "platforms",
    "connector",
    "unknown_product",
    "prepare",
    "rows",
    "with",
    "fields",
    "absent",
    "result",
];
const COLUMN_KEYS: &[&str] = &[
    "column",
    "type",
    "written",
    "words",
    "rows_of_true",
    "only_true",
    "earlier",
    "empty",
    "blank",
];

/// The tables of a document
pub(super) fn tables(reader: &mut Reader<'_>, document: &Node) -> Vec<Table> {
    let items = document.get("tables").map(|node| reader.list(node, "`tables`"));
    items.into_iter().flatten().filter_map(|node| table(reader, document, node)).collect()
}

fn table(reader: &mut Reader<'_>, document: &Node, node: &Node) -> Option<Table> {
    reader.known_keys(node, "a table", KEYS);
    let name = text_of(reader, node, "table")?.value;
    let events = events(reader, node)?;
    let holders = with_shared(reader, document, node);
    let mut columns = BTreeMap::new();
    for (key, place) in entries_of(&holders, "fields") {
        if let Some(field) = field(reader, key, &events) {
            columns.insert(field, self::columns(reader, place));
        }
    }
    check_absent(reader, node, &events, &columns);
    Some(Table {
        platforms: platforms(reader, document, node),
        connector: inherited(reader, document, node, "connector").unwrap_or_default(),
        unknown_product: inherited(reader, document, node, "unknown_product").unwrap_or_default(),
        prepare: prepare(reader, node, &name),
        rows: rows(reader, node, &events),
        result: result(reader, &holders),
        name,
        events,
        columns,
    })
}

fn prepare(reader: &mut Reader<'_>, node: &Node, table: &str) -> Vec<Step> {
    let Some(steps) = node.get("prepare") else { return Vec::new() };
    let Some(text) = reader.text(steps, "`prepare`") else { return Vec::new() };
    match kusto::rows(&format!("{table}\n{}", text.value)) {
        Ok(rows) => rows.steps,
        Err(finding) => {
            let message = format!("`prepare` holds no steps of Kusto: {finding}");
            reader.error(Code::E0108, steps.span, message, "expected `| operator …`");
            Vec::new()
        }
    }
}

fn rows(reader: &mut Reader<'_>, node: &Node, events: &EventKind) -> Rows {
    let read = match node.get("rows") {
        None => None,
        Some(rows) => match rows.get("field") {
            Some(name) => field(reader, name, events).map(Rows::With),
            None => expression(reader, rows, "`rows`").map(Rows::Where),
        },
    };
    read.unwrap_or(Rows::All)
}

fn result(reader: &mut Reader<'_>, holders: &[&Node]) -> BTreeMap<String, kusto::Expression> {
    let mut result = BTreeMap::new();
    for (key, value) in entries_of(holders, "result") {
        let Some(name) = reader.key(key) else { continue };
        if !super::results().has(name) {
            let message = format!("a result has no column `{name}`");
            reader.error(Code::E0112, key.span, message, "unknown column");
        }
        if let Some(value) = expression(reader, value, "the value of a column") {
            result.insert(name.to_owned(), value);
        }
    }
    result
}

/// The columns of a field: one, or one for each part
fn columns(reader: &mut Reader<'_>, place: &Node) -> Vec<Column> {
    let Shape::Map(entries) = &place.kind else {
        return column(reader, place, Holds::Whole).into_iter().collect();
    };
    if place.get("column").is_some() {
        return column(reader, place, Holds::Whole).into_iter().collect();
    }
    let mut columns = Vec::new();
    for (key, node) in entries {
        match key.text().and_then(Holds::named) {
            Some(holds) => columns.extend(column(reader, node, holds)),
            None => reader.unknown_key(key, "a field", &Holds::words().collect::<Vec<_>>()),
        }
    }
    columns
}

fn column(reader: &mut Reader<'_>, node: &Node, holds: Holds) -> Option<Column> {
    let is_map = matches!(node.kind, Shape::Map(_));
    if is_map {
        reader.known_keys(node, "a column", COLUMN_KEYS);
    }
    let own = if is_map { node.get("column")? } else { node };
    let value = expression(reader, own, "a column")?;
    let name = reader.text(own, "a column")?.value;
    let words = words(reader, node);
    let given = |reader: &mut Reader<'_>, key: &str| {
        node.get(key).and_then(|node| expression(reader, node, &format!("`{key}`")))
    };
    Some(Column {
        kind: kind(reader, node, !words.is_empty()),
        rows_of_true: given(reader, "rows_of_true"),
        only_true: reader.texts_of(node, "only_true").into_iter().next().map(|text| text.value),
        earlier: given(reader, "earlier"),
        empty: node.get("empty").and_then(|node| {
            reader.known_keys(node, "`empty`", &["means", "where"]);
            let means = text_of(reader, node, "means")?.value;
            Some((means, expression(reader, node.get("where")?, "`where`")?))
        }),
        blank: node.get("blank").and_then(|node| Some(reader.text(node, "`blank`")?.value)),
        name,
        value,
        holds,
        words,
    })
}

fn words(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, Vec<String>)> {
    let entries = node.get("words").map(|words| reader.map(words, "`words`"));
    let mut all = Vec::new();
    for (key, words) in entries.into_iter().flatten() {
        let words = reader.texts(words, "`words`").into_iter().map(|word| word.value);
        if let Some(value) = reader.key(key) {
            all.push((value.to_owned(), words.collect()));
        }
    }
    all
}

/// The kind of a column's values, by its type and by how the table writes them
fn kind(reader: &mut Reader<'_>, node: &Node, has_words: bool) -> Kind {
    const TYPES: &[(&str, Kind)] = &[
        ("string", Kind::Text),
        ("number", Kind::Number),
        ("list", Kind::List),
        ("truth", Kind::Truth),
    ];
    const WRITTEN: &[(&str, Kind)] = &[("recased", Kind::Recased), ("dashed", Kind::Dashed)];
    let mut word = |key: &str, known: &[(&str, Kind)]| {
        let text = node.get(key).and_then(|node| reader.text(node, &format!("`{key}`")))?;
        let found = known.iter().find(|(word, _)| *word == text.value).map(|(_, kind)| *kind);
        if found.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let message = format!("`{}` is no {key} of a column", text.value);
            reader.error(Code::E0112, text.span, message, &words.join(", "));
        }
        found
    };
    let (typed, written) = (word("type", TYPES), word("written", WRITTEN));
    match (has_words, written, typed) {
        (true, ..) => Kind::Words,
        (false, Some(written), _) => written,
        (false, None, typed) => typed.unwrap_or(Kind::Text),
    }
}
