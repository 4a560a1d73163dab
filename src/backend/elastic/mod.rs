//! Elastic Security: Kibana's query language and EQL over ECS indices.
//!
//! In: a [`Rule`]. Out: one detection-rules TOML file for each signal and correlation that is reported,
//! and one NDJSON file for Kibana's rule import with a line for each. The signal that `new_terms` names
//! becomes a rule of type `new_terms`; every other signal becomes a `query` or an `eql` rule; a
//! correlation becomes a sequence in EQL, two where the order is free, or a `threshold` rule.

mod ancestry;
mod correlation;
mod decoding;
mod eql;
mod exceptions;
mod fields;
mod filter;
mod gaps;
mod kuery;
mod language;
mod network;
mod new_terms;
mod plan;
mod registry;
mod required;
mod schedule;
mod settings;
mod severity;
mod superset;
mod tags;
mod text;
mod threat;
mod threshold;
mod toml;
mod view;
mod words;

pub use severity::severity;

use std::collections::HashMap;

use serde_json::Value;

use self::language::Languages;
use self::plan::Plan;
use self::settings::Settings;
use self::threshold::Threshold;
use super::{Closed, Emitted, Place, Session, missing_products};
use crate::definition::Level;
use crate::diagnostic::{Cause, Code};
use crate::ir::{NewTerms, Rule, Signal};
use crate::manifest::{Artifact, Direction, LossName, Schedule};
use crate::mapping::{Index, Stream};
use crate::query::elasticsearch::Item;
use crate::source::Span;
use crate::taxonomy::Product;

/// A rule of Elastic's detection engine, planned: for a signal, or for a correlation of several
#[derive(Debug)]
struct Planned<'r> {
    /// The name of the signal or correlation
    name: &'r str,
    /// Its title
    title: &'r str,
    /// What tells two rules of one correlation apart, in one word and in a title
    variant: Option<(String, String)>,
    span: Span,
    level: Level,
    /// The signals whose events it searches, with their documents
    signals: Vec<(&'r Signal, &'r Stream)>,
    /// The new terms of its signal
    new: Option<&'r NewTerms>,
    /// The index patterns that the rule searches
    indices: Vec<Index>,
    plan: Plan,
    /// Exclusions that are exceptions beside the rule, and not in its plan
    exceptions: Vec<Item>,
    /// What several events must do together, where the query does not say it
    threshold: Option<Threshold>,
    /// Whether the query orders events, so that Kibana takes no other time than theirs
    ordered: bool,
    schedule: Schedule,
    /// Severities of single matches, for the rule's severity mapping
    severities: Vec<Value>,
}

impl<'r> Planned<'r> {
    /// A rule with a plan and the usual schedule, and nothing beside them
    fn of(
        (name, title, span, level): (&'r str, &'r str, Span, Level),
        signals: Vec<(&'r Signal, &'r Stream)>,
        indices: Vec<Index>,
        plan: Plan,
        settings: &Settings,
    ) -> Planned<'r> {
        Planned {
            name,
            title,
            variant: None,
            span,
            level,
            signals,
            new: None,
            indices,
            plan,
            exceptions: Vec::new(),
            threshold: None,
            ordered: false,
            schedule: schedule::of_events(settings),
            severities: Vec::new(),
        }
    }
}

/// Emits the rules
pub(super) fn emit<'r>(rule: &'r Rule, stem: &str, mut session: Session<'r>) -> Emitted<'r> {
    let settings = settings::read(&mut session);
    let mut all: Vec<Planned<'_>> = (0..rule.signals.len())
        .filter(|at| rule.reports_signal(*at))
        .filter_map(|at| planned(rule, at, &settings, &mut session))
        .collect();
    for at in (0..rule.correlations.len()).filter(|at| rule.reports_correlation(*at)) {
        all.extend(correlation::planned(rule, at, &settings, &mut session));
    }
    let places = rule.signals.iter().map(|signal| place(signal, &all)).collect();
    let schedule = Some(schedule::of_events(&settings));
    let mut closed = session.close();
    let (artifacts, ids) = artifacts(rule, stem, all, &settings, &mut closed);
    Emitted { artifacts, ids, places, schedule, keys: Vec::new(), closed }
}

