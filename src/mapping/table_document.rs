//! Reads the tables of a mapping.
//!
//! In: a document with `tables`. Out: [`Table`]s, and a diagnostic for every mistake in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys;
use super::place::Holds;
use super::read::{
    check_absent, entries_of, events, expression, field, inherited, list_of, log, log_source,
    platforms, products, text_of, under, with_shared,
};
use super::table::{Column, Kind, Rows, Table};
use crate::diagnostic::Code;
use crate::query::kusto::{self, Schema, Step};
use crate::taxonomy::{EventKind, Field, FieldType};
use crate::yaml::{Kind as Shape, Node, Reader};

/// The tables of a document: one for each log source of each entry
pub(super) fn tables(
    reader: &mut Reader<'_>,
    document: &Node,
    (name, schema): (&str, &Schema),
) -> Vec<Table> {
    let items = document.get("tables").map(|node| reader.list(node, "`tables`"));
    let mapping = Arc::from(name);
    let lists = lists(reader, document);
    let items = items.into_iter().flatten();
    items.flat_map(|node| entry(reader, (document, node), (&mapping, schema, &lists))).collect()
}

fn entry(
    reader: &mut Reader<'_>,
    (document, node): (&Node, &Node),
    (mapping, schema, lists): (&Arc<str>, &Schema, &Arc<[List]>),
) -> Vec<Table> {
    reader.known_keys(node, "a table", keys::names("table"));
    let Some(name) = text_of(reader, node, "table") else { return Vec::new() };
    let sources = log_sources(reader, node);
    let kinds: Vec<&EventKind> = sources.iter().map(|(kind, _)| kind).collect();
    let holders = with_shared(reader, document, node);
    let places = places(reader, &holders, &kinds);
    let is_placed = |field: &Field| places.iter().any(|(own, _)| own == field);
    let absent = check_absent(reader, &holders, &kinds, &is_placed);
    let others = under(&holders, "others").and_then(|others| template(reader, others));
    let keywords = list_of(reader, &holders, "keywords");
    let keywords: Arc<[_]> =
        keywords.iter().filter_map(|node| expression(reader, node, "`keywords`")).collect();
    let parameters = parameters(reader, node, (&name.value, &kinds));
    let rows = rows(reader, node, &kinds);
    let connector = inherited(reader, document, node, "connector");
    let unknown_product = inherited(reader, document, node, "unknown_product");
    let holder = if node.get("products").is_some() { node } else { document };
    let (platforms, products) =
        (platforms(reader, document, node), products(reader, holder, "products"));
    let log = log(reader, document, node);
    let (prepare, result) = (prepare(reader, &holders, &name.value), result(reader, &holders));
    let table = |(events, condition): (EventKind, Option<kusto::Expression>)| {
        let own = places.iter().filter(|(field, _)| events.field_type(field).is_some());
        let mut columns: BTreeMap<Field, Vec<Column>> = own.cloned().collect();
        if others.is_some() {
            let left = events.field_names().into_iter().map(Field::of_log);
            let left = left.filter(|field| !absent.iter().any(|name| name == field.name()));
            for field in left.filter(|field| !is_placed(field)) {
                let column = other(&events, &field, column_name(&name.value, &field, schema));
                columns.insert(field, vec![column]);
            }
        }
        Table {
            name: name.value.clone(),
            mapping: Arc::clone(mapping),
            platforms: platforms.clone(),
            connector: connector.clone(),
            unknown_product: unknown_product.clone(),
            products: products.clone(),
            lists: Arc::clone(lists),
            prepare: prepare.clone(),
            others: others.clone(),
            parameters: Arc::clone(&parameters),
            keywords: Arc::clone(&keywords),
            rows: condition.map_or_else(|| rows.clone(), Rows::Where),
            result: result.clone(),
            log: log.clone(),
            events,
            columns,
        }
    };
    sources.into_iter().map(table).collect()
}

/// The column of a field that falls under `others`
fn other(events: &EventKind, field: &Field, name: String) -> Column {
    let kind = match events.field_type(field) {
        Some(FieldType::Number) => Kind::Number,
        _ => Kind::Text,
    };
    Column::of_others(name, field.clone(), kind)
}

/// A list with its name
type List = (String, Vec<String>);

/// The lists that expressions of a document name
fn lists(reader: &mut Reader<'_>, document: &Node) -> Arc<[List]> {
    let entries = document.get("lists").map(|node| reader.map(node, "`lists`"));
    let mut lists = Vec::new();
    for (name, values) in entries.into_iter().flatten() {
        let values = reader.texts(values, "a list").into_iter().map(|text| text.value);
        if let Some(name) = reader.key(name) {
            lists.push((name.to_owned(), values.collect()));
        }
    }
    lists.into()
}

/// The parameters of a parser, with the fields that they search
fn parameters(
    reader: &mut Reader<'_>,
    node: &Node,
    (table, kinds): (&str, &[&EventKind]),
) -> Arc<[(String, Vec<Field>)]> {
    let entries = node.get("parameters").map(|node| reader.map(node, "`parameters`"));
    let mut parameters = Vec::new();
    for (key, fields) in entries.into_iter().flatten() {
        let Some(name) = reader.key(key) else { continue };
        if kusto::parameter(table, name).is_none() {
            let message = format!("the parameter `{name}` of {table} is not known");
            reader.error(Code::E0201, key.span, message, "unknown parameter");
        }
        let fields = reader.one_or_many(fields, "a list of fields");
        let fields = fields.iter().filter_map(|one| field(reader, one, kinds));
        parameters.push((name.to_owned(), fields.collect()));
    }
    parameters.into()
}

