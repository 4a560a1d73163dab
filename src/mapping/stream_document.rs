//! Reads the streams of a mapping.
//!
//! In: a document with `types`, `indices` and `streams`. Out: [`Stream`]s and [`Index`]es, and a
//! diagnostic for every mistake in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys;
use super::place::Holds;
use super::read::{
    check_absent, entries_of, events, field, flag, list_of, log, log_source, maps, products,
    text_of, with_shared,
};
use super::stream::{Ancestry, FieldKind, Index, IndexField, Stream, Test, Words};
use crate::diagnostic::Code;
use crate::taxonomy::{EventKind, Field, Product};
use crate::yaml::{Kind as Shape, Node, Reader};

/// The index patterns of a document
pub(super) fn indices(reader: &mut Reader<'_>, document: &Node) -> Vec<Index> {
    let entries = document.get("indices").map(|node| reader.map(node, "`indices`"));
    let mut indices = Vec::new();
    for (pattern, node) in entries.into_iter().flatten() {
        if !is_empty(node) {
            reader.known_keys(node, "an index", keys::names("index"));
        }
        let Some(pattern) = reader.key(pattern) else { continue };
        let text = |reader: &mut Reader<'_>, key: &str| {
            let text = reader.texts_of(node, key).into_iter().next();
            text.map_or_else(String::new, |text| text.value)
        };
        indices.push(Index {
            pattern: pattern.to_owned(),
            package: text(reader, "package"),
            source: text(reader, "source"),
            products: products(reader, node, "products"),
            text: node.get("text").is_none() || flag(reader, node, "text"),
            caseless: flag(reader, node, "caseless"),
            process_ids: flag(reader, node, "process_ids"),
        });
    }
    indices
}

/// The streams of a document: one for each log source of each entry
pub(super) fn streams(
    reader: &mut Reader<'_>,
    (document, name): (&Node, &str),
    known: &[Index],
    types: &Types,
) -> Vec<Stream> {
    let items = document.get("streams").map(|node| reader.list(node, "`streams`"));
    let mapping = Arc::from(name);
    let read = |node| entry(reader, (document, node), &mapping, known, types);
    items.into_iter().flatten().flat_map(read).collect()
}

/// The index fields under `types`, by name
pub(super) type Types = BTreeMap<String, IndexField>;

/// The types of a document
pub(super) fn types(reader: &mut Reader<'_>, document: &Node) -> Types {
    let entries = document.get("types").map(|node| reader.map(node, "`types`"));
    let mut types = Types::new();
    for (key, node) in entries.into_iter().flatten() {
        let is_map = matches!(node.kind, Shape::Map(_));
        if is_map {
            reader.known_keys(node, "a type", keys::names("type"));
        }
        let Some(name) = reader.key(key) else { continue };
        let word = if is_map { text_of(reader, node, "type") } else { reader.text(node, "a type") };
        let Some(word) = word else { continue };
        let Some(kind) = FieldKind::named(&word.value) else {
            let message = format!("`{}` is no type of a field", word.value);
            reader.error(
                Code::E0112,
                word.span,
                message,
                "keyword, wildcard, ip, long, boolean, flattened, text or match_only_text",
            );
            continue;
        };
        let decoded = reader.texts_of(node, "decoded");
        let limit = reader.texts_of(node, "long").into_iter().next();
        let limit = limit.and_then(|limit| limit.value.parse().ok());
        let field = IndexField {
            text: flag(reader, node, "text"),
            caseless: flag(reader, node, "caseless"),
            decoded: decoded.into_iter().map(|pattern| pattern.value).collect(),
            path_dot: flag(reader, node, "path_dot"),
            of_keys: flag(reader, node, "of_keys"),
            ..IndexField::new(name.to_owned(), kind, limit)
        };
        types.insert(name.to_owned(), field);
    }
    types
}

