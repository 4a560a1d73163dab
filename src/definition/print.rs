//! Prints a definition as YAML in one fixed layout.
//!
//! In: a [`Definition`]. Out: a document that reads back to the same rule. Comments and the
//! author's quoting are gone; keys follow the order of the language.

use serde_yaml::{Mapping, Value as Yaml};

use super::{
    Alias, Condition, Correlation, Definition, Detection, Expectation, Filtered, Form, Metadata,
    Quantifier, Sample, Scalar, Selection, Setting, Settings, Signal, TargetSettings, Value,
    Values,
};
use crate::source::Spanned;

impl Definition {
    /// The definition as YAML
    pub fn print(&self) -> String {
        let mut document = Mapping::new();
        metadata(&mut document, &self.metadata);
        if !self.lists.is_empty() {
            let lists = self.lists.iter().map(|l| (text(&l.name.value), values(&l.values)));
            document.insert(text("lists"), Yaml::Mapping(lists.collect()));
        }
        match (self.form, &*self.signals) {
            (Form::Sigma, [signal]) => sigma(&mut document, signal, "detection", Mapping::new()),
            (Form::Filter, [signal]) => {
                let rules = self.filter.iter().map(|filter| match &filter.rules {
                    Filtered::Any => (text("rules"), text("any")),
                    Filtered::These(names) => (text("rules"), texts(names)),
                });
                sigma(&mut document, signal, "filter", rules.collect());
            }
            (Form::Correlation, _) | (_, []) => {}
            (Form::Definition | Form::Sigma | Form::Filter, signals) => {
                let signals = signals.iter().map(|s| (text(&s.name.value), signal(s)));
                document.insert(text("signals"), Yaml::Mapping(signals.collect()));
            }
        }
        if let Some(new) = &self.new_terms {
            let mut map = Mapping::new();
            map.insert(text("signal"), text(&new.signal.value));
            map.insert(text("fields"), texts(&new.fields));
            map.insert(text("window"), text(&new.window.value));
            document.insert(text("new_terms"), Yaml::Mapping(map));
        }
        if let (Form::Correlation, [one]) = (self.form, &*self.correlations) {
            document.insert(text("correlation"), correlation(one, "rules"));
        } else if !self.correlations.is_empty() {
            let named = |one: &Correlation| (text(&one.name.value), correlation(one, "signals"));
            let all = self.correlations.iter().map(named).collect();
            document.insert(text("correlations"), Yaml::Mapping(all));
        }
        if !self.targets.is_empty() {
            let named = |one: &TargetSettings| (text(&one.target.value), target(one));
            let all = self.targets.iter().map(named).collect();
            document.insert(text("targets"), Yaml::Mapping(all));
        }
        if !self.tests.is_empty() {
            let tests = self.tests.iter().map(sample).collect();
            document.insert(text("tests"), Yaml::Sequence(tests));
        }
        serde_yaml::to_string(&document).unwrap_or_default()
    }
}

fn text(text: &str) -> Yaml {
    Yaml::String(text.to_owned())
}

fn texts(items: &[Spanned<String>]) -> Yaml {
    Yaml::Sequence(items.iter().map(|item| text(&item.value)).collect())
}

fn metadata(document: &mut Mapping, metadata: &Metadata) {
    let mut set = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            document.insert(text(key), text(value));
        }
    };
    set("title", Some(&metadata.title.value));
    set("id", metadata.id.as_ref().map(|id| id.value.as_str()));
    set("name", metadata.name.as_ref().map(|name| name.value.as_str()));
    set("status", metadata.status.as_ref().map(|status| status.value.as_str()));
    set("level", metadata.level.as_ref().map(|level| level.value.as_str()));
    set("description", metadata.description.as_ref().map(|d| d.value.as_str()));
    set("date", metadata.date.as_ref().map(|date| date.value.as_str()));
    set("modified", metadata.modified.as_ref().map(|date| date.value.as_str()));
    let version = metadata.version.as_ref().map(|version| version.value.to_string());
    set("version", version.as_deref());
    set("investigation", metadata.investigation.as_ref().map(|guide| guide.value.as_str()));
    set("license", metadata.license.as_ref().map(|license| license.value.as_str()));
    for (key, items) in [
        ("attack", &metadata.attack),
        ("tags", &metadata.tags),
        ("references", &metadata.references),
        ("author", &metadata.author),
        ("falsepositives", &metadata.falsepositives),
        ("fields", &metadata.fields),
        ("scope", &metadata.scope),
    ] {
        if !items.is_empty() {
            document.insert(text(key), texts(items));
        }
    }
    if !metadata.related.is_empty() {
        let related = metadata.related.iter().map(|related| {
            let id = (text("id"), text(&related.id.value));
            let relation = (text("type"), text(related.relation.value));
            Yaml::Mapping(Mapping::from_iter([id, relation]))
        });
        document.insert(text("related"), Yaml::Sequence(related.collect()));
    }
}

