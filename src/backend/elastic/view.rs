//! A detection rule as its template and the import line show it.
//!
//! In: the rule, a signal and its plan. Out: a [`RuleView`] for the TOML of detection-rules, and
//! the JSON object of Kibana's rule import. Both say the same; one struct feeds them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::fields::{self, Index};
use super::plan::Plan;
use super::toml;
use crate::backend::{Direction, LossName, Losses, derived_id};
use crate::definition::Level;
use crate::diagnostic::Code;
use crate::ir::{Case, Expr, NewTerms, Op, Relation, Rule, Signal, Threat};
use crate::source::visible_json;
use crate::taxonomy::{EventKind, Product};

/// A rule of one signal
#[derive(Debug)]
pub(super) struct Detection {
    fields: Map<String, Value>,
    dates: (String, String),
    packages: Vec<String>,
    new_terms: Option<(Vec<String>, String)>,
}

/// What the template of detection-rules shows: ready strings
#[derive(Debug, Serialize)]
pub(super) struct RuleView {
    created: String,
    updated: String,
    integration: String,
    keys: Vec<String>,
    query: String,
    filters: Vec<FilterView>,
    threats: Vec<ThreatView>,
    new_terms: Vec<NewTermsView>,
}

#[derive(Debug, Serialize)]
struct FilterView {
    meta: String,
    query: String,
}

#[derive(Debug, Serialize)]
struct ThreatView {
    tactic: Name,
    techniques: Vec<TechniqueView>,
}

#[derive(Debug, Serialize)]
struct TechniqueView {
    name: Name,
    subtechniques: Vec<Name>,
}

#[derive(Debug, Clone, Serialize)]
struct Name {
    id: String,
    name: String,
    reference: String,
}

#[derive(Debug, Serialize)]
struct NewTermsView {
    fields: String,
    history: String,
}

/// How far a run looks back, and how often it runs: nine minutes every five, as Elastic's own
/// rules do, so that late events are not missed
const FROM_MINUTES: u32 = 9;

/// Builds the rule of a signal
pub(super) fn detection(
    rule: &Rule,
    signal: &Signal,
    new: Option<&NewTerms>,
    (plan, mapping): (Plan, Vec<Value>),
    losses: &mut Losses<'_>,
) -> Detection {
    let metadata = &rule.metadata;
    let (severity, risk) = severity(rule.level);
    let indices = fields::indices(signal.kind, signal.product);
    let new_terms = new.map(|new| new_terms(signal, new, losses));
    let dates = dates(rule, losses);
    let text = |items: &[crate::source::Spanned<String>]| -> Vec<String> {
        items.iter().map(|item| item.value.clone()).collect()
    };
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    set("author", json!(text(&metadata.author)));
    set("description", json!(description(rule, signal, losses)));
    if !metadata.falsepositives.is_empty() {
        set("false_positives", json!(text(&metadata.falsepositives)));
    }
    set("filters", Value::Array(plan.filters));
    set("from", json!(format!("now-{FROM_MINUTES}m")));
    set("index", json!(indices.iter().map(|index| index.pattern).collect::<Vec<_>>()));
    set("interval", json!("5m"));
    set("language", json!("kuery"));
    if let Some(license) = &metadata.license {
        set("license", json!(license.value));
    }
    set("name", json!(name(rule, signal)));
    set("query", json!(plan.query));
    if !metadata.references.is_empty() {
        set("references", json!(text(&metadata.references)));
    }
    set("risk_score", json!(risk));
    set("rule_id", json!(derived_id(rule, &format!("elastic/{}", signal.name))));
    set("severity", json!(severity));
    if !mapping.is_empty() {
        set("severity_mapping", Value::Array(mapping));
    }
    set("tags", json!(tags(rule, signal, &indices)));
    set("timestamp_override", json!("event.ingested"));
    set("threat", Value::Array(rule_threats(rule).iter().map(threat_json).collect()));
    set("type", json!(if new.is_some() { "new_terms" } else { "query" }));
    let packages = indices.iter().filter(|index| !index.package.is_empty());
    let mut packages: Vec<String> = packages.map(|index| index.package.to_owned()).collect();
    packages.dedup();
    Detection { fields, dates, packages, new_terms }
}

impl Detection {
    /// One line for Kibana's rule import
    pub(super) fn import_line(&self) -> String {
        let mut object = self.fields.clone();
        if let Some((fields, history)) = &self.new_terms {
            object.insert("new_terms_fields".to_owned(), json!(fields));
            object.insert("history_window_start".to_owned(), json!(history));
        }
        let mut sorted: Vec<(String, Value)> = object.into_iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        visible_json(&Value::Object(sorted.into_iter().collect()).to_string())
    }

