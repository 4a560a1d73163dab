//! Reads the streams of a mapping.
//!
//! In: a document with `types`, `indices` and `streams`. Out: [`Stream`]s and [`Index`]es, and a
//! diagnostic for every mistake in them.

use std::collections::BTreeMap;

use super::place::Holds;
use super::read::{check_absent, entries_of, events, field, flag, maps, text_of, with_shared};
use super::stream::{FieldKind, Index, IndexField, Stream, Test, Words};
use crate::diagnostic::Code;
use crate::source::Spanned;
use crate::taxonomy::{EventKind, Product};
use crate::yaml::{Kind as Shape, Node, Reader};

const KEYS: &[&str] =
    &["events", "domain", "systems", "rows", "indices", "on_request", "with", "fields", "absent"];
const INDEX_KEYS: &[&str] = &["package", "source", "products", "text"];
const TYPE_KEYS: &[&str] = &["type", "text", "long", "decoded", "path_dot", "of_keys"];
const FIELD_KEYS: &[&str] = &["field", "words", "exists_for", "words_of_false"];

/// The index patterns of a document
pub(super) fn indices(reader: &mut Reader<'_>, document: &Node) -> Vec<Index> {
    let entries = document.get("indices").map(|node| reader.map(node, "`indices`"));
    let mut indices = Vec::new();
    for (pattern, node) in entries.into_iter().flatten() {
        reader.known_keys(node, "an index", INDEX_KEYS);
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
        });
    }
    indices
}

/// The streams of a document
pub(super) fn streams(reader: &mut Reader<'_>, document: &Node) -> Vec<Stream> {
    let known = indices(reader, document);
    let types = types(reader, document);
    let items = document.get("streams").map(|node| reader.list(node, "`streams`"));
    let read = |node| stream(reader, document, node, &known, &types);
    items.into_iter().flatten().filter_map(read).collect()
}

type Types = BTreeMap<String, IndexField>;

fn types(reader: &mut Reader<'_>, document: &Node) -> Types {
    let entries = document.get("types").map(|node| reader.map(node, "`types`"));
    let mut types = Types::new();
    for (key, node) in entries.into_iter().flatten() {
        let is_map = matches!(node.kind, Shape::Map(_));
        if is_map {
            reader.known_keys(node, "a type", TYPE_KEYS);
        }
        let Some(name) = reader.key(key) else { continue };
        let word = if is_map { text_of(reader, node, "type") } else { reader.text(node, "a type") };
        let Some(word) = word else { continue };
        let Some(kind) = FieldKind::named(&word.value) else {
            let message = format!("`{}` is no type of a field", word.value);
            reader.error(Code::E0112, word.span, message, "keyword, wildcard, ip or long");
            continue;
        };
        let limit = reader.texts_of(node, "long").into_iter().next();
        let field = IndexField {
            name: name.to_owned(),
            kind,
            words: Words::Own,
            text: flag(reader, node, "text"),
            long: limit.and_then(|limit| limit.value.parse().ok()),
            decoded: flag(reader, node, "decoded"),
            path_dot: flag(reader, node, "path_dot"),
            of_keys: flag(reader, node, "of_keys"),
        };
        types.insert(name.to_owned(), field);
    }
    types
}

fn stream(
    reader: &mut Reader<'_>,
    document: &Node,
    node: &Node,
    known: &[Index],
    types: &Types,
) -> Option<Stream> {
    reader.known_keys(node, "a stream", KEYS);
    let events = events(reader, node)?;
    let holders = with_shared(reader, document, node);
    let mut fields = BTreeMap::new();
    for (key, place) in entries_of(&holders, "fields") {
        if let Some(field) = field(reader, key, &events) {
            fields.insert(field, parts(reader, place, types));
        }
    }
    check_absent(reader, node, &events, &fields);
    let systems = match node.get("systems") {
        Some(_) => products(reader, node, "systems"),
        None => vec![Product::Linux, Product::Windows],
    };
    Some(Stream {
        domain: text_of(reader, node, "domain")?.value,
        systems,
        rows: rows(reader, node, &events),
        indices: patterns(reader, node, "indices", known),
        on_request: patterns(reader, node, "on_request", known),
        fields,
        events,
    })
}

/// The index field of each part of a field
fn parts(reader: &mut Reader<'_>, place: &Node, types: &Types) -> Vec<(Holds, IndexField)> {
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
        reader.known_keys(node, "a field", FIELD_KEYS);
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
    Some(IndexField { words, ..known.clone() })
}

fn rows(reader: &mut Reader<'_>, node: &Node, events: &EventKind) -> Vec<(String, Test)> {
    let entries = node.get("rows").map(|rows| reader.map(rows, "`rows`"));
    let mut rows = Vec::new();
    for (key, value) in entries.into_iter().flatten() {
        let test = match value.get("field") {
            Some(name) => field(reader, name, events).map(Test::With),
            None => reader.text(value, "a value").map(|text| match &*text.value {
                "{product}" => Test::Product,
                _ => Test::Is(text.value),
            }),
        };
        rows.extend(reader.key(key).map(ToOwned::to_owned).zip(test));
    }
    rows
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

fn products(reader: &mut Reader<'_>, node: &Node, key: &str) -> Vec<Product> {
    let mut products = Vec::new();
    for Spanned { value, span } in reader.texts_of(node, key) {
        match Product::named(&value) {
            Some(product) => products.push(product),
            None => {
                let message = format!("no product is called `{value}`");
                reader.error(Code::E0112, span, message, "unknown word");
            }
        }
    }
    products
}