/// A correlation as a map; `origins` is the key of its list of signals or rules
fn correlation(written: &Correlation, origins: &str) -> Yaml {
    let mut map = Mapping::new();
    if let Some(title) = &written.title {
        map.insert(text("title"), text(&title.value));
    }
    map.insert(text("type"), text(written.kind.value.as_str()));
    map.insert(text(origins), texts(&written.signals));
    if !written.group_by.is_empty() {
        map.insert(text("group-by"), texts(&written.group_by));
    }
    if !written.aliases.is_empty() {
        let pair = |(signal, field): &(Spanned<String>, Spanned<String>)| {
            (text(&signal.value), text(&field.value))
        };
        let alias = |alias: &Alias| {
            (text(&alias.name.value), Yaml::Mapping(alias.fields.iter().map(pair).collect()))
        };
        map.insert(text("aliases"), Yaml::Mapping(written.aliases.iter().map(alias).collect()));
    }
    map.insert(text("timespan"), text(&written.timespan.value));
    if let Some(count) = &written.condition {
        let field = match &*count.fields {
            [] => None,
            [only] => Some((text("field"), text(&only.value))),
            fields => Some((text("field"), texts(fields))),
        };
        let bounds = count.bounds.iter();
        let bounds = bounds.map(|(one, n)| (text(one.value.as_str()), Yaml::Number((*n).into())));
        let percentile = count.percentile.iter();
        let percentile = percentile.map(|n| (text("percentile"), Yaml::Number(n.value.into())));
        let window = count.window.iter();
        let window = window.map(|one| (text("window"), text(one.value.as_str())));
        let all = field.into_iter().chain(percentile).chain(bounds).chain(window).collect();
        map.insert(text("condition"), Yaml::Mapping(all));
    }
    if let Some(level) = &written.level {
        map.insert(text("level"), text(level.value.as_str()));
    }
    if written.generate {
        map.insert(text("generate"), Yaml::Bool(true));
    }
    Yaml::Mapping(map)
}

fn target(written: &TargetSettings) -> Yaml {
    let mut map = settings(&written.settings);
    for (key, names) in [("without", &written.without), ("accept", &written.accept)] {
        if !names.is_empty() {
            map.insert(text(key), texts(names));
        }
    }
    Yaml::Mapping(map)
}

fn settings(settings: &Settings) -> Mapping {
    let value = |setting: &Setting| match setting {
        Setting::Text(one) => text(&one.value),
        Setting::Texts(all) => texts(all),
        Setting::Settings(inner) => Yaml::Mapping(self::settings(inner)),
    };
    settings.entries.iter().map(|(name, setting)| (text(&name.value), value(setting))).collect()
}

fn signal(signal: &Signal) -> Yaml {
    let mut map = Mapping::new();
    for (key, value) in [("title", &signal.title), ("id", &signal.id)] {
        if let Some(value) = value {
            map.insert(text(key), text(&value.value));
        }
    }
    if let Some(event) = &signal.event {
        map.insert(text("event"), text(event.value.name()));
    }
    if let Some(product) = &signal.product {
        map.insert(text("product"), text(product.value.name()));
    }
    map.extend(selection(&signal.selection));
    if let Some(detection) = &signal.detection {
        map.insert(text("detection"), Yaml::Mapping(detected(detection)));
    }
    if !signal.exclusions.is_empty() {
        let exclusions = signal.exclusions.iter().map(|exclusion| {
            let note = exclusion.note.iter().map(|note| (text("note"), text(&note.value)));
            Yaml::Mapping(note.chain(selection(&exclusion.selection)).collect())
        });
        map.insert(text("exclusions"), Yaml::Sequence(exclusions.collect()));
    }
    if !signal.levels.is_empty() {
        let levels = signal.levels.iter().map(|case| {
            let level = [(text("level"), text(case.level.value.as_str()))];
            Yaml::Mapping(level.into_iter().chain(selection(&case.selection)).collect())
        });
        map.insert(text("levels"), Yaml::Sequence(levels.collect()));
    }
    Yaml::Mapping(map)
}

/// Adds Sigma's log source and selections; the entries of `own` come before the selections
fn sigma(document: &mut Mapping, signal: &Signal, key: &str, own: Mapping) {
    if let Some(written) = &signal.logsource {
        let words = [
            ("category", &written.category),
            ("product", &written.product),
            ("service", &written.service),
            ("definition", &written.definition),
        ];
        let words = words.iter().filter_map(|(key, word)| Some((key, word.as_ref()?)));
        let words = words.map(|(key, word)| (text(key), text(&word.value)));
        document.insert(text("logsource"), Yaml::Mapping(words.collect()));
    }
    if let Some(detection) = &signal.detection {
        let all = own.into_iter().chain(detected(detection)).collect();
        document.insert(text(key), Yaml::Mapping(all));
    }
}

