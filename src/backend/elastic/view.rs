//! The view of a detection rule, for its template and the import line.
//!
//! In: the rule, a signal and its plan. Out: a [`RuleView`] for the TOML of detection-rules, and
//! the JSON object of Kibana's rule import. One struct feeds both, so they have the same content.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Planned;
use super::exceptions::List;
use super::fields;
use super::required::required;
use super::settings::{Settings, Suppression};
use super::severity::severity;
use super::tags::tags;
use super::threat::{ThreatView, rule_threats, threat_json};
use super::toml;
use crate::backend::{Closed, derived_id, one_line, shown};
use crate::definition::live::inert_reference;
use crate::diagnostic::{Cause, Code};
use crate::ir::{NewTerms, Rule, Signal};
use crate::manifest::Schedule;
use crate::mapping::Stream;
use crate::query::elasticsearch::{Filter, Item};
use crate::source::visible_json;

/// The detection rule of one signal
#[derive(Debug)]
pub(super) struct Detection {
    /// The id of the rule in the detection engine
    pub(super) id: String,
    fields: Map<String, Value>,
    dates: (String, String),
    version: Option<u32>,
    own_times: bool,
    packages: Vec<String>,
    new_terms: Option<(Vec<String>, String)>,
    query: String,
    /// Those of the plan, then those that Kibana makes of the exceptions
    filters: Vec<Filter>,
    own_filters: usize,
    exceptions: Option<List>,
}

