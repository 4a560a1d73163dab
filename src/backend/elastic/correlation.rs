//! A correlation as rules of Elastic's detection engine.
//!
//! In: a correlation. Out: a sequence in EQL for events in an order, two sequences for two events in
//! any order, one step with `runs` for a number of events, and a rule of type `threshold` for a number
//! of values or of more events than a sequence takes. What Elastic does otherwise is a named loss.
//!
//! A group has a sequence exactly when the correlation holds for it (measured over random streams of
//! events at different times), but each event that ends one makes an alert, two events of one
//! millisecond have no order, and an event without a key is in no sequence.

use super::eql::CATEGORY;
use super::language::{self, Languages};
use super::plan::{Plan, Written};
use super::settings::Settings;
use super::threshold::{MOST_FIELDS, Threshold};
use super::{Planned, fields, schedule, searched};
use crate::backend::Session;
use crate::diagnostic::Cause;
use crate::ir::{Bound, Correlation, CorrelationTest, Fields, Origin, Rule, Signal};
use crate::manifest::{Direction, LossName};
use crate::mapping::{Index, Stream};
use crate::query::eql::{
    Comparison, Condition, Eql, EventQuery, FieldName, MOST_RUNS, Sequence, Step, Value,
};
use crate::query::kuery::Kuery;
use crate::source::Span;
use crate::taxonomy::Field;

/// A signal in a correlation, planned
#[derive(Clone)]
struct Part<'r> {
    signal: &'r Signal,
    stream: &'r Stream,
    indices: Vec<Index>,
    plan: Plan,
    /// The index fields of the keys, in the order of the keys
    keys: Vec<String>,
    /// The index field whose values are counted
    counted: Option<String>,
}

/// Plans a correlation; no rule when it is refused
pub(super) fn planned<'r>(
    rule: &'r Rule,
    at: usize,
    settings: &Settings,
    session: &mut Session<'r>,
) -> Vec<Planned<'r>> {
    let one = &rule.correlations[at];
    session.enter(&one.name);
    let Some(signals) = signals(rule, one, session) else { return Vec::new() };
    match &one.test {
        CorrelationTest::InOrder => {
            let parts = parts(one, &signals, Languages::Eql, settings, session);
            parts.into_iter().map(|parts| sequence(one, parts, settings, session)).collect()
        }
        CorrelationTest::Together => {
            let [first, second] = *signals else {
                let message = format!("{} signals in any order have no form", signals.len());
                refuse(one, message, "a sequence has one order", session);
                return Vec::new();
            };
            let parts = parts(one, &[first, second], Languages::Eql, settings, session);
            let Some(parts) = parts else { return Vec::new() };
            let turned: Vec<Part<'_>> = parts.iter().rev().cloned().collect();
            let in_order = |parts: Vec<Part<'r>>| {
                let names: Vec<&str> = parts.iter().map(|part| part.signal.name.as_str()).collect();
                let variant = (format!("{}_first", names[0]), names.join(", then "));
                Planned { variant: Some(variant), ..sequence(one, parts, settings, session) }
            };
            [parts, turned].map(in_order).into()
        }
        CorrelationTest::Events(Bound { from, to: None }) if *from <= u64::from(MOST_RUNS) => {
            let parts = parts(one, &signals, Languages::Eql, settings, session);
            let runs = u32::try_from(*from).unwrap_or(MOST_RUNS);
            parts.into_iter().map(|parts| repeated(one, parts, runs, settings, session)).collect()
        }
        CorrelationTest::Events(Bound { from, to: None }) => {
            let parts = parts(one, &signals, Languages::Kuery, settings, session);
            let planned = parts.map(|parts| threshold(one, parts, *from, settings, session));
            planned.flatten().into_iter().collect()
        }
        CorrelationTest::Values(counted, Bound { to: None, .. }) if counted.len() == 1 => {
            let parts = parts(one, &signals, Languages::Kuery, settings, session);
            let planned = parts.map(|parts| threshold(one, parts, 1, settings, session));
            planned.flatten().into_iter().collect()
        }
        CorrelationTest::Values(..) | CorrelationTest::Events(_) => {
            let message = match one.test.is_rare() {
                true => "Elastic's rules cannot say that a group has few events".to_owned(),
                false => "Elastic's rules count the values of one field".to_owned(),
            };
            refuse(one, message, "no such rule", session);
            Vec::new()
        }
        // Refused for every target beside the matcher
        CorrelationTest::Origins(_) | CorrelationTest::Numbers(..) => Vec::new(),
    }
}

fn refuse(one: &Correlation, message: String, label: &str, session: &mut Session<'_>) {
    let help = format!(
        "Name it under `targets: {{elastic: {{without: [{}]}}}}`; its signals then stand alone.",
        one.name
    );
    session.refuse(Cause::Correlation, one.span, message, label, &help);
}