fn entry(
    reader: &mut Reader<'_>,
    (document, node): (&Node, &Node),
    mapping: &Arc<str>,
    known: &[Index],
    types: &Types,
) -> Vec<Stream> {
    reader.known_keys(node, "a stream", keys::names("stream"));
    let sources = log_sources(reader, node);
    let kinds: Vec<&EventKind> = sources.iter().map(|(kind, _)| kind).collect();
    let holders = with_shared(reader, document, node);
    let mut places = Vec::new();
    for (key, place) in entries_of(&holders, "fields") {
        if let Some(field) = field(reader, key, &kinds) {
            places.push((field, parts(reader, place, types)));
        }
    }
    let is_placed = |field: &Field| places.iter().any(|(own, _)| own == field);
    let absent = check_absent(reader, &holders, &kinds, &is_placed);
    let systems = systems(reader, node);
    let of_product = node.get("product").is_some();
    let products = documents_of(reader, node, &systems);
    let rows = rows(reader, node.get("rows"), &kinds);
    let others = others(reader, node);
    let keywords = keywords(reader, &holders, types);
    let ancestry = ancestry(reader, node, types);
    let Some(domain) = text_of(reader, node, "domain") else { return Vec::new() };
    let log = log(reader, document, node);
    let indices = patterns(reader, node, "indices", known);
    let on_request = patterns(reader, node, "on_request", known);
    let stream = |(events, own): (EventKind, Vec<(String, Test)>)| {
        let of_log = places.iter().filter(|(field, _)| events.field_type(field).is_some());
        let mut fields: BTreeMap<_, _> = of_log.cloned().collect();
        if let Some(others) = &others {
            let left = events.field_names().into_iter().map(Field::of_log);
            let left = left.filter(|field| !absent.iter().any(|name| name == field.name()));
            for field in left.filter(|field| !places.iter().any(|(own, _)| own == field)) {
                let name = others.name.replace("{field}", field.name());
                let place = IndexField { name, ..others.clone() };
                fields.insert(field, vec![(Holds::Whole, place)]);
            }
        }
        Stream {
            mapping: Arc::clone(mapping),
            domain: domain.value.clone(),
            of_product,
            products: products.clone(),
            systems: systems.clone(),
            rows: rows.iter().cloned().chain(own).collect(),
            indices: indices.clone(),
            on_request: on_request.clone(),
            keywords: keywords.clone(),
            ancestry: ancestry.clone(),
            fields,
            log: log.clone(),
            events,
        }
    };
    sources.into_iter().map(stream).collect()
}

/// The products that all documents are of, which `systems` are where they are written; none for any
fn documents_of(reader: &mut Reader<'_>, node: &Node, systems: &[Product]) -> Vec<Product> {
    match node.get("systems") {
        _ if node.get("product").is_some() => products(reader, node, "product"),
        Some(_) => systems.to_vec(),
        None => Vec::new(),
    }
}

/// The operating systems under `systems`: the usual two where it is not written
fn systems(reader: &mut Reader<'_>, node: &Node) -> Vec<Product> {
    match node.get("systems") {
        Some(Node { kind: Shape::List(none), .. }) if none.is_empty() => Vec::new(),
        Some(_) => products(reader, node, "systems"),
        None => vec![Product::Linux, Product::Windows],
    }
}

/// The log sources of an entry, each with the tests that select its documents
fn log_sources(reader: &mut Reader<'_>, node: &Node) -> Vec<(EventKind, Vec<(String, Test)>)> {
    let Some(Node { kind: Shape::Map(entries), .. }) = node.get("events") else {
        return events(reader, node).into_iter().map(|kind| (kind, Vec::new())).collect();
    };
    let mut sources = Vec::new();
    for (name, own) in entries {
        let Some(kind) = log_source(reader, name) else { continue };
        let rows = rows(reader, Some(own).filter(|own| !is_empty(own)), &[&kind]);
        sources.push((kind, rows));
    }
    sources
}

/// Whether a map has no entries
fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Shape::Map(entries) if entries.is_empty())
}

/// The index field of any field, with `{field}` in the field's place
fn others(reader: &mut Reader<'_>, node: &Node) -> Option<IndexField> {
    let name = reader.texts_of(node, "others").into_iter().next()?;
    let kind = reader.texts_of(node, "others_type").into_iter().next();
    let kind = kind.and_then(|kind| FieldKind::named(&kind.value)).unwrap_or(FieldKind::Keyword);
    let long = reader.texts_of(node, "others_long").into_iter().next();
    let long = long.and_then(|long| long.value.parse().ok());
    Some(IndexField { dynamic: true, ..IndexField::new(name.value, kind, long) })
}

/// The index fields that keywords are searched in
fn keywords(reader: &mut Reader<'_>, holders: &[&Node], types: &Types) -> Vec<IndexField> {
    let nodes = list_of(reader, holders, "keywords");
    nodes.iter().filter_map(|node| index_field(reader, node, types)).collect()
}