/// The view of `elastic/rule.toml`; its strings are printed unchanged
#[derive(Debug, Serialize)]
pub(super) struct RuleView {
    /// `true` for a building block whose times detection-rules would refuse
    own_times: Vec<&'static str>,
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
struct NewTermsView {
    fields: String,
    history: String,
}

/// The minutes that a run looks back; it runs every five, as Elastic's own rules do, so that late
/// events are not missed
const FROM_MINUTES: u32 = 9;

/// The minutes between two runs
const INTERVAL_MINUTES: u32 = 5;

/// When the rules run
pub(super) fn schedule(settings: &Settings) -> Schedule {
    let frequency = settings.interval.unwrap_or(INTERVAL_MINUTES);
    Schedule { frequency, period: settings.from.unwrap_or(FROM_MINUTES), since: None }
}

/// Builds the rule of a signal
pub(super) fn detection(
    rule: &Rule,
    planned: Planned<'_>,
    settings: &Settings,
    closed: &mut Closed<'_>,
) -> Detection {
    let Planned { signal, stream, new, indices, mut plan, exceptions, severities } = planned;
    let metadata = &rule.metadata;
    let (severity, risk) = severity(rule.level);
    let schedule = schedule(settings);
    let own_times = settings.has_times_of_its_own(&schedule);
    let Schedule { frequency, period: from, .. } = schedule;
    let new_terms = new.map(|new| new_terms(stream, new, from, closed));
    let dates = dates(rule, closed);
    let text = |items: &[crate::source::Spanned<String>]| -> Vec<String> {
        items.iter().map(|item| shown(&item.value)).collect()
    };
    let packages = indices.iter().filter(|index| !index.package.is_empty());
    let mut packages: Vec<String> = packages.map(|index| index.package.clone()).collect();
    packages.sort();
    packages.dedup();
    let name = name(rule, signal);
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    if let Some(suppression) = &settings.suppression {
        set("alert_suppression", suppression_json(suppression));
    }
    set("author", json!(text(&metadata.author)));
    if settings.building_block {
        set("building_block_type", json!("default"));
    }
    set("description", json!(description(rule, signal, closed)));
    if let Some(enabled) = settings.enabled {
        set("enabled", json!(enabled));
    }
    if !metadata.falsepositives.is_empty() {
        set("false_positives", json!(text(&metadata.falsepositives)));
    }
    set("from", json!(format!("now-{from}m")));
    set("index", json!(indices.iter().map(|index| &index.pattern).collect::<Vec<_>>()));
    set("interval", json!(format!("{frequency}m")));
    if !settings.investigation_fields.is_empty() {
        set("investigation_fields", json!({"field_names": settings.investigation_fields}));
    }
    let language = plan.query.language();
    set("language", json!(language));
    if let Some(license) = &metadata.license {
        set("license", json!(shown(&license.value)));
    }
    if let Some(most) = settings.max_signals {
        set("max_signals", json!(most));
    }
    if let Some(guide) = &metadata.investigation {
        let guide = &guide.value;
        let note = format!("## Triage and analysis\n\n### Investigating {name}\n\n{guide}");
        set("note", json!(guide_text(&note)));
    }
    if !metadata.references.is_empty() {
        let references = metadata.references.iter();
        let references = references.map(|one| one_line(&inert_reference(&one.value)));
        set("references", references.collect());
    }
    let integration = |package: &String| json!({"package": package, "version": ANY_VERSION});
    set("related_integrations", packages.iter().map(integration).collect());
    let own_filters = plan.filters.len();
    plan.filters.extend(exceptions.iter().map(Item::filter));
    set("required_fields", required(&plan.query, &plan.filters, closed.mappings()));
    set("risk_score", json!(settings.risk_score.unwrap_or(u32::from(risk))));
    let id = id(rule, signal);
    set("rule_id", json!(id));
    if let Some(setup) = &settings.setup {
        set("setup", json!(guide_text(setup)));
    }
    set("severity", json!(severity));
    if !severities.is_empty() {
        set("severity_mapping", Value::Array(severities));
    }
    set("tags", json!(tags(rule, (signal, stream), &indices, settings)));
    set("timestamp_override", json!("event.ingested"));
    set("threat", Value::Array(rule_threats(rule).iter().map(threat_json).collect()));
    let kind = match (new, language) {
        (Some(_), _) => "new_terms",
        (None, "eql") => "eql",
        (None, _) => "query",
    };
    set("type", json!(kind));
    set("name", json!(name));
    let query = plan.query.to_string();
    let version = metadata.version.as_ref().map(|version| version.value);
    let exceptions = List::of(&id, fields["name"].as_str().unwrap_or_default(), exceptions);
    let filters = plan.filters;
    Detection {
        id,
        fields,
        dates,
        version,
        own_times,
        packages,
        new_terms,
        query,
        filters,
        own_filters,
        exceptions,
    }
}

/// The id of a signal's rule: its own, or one from the rule's id and the signal's name
pub(super) fn id(rule: &Rule, signal: &Signal) -> String {
    let derived = || derived_id(rule, &format!("elastic/{}", signal.name));
    signal.id.as_ref().map_or_else(derived, |id| id.value.clone())
}

/// Any version: every version of an integration fills the ECS fields that these rules use
const ANY_VERSION: &str = ">=1.0.0";

fn suppression_json(suppression: &Suppression) -> Value {
    let mut object = json!({
        "group_by": suppression.by,
        "missing_fields_strategy": suppression.missing,
    });
    if let Some(minutes) = suppression.duration {
        object["duration"] = match minutes {
            m if m % 60 == 0 => json!({"unit": "h", "value": m / 60}),
            m => json!({"unit": "m", "value": m}),
        };
    }
    object
}

impl Detection {
    /// One line for Kibana's rule import
    pub(super) fn import_line(&self) -> String {
        let mut object = self.fields.clone();
        object.insert("query".to_owned(), json!(self.query));
        let filters = &self.filters[..self.own_filters];
        if !(filters.is_empty() && self.fields["type"] == "eql") {
            object.insert("filters".to_owned(), filters.iter().map(Filter::to_json).collect());
        }
        if let Some(list) = &self.exceptions {
            object.insert("exceptions_list".to_owned(), list.reference());
        }
        // detection-rules has a file of its own for versions, and takes none in a rule.
        if let Some(version) = self.version {
            object.insert("version".to_owned(), json!(version));
        }
        if let Some((fields, history)) = &self.new_terms {
            object.insert("new_terms_fields".to_owned(), json!(fields));
            object.insert("history_window_start".to_owned(), json!(history));
        }
        let mut sorted: Vec<(String, Value)> = object.into_iter().collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        visible_json(&Value::Object(sorted.into_iter().collect()).to_string())
    }

    /// The lines of its exception list for Kibana's import; empty without exceptions
    pub(super) fn exception_lines(&self) -> String {
        let lines = self.exceptions.iter().flat_map(List::lines);
        lines.map(|line| visible_json(&line.to_string()) + "\n").collect()
    }

