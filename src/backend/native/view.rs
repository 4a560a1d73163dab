//! The view behind the generated file.
//!
//! In: a [`Rule`]. Out: a [`MatcherView`] of final strings, and the constants that its
//! expressions name.

use std::collections::BTreeMap;

use serde::Serialize;

use super::expr::{Constant, Constants, Printer, literal};
use super::helpers::Helpers;
use crate::backend::one_line;
use crate::definition::{Comparison, Window};
use crate::ir::{Bound, Correlation, CorrelationTest, Expr, Fields, Key, Origin, Role, Rule};
use crate::taxonomy::{Log, Product};

/// The view of `native/matcher.rs`; its strings are printed unchanged
#[derive(Debug, Serialize)]
pub(super) struct MatcherView {
    title: String,
    id: String,
    /// The caller's duties, one per line
    left: Vec<String>,
    /// Whether some correlation counts combinations of values
    combinations: bool,
    /// Whether some correlation judges rarity over another window than the last timespan
    windows: bool,
    constants: Vec<Constant>,
    /// For each function of the template, whether the file calls it
    helpers: BTreeMap<&'static str, bool>,
    signals: Vec<SignalView>,
    correlations: Vec<CorrelationView>,
}

#[derive(Debug, Serialize)]
struct CorrelationView {
    name: String,
    title: String,
    level: String,
    test: String,
    origins: String,
    /// Each key as Rust source: its name, then pairs of signal and field
    keys: Vec<String>,
    timespan: u32,
    /// Which events of a group an upper bound is judged over, as Rust source
    window: String,
}

#[derive(Debug, Serialize)]
struct SignalView {
    name: String,
    name_literal: String,
    heading: String,
    title: String,
    event: String,
    in_log: String,
    product: String,
    level: String,
    new_terms: String,
    window: u32,
    argument: &'static str,
    clauses: Vec<ClauseView>,
    cases: Vec<CaseView>,
}

#[derive(Debug, Serialize)]
struct ClauseView {
    comment: String,
    condition: String,
}

#[derive(Debug, Serialize)]
struct CaseView {
    condition: String,
    level: String,
}

/// Builds the view of a rule
pub(super) fn matcher(rule: &Rule) -> MatcherView {
    let (mut constants, mut helpers) = (Constants::default(), Helpers::default());
    let mut signals = Vec::new();
    for (at, signal) in rule.signals.iter().enumerate() {
        let (constants, helpers) = (&mut constants, &mut helpers);
        let mut printer = Printer { signal: &signal.name, constants, helpers };
        let mut clauses = Vec::new();
        for clause in &signal.clauses {
            let label = one_line(&clause.label);
            let fails = Expr::Not(Box::new(clause.expr.clone()));
            clauses.push(match clause.role {
                Role::Require => ClauseView { comment: label, condition: printer.print(&fails, 1) },
                Role::Exclude => ClauseView {
                    comment: format!("not: {label}"),
                    condition: printer.print(&clause.expr, 1),
                },
            });
        }
        let mut cases = Vec::new();
        for (level, expr) in &signal.cases {
            let condition = printer.print(expr, 1);
            cases.push(CaseView { condition, level: literal(level.as_str()) });
        }
        let new = rule.new_terms.as_ref().filter(|new| new.signal == at);
        let terms = new.map_or_else(Vec::new, |new| {
            new.fields.iter().map(|field| literal(field.name())).collect()
        });
        signals.push(SignalView {
            name: signal.name.clone(),
            name_literal: literal(&signal.name),
            heading: one_line(&signal.title),
            title: literal(&signal.title),
            event: literal(signal.kind.name()),
            in_log: optional(signal.log.as_ref().map(Log::name)),
            product: optional(signal.product.map(Product::name)),
            level: literal(rule.level.as_str()),
            new_terms: terms.join(", "),
            window: new.map_or(0, |new| new.window),
            argument: if cases.is_empty() { "_" } else { "event" },
            clauses,
            cases,
        });
    }
    let correlations: Vec<CorrelationView> =
        rule.correlations.iter().map(|one| correlation(rule, one)).collect();
    let id = rule.metadata.id.as_ref().map_or_else(String::new, |id| one_line(&id.value));
    MatcherView {
        title: one_line(&rule.metadata.title.value),
        id,
        left: left(rule),
        windows: rule.correlations.iter().any(|one| one.window != Window::Last),
        combinations: rule.correlations.iter().any(counts_combinations),
        constants: constants.sorted(),
        helpers: helpers.needed(),
        signals,
        correlations,
    }
}

