//! The meaning of a rule in words.
//!
//! In: a lowered rule. Out: for each signal the events that it looks at, then what it requires and
//! excludes as a tree of sentences; then novelty and correlations. The words are those of `show --stage ir`
//! and of `explain`; nothing is shortened but long lists, which unfold.

use serde::Serialize;

use super::words::{self, Mark, count};
use crate::definition::Form;
use crate::ir::{
    Clause, ClauseOrigin, Expr, NewTerms, Role, Rule, Signal, TestWords, ValueWords,
    correlation_text,
};

/// The most values of a test that are shown at once
const MOST: usize = 12;

/// A rule in words
#[derive(Serialize)]
pub(super) struct Meaning {
    signals: Vec<SignalWords>,
    correlations: Vec<CorrelationWords>,
    has_correlations: bool,
}

#[derive(Serialize)]
struct SignalWords {
    name: String,
    /// The name as an anchor
    anchor: usize,
    events: String,
    clauses: Vec<ClauseWords>,
    levels: Vec<LevelWords>,
    novelty: Vec<String>,
    report: String,
}

#[derive(Serialize)]
struct ClauseWords {
    role: &'static str,
    is_excluded: bool,
    label: String,
    is_labelled: bool,
    node: Node,
}

#[derive(Serialize)]
struct LevelWords {
    mark: Mark,
    node: Node,
}

#[derive(Serialize)]
struct CorrelationWords {
    title: String,
    level: Mark,
    text: String,
}

/// An expression: a test, or a head with parts
#[derive(Serialize, Default)]
struct Node {
    is_test: bool,
    head: &'static str,
    parts: Vec<Node>,
    subject: String,
    verb: String,
    values: Vec<String>,
    more: Vec<String>,
    number_of_more: usize,
    list: Vec<String>,
}

/// The meaning of a rule
pub(super) fn meaning(rule: &Rule) -> Meaning {
    let correlations = rule.correlations.iter().map(|one| CorrelationWords {
        title: one.title.clone(),
        level: words::level(one.level),
        text: correlation_text(rule, one),
    });
    let signals = rule.signals.iter().enumerate();
    Meaning {
        signals: signals.map(|(at, one)| signal(rule, at, one)).collect(),
        has_correlations: !rule.correlations.is_empty(),
        correlations: correlations.collect(),
    }
}

fn signal(rule: &Rule, at: usize, one: &Signal) -> SignalWords {
    let events = match one.product {
        Some(product) => format!("{} on {}", one.events(), product.name()),
        None => one.events(),
    };
    let levels = one.cases.iter();
    let levels =
        levels.map(|(level, expr)| LevelWords { mark: words::level(*level), node: node(expr) });
    let new = rule.new_terms.iter().filter(|new| new.signal == at);
    // The log source says what it implies, in the line of the events.
    let clauses = one.clauses.iter().filter(|clause| clause.origin == ClauseOrigin::Author);
    let report =
        if rule.reports_signal(at) { "" } else { "Reported through its correlation only." };
    SignalWords {
        name: heading(rule, one),
        anchor: at + 1,
        events,
        clauses: clauses.map(clause).collect(),
        levels: levels.collect(),
        novelty: new.map(novelty).collect(),
        report: report.to_owned(),
    }
}

/// What a signal is called; that of a Sigma rule has a name of ours
fn heading(rule: &Rule, one: &Signal) -> String {
    match rule.form {
        Form::Sigma => "Detection".to_owned(),
        Form::Correlation => one.title.clone(),
        Form::Definition | Form::Filter => one.name.clone(),
    }
}

fn clause(clause: &Clause) -> ClauseWords {
    let is_excluded = clause.role == Role::Exclude;
    ClauseWords {
        role: if is_excluded { "But not" } else { "Requires" },
        is_excluded,
        label: clause.label.clone(),
        is_labelled: !clause.label.is_empty(),
        node: node(&clause.expr),
    }
}

fn novelty(new: &NewTerms) -> String {
    let fields: Vec<_> = new.fields.iter().map(|field| field.name()).collect();
    format!(
        "Only when this combination of {} was not seen in the {} before.",
        fields.join(" and "),
        window(new.window)
    )
}

/// Minutes in the largest unit that says them whole
fn window(minutes: u32) -> String {
    let minutes = minutes as usize;
    match minutes {
        _ if minutes.is_multiple_of(24 * 60) => count(minutes / (24 * 60), "day"),
        _ if minutes.is_multiple_of(60) => count(minutes / 60, "hour"),
        _ => count(minutes, "minute"),
    }
}

fn node(expr: &Expr) -> Node {
    let group = |head, parts: &[Expr]| match parts {
        [only] => node(only),
        parts => Node { head, parts: parts.iter().map(node).collect(), ..Node::default() },
    };
    match expr {
        Expr::All(parts) => group("all of", parts),
        Expr::Any(parts) => group("any of", parts),
        Expr::Not(part) => Node { head: "not", parts: vec![node(part)], ..Node::default() },
        Expr::Test(test) => {
            let TestWords { subject, verb, values, list } = TestWords::of(test);
            let mut values: Vec<String> = values.into_iter().map(value).collect();
            // A list of one more than the most would unfold to a single value.
            let more = if values.len() > MOST + 1 { values.split_off(MOST) } else { Vec::new() };
            let number_of_more = more.len();
            let list = list.into_iter().collect();
            let (is_test, head, parts) = (true, "", Vec::new());
            Node { is_test, head, parts, subject, verb, values, more, number_of_more, list }
        }
    }
}

fn value(value: ValueWords) -> String {
    match value {
        ValueWords::Text(text) if text.is_empty() => "(empty)".to_owned(),
        ValueWords::Text(text) | ValueWords::Name(text) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn a_window_is_said_in_its_largest_unit() {
        assert_eq!([10_080, 60, 90].map(window), ["7 days", "1 hour", "90 minutes"]);
    }
}
