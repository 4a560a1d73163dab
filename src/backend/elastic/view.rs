//! The view of a detection rule, for its template and the import line.
//!
//! In: the rule, a signal and its plan. Out: a [`RuleView`] for the TOML of detection-rules, and
//! the JSON object of Kibana's rule import. One struct feeds both, so they have the same content.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Planned;
use super::exceptions::List;
use super::new_terms::new_terms;
use super::required::required;
use super::settings::{Settings, Suppression};
use super::severity::severity;
use super::tags::tags;
use super::threat::{ThreatView, rule_threats, threat_json};
use super::threshold::Threshold;
use super::toml;
use crate::backend::{Closed, derived_id, one_line, shown};
use crate::definition::Form;
use crate::definition::live::inert_reference;
use crate::diagnostic::Code;
use crate::ir::Rule;
use crate::manifest::Schedule;
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
    threshold: Option<Threshold>,
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
    threshold: Vec<ThresholdView>,
}

#[derive(Debug, Serialize)]
struct FilterView {
    meta: String,
    query: String,
}

#[derive(Debug, Serialize)]
struct ThresholdView {
    fields: String,
    events: u64,
    values: Vec<CardinalityView>,
}

#[derive(Debug, Serialize)]
struct CardinalityView {
    field: String,
    least: u64,
}

#[derive(Debug, Serialize)]
struct NewTermsView {
    fields: String,
    history: String,
}

/// Builds a rule
pub(super) fn detection(
    rule: &Rule,
    mut planned: Planned<'_>,
    settings: &Settings,
    closed: &mut Closed<'_>,
) -> Detection {
    let metadata = &rule.metadata;
    let (severity, risk) = severity(planned.level);
    let own_times = settings.has_times_of_its_own(&planned.schedule);
    let Schedule { frequency, period: from, .. } = planned.schedule;
    let new = planned.new.zip(planned.signals.first());
    let new_terms = new.map(|(new, (_, stream))| new_terms(stream, new, from, closed));
    let dates = dates(rule, closed);
    let text = |items: &[crate::source::Spanned<String>]| -> Vec<String> {
        items.iter().map(|item| shown(&item.value)).collect()
    };
    let indices = &planned.indices;
    let packages = indices.iter().filter(|index| !index.package.is_empty());
    let mut packages: Vec<String> = packages.map(|index| index.package.clone()).collect();
    packages.sort();
    packages.dedup();
    let name = name(rule, &planned);
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    if let Some(suppression) = &settings.suppression {
        set("alert_suppression", suppression_json(suppression));
    }
    set("author", json!(text(&metadata.author)));
    if settings.building_block {
        set("building_block_type", json!("default"));
    }
    set("description", json!(description(rule, &planned, closed)));
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
    let language = planned.plan.query.language();
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
    let own_filters = planned.plan.filters.len();
    planned.plan.filters.extend(planned.exceptions.iter().map(Item::filter));
    set("required_fields", required(&planned.plan, closed.mappings()));
    set("risk_score", json!(settings.risk_score.unwrap_or(u32::from(risk))));
    let id = id(rule, &planned);
    set("rule_id", json!(id));
    if let Some(setup) = &settings.setup {
        set("setup", json!(guide_text(setup)));
    }
    set("severity", json!(severity));
    if !planned.severities.is_empty() {
        set("severity_mapping", Value::Array(planned.severities.clone()));
    }
    set("tags", json!(tags(rule, &planned, settings)));
    if !planned.ordered {
        set("timestamp_override", json!("event.ingested"));
    }
    set("threat", Value::Array(rule_threats(rule).iter().map(threat_json).collect()));
    let kind = match (&planned.threshold, &new_terms, language) {
        (Some(_), ..) => "threshold",
        (None, Some(_), _) => "new_terms",
        (None, None, "eql") => "eql",
        (None, None, _) => "query",
    };
    set("type", json!(kind));
    set("name", json!(name));
    let query = planned.plan.query.to_string();
    let version = metadata.version.as_ref().map(|version| version.value);
    let exceptions = List::of(&id, fields["name"].as_str().unwrap_or_default(), planned.exceptions);
    Detection {
        id,
        fields,
        dates,
        version,
        own_times,
        packages,
        new_terms,
        threshold: planned.threshold,
        query,
        filters: planned.plan.filters,
        own_filters,
        exceptions,
    }
}

/// The id of a rule: that of its signal, or one made of the definition's id and the name
pub(super) fn id(rule: &Rule, planned: &Planned<'_>) -> String {
    let own = match &*planned.signals {
        [(signal, _)] if signal.name == planned.name => signal.id.as_ref(),
        _ => None,
    };
    let variant = planned.variant.as_ref().map(|(word, _)| format!("/{word}"));
    let output = format!("elastic/{}{}", planned.name, variant.unwrap_or_default());
    own.map_or_else(|| derived_id(rule, &output), |id| id.value.clone())
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
        if let Some(threshold) = &self.threshold {
            object.insert("threshold".to_owned(), threshold.to_json());
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
            threshold: self.threshold.iter().map(threshold_view).collect(),
        }
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array()?.iter();
    items.map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}

fn threshold_view(threshold: &Threshold) -> ThresholdView {
    let cardinality = |(field, least): &(String, u64)| CardinalityView {
        field: toml::string(field),
        least: *least,
    };
    ThresholdView {
        fields: toml::strings(&threshold.fields),
        events: threshold.events,
        values: threshold.values.iter().map(cardinality).collect(),
    }
}

fn filter_view(filter: &Filter) -> FilterView {
    let query = toml::inline(&filter.query.to_json(), 0);
    FilterView { meta: toml::inline(&filter.meta(), 0), query }
}

fn name(rule: &Rule, planned: &Planned<'_>) -> String {
    let title = &rule.metadata.title.value;
    let alone = rule.signals.len() + rule.correlations.len() == 1 || rule.form == Form::Correlation;
    let mut full = match alone {
        true => title.clone(),
        false if planned.title == title => format!("{title} - {}", planned.name.replace('_', " ")),
        false => format!("{title} - {}", planned.title),
    };
    if let Some((_, order)) = &planned.variant {
        full.push_str(&format!(" ({order})"));
    }
    let full = one_line(&shown(&full));
    // detection-rules: a name starts and ends with a letter or digit, or ends with a bracket.
    let full = full.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    full.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && !"])".contains(c)).to_owned()
}

fn description(rule: &Rule, planned: &Planned<'_>, closed: &Closed<'_>) -> String {
    let text = rule.metadata.description.as_ref().unwrap_or(&rule.metadata.title).value.trim_end();
    let mut losses = closed.sentences_of(planned.name);
    for (signal, _) in planned.signals.iter().filter(|(signal, _)| signal.name != planned.name) {
        losses.extend(closed.sentences_of(&signal.name));
    }
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
