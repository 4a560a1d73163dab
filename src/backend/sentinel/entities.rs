//! The entities that a workspace wants of its alerts.
//!
//! In: the setting `entities`: for a kind of entity `none`, or its identifiers with the columns of the
//! result that hold them. Out: the entities of a rule: those that the setting names as it says, the
//! others as they are usually mapped. An entity is mapped where the result has all its columns.

use crate::backend::settings::Asked;
use crate::definition::nearest_name;
use crate::mapping::{Entity, results};

/// The most identifiers of an entity (Microsoft, entity mapping)
const MOST: usize = 3;

/// Reads the setting; an entity without identifiers is left out
pub(super) fn read(asked: &mut Asked<'_, '_>) -> Vec<Entity> {
    let kinds: Vec<&str> = results().identifiers.iter().map(|one| one.kind.as_str()).collect();
    let Some(mut asked) = asked.inner("entities", &kinds) else { return Vec::new() };
    let mut entities = Vec::new();
    for known in &results().identifiers {
        let kind = known.kind.as_str();
        if !asked.has(kind) {
            continue;
        }
        let fields = if asked.is_map(kind) {
            columns(&mut asked, kind)
        } else {
            let none = asked.text(kind).is_some_and(|text| text.value == "none");
            if !none {
                asked.refuse(kind, &format!("`{kind}` is neither `none` nor identifiers"));
            }
            Vec::new()
        };
        entities.push(Entity { kind: kind.to_owned(), fields });
    }
    entities
}

/// The identifiers of one kind with their columns
fn columns(asked: &mut Asked<'_, '_>, kind: &str) -> Vec<(String, String)> {
    let Some(known) = results().identifiers.iter().find(|one| one.kind == kind) else {
        return Vec::new();
    };
    let all: Vec<&str> = known.alone.iter().chain(&known.more).map(String::as_str).collect();
    let mut fields = Vec::new();
    let Some(mut inner) = asked.inner(kind, &all) else { return fields };
    for name in all {
        let Some(column) = inner.text(name) else { continue };
        if !results().has(&column.value) {
            let known = results().columns.iter().map(|column| column.name.as_str());
            let near = nearest_name(&column.value, known);
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            inner.refuse(name, &format!("no result has a column `{}`{near}", column.value));
        }
        fields.push((name.to_owned(), column.value));
    }
    if fields.len() > MOST {
        asked.refuse(kind, &format!("an entity has at most {MOST} identifiers"));
    } else if !fields.iter().any(|(name, _)| known.alone.contains(name)) {
        let alone = known.alone.join(", ");
        asked.refuse(kind, &format!("`{kind}` needs one of {alone}"));
    }
    fields
}

/// Whether an entity has a column, or one that is made of it
fn says(entity: &Entity, column: &str) -> bool {
    entity.fields.iter().any(|(_, own)| {
        let made = results().column(own).and_then(|known| known.made.as_ref());
        own == column || made.is_some_and(|(of, _)| of == column)
    })
}

/// The entities of a rule whose result has these columns, in the order in which they are mapped
pub(super) fn mapped(wanted: &[Entity], has: impl Fn(&str) -> bool) -> Vec<Entity> {
    let of_kind = |kind: &str| wanted.iter().find(|one| one.kind == kind);
    let mut all: Vec<&Entity> = Vec::new();
    for usual in &results().entities {
        match of_kind(&usual.kind) {
            None => all.push(usual),
            // The first of the usual ones gives the place.
            Some(own) if !all.iter().any(|one| one.kind == own.kind) => all.push(own),
            Some(_) => {}
        }
    }
    let more = wanted.iter().filter(|own| !all.iter().any(|one| one.kind == own.kind));
    let more: Vec<&Entity> = more.collect();
    let meant =
        |one: &&Entity| !one.fields.is_empty() && one.fields.iter().all(|(_, column)| has(column));
    let mut mapped: Vec<Entity> = Vec::new();
    for one in all.into_iter().chain(more).filter(meant) {
        let has_all = |other: &Entity| {
            let mut fields = one.fields.iter();
            other.kind == one.kind && fields.all(|(_, column)| says(other, column))
        };
        if !mapped.iter().any(has_all) {
            mapped.push(one.clone());
        }
    }
    mapped
}
