//! The contents of an alert, the same for every package format.
//!
//! In: the rule, its settings and the shape of its result. Out: a [`Package`] of plain values,
//! checked against the limits of analytic rules. Entity mappings and details name only columns
//! that the query returns: the others are dropped.

use super::entities;
use super::query::Shape;
use super::settings::Settings;
use super::severity;
use crate::backend::{Closed, derived_id, one_line, shown};
use crate::definition::live::inert;
use crate::diagnostic::{Cause, Code};
use crate::ir::Rule;
use crate::mapping::Entity;

/// The values that the packages of a rule share
#[derive(Debug)]
pub(super) struct Package<'m> {
    pub(super) id: String,
    pub(super) hunting_id: String,
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) description: Vec<String>,
    pub(super) severity: &'static str,
    /// Connector and the tables it fills
    pub(super) connectors: Vec<(&'m str, Vec<&'m str>)>,
    pub(super) tactics: Vec<&'static str>,
    pub(super) techniques: Vec<&'static str>,
    /// Each tactic with its techniques
    pub(super) attack: Vec<(&'static str, Vec<&'static str>)>,
    /// The triage guide
    pub(super) investigation: String,
    pub(super) entities: Vec<Entity>,
    /// Columns that an alert shows beside its entities
    pub(super) details: Vec<String>,
    pub(super) display_name: String,
    /// Three numbers, of which the last one counts changes of meaning
    pub(super) version: String,
}

/// The most entity mappings of a rule (Microsoft, Sentinel service limits)
const MOST_ENTITIES: usize = 10;

/// The most custom details of a rule (Microsoft, Sentinel service limits)
const MOST_DETAILS: usize = 20;

pub(super) fn package<'m>(
    rule: &Rule,
    shape: &Shape<'m>,
    settings: &Settings,
    closed: &mut Closed<'_>,
) -> Package<'m> {
    let title = &rule.metadata.title;
    let description = description(rule, closed);
    limit(closed, rule, "name", title.value.chars().count(), 256);
    let length: usize = description.iter().map(|line| line.chars().count() + 1).sum();
    limit(closed, rule, "description", length, 5_000);
    if let Some(span) = settings.nrt {
        refuse_nrt(rule, span, closed);
    }
    let techniques = rule.threats.iter().flat_map(|threat| &threat.techniques);
    let mut techniques: Vec<_> = techniques.map(|technique| technique.id).collect();
    techniques.sort_unstable();
    techniques.dedup();
    let mut tactics: Vec<_> = rule.threats.iter().map(|t| tactic(t.tactic.slug)).collect();
    tactics.dedup();
    let attack = rule.threats.iter().map(|threat| {
        let techniques = threat.techniques.iter().map(|technique| technique.id).collect();
        (tactic(threat.tactic.slug), techniques)
    });
    let attack = attack.collect();
    let has = |column: &str| shape.columns.iter().any(|name| name == column);
    let mapped = entities::mapped(&settings.entities, has);
    Package {
        id: derived_id(rule, closed.target()),
        hunting_id: derived_id(rule, &format!("{}/hunting", closed.target())),
        name: printable(&shown(&title.value)),
        summary: summary(&description),
        description,
        severity: severity::of(rule.level),
        connectors: connectors(shape),
        tactics,
        techniques,
        attack,
        investigation: rule
            .metadata
            .investigation
            .as_ref()
            .map_or_else(String::new, |guide| shown(&guide.value)),
        entities: mapped.into_iter().take(MOST_ENTITIES).collect(),
        details: shape
            .details
            .iter()
            .filter(|name| has(name))
            .take(MOST_DETAILS)
            .cloned()
            .collect(),
        display_name: display_name(rule, has("DeviceName")),
        version: format!("1.0.{}", rule.metadata.version.as_ref().map_or(0, |one| one.value - 1)),
    }
}

