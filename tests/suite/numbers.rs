//! Numbers with a fraction: 1.5 lies between 1 and 2, also where a target holds whole numbers only.

use rulecast::Rule;
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir;
use rulecast::matcher::{Engine, Memory, Options};
use rulecast::query::kusto::{Platform, bind};
use rulecast::workspace::{Text, Workspace};
use serde_json::{Value, json};

use crate::support::{in_language, lines, rule};

fn text(logsource: &str, test: &str) -> String {
    format!(
        "title: Long\nid: 5a1f0c01-0001-4c00-8a00-000000000116\ndate: 2026-11-28\nlogsource: \
         {{{logsource}}}\ndetection:\n  selection: {{{test}}}\n  condition: selection\n"
    )
}

fn connection(test: &str) -> Rule {
    rule(&text("category: network, service: connection", test))
}

fn request(test: &str) -> Rule {
    rule(&text("category: webserver", test))
}

/// Which of these durations a test takes
fn taken(test: &str, values: &[Value]) -> Vec<Value> {
    let rule = connection(&format!("event.duration{test}"));
    let engine = Engine::new([rule], &Options::default());
    let takes = |value: &&Value| {
        let event = json!({"event.duration": value});
        !engine.judge_value(&event, None, &mut Memory::default()).unwrap().is_empty()
    };
    values.iter().filter(takes).cloned().collect()
}

#[test]
fn an_event_is_compared_with_the_fraction_itself() {
    let values = [json!(1), json!(1.25), json!(1.5), json!("1.50"), json!(2), json!(2.25)];
    let of = |at: &[usize]| at.iter().map(|at| values[*at].clone()).collect::<Vec<_>>();
    assert_eq!(taken("|gt: 1.5", &values), of(&[4, 5]));
    assert_eq!(taken("|gte: 1.5", &values), of(&[2, 3, 4, 5]));
    assert_eq!(taken("|lt: 1.5", &values), of(&[0, 1]));
    assert_eq!(taken("|lte: 1.5", &values), of(&[0, 1, 2, 3]));
    assert_eq!(taken(": 1.5", &values), of(&[2, 3]));
    assert_eq!(taken(": '1.5'", &values), of(&[2, 3]));
    assert_eq!(taken("|neq: 1.5", &values), of(&[0, 1, 4, 5]));
    assert_eq!(taken(": [1.5, 2]", &values), of(&[2, 3, 4]));
    assert_eq!(taken("|gt: [1.5, 2]", &values), of(&[4, 5]));
    assert_eq!(taken("|gt: 1.0", &values), of(&[1, 2, 3, 4, 5]), "1.0 is 1");
    let negative = [json!(-2), json!(-1.5), json!(-1.25), json!(0)];
    assert_eq!(taken("|gt: -1.5", &negative), negative[2..]);
    assert_eq!(taken("|lt: -1.5", &negative), negative[..1]);
}

#[test]
fn what_is_no_number_or_too_long_for_one_is_refused() {
    for value in ["many", "1.5.2", "1e3", "1.", "0.1234567890123456", "99999999999999999.5"] {
        let text =
            text("category: network, service: connection", &format!("event.duration|gt: {value}"));
        let workspace = Workspace::read(&Text::new("rule.yml", text).into());
        let codes: Vec<_> = workspace.diagnostics.iter().map(|one| one.code.as_str()).collect();
        assert!(codes.contains(&"E0208"), "{value}: {codes:?}");
    }
}

fn emitted(rule: &Rule, target: Target) -> Result<String, Vec<String>> {
    let mut found = Diagnostics::default();
    match emit(target, rule, "rule", &mut found) {
        Some(artifacts) => Ok(artifacts.iter().map(|one| one.text.as_str()).collect()),
        None => Err(lines(found)),
    }
}

#[test]
fn a_query_compares_with_the_fraction_or_the_next_whole_number() {
    for (test, kusto, elastic) in [
        ("sc-bytes|gt: 1.5", "scBytes > 1.5", "http.response.body.bytes >= 2"),
        ("sc-bytes|lte: 1.5", "scBytes <= 1.5", "http.response.body.bytes <= 1"),
        ("sc-bytes|gte: -1", "scBytes >= -1", "http.response.body.bytes >= -1"),
        ("sc-bytes|gte: -1.5", "scBytes >= -1.5", "http.response.body.bytes >= -1"),
    ] {
        let rule = request(test);
        let query =
            rulecast::backend::emit(Target::Sentinel, &rule, "rule", &mut Diagnostics::default());
        let query = &query.unwrap()[0].text;
        assert!(query.contains(kusto), "{query}");
        assert!(bind(query, Platform::Sentinel).is_ok(), "{query}");
        let rules = emitted(&in_language(rule, "kuery"), Target::Elastic).unwrap();
        assert!(rules.contains(elastic), "{rules}");
    }
    let refused = emitted(&request("sc-bytes: 1.5"), Target::Elastic).unwrap_err();
    assert!(
        refused.iter().any(|line| line.contains("the index holds whole numbers")),
        "{refused:?}"
    );
}

#[test]
fn the_rule_is_printed_with_its_fraction() {
    let printed = |test: &str| ir::print(&connection(&format!("event.duration{test}")));
    assert!(printed("|gt: 1.50").contains("is >1.5\n"), "{}", printed("|gt: 1.50"));
    assert!(printed(": [2, -0.25]").contains("is 2 -0.25\n"), "{}", printed(": [2, -0.25]"));
}