/// The signals of a correlation, in its order; `None` when Elastic cannot correlate one of them
fn signals<'r>(
    rule: &'r Rule,
    one: &Correlation,
    session: &mut Session<'_>,
) -> Option<Vec<(usize, &'r Signal)>> {
    let mut signals = Vec::new();
    for origin in &one.origins {
        match *origin {
            Origin::Signal(at) if rule.new_terms.as_ref().is_some_and(|new| new.signal == at) => {
                let message = format!("a correlation of new terms of `{}`", rule.signals[at].name);
                refuse(one, message, "Kibana's rules see new terms by themselves", session);
                return None;
            }
            Origin::Signal(at) => signals.push((at, &rule.signals[at])),
            Origin::Correlation(_) => {
                let message = "Elastic's rules do not correlate correlations".to_owned();
                refuse(one, message, "uses another correlation", session);
                return None;
            }
        }
    }
    Some(signals)
}

/// Plans the signals of a correlation
fn parts<'r>(
    one: &'r Correlation,
    signals: &[(usize, &'r Signal)],
    languages: Languages,
    settings: &Settings,
    session: &mut Session<'r>,
) -> Option<Vec<Part<'r>>> {
    let mut all = Vec::new();
    for &(at, signal) in signals {
        session.enter(&signal.name);
        let planned = searched(signal, settings, session, |session, stream, indices| {
            let terms = |fields: &Fields, session: &mut Session<'_>| {
                terms_of(fields.get(&at), (signal, stream), one.span, session)
            };
            let keys: Vec<String> =
                one.keys.iter().flat_map(|key| terms(&key.fields, session)).collect();
            let counted = one.test.fields().first().map(|fields| terms(fields, session));
            let plan = language::plan(signal, (stream, indices), languages, session);
            if !plan.filters.is_empty() && (languages == Languages::Eql || signals.len() > 1) {
                let message = format!("a clause of `{}` that only a filter says", signal.name);
                refuse(one, message, "a filter is about every event of a rule", session);
            }
            (plan, keys, counted)
        });
        session.enter(&one.name);
        let (stream, (indices, (plan, keys, counted))) = planned?;
        let counted = counted.and_then(|fields| fields.into_iter().next());
        all.push(Part { signal, stream, indices, plan, keys, counted });
    }
    Some(all)
}

/// The index fields of a field of a signal; refused where there is none
fn terms_of(
    field: Option<&Field>,
    (signal, stream): (&Signal, &Stream),
    span: Span,
    session: &mut Session<'_>,
) -> Vec<String> {
    let terms = field.map(|field| fields::terms(stream, field)).unwrap_or_default();
    if terms.is_empty() {
        let name = field.map(Field::name).unwrap_or_default();
        let message =
            format!("Elastic has no field for {name} of {} to correlate by", signal.events());
        session.refuse(Cause::Correlation, span, message, "no such field", "");
    }
    terms.into_iter().map(ToOwned::to_owned).collect()
}

/// A sequence of one event of each part
fn sequence<'r>(
    one: &'r Correlation,
    parts: Vec<Part<'r>>,
    settings: &Settings,
    session: &mut Session<'r>,
) -> Planned<'r> {
    let common = common(&parts);
    let step = |part: &Part<'_>| Step {
        absent: false,
        query: part.plan.events(),
        by: part.keys[common.len()..].iter().map(|key| FieldName::of(key)).collect(),
        runs: 1,
    };
    let steps = parts.iter().map(step).collect();
    let reason = "two events of one millisecond have no order, and one event is no two steps";
    session.lose(LossName::Ties, Direction::Narrower, one.span, reason);
    of_steps(one, parts, &common, steps, settings, session)
}

/// A sequence of so many events of any part
fn repeated<'r>(
    one: &'r Correlation,
    parts: Vec<Part<'r>>,
    runs: u32,
    settings: &Settings,
    session: &mut Session<'r>,
) -> Planned<'r> {
    let common = common(&parts);
    if parts.iter().any(|part| part.keys.len() > common.len()) {
        let message = "events that are counted together have their keys in other fields".to_owned();
        refuse(one, message, "no common field", session);
    }
    let query = match parts.as_slice() {
        [only] => only.plan.events(),
        several => any_of(several.iter().map(|part| part.plan.events()).collect()),
    };
    if runs < 2 {
        return single(one, parts, &common, query, settings);
    }
    let steps = vec![Step { absent: false, query, by: Vec::new(), runs }];
    of_steps(one, parts, &common, steps, settings, session)
}

/// One event in a group
fn single<'r>(
    one: &'r Correlation,
    parts: Vec<Part<'r>>,
    keys: &[String],
    query: EventQuery,
    settings: &Settings,
) -> Planned<'r> {
    let there = keys.iter().map(|key| Condition::there(Value::field(key)));
    let condition = Condition::all(std::iter::once(query.condition).chain(there).collect());
    let query = Eql::Event(EventQuery { condition: condition.simplified(), ..query });
    let plan = Plan { query: Written::Eql(query), filters: Vec::new() };
    of_parts(one, parts, plan, settings)
}