/// The index fields under `ancestry`
fn ancestry(reader: &mut Reader<'_>, node: &Node, types: &Types) -> Option<Ancestry> {
    let node = node.get("ancestry")?;
    reader.known_keys(node, "`ancestry`", keys::names("ancestry"));
    let mut field = |key| {
        let name = node.get(key).and_then(|name| index_field(reader, name, types));
        name.map(|field| field.name)
    };
    Some(Ancestry { process: field("process")?, parent: field("parent")? })
}

/// The index field of each part of a field
///
/// A list names several fields for the whole: each document has the value in one of them.
fn parts(reader: &mut Reader<'_>, place: &Node, types: &Types) -> Vec<(Holds, IndexField)> {
    if let Shape::List(items) = &place.kind {
        let fields = items.iter().filter_map(|item| index_field(reader, item, types));
        return fields.map(|field| (Holds::Whole, field)).collect();
    }
    let is_one = !matches!(place.kind, Shape::Map(_)) || place.get("field").is_some();
    if is_one {
        let whole = index_field(reader, place, types);
        return whole.map(|field| (Holds::Whole, field)).into_iter().collect();
    }
    let mut parts = Vec::new();
    for (key, node) in reader.map(place, "a field") {
        let Some(holds) = key.text().and_then(Holds::named) else {
            reader.unknown_key(key, "a field", &Holds::words().collect::<Vec<_>>());
            continue;
        };
        parts.extend(index_field(reader, node, types).map(|field| (holds, field)));
    }
    parts
}

fn index_field(reader: &mut Reader<'_>, node: &Node, types: &Types) -> Option<IndexField> {
    let is_map = matches!(node.kind, Shape::Map(_));
    if is_map {
        reader.known_keys(node, "a field", keys::names("index field"));
    }
    let name =
        if is_map { text_of(reader, node, "field")? } else { reader.text(node, "a field")? };
    let Some(known) = types.get(&name.value) else {
        let message = format!("the type of `{}` is not known", name.value);
        reader.error(Code::E0112, name.span, message, "not under `types`");
        return None;
    };
    let exists_for = reader.texts_of(node, "exists_for").into_iter().next();
    let of_false = reader.texts_of(node, "words_of_false");
    let words = match (node.get("words"), exists_for) {
        (Some(words), _) => Words::Of(maps(reader, words, "`words`")),
        (None, Some(value)) => Words::ExistsFor(value.value),
        (None, None) if !of_false.is_empty() => {
            Words::False(of_false.into_iter().map(|word| word.value).collect())
        }
        (None, None) => Words::Own,
    };
    let wider = reader.texts_of(node, "wider").into_iter().next().map(|text| text.value);
    let substitutes = reader.texts_of(node, "substitutes").into_iter().map(|text| text.value);
    Some(IndexField { words, wider, substitutes: substitutes.collect(), ..known.clone() })
}

/// The tests under `rows`, or beside the name of a log source
fn rows(reader: &mut Reader<'_>, rows: Option<&Node>, kinds: &[&EventKind]) -> Vec<(String, Test)> {
    let entries = rows.map(|rows| reader.map(rows, "`rows`"));
    let mut tests = Vec::new();
    for (key, value) in entries.into_iter().flatten() {
        let test = match value.get("field") {
            Some(name) => field(reader, name, kinds).map(Test::With),
            None => {
                let words = reader.texts(value, "a value").into_iter().map(|text| text.value);
                let words: Vec<String> = words.collect();
                match &*words {
                    [] => None,
                    [only] if only == "{product}" => Some(Test::Product),
                    _ => Some(Test::Is(words)),
                }
            }
        };
        tests.extend(reader.key(key).map(ToOwned::to_owned).zip(test));
    }
    tests
}

fn patterns(reader: &mut Reader<'_>, node: &Node, key: &str, known: &[Index]) -> Vec<Index> {
    let mut indices = Vec::new();
    for pattern in reader.texts_of(node, key) {
        match known.iter().find(|index| index.pattern == pattern.value) {
            Some(index) => indices.push(index.clone()),
            None => {
                let message = format!("no index is called `{}`", pattern.value);
                reader.error(Code::E0112, pattern.span, message, "not under `indices`");
            }
        }
    }
    indices
}