/// Where a signal is searched: the indices of its documents in the first rule that uses it
fn place(signal: &Signal, all: &[Planned<'_>]) -> Place {
    let of_signal = |one: &&(&Signal, &Stream)| one.0.name == signal.name;
    let used =
        all.iter().find_map(|planned| Some((planned, planned.signals.iter().find(of_signal)?.1)));
    let Some((planned, stream)) = used else { return Place::default() };
    let of_stream = |index: &&Index| {
        stream.indices.iter().chain(&stream.on_request).any(|own| own.pattern == index.pattern)
    };
    Place {
        rows: None,
        searched: planned.indices.iter().filter(of_stream).map(|i| i.pattern.clone()).collect(),
        mapping: Some(stream.mapping.to_string()),
    }
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
    let (_, (_, planned)) = searched(signal, settings, session, |session, stream, indices| {
        let place = (stream, indices);
        let named = (&*signal.name, &*signal.title, signal.span, rule.level);
        let of_signal = |plan: Plan| {
            let signals = vec![(signal, stream)];
            Planned { new, ..Planned::of(named, signals, indices.to_vec(), plan, settings) }
        };
        if new.is_none()
            && settings.query != Languages::Kuery
            && let Some(family) = ancestry::plan(signal, place, settings, session)
        {
            let ancestry::Family { plan, schedule, indices } = family;
            return Planned { schedule, indices, ordered: true, ..of_signal(plan) };
        }
        if let Some(new) = new {
            fields::check_terms(stream, new, session);
        }
        // Kibana takes new terms of its own language only.
        let languages = if new.is_some() { Languages::Kuery } else { settings.query };
        let (plan, exceptions) = match settings.exceptions {
            true => {
                let (rest, exceptions) = exceptions::split(signal, place, session);
                (language::plan(&rest, place, languages, session), exceptions)
            }
            false => (language::plan(signal, place, languages, session), Vec::new()),
        };
        let severities = severity::severity_mapping(signal, stream, session);
        Planned { exceptions, severities, ..of_signal(plan) }
    })?;
    Some(planned)
}

/// Plans with the first documents that can say a signal; `None` when no index holds its events,
/// which is refused
fn searched<'r, T>(
    signal: &'r Signal,
    settings: &Settings,
    session: &mut Session<'r>,
    mut plan: impl FnMut(&mut Session<'r>, &'r Stream, &[Index]) -> T,
) -> Option<(&'r Stream, (Vec<Index>, T))> {
    let streams = fields::streams(session, signal, &settings.index);
    let planned = session.best_of(streams, |session, stream| {
        let indices = fields::indices(stream, signal, &settings.index);
        if indices.is_empty() && !settings.index.is_empty() {
            let message = format!("no index of this rule holds {}", signal.events());
            let help = "Add one under `targets: {elastic: {index: […]}}`.";
            let why = (Code::E0607, Cause::Setting("index".to_owned()));
            session.refuse_with(why, signal.span, message, "never searched", help);
        }
        let products = common_products(&indices);
        if signal.is_of_any_product() && !products.is_empty() {
            let reason = missing_products(&format!("the mapping {}", stream.mapping), &products);
            session.lose(LossName::Product, Direction::Narrower, signal.span, &reason);
        }
        let planned = plan(session, stream, &indices);
        (indices, planned)
    });
    if planned.is_none() {
        let message = format!("Elastic has no index of {}", signal.events());
        let help = "Name the signal under `targets: {elastic: {without: […]}}`.";
        let cause = Cause::LogSource(signal.kind.to_string());
        session.refuse(cause, signal.span, message, "no such index", help);
    }
    planned
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
fn refuse_repeated_ids(rule: &Rule, all: &[Planned<'_>], closed: &mut Closed<'_>) {
    let mut seen: HashMap<String, &Planned<'_>> = HashMap::new();
    for planned in all {
        if let Some(other) = seen.insert(view::id(rule, planned), planned) {
            let has_own = planned.signals.iter().any(|(signal, _)| signal.id.is_some());
            let named = if has_own { other } else { planned };
            let message = format!("`{}` and `{}` get the same rule id", other.name, planned.name);
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
    refuse_repeated_ids(rule, &planned, closed);
    for planned in planned {
        let span = planned.span;
        let query = planned.plan.query.to_string();
        if !toml::is_literal(&query) {
            let message = "three single quotes in a value".to_owned();
            closed.refuse(Cause::File, span, message, "ends TOML's literal text", "");
        }
        let variant = planned.variant.as_ref().map(|(word, _)| format!("_{word}"));
        let name = format!("{stem}_{}{}", planned.name, variant.unwrap_or_default());
        let detection = view::detection(rule, planned, settings, closed);
        lines.push_str(&detection.import_line());
        lines.push('\n');
        lists.push_str(&detection.exception_lines());
        if let Some(text) = closed.render("elastic/rule.toml", &detection.view(rule)) {
            // detection-rules accepts only lower-case letters, digits and `_` in file names.
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let name: String = name.to_lowercase().chars().map(plain).collect();
            artifacts.push(Artifact { name: format!("{name}.toml"), text });
            ids.push(vec![detection.id.clone()]);
        }
    }
    artifacts.push(Artifact { name: format!("{stem}.ndjson"), text: lines + &lists });
    ids.push(ids.concat());
    (artifacts, ids)
}