/// The connectors that fill the tables the query reads; those of a table without one are left out
fn connectors<'m>(shape: &Shape<'m>) -> Vec<(&'m str, Vec<&'m str>)> {
    let mut connectors: Vec<(&str, Vec<&str>)> = Vec::new();
    for table in shape.tables.iter().copied().filter(|table| !table.connector.is_empty()) {
        match connectors.iter_mut().find(|(known, _)| *known == table.connector) {
            Some((_, tables)) => tables.push(&table.name),
            None => connectors.push((&table.connector, vec![&table.name])),
        }
    }
    for (_, tables) in &mut connectors {
        tables.sort_unstable();
        tables.dedup();
    }
    connectors
}

/// Refuses new terms and correlations: a near-real-time rule sees the rows of one minute only
fn refuse_nrt(rule: &Rule, span: crate::source::Span, closed: &mut Closed<'_>) {
    let why = match (&rule.new_terms, rule.correlations.first()) {
        (Some(_), _) => "new terms are judged by the rows of days",
        (None, Some(_)) => "a correlation is judged by rows of several runs",
        (None, None) => return,
    };
    let message = "this cannot be a near-real-time rule".to_owned();
    let kind = Cause::Setting("kind".to_owned());
    closed.refuse_with((Code::E0507, kind), span, message, why, "Use `kind: scheduled`.");
}

/// The lines of the description: the rule's own text, its false positives, this target's losses
fn description(rule: &Rule, closed: &Closed<'_>) -> Vec<String> {
    let metadata = &rule.metadata;
    let text = metadata.description.as_ref().unwrap_or(&metadata.title);
    let mut lines: Vec<String> = shown(&text.value).lines().map(printable).collect();
    if !metadata.falsepositives.is_empty() {
        lines.push("False positives:".to_owned());
        let notes = metadata.falsepositives.iter();
        lines.extend(notes.map(|note| format!("- {}", printable(&note.value))));
    }
    lines.extend(closed.sentences().iter().map(|line| printable(line)));
    // Make the joined text inert again: a span that is code within one part may end elsewhere in
    // the whole.
    inert(&lines.join("\n")).lines().map(ToOwned::to_owned).collect()
}

/// The first sentences, up to the 255 characters of a hunting query's description
fn summary(description: &[String]) -> String {
    const MOST: usize = 255;
    let text = description.iter().find(|line| !line.is_empty());
    let text = text.map(String::as_str).unwrap_or_default();
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let head: String = text.chars().take(MOST).collect();
    match head.rfind(". ") {
        Some(end) => head[..=end].to_owned(),
        None => head.rsplit_once(' ').map_or(head.clone(), |(words, _)| words.to_owned()),
    }
}

pub(super) fn printable(text: &str) -> String {
    one_line(text).trim().to_owned()
}

/// The format of an alert's name; `parted` keeps a `{{Column}}` in the title from being filled
///
/// It names the host where the result has one, and the signal where there are several.
fn display_name(rule: &Rule, has_host: bool) -> String {
    let title = &rule.metadata.title.value;
    let plain: String = parted(&shown(title)).chars().take(200).collect();
    let signal = if rule.signals.len() > 1 { ": {{Signal}}" } else { "" };
    let host = if has_host { " on {{DeviceName}}" } else { "" };
    printable(&format!("{plain}{signal}{host}"))
}

/// Text for a field in which Microsoft fills `{{Column}}`: a blank separates adjacent braces
pub(super) fn parted(text: &str) -> String {
    // Twice: in `{{{` the first pass separates only the first two braces.
    text.replace("{{", "{ {").replace("{{", "{ {")
}

fn limit(closed: &mut Closed<'_>, rule: &Rule, what: &str, length: usize, most: usize) {
    if length > most {
        let message = format!("the {what} has {length} characters, Sentinel's limit is {most}");
        let span = rule.metadata.title.span;
        closed.refuse_with((Code::E0502, Cause::File), span, message, "too long", "Shorten it.");
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
