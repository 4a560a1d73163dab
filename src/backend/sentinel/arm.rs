//! The JSON packages: an ARM template for Sentinel, a custom detection for Defender XDR.
//!
//! In: a [`Package`], its query and its schedule. Out: JSON text. Source: alertRules of the
//! Microsoft.SecurityInsights resource provider, whose stable versions know neither sub-techniques
//! nor near-real-time rules, and detectionRules of Microsoft Graph as of May 2026.

use serde_json::{Map, Value, json};

use super::package::{Package, parted};
use super::query::Shape;
use super::settings::Settings;
use crate::mapping::Entity;
use crate::source::visible_json;

const API_VERSION: &str = "2023-12-01-preview";

/// A template that deploys the analytic rule to a workspace
pub(super) fn template(
    package: &Package<'_>,
    query: &str,
    shape: &Shape<'_>,
    settings: &Settings,
) -> String {
    let id = &package.id;
    let provider = "resourceId('Microsoft.OperationalInsights/workspaces/providers', \
                    parameters('workspace'), 'Microsoft.SecurityInsights')";
    let (whole, below): (Vec<&str>, Vec<&str>) =
        package.techniques.iter().partition(|technique| !technique.contains('.'));
    let mut techniques: Vec<&str> =
        whole.into_iter().chain(below.iter().map(|technique| &technique[..5])).collect();
    techniques.sort_unstable();
    techniques.dedup();
    let mut properties = object(json!({
        "displayName": literal(&package.name),
        "description": literal(&package.description.join("\n")),
        "severity": package.severity,
        "enabled": true,
        "query": literal(query.trim_end()),
    }));
    if settings.nrt.is_none() {
        properties.extend(object(json!({
            "queryFrequency": duration(shape.schedule.frequency),
            "queryPeriod": duration(shape.schedule.period),
            "triggerOperator": "GreaterThan",
            "triggerThreshold": settings.trigger,
        })));
    }
    let entity = |entity: &Entity| {
        let mapping = |(identifier, column): &(String, String)| json!({"identifier": identifier, "columnName": column});
        let mappings: Vec<Value> = entity.fields.iter().map(mapping).collect();
        json!({"entityType": entity.kind, "fieldMappings": mappings})
    };
    let details: Map<String, Value> =
        package.details.iter().map(|name| ((*name).to_owned(), json!(name))).collect();
    let mut alert = object(json!({"alertDisplayNameFormat": literal(&package.display_name)}));
    if shape.severity {
        alert.insert("alertSeverityColumnName".to_owned(), json!("Severity"));
    }
    let grouping = if settings.single_alert { "SingleAlert" } else { "AlertPerResult" };
    properties.extend(object(json!({
        "suppressionDuration": duration(settings.suppression.unwrap_or(5 * 60)),
        "suppressionEnabled": settings.suppression.is_some(),
        "tactics": package.tactics,
        "techniques": techniques,
        "subTechniques": below,
        "entityMappings": package.entities.iter().map(entity).collect::<Vec<_>>(),
        "customDetails": details,
        "alertDetailsOverride": alert,
        "eventGroupingSettings": {"aggregationKind": grouping},
    })));
    if let Some(incident) = &settings.incident {
        let incident = json!(incident.configuration(duration));
        properties.insert("incidentConfiguration".to_owned(), incident);
    }
    // Sentinel takes one to ten of them, or none at all.
    if package.entities.is_empty() {
        properties.remove("entityMappings");
    }
    print(&json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": format!("{}.0", package.version),
        "parameters": {"workspace": {"type": "String"}},
        "resources": [{
            "id": format!("[concat({provider},'/alertRules/{id}')]"),
            "name": format!("[concat(parameters('workspace'),'/Microsoft.SecurityInsights/{id}')]"),
            "type": "Microsoft.OperationalInsights/workspaces/providers/alertRules",
            "kind": if settings.nrt.is_some() { "NRT" } else { "Scheduled" },
            "apiVersion": API_VERSION,
            "properties": properties,
        }],
    }))
}

/// A custom detection of Defender XDR
pub(super) fn detection(package: &Package<'_>, query: &str, shape: &Shape<'_>) -> String {
    let has = |column: &str| shape.columns.iter().any(|name| name == column);
    let entity = |columns: &[(&str, &str)]| -> Option<Value> {
        let there = columns.iter().filter(|(_, column)| has(column));
        let entity: Map<String, Value> =
            there.map(|(key, column)| ((*key).to_owned(), json!(column))).collect();
        (!entity.is_empty()).then(|| json!([entity]))
    };
    let mut entities = Map::new();
    for (kind, columns) in [
        ("hosts", &[("deviceIdColumn", "DeviceId"), ("nameColumn", "DeviceName")][..]),
        ("accounts", &[("nameColumn", "AccountName"), ("ntDomainColumn", "AccountDomain")]),
        ("files", &[("nameColumn", "FileName")]),
        ("processes", &[("commandLineColumn", "CommandLine")]),
        ("ips", &[("addressColumn", "RemoteIP")]),
    ] {
        if let Some(mapping) = entity(columns) {
            entities.insert(kind.to_owned(), mapping);
        }
    }
    let tactics: Vec<Value> = package
        .attack
        .iter()
        .map(|(tactic, techniques)| {
            let techniques: Vec<Value> =
                techniques.iter().map(|technique| json!({"technique": technique})).collect();
            json!({"tactic": tactic, "techniques": techniques})
        })
        .collect();
    let description = package.description.join("\n");
    print(&json!({
        "id": package.id,
        "displayName": package.name,
        "description": description,
        "status": "enabled",
        "queryCondition": {"queryText": query.trim_end()},
        "schedule": {"frequency": duration(shape.schedule.frequency)},
        "detectionAction": {"alertTemplate": {
            // Source: Microsoft, custom detections, dynamic alert titles and descriptions.
            "title": parted(&package.name),
            "description": parted(&description),
            "severity": package.severity.to_lowercase(),
            "recommendedActions": parted(&package.investigation),
            "entityMappings": entities,
            "tactics": tactics,
        }},
    }))
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { return Map::new() };
    map
}

fn print(value: &Value) -> String {
    // INVARIANT: a `Value` of text, numbers and lists always prints.
    visible_json(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// ARM reads a text in square brackets as an expression; a second `[` makes it a literal
fn literal(text: &str) -> String {
    if text.starts_with('[') && text.ends_with(']') { format!("[{text}") } else { text.to_owned() }
}

/// Minutes as an ISO 8601 duration
fn duration(minutes: u32) -> String {
    match minutes {
        m if m % (24 * 60) == 0 => format!("P{}D", m / (24 * 60)),
        m if m % 60 == 0 => format!("PT{}H", m / 60),
        m => format!("PT{m}M"),
    }
}
