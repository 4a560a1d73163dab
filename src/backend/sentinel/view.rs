//! The views behind the YAML packages: analytic rule and hunting query.
//!
//! In: a [`Package`] and its query. Out: views whose strings the templates print unchanged. An
//! optional part is a list that may be empty.

use serde::Serialize;

use super::incident::Configuration;
use super::package::{Package, printable};
use super::query::Shape;
use super::settings::Settings;
use crate::backend::settings::span;
use crate::mapping::Entity;

/// The view of `sentinel/analytic.yaml` and `sentinel/hunting.yaml`
#[derive(Debug, Serialize)]
pub(super) struct PackageView {
    id: String,
    name: String,
    description: Vec<String>,
    /// The whole description, when `description` is shortened
    detailed: Vec<String>,
    severity: &'static str,
    connectors: Vec<Connector>,
    scheduled: Vec<Scheduled>,
    tactics: Vec<&'static str>,
    techniques: Vec<&'static str>,
    query: Vec<String>,
    entities: Vec<EntityView>,
    details: Vec<String>,
    display_name: String,
    severity_column: Vec<&'static str>,
    grouping: &'static str,
    suppression: Vec<String>,
    incident: Vec<Configuration>,
    version: String,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Connector {
    id: String,
    tables: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Scheduled {
    frequency: String,
    period: String,
    threshold: u32,
}

#[derive(Debug, Serialize)]
struct EntityView {
    kind: String,
    fields: Vec<Mapping>,
}

#[derive(Debug, Serialize)]
struct Mapping {
    identifier: String,
    column: String,
}

/// The analytic rule, scheduled or near real time
pub(super) fn analytic(
    package: &Package<'_>,
    query: &str,
    shape: &Shape<'_>,
    settings: &Settings,
) -> PackageView {
    let nrt = settings.nrt.is_some();
    let scheduled = Scheduled {
        frequency: span(shape.schedule.frequency),
        period: span(shape.schedule.period),
        threshold: settings.trigger,
    };
    PackageView {
        id: package.id.clone(),
        name: scalar(&package.name),
        description: package.description.clone(),
        detailed: Vec::new(),
        severity: package.severity,
        connectors: connectors(package),
        scheduled: if nrt { Vec::new() } else { vec![scheduled] },
        tactics: package.tactics.clone(),
        techniques: package.techniques.clone(),
        query: query.lines().map(ToOwned::to_owned).collect(),
        entities: entities(package),
        details: package.details.clone(),
        display_name: scalar(&package.display_name),
        severity_column: if shape.severity { vec!["Severity"] } else { Vec::new() },
        grouping: if settings.single_alert { "SingleAlert" } else { "AlertPerResult" },
        suppression: settings.suppression.map(span).into_iter().collect(),
        incident: settings.incident.iter().map(|one| one.configuration(span)).collect(),
        version: package.version.clone(),
        kind: if nrt { "NRT" } else { "Scheduled" },
    }
}

/// The hunting query of the same rule
pub(super) fn hunting(
    package: &Package<'_>,
    query: &str,
    shape: &Shape<'_>,
    settings: &Settings,
) -> PackageView {
    let whole = package.description.len() == 1 && package.description[0] == package.summary;
    PackageView {
        id: package.hunting_id.clone(),
        description: vec![package.summary.clone()],
        detailed: if whole { Vec::new() } else { package.description.clone() },
        ..analytic(package, query, shape, settings)
    }
}

fn connectors(package: &Package<'_>) -> Vec<Connector> {
    let connector = |(id, tables): &(&str, Vec<&str>)| Connector {
        id: (*id).to_owned(),
        tables: tables.iter().map(ToString::to_string).collect(),
    };
    package.connectors.iter().map(connector).collect()
}

fn entities(package: &Package<'_>) -> Vec<EntityView> {
    let mapping = |(identifier, column): &(String, String)| Mapping {
        identifier: identifier.clone(),
        column: column.clone(),
    };
    let entity = |entity: &Entity| EntityView {
        kind: entity.kind.clone(),
        fields: entity.fields.iter().map(mapping).collect(),
    };
    package.entities.iter().map(entity).collect()
}

/// A YAML scalar for one line of text: quoted unless it is safe as a plain scalar
fn scalar(text: &str) -> String {
    let text = printable(text);
    let plain = |c: char| c.is_alphanumeric() || " -_.,()/'".contains(c);
    let starts = text.starts_with(|c: char| c.is_alphabetic());
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let safe = starts && text.chars().all(plain) && !word.contains(&text.to_lowercase().as_str());
    if safe && !text.ends_with(' ') {
        return text;
    }
    format!("'{}'", text.replace('\'', "''"))
}
