//! What the language allows at the cursor.
//!
//! In: a [`Context`] and the lines of its document. Out: [`Allowed`]: the keys of a map, the tests of a
//! kind of event, or what a value may be. The tables of keys lead down from the top of the document.

use super::outline::{Context, Line};
use crate::schema::{Kind, kind_of};
use crate::taxonomy::{EventKind, Log};
use crate::yaml::{KeyRow, Shape};

/// What may stand at a place
#[derive(Debug)]
pub(super) enum Allowed {
    /// Keys of these kinds of map
    Keys(Vec<&'static str>),
    /// Tests of any field: the inside of a selection of Sigma
    Tests,
    /// Settings, below `targets:`; the names above
    Settings(Vec<String>),
    /// A value of a key
    Value(&'static Shape, &'static str),
    /// A value of a test with this key
    TestValue(String),
    /// Nothing that is known
    Nothing,
}

/// A document at the cursor
#[derive(Debug)]
pub(super) struct Here {
    /// The kind of document
    pub(super) kind: Kind,
    /// What may stand at the cursor
    pub(super) allowed: Allowed,
    /// The kind of event that tests at the cursor are about
    pub(super) event: Option<EventKind>,
}

/// What the language allows at the cursor; `None` in a document of no known kind
pub(super) fn here(context: &Context, lines: &[Line]) -> Option<Here> {
    let kind = kind(lines)?;
    let event = event(kind, &context.path, lines);
    Some(Here { kind, allowed: allowed(kind, context), event })
}

/// The kind of a document; one with nothing but metadata is a definition to be
fn kind(lines: &[Line]) -> Option<Kind> {
    let top = || lines.iter().filter(|line| line.path.is_empty()).map(|line| line.key.as_str());
    let known = Kind::Definition.keys().names("metadata");
    kind_of(top().collect::<Vec<_>>().into_iter()).or_else(|| {
        top()
            .all(|key| {
                key.is_empty()
                    || known.iter().any(|one| one.starts_with(key))
                    || "signals".starts_with(key)
            })
            .then_some(Kind::Definition)
    })
}

fn allowed(kind: Kind, context: &Context) -> Allowed {
    let mut at = Allowed::Keys(kind.places().to_vec());
    for key in &context.path {
        at = below(kind, at, key);
    }
    match &context.key {
        Some(key) => below(kind, at, key),
        None => at,
    }
}

/// What may stand below a key
fn below(kind: Kind, at: Allowed, key: &str) -> Allowed {
    match at {
        Allowed::Keys(places) => {
            let row = row(kind, &places, key);
            row.map_or(Allowed::Nothing, |row| match (row.name, &row.shape) {
                ("*", Shape::Values) => Allowed::TestValue(key.to_owned()),
                (name, shape) => inside(shape, name),
            })
        }
        Allowed::Tests => Allowed::TestValue(key.to_owned()),
        Allowed::Settings(mut above) => {
            above.push(key.to_owned());
            Allowed::Settings(above)
        }
        // `{not: …}`, and the name of an entry that the author names.
        Allowed::TestValue(test) => Allowed::TestValue(test),
        Allowed::Value(Shape::Names(inner) | Shape::Map(inner), name) => inside(inner, name),
        Allowed::Value(..) | Allowed::Nothing => Allowed::Nothing,
    }
}

/// The row of a key in one of these kinds of map
pub(super) fn row(kind: Kind, places: &[&'static str], key: &str) -> Option<&'static KeyRow> {
    let rows = || places.iter().flat_map(|place| kind.keys().of(place));
    rows().find(|row| row.name == key).or_else(|| rows().find(|row| row.name == "*"))
}

/// What may stand in a value of this shape
fn inside(shape: &'static Shape, name: &'static str) -> Allowed {
    let shape = shape.each();
    if let Shape::In(place) = shape {
        Allowed::Keys(vec![place])
    } else if *shape == Shape::Own("selection") {
        Allowed::Tests
    } else if *shape == Shape::Own("targets") {
        Allowed::Settings(Vec::new())
    } else {
        Allowed::Value(shape, name)
    }
}

/// The kind of event of the tests at a place
fn event(kind: Kind, path: &[String], lines: &[Line]) -> Option<EventKind> {
    let value = |path: &[String], key: &str| {
        let line = lines.iter().find(|line| line.path == path && line.key == key)?;
        (!line.value.is_empty()).then_some(line.value.as_str())
    };
    if kind == Kind::Definition {
        let signal = path.get(..2).filter(|path| path[0] == "signals")?;
        return EventKind::named(value(signal, "event")?);
    }
    let source = ["logsource".to_owned()];
    let inline = lines.iter().find(|line| line.path.is_empty() && line.key == "logsource")?;
    let of = |key: &str| {
        value(&source, key).or_else(|| {
            let (_, rest) = inline.value.split_once(&format!("{key}:"))?;
            Some(rest.split([',', '}']).next()?.trim())
        })
    };
    let (category, product, service) = (of("category"), of("product"), of("service"));
    let log = Log::of(category, product, service).map(EventKind::Log);
    category.and_then(EventKind::category).map(|(kind, _)| kind).or(log)
}
