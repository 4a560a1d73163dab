//! Elastic Security: Kibana's query language and EQL over ECS indices.
//!
//! In: a [`Rule`]. Out: one detection-rules TOML file per signal, and one NDJSON file for Kibana's
//! rule import with one line per signal. The signal that `new_terms` names becomes a rule of type
//! `new_terms`; every other signal becomes a `query` or an `eql` rule.

mod eql;
mod exceptions;
mod fields;
mod filter;
mod kuery;
mod language;
mod network;
mod plan;
mod registry;
mod required;
mod settings;
mod severity;
mod superset;
mod tags;
mod text;
mod threat;
mod toml;
mod view;
mod words;

pub use severity::severity;

use std::collections::HashMap;

use serde_json::Value;

use self::language::Languages;
use self::plan::Plan;
use self::settings::Settings;
use super::template::render;
use super::{Closed, Emitted, Place, Session, missing_products};
use crate::diagnostic::{Cause, Code};
use crate::ir::{NewTerms, Rule, Signal};
use crate::manifest::{Artifact, Direction, LossName};
use crate::mapping::{Index, Stream};
use crate::query::elasticsearch::Item;
use crate::taxonomy::Product;

/// A signal, planned
#[derive(Debug)]
struct Planned<'r> {
    signal: &'r Signal,
    stream: &'r Stream,
    /// The new terms of this signal
    new: Option<&'r NewTerms>,
    /// The index patterns that the rule searches
    indices: Vec<Index>,
    plan: Plan,
    /// Exclusions that are exceptions beside the rule, and not in its plan
    exceptions: Vec<Item>,
    /// Severities of single matches, for the rule's severity mapping
    severities: Vec<Value>,
}

/// Emits the rules
pub(super) fn emit<'r>(rule: &'r Rule, stem: &str, mut session: Session<'r>) -> Emitted<'r> {
    let settings = settings::read(&mut session);
    for correlation in &rule.correlations {
        let message = format!("Elastic's rules cannot hold the correlation `{}`", correlation.name);
        let help =
            "Name it under `targets: {elastic: {without: […]}}`; its signals then stand alone.";
        let label = "events of one rule see each other nowhere";
        session.refuse(Cause::Correlation, correlation.span, message, label, help);
    }
    let planned =
        (0..rule.signals.len()).filter_map(|at| planned(rule, at, &settings, &mut session));
    let planned: Vec<Planned<'_>> = planned.collect();
    let place = |one: &Planned<'_>| Place {
        rows: None,
        searched: one.indices.iter().map(|index| index.pattern.clone()).collect(),
        mapping: Some(one.stream.mapping.to_string()),
    };
    let places = planned.iter().map(place).collect();
    let schedule = Some(view::schedule(&settings));
    let mut closed = session.close();
    let (artifacts, ids) = artifacts(rule, stem, planned, &settings, &mut closed);
    Emitted { artifacts, ids, places, schedule, closed }
}