fn of_steps<'r>(
    one: &'r Correlation,
    parts: Vec<Part<'r>>,
    keys: &[String],
    steps: Vec<Step>,
    settings: &Settings,
    session: &mut Session<'r>,
) -> Planned<'r> {
    let by = keys.iter().map(|key| FieldName::of(key)).collect();
    let maxspan = Some(u64::from(one.timespan) * 1_000);
    let query = Eql::Sequence(Sequence { by, maxspan, steps, until: None });
    let reason = "a group makes an alert for each event that ends a sequence";
    session.lose(LossName::Alerts, Direction::Wider, one.span, reason);
    if !one.keys.is_empty() {
        let reason =
            "an event without one of the keys is in no sequence, and keys compare as stored";
        session.lose(LossName::Keys, Direction::Narrower, one.span, reason);
    }
    let schedule = schedule::of_sequence(one.timespan, one.span, settings, session);
    let plan = Plan { query: Written::Eql(query), filters: Vec::new() };
    Planned { ordered: true, schedule, ..of_parts(one, parts, plan, settings) }
}

/// A rule that counts the events, or the values of a field, that one run sees
fn threshold<'r>(
    one: &'r Correlation,
    parts: Vec<Part<'r>>,
    events: u64,
    settings: &Settings,
    session: &mut Session<'r>,
) -> Option<Planned<'r>> {
    let fields = common(&parts);
    let counted: Vec<&String> = parts.iter().filter_map(|part| part.counted.as_ref()).collect();
    let same = counted.windows(2).all(|two| two[0] == two[1]);
    if !same || parts.iter().any(|part| part.keys.len() > fields.len()) {
        let message =
            "events that are counted together have their values in other fields".to_owned();
        refuse(one, message, "no common field", session);
        return None;
    }
    if fields.len() > MOST_FIELDS {
        let number = fields.len();
        let message = format!("{number} fields make a group, and a threshold has {MOST_FIELDS}");
        refuse(one, message, "too many keys", session);
        return None;
    }
    let values = counted.first().map(|field| (*field).clone());
    let values = values.zip(least(one));
    let threshold = Threshold { fields, events, values };
    let schedule = schedule::of_threshold(one, settings, session);
    let mut queries = Vec::new();
    let mut filters = Vec::new();
    let mut parts = parts;
    for part in &mut parts {
        if let Written::Kuery(query) = &part.plan.query {
            queries.push(query.clone());
        }
        filters.append(&mut part.plan.filters);
    }
    let query = Written::Kuery(any_kuery(queries).optimised());
    let plan = Plan { query, filters };
    let threshold = Some(threshold);
    Some(Planned { threshold, schedule, ..of_parts(one, parts, plan, settings) })
}

/// The events of any of these queries, with what all of them begin with said once
fn any_kuery(queries: Vec<Kuery>) -> Kuery {
    let parts = |query| if let Kuery::And(parts) = query { parts } else { vec![query] };
    let mut all: Vec<Vec<Kuery>> = queries.into_iter().map(parts).collect();
    let mut same = Vec::new();
    while let Some(first) = all.first().and_then(|parts| parts.first()).cloned()
        && all.iter().all(|parts| parts.len() > 1 && parts.first() == Some(&first))
    {
        all.iter_mut().for_each(|parts| drop(parts.remove(0)));
        same.push(first);
    }
    same.push(Kuery::Or(all.into_iter().map(Kuery::And).collect()));
    Kuery::And(same)
}

/// The least number of values that a correlation asks for
fn least(one: &Correlation) -> Option<u64> {
    if let CorrelationTest::Values(_, bound) = &one.test { Some(bound.from) } else { None }
}

fn of_parts<'r>(
    one: &'r Correlation,
    parts: Vec<Part<'r>>,
    plan: Plan,
    settings: &Settings,
) -> Planned<'r> {
    let mut indices: Vec<Index> = parts.iter().flat_map(|part| part.indices.clone()).collect();
    indices.sort_by(|a, b| a.pattern.cmp(&b.pattern));
    indices.dedup_by(|a, b| a.pattern == b.pattern);
    let named = (&*one.name, &*one.title, one.span, one.level);
    let signals = parts.iter().map(|part| (part.signal, part.stream)).collect();
    // Kibana applies exceptions to every event of a sequence or a group, so there are none.
    Planned::of(named, signals, indices, plan, settings)
}

/// The index fields of the first keys, as far as they are the same in every part
fn common(parts: &[Part<'_>]) -> Vec<String> {
    let Some((first, others)) = parts.split_first() else { return Vec::new() };
    let same =
        |(at, key): &(usize, &String)| others.iter().all(|part| part.keys.get(*at) == Some(*key));
    first.keys.iter().enumerate().take_while(same).map(|(_, key)| key.clone()).collect()
}

/// The events of any of these queries
fn any_of(queries: Vec<EventQuery>) -> EventQuery {
    let first = queries.first().and_then(|query| query.category.clone());
    let one_category = queries.iter().all(|query| query.category == first);
    let whole = |query: EventQuery| match query.category.filter(|_| !one_category) {
        Some(category) => {
            let own = Value::field(CATEGORY);
            let own = Condition::Compare(own, Comparison::Equal, Value::Text(category));
            Condition::all(vec![own, query.condition])
        }
        None => query.condition,
    };
    let condition = Condition::any(queries.into_iter().map(whole).collect()).simplified();
    EventQuery { category: first.filter(|_| one_category), condition }
}