/// The columns of each field under `fields`
fn places(
    reader: &mut Reader<'_>,
    holders: &[&Node],
    kinds: &[&EventKind],
) -> Vec<(Field, Vec<Column>)> {
    let mut places = Vec::new();
    for (key, place) in entries_of(holders, "fields") {
        if let Some(field) = field(reader, key, kinds) {
            places.push((field, columns(reader, place)));
        }
    }
    places
}

/// The log sources of an entry, each with the condition that selects its rows
fn log_sources(
    reader: &mut Reader<'_>,
    node: &Node,
) -> Vec<(EventKind, Option<kusto::Expression>)> {
    let Some(Node { kind: Shape::Map(entries), .. }) = node.get("events") else {
        return events(reader, node).into_iter().map(|kind| (kind, None)).collect();
    };
    let mut sources = Vec::new();
    for (name, rows) in entries {
        let condition = match rows.text() {
            Some("") => None,
            _ => expression(reader, rows, "`events`"),
        };
        sources.extend(log_source(reader, name).map(|kind| (kind, condition)));
    }
    sources
}

/// The value of any field, with `{field}` in the field's place
fn template(reader: &mut Reader<'_>, node: &Node) -> Option<Arc<str>> {
    let text = reader.text(node, "`others`")?;
    let example = text.value.replace("{field}", "Field");
    if let Err(finding) = kusto::expression(&example) {
        let message = format!("`others` is no Kusto: {finding}");
        reader.error(Code::E0108, text.span, message, "expected a value with `{field}` in it");
        return None;
    }
    Some(text.value.into())
}

/// The name of the column that a query adds for a field: none that the table has
fn column_name(table: &str, field: &Field, schema: &Schema) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = field.name().chars().map(letter).collect();
    if kusto::has_column(table, &name, schema) { name + "Value" } else { name }
}

/// The steps of all holders, one after another
fn prepare(reader: &mut Reader<'_>, holders: &[&Node], table: &str) -> Vec<Step> {
    let mut all = Vec::new();
    for steps in holders.iter().filter_map(|holder| holder.get("prepare")) {
        let Some(text) = reader.text(steps, "`prepare`") else { continue };
        match kusto::rows(&format!("{table}\n{}", text.value)) {
            Ok(rows) => all.extend(rows.steps),
            Err(finding) => {
                let message = format!("`prepare` holds no steps of Kusto: {finding}");
                reader.error(Code::E0108, steps.span, message, "expected `| operator …`");
            }
        }
    }
    all
}

fn rows(reader: &mut Reader<'_>, node: &Node, events: &[&EventKind]) -> Rows {
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
        reader.known_keys(node, "a column", keys::names("column"));
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
        only_false: reader.texts_of(node, "only_false").into_iter().next().map(|text| text.value),
        earlier: given(reader, "earlier"),
        empty: node.get("empty").and_then(|node| {
            reader.known_keys(node, "`empty`", keys::names("empty"));
            let means = text_of(reader, node, "means")?.value;
            Some((means, expression(reader, node.get("where")?, "`where`")?))
        }),
        blank: node.get("blank").and_then(|node| Some(reader.text(node, "`blank`")?.value)),
        added: None,
        values: values(reader, node),
        name,
        value,
        holds,
        words,
    })
}

/// The table's word for some words of rules
fn values(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, String)> {
    let entries = node.get("values").map(|values| reader.map(values, "`values`"));
    let text =
        |(key, value): &(Node, Node)| Some((key.text()?.to_owned(), value.text()?.to_owned()));
    entries.into_iter().flatten().filter_map(text).collect()
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

/// The words of a column's `type`
pub(crate) const TYPES: &[(&str, Kind)] = &[
    ("string", Kind::Text),
    ("number", Kind::Number),
    ("list", Kind::List),
    ("truth", Kind::Truth),
];
/// The words of a column's `written`
pub(crate) const WRITTEN: &[(&str, Kind)] = &[("recased", Kind::Recased), ("dashed", Kind::Dashed)];

/// The kind of a column's values, by its type and by how the table writes them
fn kind(reader: &mut Reader<'_>, node: &Node, has_words: bool) -> Kind {
    let mut word = |key: &str, known: &[(&str, Kind)]| {
        let text = node.get(key).and_then(|node| reader.text(node, &format!("`{key}`")))?;
        let kind = known.iter().find(|(word, _)| *word == text.value).map(|(_, kind)| *kind);
        if kind.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let message = format!("`{}` is no {key} of a column", text.value);
            reader.error(Code::E0112, text.span, message, &words.join(", "));
        }
        kind
    };
    let (typed, written) = (word("type", TYPES), word("written", WRITTEN));
    match (has_words, written, typed) {
        (true, ..) => Kind::Words,
        (false, Some(written), _) => written,
        (false, None, typed) => typed.unwrap_or(Kind::Text),
    }
}