pub(super) fn optional(word: Option<&str>) -> String {
    word.map_or_else(|| "None".to_owned(), |word| format!("Some({})", literal(word)))
}

/// The caller's duties: judging several events, and fields that sensors record in another form
fn left(rule: &Rule) -> Vec<String> {
    let reads = |names: &[&str]| {
        let mut fields = rule.signals.iter().flat_map(crate::ir::Signal::fields);
        fields.any(|field| names.contains(&field.name()))
    };
    let mut left = Vec::new();
    if rule.asks_regex() {
        left.push("regular expressions, which std does not have: `is_found`");
    }
    if rule.new_terms.is_some() {
        left.push("whether a combination of `new_terms` is new within the window");
    }
    if !rule.correlations.is_empty() {
        left.push(
            "what the signals mean together: `CORRELATIONS` says what, nothing here judges it",
        );
    }
    if reads(&["GrandparentImage"]) {
        left.push("GrandparentImage, where no sensor records it: who started whom, event by event");
    }
    if reads(&["Action"]) {
        left.push(
            "Action: `created`, `modified`, `renamed` or `deleted`, whatever the sensor calls it",
        );
    }
    if reads(&["RegistryKey", "RegistryValue", "RegistryData"]) {
        left.push(
            "RegistryKey with its hive spelled out, RegistryValue, RegistryData with numbers in decimal",
        );
    }
    if reads(&["md5", "sha1", "sha256", "Imphash"]) {
        left.push("md5, sha1, sha256 and Imphash, which Sysmon writes as one text");
    }
    let dashed =
        ["cs-cookie", "cs-host", "cs-referer", "cs-uri-query", "cs-user-agent", "cs-username"];
    if reads(&["cs-uri"]) {
        left.push("cs-uri, where a log has the path and the query of a request apart");
    }
    if reads(&dashed) {
        left.push("fields of web logs without the dash that stands for no value");
    }
    left.into_iter().map(ToOwned::to_owned).collect()
}

fn counts_combinations(one: &Correlation) -> bool {
    matches!(&one.test, CorrelationTest::Values(fields, _) if fields.len() > 1)
}

fn correlation(rule: &Rule, one: &Correlation) -> CorrelationView {
    let origin = |origin: &Origin| match origin {
        Origin::Signal(at) => literal(&rule.signals[*at].name),
        Origin::Correlation(at) => literal(&rule.correlations[*at].name),
    };
    let origins: Vec<String> = one.origins.iter().map(origin).collect();
    let fields = |fields: &Fields| {
        let field = |(at, field): (&usize, &crate::taxonomy::Field)| {
            format!("({}, {})", literal(&rule.signals[*at].name), literal(field.name()))
        };
        fields.iter().map(field).collect::<Vec<_>>().join(", ")
    };
    let bound = |bound: &Bound| match bound.to {
        Some(to) => format!("at_least: {}, at_most: Some({to})", bound.from),
        None => format!("at_least: {}, at_most: None", bound.from),
    };
    let test = match &one.test {
        CorrelationTest::Together => "Together".to_owned(),
        CorrelationTest::InOrder => "InOrder".to_owned(),
        CorrelationTest::Events(count) => format!("Events {{ {} }}", bound(count)),
        CorrelationTest::Values(all, count) => match &**all {
            [of] => format!("Values {{ fields: &[{}], {} }}", fields(of), bound(count)),
            all => {
                let all: Vec<String> = all.iter().map(|of| format!("&[{}]", fields(of))).collect();
                format!("Combinations {{ fields: &[{}], {} }}", all.join(", "), bound(count))
            }
        },
        CorrelationTest::Origins(count) => format!("Origins {{ {} }}", bound(count)),
        CorrelationTest::Numbers(measure, of, limits) => {
            let limit = |(one, number): &(Comparison, u64)| {
                format!("({}, {number})", literal(one.as_str()))
            };
            let limits: Vec<String> = limits.iter().map(limit).collect();
            let (measure, limits) = (literal(&measure.to_string()), limits.join(", "));
            let fields = fields(of);
            format!("Numbers {{ measure: {measure}, fields: &[{fields}], limits: &[{limits}] }}")
        }
    };
    let key = |key: &Key| format!("({}, &[{}])", literal(&key.name), fields(&key.fields));
    CorrelationView {
        name: literal(&one.name),
        title: literal(&one.title),
        level: literal(one.level.as_str()),
        test,
        origins: origins.join(", "),
        keys: one.keys.iter().map(key).collect(),
        timespan: one.timespan,
        window: literal(one.window.as_str()),
    }
}
