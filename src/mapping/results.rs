//! The columns of results, and the entities of alerts.
//!
//! In: `results.yml`. Out: [`Results`]: each column with its type and the part of an event that it
//! shows, in the order of a result, and the entities that columns identify.

use std::sync::Arc;

use super::read::{flag, maps, text_of};
use crate::diagnostic::{Code, Diagnostics};
use crate::ir;
use crate::query::kusto::{self, Expression, Type};
use crate::source::SourceText;
use crate::yaml::{self, Node, Reader};

/// The columns of results and the entities of alerts
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// The columns, in the order of a result
    pub(crate) columns: Vec<ResultColumn>,
    /// The entities, in the order in which they are mapped
    pub(crate) entities: Vec<Entity>,
    /// The identifiers of each kind of entity
    pub(crate) identifiers: Vec<Identifiers>,
}

/// The identifiers of a kind of entity
#[derive(Debug)]
pub(crate) struct Identifiers {
    pub(crate) kind: String,
    /// Those of which one has to be there
    pub(crate) alone: Vec<String>,
    /// Those that may stand beside it
    pub(crate) more: Vec<String>,
}

/// A column of a result
#[derive(Debug)]
pub(crate) struct ResultColumn {
    pub(crate) name: String,
    pub(crate) kind: Type,
    /// The part of an event that it shows
    pub(crate) shows: ir::Column,
    pub(crate) role: ResultRole,
    /// Another column of the result, and the value that is made of it
    pub(crate) made: Option<(String, Expression)>,
    /// Whether it only identifies an entity
    pub(crate) entity: bool,
}

/// The purpose of a column
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultRole {
    /// Shows a part of the event
    Shown,
    /// Holds the time at which an alert was raised
    Raised,
    /// Identifies the host: among events that complete a correlation, never that of another event
    Identity,
}

/// An entity of an alert
#[derive(Debug, Clone)]
pub(crate) struct Entity {
    pub(crate) kind: String,
    /// Each identifier and the column that holds it
    pub(crate) fields: Vec<(String, String)>,
}

impl Results {
    /// The column with this name
    pub(crate) fn column(&self, name: &str) -> Option<&ResultColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether a column has this name
    pub(crate) fn has(&self, name: &str) -> bool {
        self.column(name).is_some()
    }
}

/// Reads the document
pub(super) fn read(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Results {
    let documents = yaml::parse(source, diagnostics);
    let mut reader = Reader { source, diagnostics, has_lists: false, lenient: false };
    let mut results = Results::default();
    for document in &documents {
        reader.known_keys(document, "the results", &["results", "entities", "identifiers"]);
        let columns = document.get("results").map(|node| reader.map(node, "`results`"));
        for (name, node) in columns.into_iter().flatten() {
            results.columns.extend(column(&mut reader, name, node));
        }
        let entities = document.get("entities").map(|node| reader.list(node, "`entities`"));
        for node in entities.into_iter().flatten() {
            results.entities.extend(entity(&mut reader, node));
        }
        let kinds = document.get("identifiers").map(|node| reader.map(node, "`identifiers`"));
        for (kind, node) in kinds.into_iter().flatten() {
            results.identifiers.extend(identifiers(&mut reader, kind, node));
        }
    }
    results
}

fn column(reader: &mut Reader<'_>, name: &Node, node: &Node) -> Option<ResultColumn> {
    reader.known_keys(node, "a column", &["shows", "type", "role", "made", "entity"]);
    let shows = text_of(reader, node, "shows")?;
    let Some(part) = ir::Column::named(&shows.value) else {
        let message = format!("`{}` is no part of an event", shows.value);
        reader.error(Code::E0112, shows.span, message, "unknown word");
        return None;
    };
    let kind = reader.texts_of(node, "type").first().map_or(Some(Type::String), |kind| {
        let known = Type::named(&kind.value);
        if known.is_none() {
            let message = format!("`{}` is no type of Kusto", kind.value);
            reader.error(Code::E0112, kind.span, message, "unknown word");
        }
        known
    })?;
    let name = reader.key(name)?.to_owned();
    let role = match reader.texts_of(node, "role").first() {
        None => ResultRole::Shown,
        Some(role) if role.value == "raised" => ResultRole::Raised,
        Some(role) if role.value == "identity" => ResultRole::Identity,
        Some(role) => {
            let message = format!("`{}` is no role of a column", role.value);
            reader.error(Code::E0112, role.span, message, "raised or identity");
            ResultRole::Shown
        }
    };
    let made = node.get("made").and_then(|made| made_of(reader, made));
    let entity = flag(reader, node, "entity");
    Some(ResultColumn { name, kind, shows: part, role, made, entity })
}

/// The other column under `made`, and the value
fn made_of(reader: &mut Reader<'_>, node: &Node) -> Option<(String, Expression)> {
    let (of, text) = maps(reader, node, "`made`").into_iter().next()?;
    match kusto::expression(&text) {
        Ok(value) => Some((of, value)),
        Err(why) => {
            let message = format!("`made` is no Kusto: {why}");
            reader.error(Code::E0108, node.span, message, "expected a value");
            None
        }
    }
}

fn identifiers(reader: &mut Reader<'_>, kind: &Node, node: &Node) -> Option<Identifiers> {
    reader.known_keys(node, "identifiers", &["alone", "more"]);
    let mut names = |key| reader.texts_of(node, key).into_iter().map(|name| name.value).collect();
    let (alone, more) = (names("alone"), names("more"));
    Some(Identifiers { kind: reader.key(kind)?.to_owned(), alone, more })
}

fn entity(reader: &mut Reader<'_>, node: &Node) -> Option<Entity> {
    let [(kind, fields)] = reader.map(node, "an entity") else { return None };
    let fields = maps(reader, fields, "an entity");
    Some(Entity { kind: reader.key(kind)?.to_owned(), fields })
}
