//! Normalization keeps the meaning and is idempotent; a printed definition means the same.

use std::sync::Arc;

use proptest::prelude::*;
use rulecast::diagnostic::Diagnostics;
use rulecast::ir::{Case, Expr, Numbers, Op, Relation, Subject, Test, TextTest, normalize};
use rulecast::matcher::{Engine, Memory, Options};
use rulecast::pattern::Pattern;
use rulecast::source::{SourceText, Span};
use rulecast::taxonomy::{EventKind, Field};
use rulecast::{Rule, definition, ir};
use serde_json::json;

use crate::support::{definition as one_signal, rule, rules};

fn test() -> impl Strategy<Value = Expr> {
    let text = (
        prop_oneof![Just("Image"), Just("CommandLine")],
        prop_oneof![
            Just(Relation::Equals),
            Just(Relation::Starts),
            Just(Relation::Ends),
            Just(Relation::Contains),
        ],
        prop::collection::vec("[aAbB]{1,2}", 1..3),
        prop_oneof![Just(Case::Insensitive), Just(Case::Sensitive)],
    )
        .prop_map(|(field, relation, values, case)| {
            let values = values.iter().map(|value| Pattern::literal(value)).collect();
            (field, Op::Text(TextTest { relation, values, case }))
        });
    let numbers = prop::collection::vec((0..5i64, 0..3i64), 1..3).prop_map(|ranges| {
        let range = |(from, more): (i64, i64)| Numbers::between(from, from + more);
        ("ProcessId", Op::Numbers(ranges.into_iter().map(range).collect()))
    });
    let presence = prop_oneof![Just(("Image", Op::Exists)), Just(("CommandLine", Op::Null))];
    prop_oneof![4 => text, 1 => numbers, 1 => presence].prop_map(|(field, op)| {
        let subject = Subject::whole(Field::named(field).unwrap());
        Expr::Test(Test { subject, op, list: None, span: Span::default() })
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    test().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::All),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::Any),
            inner.prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

/// A rule that is just this expression
fn rule_of(expr: &Expr) -> Rule {
    let mut rule = rule(&one_signal("p", "Image: x"));
    rule.signals[0].clauses[0].expr = expr.clone();
    rule
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn normalizing_keeps_the_meaning_and_stops(
        expr in expr(),
        events in prop::collection::vec(
            (prop::option::of("[aAbB]{0,3}"), prop::option::of("[aAbB]{0,3}"), prop::option::of(0..8i64)),
            12,
        ),
    ) {
        let once = normalize(expr.clone());
        prop_assert_eq!(&normalize(once.clone()), &once);
        let rules = [rule_of(&expr), rule_of(&once)];
        let engine = Engine::new(&rules[..], &Options::default());
        for (image, command, id) in events {
            let mut event = json!({});
            image.inspect(|v| event["Image"] = json!(v));
            command.inspect(|v| event["CommandLine"] = json!(v));
            id.inspect(|v| event["ProcessId"] = json!(v));
            let kind = Some(&EventKind::ProcessCreation);
            let matched = engine.judge_value(&event, kind, &mut Memory::default()).unwrap();
            prop_assert!(matched.is_empty() || matched.len() == 2, "{:?} {}", expr, event);
        }
    }
}

#[test]
fn order_grouping_and_case_of_values_make_no_difference() {
    let print = |tests: &str| ir::print(&rule(&one_signal("p", tests)));
    assert_eq!(
        print("children: [b.exe, A.exe, a.exe]").replace("\"A.exe\"", "\"a.exe\""),
        print("children: [a.exe, b.exe]")
    );
    let nested = "detection:\n  a: {Image: x}\n  b: {Image: y}\n  condition: a or (b or a)";
    let flat = "detection:\n  a: {Image: [y, x]}\n  condition: a";
    assert_eq!(print(nested).replace("\"condition\"", "\"a\""), print(flat));
}

/// The definition that `show` prints reads back to the same rule.
fn prints_back(definition: &rulecast::Definition) {
    let printed = definition.print();
    let again = rule(&printed);
    assert_eq!(ir::print(&rule(definition.source.text())), ir::print(&again), "{printed}");
}

#[test]
fn a_printed_definition_means_the_same() {
    for loaded in rules() {
        prints_back(&loaded.definition().unwrap());
    }
    let sigma = "title: T\nlogsource: {category: process_creation, product: windows}\ndetection:\n  \
                 sel_a:\n    - Image|endswith: ['\\a.exe', \"x\\\\\\\\*\"]\n    - CommandLine|re|i: 'a(b)'\n  \
                 flt: {ProcessId: 4, User: null}\n  \
                 condition: [sel_a and not (flt or 1 of sel_*), all of them]\n";
    let source = Arc::new(SourceText::new("sigma.yml", sigma));
    let definitions = definition::parse(&source, &mut Diagnostics::default());
    prints_back(&definitions[0]);
}