    /// The view for the TOML template
    pub(super) fn view(&self, rule: &Rule) -> RuleView {
        // The template lays out threats separately.
        let plain = self.fields.iter().filter(|(key, _)| *key != "threat");
        let mut keys: Vec<String> = plain
            .map(|(key, value)| match strings(value) {
                Some(items) => format!("{key} = {}", toml::strings(&items)),
                None => match value.as_str() {
                    Some(text) if text.contains('\n') => {
                        format!("{key} = {}", toml::paragraphs(text))
                    }
                    _ => format!("{key} = {}", toml::inline(value, 0)),
                },
            })
            .collect();
        keys.sort();
        RuleView {
            own_times: if self.own_times { vec!["true"] } else { Vec::new() },
            created: self.dates.0.clone(),
            updated: self.dates.1.clone(),
            integration: toml::strings(&self.packages),
            keys,
            query: self.query.clone(),
            filters: self.filters.iter().map(filter_view).collect(),
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

fn filter_view(filter: &Filter) -> FilterView {
    let query = toml::inline(&filter.query.to_json(), 0);
    FilterView { meta: toml::inline(&filter.meta(), 0), query }
}

fn name(rule: &Rule, signal: &Signal) -> String {
    let title = &rule.metadata.title.value;
    let full = match rule.signals.len() {
        1 => title.clone(),
        _ if signal.title == *title => format!("{title} - {}", signal.name.replace('_', " ")),
        _ => format!("{title} - {}", signal.title),
    };
    let full = one_line(&shown(&full));
    // detection-rules: a name starts and ends with a letter or digit, or ends with a bracket.
    let full = full.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    full.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && !"])".contains(c)).to_owned()
}

fn description(rule: &Rule, signal: &Signal, closed: &Closed<'_>) -> String {
    let text = rule.metadata.description.as_ref().unwrap_or(&rule.metadata.title).value.trim_end();
    let losses = closed.sentences_of(&signal.name);
    let stop = if losses.is_empty() || text.ends_with('.') { "" } else { "." };
    let text = [text, stop].concat();
    let parts = std::iter::once(text.as_str()).chain(losses.iter().map(String::as_str));
    let words: Vec<&str> = parts.flat_map(str::split_whitespace).collect();
    shown(&words.join(" "))
}

/// Markdown without the placeholders of Kibana's plugins and of detection-rules' transforms
fn guide_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("!{") {
        let plugin = after.starts_with(|c: char| c.is_ascii_alphabetic());
        out.extend([before, if plugin { "!\\{" } else { "!{" }]);
        rest = after;
    }
    out.push_str(rest);
    let out = out.replace("$investigate_", "$investigate\\_");
    shown(&out.replace("$osquery_", "$osquery\\_"))
}

fn new_terms(
    stream: &Stream,
    new: &NewTerms,
    from: u32,
    closed: &mut Closed<'_>,
) -> (Vec<String>, String) {
    let mut terms = Vec::new();
    for field in &new.fields {
        let mine = fields::terms(stream, field);
        terms.extend(mine.into_iter().map(ToOwned::to_owned));
    }
    if terms.len() > 3 {
        let message = format!("{} new terms: {}", terms.len(), terms.join(", "));
        let help = "A new_terms rule has one to three.";
        closed.refuse_with((Code::E0602, Cause::NewTerms), new.span, message, "too many", help);
    }
    if new.window <= from {
        // Kibana refuses a history that starts after the run's own window.
        let message = format!("the window is not longer than the {from} minutes a run looks back");
        let help = format!("Use a window of {} minutes or more.", from + 1);
        closed.refuse(Cause::NewTerms, new.span, message, "too short", &help);
    }
    let history = match new.window {
        m if m % (24 * 60) == 0 => format!("now-{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("now-{}h", m / 60),
        m => format!("now-{m}m"),
    };
    (terms, history)
}

/// The rule's own dates as created and updated; the output has no build date
fn dates(rule: &Rule, closed: &mut Closed<'_>) -> (String, String) {
    const NONE: &str = "1970/01/01";
    let metadata = &rule.metadata;
    let slashes = |date: &str| date.replace('-', "/");
    let modified = metadata.modified.as_ref().or(metadata.date.as_ref());
    match (metadata.date.as_ref().or(modified), modified) {
        (Some(date), Some(modified)) => (slashes(&date.value), slashes(&modified.value)),
        _ => {
            let message = format!("the rule has no date, so detection-rules gets {NONE}");
            let help = "Add `date: YYYY-MM-DD`.";
            closed.warn(Code::W0606, metadata.title.span, message, "no `date`", help);
            (NONE.to_owned(), NONE.to_owned())
        }
    }
}