    /// What the TOML template shows
    pub(super) fn view(&self, rule: &Rule) -> RuleView {
        const APART: &[&str] = &["filters", "query", "threat"];
        let plain = self.fields.iter().filter(|(key, _)| !APART.contains(&key.as_str()));
        let mut keys: Vec<String> = plain
            .map(|(key, value)| match strings(value) {
                Some(items) => format!("{key} = {}", toml::strings(&items)),
                None => format!("{key} = {}", toml::inline(value, 0)),
            })
            .collect();
        keys.sort();
        let filters = self.fields.get("filters").and_then(Value::as_array);
        let query = self.fields.get("query").and_then(Value::as_str).unwrap_or_default();
        RuleView {
            created: self.dates.0.clone(),
            updated: self.dates.1.clone(),
            integration: toml::strings(&self.packages),
            keys,
            query: query.to_owned(),
            filters: filters.into_iter().flatten().map(filter_view).collect(),
            threats: rule_threats(rule),
            new_terms: self
                .new_terms
                .iter()
                .map(|(fields, history)| NewTermsView {
                    fields: toml::strings(fields),
                    history: toml::string(history),
                })
                .collect(),
        }
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array()?.iter();
    items.map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}

fn filter_view(filter: &Value) -> FilterView {
    FilterView { meta: toml::inline(&filter["meta"], 0), query: toml::inline(&filter["query"], 0) }
}

fn name(rule: &Rule, signal: &Signal) -> String {
    let title = &rule.metadata.title.value;
    let full = match rule.signals.len() {
        1 => title.clone(),
        _ if signal.title == *title => format!("{title} - {}", signal.name.replace('_', " ")),
        _ => format!("{title} - {}", signal.title),
    };
    let plain = |c| if crate::source::is_unprintable(c) { ' ' } else { c };
    let full: String = full.chars().map(plain).collect();
    full.trim_end_matches(|c: char| !c.is_alphanumeric() && !"])".contains(c)).to_owned()
}

fn description(rule: &Rule, signal: &Signal, losses: &Losses<'_>) -> String {
    let text = rule.metadata.description.as_ref().unwrap_or(&rule.metadata.title);
    let losses = losses.sentences_of(&signal.name);
    let parts = std::iter::once(text.value.as_str()).chain(losses.iter().map(String::as_str));
    let words: Vec<&str> = parts.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// Severity and risk score as Elastic's own rules pair them
fn severity(level: Level) -> (&'static str, u8) {
    match level {
        Level::Informational | Level::Low => ("low", 21),
        Level::Medium => ("medium", 47),
        Level::High => ("high", 73),
        Level::Critical => ("critical", 99),
    }
}

/// Levels of a signal as far as Kibana can say them: one field equal to one value
pub(super) fn severity_mapping(
    rule: &Rule,
    signal: &Signal,
    losses: &mut Losses<'_>,
) -> Vec<Value> {
    let mut mapping = Vec::new();
    let mut lost = None;
    for (level, expr) in &signal.cases {
        let equality = match expr {
            Expr::Test(test) => match &test.op {
                Op::Text(Relation::Equals, values, case) => Some((test, values, *case)),
                Op::Text(..)
                | Op::Regex(_)
                | Op::Segments(_)
                | Op::Networks(_)
                | Op::Public
                | Op::Numbers(_)
                | Op::Exists
                | Op::Null
                | Op::Same(_) => None,
            },
            Expr::All(_) | Expr::Any(_) | Expr::Not(_) => None,
        };
        let ecs = equality
            .and_then(|(test, ..)| fields::ecs(signal.kind, test.subject.field, test.subject.part));
        let (Some((_, values, case)), Some(ecs)) = (equality, ecs) else {
            lost = Some("that Kibana cannot tell by one field with one value");
            continue;
        };
        if case == Case::Insensitive && lost.is_none() {
            lost = Some("whose value is written in another letter case");
        }
        let severity = severity(*level).0;
        for value in values.iter().filter_map(|value| value.as_literal()) {
            mapping.push(json!({
                "field": ecs.name, "operator": "equals", "severity": severity, "value": value,
            }));
        }
    }
    if let Some(which) = lost {
        let (name, default) = (&signal.name, rule.level);
        let reason = format!("a match of {name} {which} gets the severity of level {default}");
        losses.lose(LossName::LevelCases, Direction::Wider, signal.span, &reason);
    }
    mapping
}

fn new_terms(signal: &Signal, new: &NewTerms, losses: &mut Losses<'_>) -> (Vec<String>, String) {
    let mut terms = Vec::new();
    for field in &new.fields {
        let mine = fields::terms(signal.kind, *field);
        if mine.is_empty() {
            let message = format!("ECS has no field for the new term {field}");
            losses.refuse(new.span, message, "no such field", "");
        }
        terms.extend(mine.into_iter().map(ToOwned::to_owned));
    }
    if terms.len() > 3 {
        let message = format!("{} new terms: {}", terms.len(), terms.join(", "));
        let help = "A new_terms rule has one to three.";
        losses.refuse_with(Code::E0602, new.span, message, "too many", help);
    }
    if new.window <= FROM_MINUTES {
        // Kibana refuses a history that starts after the run's own window.
        let message = "the window is not longer than the nine minutes a run looks back".to_owned();
        losses.refuse(new.span, message, "too short", "Use a window of ten minutes or more.");
    }
    let history = match new.window {
        m if m % (24 * 60) == 0 => format!("now-{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("now-{}h", m / 60),
        m => format!("now-{m}m"),
    };
    (terms, history)
}

/// The rule's own dates: an output holds no date of its making
fn dates(rule: &Rule, losses: &mut Losses<'_>) -> (String, String) {
    const NONE: &str = "1970/01/01";
    let metadata = &rule.metadata;
    let slashes = |date: &str| date.replace('-', "/");
    let modified = metadata.modified.as_ref().or(metadata.date.as_ref());
    match (metadata.date.as_ref().or(modified), modified) {
        (Some(date), Some(modified)) => (slashes(&date.value), slashes(&modified.value)),
        _ => {
            let message = format!("the rule has no date, so detection-rules gets {NONE}");
            let help = "Add `date: YYYY-MM-DD`.";
            losses.warn(Code::W0606, metadata.title.span, message, "no `date`", help);
            (NONE.to_owned(), NONE.to_owned())
        }
    }
}

fn tags(rule: &Rule, signal: &Signal, indices: &[Index]) -> Vec<String> {
    let web = signal.kind == EventKind::Webserver;
    let mut tags = vec![if web { "Domain: Web" } else { "Domain: Endpoint" }.to_owned()];
    let systems = match signal.product {
        Some(product) => vec![product],
        None if signal.kind == EventKind::RegistryEvent => vec![Product::Windows],
        None => vec![Product::Linux, Product::Windows],
    };
    tags.extend(systems.iter().map(|product| match product {
        Product::Windows => "OS: Windows".to_owned(),
        Product::Linux => "OS: Linux".to_owned(),
        Product::Macos => "OS: macOS".to_owned(),
    }));
    tags.push("Use Case: Threat Detection".to_owned());
    tags.extend(rule_threats(rule).iter().map(|threat| format!("Tactic: {}", threat.tactic.name)));
    for index in indices.iter().filter(|index| !index.data_source.is_empty()) {
        tags.push(format!("Data Source: {}", index.data_source));
    }
    tags
}

/// Threats as Elastic's stack before 9.5 knows them: ATT&CK 18, where Stealth and Defense
/// Impairment are one tactic
fn rule_threats(rule: &Rule) -> Vec<ThreatView> {
    let mut views: Vec<ThreatView> = Vec::new();
    for threat in &rule.threats {
        let view = threat_view(threat);
        match views.iter_mut().find(|known| known.tactic.id == view.tactic.id) {
            Some(known) => known.techniques.extend(view.techniques),
            None => views.push(view),
        }
    }
    views
}

fn threat_view(threat: &Threat) -> ThreatView {
    let tactic = match threat.tactic.slug {
        "stealth" | "defense-impairment" => Name {
            id: "TA0005".to_owned(),
            name: "Defense Evasion".to_owned(),
            reference: "https://attack.mitre.org/tactics/TA0005/".to_owned(),
        },
        _ => Name {
            id: threat.tactic.id.to_owned(),
            name: threat.tactic.name.to_owned(),
            reference: threat.tactic.url(),
        },
    };
    let mut techniques: Vec<TechniqueView> = Vec::new();
    for technique in &threat.techniques {
        let parent = technique.parent().unwrap_or(technique);
        let name = |technique: &crate::taxonomy::attack::Technique| Name {
            id: technique.id.to_owned(),
            name: technique.name.to_owned(),
            reference: technique.url(),
        };
        if !techniques.iter().any(|known| known.name.id == parent.id) {
            techniques.push(TechniqueView { name: name(parent), subtechniques: Vec::new() });
        }
        if let Some(known) = techniques.iter_mut().find(|known| known.name.id == parent.id)
            && technique.id != parent.id
        {
            known.subtechniques.push(name(technique));
        }
    }
    ThreatView { tactic, techniques }
}

fn threat_json(threat: &ThreatView) -> Value {
    let techniques: Vec<Value> = threat
        .techniques
        .iter()
        .map(|technique| {
            let mut object = json!(technique.name);
            if !technique.subtechniques.is_empty() {
                object["subtechnique"] = json!(technique.subtechniques);
            }
            object
        })
        .collect();
    json!({"framework": "MITRE ATT&CK", "tactic": threat.tactic, "technique": techniques})
}