/// Plans a signal; `None` when no index holds its events, which is refused
fn planned<'r>(
    rule: &'r Rule,
    at: usize,
    settings: &Settings,
    session: &mut Session<'r>,
) -> Option<Planned<'r>> {
    let signal = &rule.signals[at];
    let new = rule.new_terms.as_ref().filter(|new| new.signal == at);
    session.enter(&signal.name);
    let streams = fields::streams(session, signal);
    let planned = session.best_of(streams, |session, stream| {
        let indices = fields::indices(stream, signal, &settings.index);
        if indices.is_empty() && !settings.index.is_empty() {
            let message = format!("no index of this rule holds {}", signal.events());
            let help = "Add one under `targets: {elastic: {index: […]}}`.";
            let why = (Code::E0607, Cause::Setting("index".to_owned()));
            session.refuse_with(why, signal.span, message, "never searched", help);
        }
        if let Some(new) = new {
            fields::check_terms(stream, new, session);
        }
        let products = common_products(&indices);
        if signal.is_of_any_product() && !products.is_empty() {
            let reason = missing_products(&format!("the mapping {}", stream.mapping), &products);
            session.lose(LossName::Product, Direction::Narrower, signal.span, &reason);
        }
        // Kibana takes new terms of its own language only.
        let languages = if new.is_some() { Languages::Kuery } else { settings.query };
        let place = (stream, &*indices);
        let (plan, exceptions) = match settings.exceptions {
            true => {
                let (rest, exceptions) = exceptions::split(signal, place, session);
                (language::plan(&rest, place, languages, session), exceptions)
            }
            false => (language::plan(signal, place, languages, session), Vec::new()),
        };
        let severities = severity::severity_mapping(signal, stream, session);
        (indices, plan, exceptions, severities)
    });
    let Some((stream, (indices, plan, exceptions, severities))) = planned else {
        let message = format!("Elastic has no index of {}", signal.events());
        let help = "Name the signal under `targets: {elastic: {without: […]}}`.";
        let cause = Cause::LogSource(signal.kind.to_string());
        session.refuse(cause, signal.span, message, "no such index", help);
        return None;
    };
    Some(Planned { signal, stream, new, indices, plan, exceptions, severities })
}

/// The products that all events of these indices are of; none when some hold any or other products
fn common_products(indices: &[Index]) -> Vec<Product> {
    let mut all = indices.iter().map(|index| &index.products);
    let Some(first) = all.next() else { return Vec::new() };
    let same = first.len() == 1 && all.all(|products| products == first);
    if same { first.clone() } else { Vec::new() }
}

/// Refuses a signal whose id of its own is the id that another one gets from its name
///
/// So it is when a signal keeps its id under a new name, and a new signal takes the old name.
fn refuse_repeated_ids(rule: &Rule, closed: &mut Closed<'_>) {
    let mut seen: HashMap<String, &Signal> = HashMap::new();
    for signal in &rule.signals {
        if let Some(other) = seen.insert(view::id(rule, signal), signal) {
            let named = if signal.id.is_none() { signal } else { other };
            let message = format!("`{}` and `{}` get the same rule id", other.name, signal.name);
            let help = format!("Give `{}` an `id` of its own.", named.name);
            let why = (Code::E0801, Cause::File);
            closed.refuse_with(why, named.span, message, "derives it from its name", &help);
        }
    }
}

/// The TOML files, then the import file, and the ids of the rules in each
fn artifacts(
    rule: &Rule,
    stem: &str,
    planned: Vec<Planned<'_>>,
    settings: &Settings,
    closed: &mut Closed<'_>,
) -> (Vec<Artifact>, Vec<Vec<String>>) {
    let (mut lines, mut lists) = (String::new(), String::new());
    let (mut artifacts, mut ids) = (Vec::new(), Vec::new());
    refuse_repeated_ids(rule, closed);
    for planned in planned {
        let signal = planned.signal;
        let query = planned.plan.query.to_string();
        if !toml::is_literal(&query) {
            let message = "three single quotes in a value".to_owned();
            closed.refuse(Cause::File, signal.span, message, "ends TOML's literal text", "");
        }
        let detection = view::detection(rule, planned, settings, closed);
        lines.push_str(&detection.import_line());
        lines.push('\n');
        lists.push_str(&detection.exception_lines());
        match render("elastic/rule.toml", &detection.view(rule)) {
            Ok(text) => {
                // detection-rules accepts only lower-case letters, digits and `_` in file names.
                let name = format!("{stem}_{}", signal.name).to_lowercase();
                let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                let name: String = name.chars().map(plain).collect();
                artifacts.push(Artifact { name: format!("{name}.toml"), text });
                ids.push(vec![detection.id.clone()]);
            }
            Err(why) => closed.refuse_template(signal.span, &why),
        }
    }
    artifacts.push(Artifact { name: format!("{stem}.ndjson"), text: lines + &lists });
    ids.push(ids.concat());
    (artifacts, ids)
}