fn selection(selection: &Selection) -> Vec<(Yaml, Yaml)> {
    let key = |key: &super::Key| {
        let modifiers = key.modifiers.iter().map(|modifier| modifier.value.name());
        text(
            &std::iter::once(key.name.value.as_str())
                .chain(modifiers)
                .collect::<Vec<_>>()
                .join("|"),
        )
    };
    let entries = selection.entries.iter();
    entries.map(|entry| (key(&entry.key), key_values(&entry.values))).collect()
}

/// An alternative of a selection: a map of tests, or bare keywords
fn alternative(one: &Selection) -> Vec<Yaml> {
    match &*one.entries {
        [entry] if entry.key.is_keywords() && entry.key.modifiers.is_empty() => {
            entry.values.items.iter().map(value).collect()
        }
        _ => vec![Yaml::Mapping(selection(one).into_iter().collect())],
    }
}

fn key_values(written: &Values) -> Yaml {
    match written.negated {
        true => Yaml::Mapping(Mapping::from_iter([(text("not"), values(&written.items))])),
        false => values(&written.items),
    }
}

fn values(items: &[Value]) -> Yaml {
    match items {
        [only] => value(only),
        items => Yaml::Sequence(items.iter().map(value).collect()),
    }
}

fn value(value: &Value) -> Yaml {
    match &value.scalar {
        Scalar::Text(_) | Scalar::List(_) => text(&value.written),
        Scalar::Number(number) => Yaml::Number((*number).into()),
        Scalar::Bool(truth) => Yaml::Bool(*truth),
        Scalar::Null => Yaml::Null,
    }
}

fn detected(detection: &Detection) -> Mapping {
    let mut map = Mapping::new();
    for (name, alternatives) in &detection.selections {
        let mut maps: Vec<Yaml> = alternatives.iter().flat_map(alternative).collect();
        let body = match (maps.pop(), maps.is_empty()) {
            (Some(only), true) => only,
            (last, _) => Yaml::Sequence(maps.into_iter().chain(last).collect()),
        };
        map.insert(text(&name.value), body);
    }
    let conditions = detection.conditions.iter().map(|one| text(&condition(one)));
    let mut conditions: Vec<Yaml> = conditions.collect();
    let body = match (conditions.pop(), conditions.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Yaml::Sequence(conditions.into_iter().chain(last).collect()),
    };
    map.insert(text("condition"), body);
    map
}

/// The condition as text, with brackets round every `and` or `or` inside another condition
fn condition(written: &Condition) -> String {
    let inner = |part: &Condition| match part {
        Condition::And(_) | Condition::Or(_) => format!("({})", condition(part)),
        Condition::Not(_) | Condition::Selection(_) | Condition::Of(..) => condition(part),
    };
    let join =
        |parts: &[Condition], word: &str| parts.iter().map(inner).collect::<Vec<_>>().join(word);
    match written {
        Condition::And(parts) => join(parts, " and "),
        Condition::Or(parts) => join(parts, " or "),
        Condition::Not(part) => format!("not {}", inner(part)),
        Condition::Selection(name) => name.value.clone(),
        Condition::Of(quantifier, target) => match quantifier.value {
            Quantifier::All => format!("all of {}", target.value),
            Quantifier::AtLeast(count) => format!("{count} of {}", target.value),
        },
    }
}

fn sample(sample: &Sample) -> Yaml {
    let mut map = Mapping::new();
    map.insert(text("name"), text(&sample.name.value));
    if let Some(signal) = &sample.signal {
        map.insert(text("signal"), text(&signal.value));
    }
    let event = |event: &Spanned<serde_json::Value>| {
        serde_yaml::to_value(&event.value).unwrap_or(Yaml::Null)
    };
    match (sample.expect, &*sample.events) {
        (Expectation::Alerts(alerts), events) => {
            let events = events.iter().map(event).collect();
            map.insert(text("events"), Yaml::Sequence(events));
            map.insert(text("alerts"), Yaml::Number(alerts.into()));
        }
        (expect, events) => {
            map.insert(text("event"), events.first().map_or(Yaml::Null, event));
            if expect == Expectation::NoMatch {
                map.insert(text("expect"), text("none"));
            }
        }
    }
    if let Some(level) = &sample.level {
        map.insert(text("level"), text(level.value.as_str()));
    }
    Yaml::Mapping(map)
}
