//! The analytic rule as its template shows it.
//!
//! In: the rule, its query and the shape of its result. Out: an [`AnalyticView`] of ready
//! strings. Every column that an entity mapping, a detail or a format names is one the query
//! returns: what the shape has not is left out.

use serde::Serialize;

use super::query::{Shape, span};
use crate::backend::{Losses, derived_id};
use crate::definition::Level;
use crate::diagnostic::Code;
use crate::ir::Rule;

/// What the analytic rule template shows
#[derive(Debug, Serialize)]
pub(super) struct AnalyticView {
    id: String,
    name: String,
    description: Vec<String>,
    severity: &'static str,
    connectors: Vec<Connector>,
    frequency: String,
    period: String,
    tactics: Vec<&'static str>,
    techniques: Vec<&'static str>,
    query: Vec<String>,
    entities: Vec<Entity>,
    details: Vec<&'static str>,
    display_name: String,
    severity_column: Vec<&'static str>,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Connector {
    id: &'static str,
    tables: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Entity {
    kind: &'static str,
    fields: Vec<Mapping>,
}

#[derive(Debug, Serialize)]
struct Mapping {
    identifier: &'static str,
    column: &'static str,
}

/// Entities an alert can carry: identifier and the column that holds it
const ENTITIES: &[(&str, &[(&str, &str)])] = &[
    ("Host", &[("FullName", "DeviceName")]),
    ("Account", &[("Name", "AccountName"), ("NTDomain", "AccountDomain")]),
    ("Process", &[("CommandLine", "CommandLine")]),
    ("Process", &[("CommandLine", "InitiatingProcessCommandLine")]),
    ("File", &[("Name", "FileName"), ("Directory", "FolderPath")]),
    ("RegistryKey", &[("Key", "RegistryKey")]),
    ("RegistryValue", &[("Name", "RegistryValueName"), ("Value", "RegistryValueData")]),
    ("IP", &[("Address", "RemoteIP")]),
    ("IP", &[("Address", "ClientIP")]),
    ("URL", &[("Url", "UrlPath")]),
];

/// Fills the view
pub(super) fn analytic(
    rule: &Rule,
    query: &str,
    shape: &Shape,
    losses: &mut Losses<'_>,
) -> AnalyticView {
    let title = &rule.metadata.title;
    let description = description(rule, losses);
    limit(losses, rule, "name", title.value.chars().count(), 256);
    let length: usize = description.iter().map(|line| line.chars().count() + 1).sum();
    limit(losses, rule, "description", length, 5_000);
    let (frequency, period) = shape.schedule;
    let techniques = rule.threats.iter().flat_map(|threat| &threat.techniques);
    let mut techniques: Vec<_> = techniques.map(|technique| technique.id).collect();
    techniques.sort_unstable();
    techniques.dedup();
    let mut tactics: Vec<_> = rule.threats.iter().map(|t| tactic(t.tactic.slug)).collect();
    tactics.dedup();
    AnalyticView {
        id: derived_id(rule, "sentinel"),
        name: scalar(&title.value),
        description,
        severity: severity(rule.level),
        connectors: connectors(shape),
        frequency: span(frequency),
        period: span(period),
        tactics,
        techniques,
        query: query.lines().map(ToOwned::to_owned).collect(),
        entities: entities(shape),
        details: ["Signal", "Level"].into_iter().filter(|name| has(shape, name)).collect(),
        display_name: scalar(&display_name(&title.value)),
        severity_column: if shape.severity { vec!["Severity"] } else { Vec::new() },
        version: "1.0.0",
    }
}

/// The connectors that fill the tables the query reads
fn connectors(shape: &Shape) -> Vec<Connector> {
    let mut connectors: Vec<Connector> = Vec::new();
    for kind in &shape.kinds {
        let Some(table) = shape.profile.table(*kind) else { continue };
        let id = shape.profile.connector(*kind);
        match connectors.iter_mut().find(|known| known.id == id) {
            Some(known) => known.tables.push(table),
            None => connectors.push(Connector { id, tables: vec![table] }),
        }
    }
    for connector in &mut connectors {
        connector.tables.sort_unstable();
        connector.tables.dedup();
    }
    connectors
}

fn has(shape: &Shape, column: &str) -> bool {
    shape.columns.iter().any(|name| name == column)
}

fn entities(shape: &Shape) -> Vec<Entity> {
    let mapped = ENTITIES.iter().filter(|(_, fields)| fields.iter().all(|(_, c)| has(shape, c)));
    mapped
        .map(|(kind, fields)| Entity {
            kind,
            fields: fields
                .iter()
                .map(|(identifier, column)| Mapping { identifier, column })
                .collect(),
        })
        .collect()
}

/// What it finds, what else looks like it, and what this target loses
fn description(rule: &Rule, losses: &Losses<'_>) -> Vec<String> {
    let metadata = &rule.metadata;
    let text = metadata.description.as_ref().unwrap_or(&metadata.title);
    let mut lines: Vec<String> = text.value.lines().map(printable).collect();
    if !metadata.falsepositives.is_empty() {
        lines.push("False positives:".to_owned());
        let notes = metadata.falsepositives.iter();
        lines.extend(notes.map(|note| format!("- {}", printable(&note.value))));
    }
    lines.extend(losses.sentences().iter().map(|line| printable(line)));
    lines
}

fn printable(text: &str) -> String {
    let visible = |c| if crate::source::is_unprintable(c) { ' ' } else { c };
    text.chars().map(visible).collect::<String>().trim().to_owned()
}

/// Sentinel fills `{{Column}}`; the title itself must not ask for a column.
fn display_name(title: &str) -> String {
    let plain: String = title.replace("{{", "{ {").chars().take(200).collect();
    format!("{plain}: {{{{Signal}}}} on {{{{DeviceName}}}}")
}

fn limit(losses: &mut Losses<'_>, rule: &Rule, what: &str, length: usize, most: usize) {
    if length > most {
        let message = format!("the {what} has {length} characters, Sentinel's limit is {most}");
        let span = rule.metadata.title.span;
        losses.refuse_with(Code::E0502, span, message, "too long", "Shorten it.");
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Informational => "Informational",
        Level::Low => "Low",
        Level::Medium => "Medium",
        Level::High | Level::Critical => "High",
    }
}

/// Sentinel's list of tactics; it has not followed ATT&CK 19, which split Defense Evasion
fn tactic(slug: &str) -> &'static str {
    match slug {
        "reconnaissance" => "Reconnaissance",
        "resource-development" => "ResourceDevelopment",
        "initial-access" => "InitialAccess",
        "execution" => "Execution",
        "persistence" => "Persistence",
        "privilege-escalation" => "PrivilegeEscalation",
        "credential-access" => "CredentialAccess",
        "discovery" => "Discovery",
        "lateral-movement" => "LateralMovement",
        "collection" => "Collection",
        "command-and-control" => "CommandAndControl",
        "exfiltration" => "Exfiltration",
        "impact" => "Impact",
        _ => "DefenseEvasion",
    }
}

/// A YAML scalar for one line of text
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
