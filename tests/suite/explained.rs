//! Explanations are the engine's verdicts, and name what decides.

use std::collections::BTreeMap;

use rulecast::Rule;
use rulecast::matcher::{Engine, Explainer, Fit, Memory, Options};
use rulecast::verify::near::chance::Dice;

use crate::support::{definition, rule, rules};
use crate::trials::near;

#[test]
fn an_explanation_is_the_verdict_and_the_clause_that_decides_is_named() {
    let (mut fitted, mut decided) = (0, 0);
    for loaded in rules() {
        let rule = loaded.rule;
        let engine = Engine::new([rule.clone()], &Options::default());
        let explainer = Explainer::new(rule.clone(), &Options::default());
        let mut without_one = BTreeMap::new();
        for example in near(&rule, &mut Dice(11), 40) {
            let kind = example.kind.as_ref();
            let matches = engine.judge_value(&example.event, kind, &mut Memory::default()).unwrap();
            let found = explainer.explain(&example.event, kind, &mut Memory::default()).unwrap();
            for (at, one) in found.iter().enumerate() {
                let fits = matches.iter().any(|found| found.signal == at);
                assert_eq!(one.fit == Fit::Fits, fits, "{}: {}", one.signal.name, example.event);
                fitted += usize::from(fits);
                let failed: Vec<usize> = (0..one.clauses.len())
                    .filter(|clause| !one.clauses[*clause].passes())
                    .collect();
                // What alone decides against an event does not decide once it is gone.
                let [only] = *failed else { continue };
                decided += 1;
                let engine = without_one.entry((at, only)).or_insert_with(|| {
                    Engine::new([without(&rule, at, only)], &Options::default())
                });
                let now = engine.judge_value(&example.event, kind, &mut Memory::default());
                let now = now.unwrap();
                assert!(now.iter().any(|found| found.signal == at), "{}", one.reason());
                let label = &one.clauses[only].clause.label;
                assert!(!one.reason().is_empty(), "{label}");
            }
        }
    }
    assert!(fitted > 100 && decided > 100, "{fitted} fit, of {decided} one clause decides");
}

/// The rule without a clause of a signal
fn without(rule: &Rule, signal: usize, clause: usize) -> Rule {
    let mut rule = rule.clone();
    rule.signals[signal].clauses.remove(clause);
    rule
}

#[test]
fn a_reason_says_what_the_event_has_and_what_the_rule_asks_for() {
    let table = [
        (
            "n",
            "remote: public",
            "DestinationIp: 198.51.100.7",
            "is reserved (198.51.100.0/24), not public",
        ),
        (
            "p",
            "CommandLine: cmd.exe /c whoami",
            r"CommandLine: 'C:\cmd.exe /c whoami'",
            "which is not the whole value `cmd.exe /c whoami`",
        ),
        ("p", "CommandLine|cased: WhoAmI", "CommandLine: whoami", "differs in its case only"),
        ("p", "CommandLine|contains: [a1, b2, c3, d4, e5]", "CommandLine: x", "`c3` or 2 more"),
        ("p", "children: cmd.exe", "CommandLine: x", "the event has no `Image`"),
        ("w", "sc-status: 200", "sc-status: 404", "`sc-status is 200` does not hold"),
        ("w", "sc-status: 200", "sc-status: ok", "which is no number"),
        ("p", "CommandLine|exists: false", "CommandLine: x", "`CommandLine` is `x`"),
    ];
    for (event, test, sample, expected) in table {
        let rule = rule(&definition(event, test));
        let sample: serde_json::Value = serde_yaml::from_str(sample).unwrap();
        let kind = rule.signals[0].kind.clone();
        let explainer = Explainer::new(rule, &Options::default());
        let found = explainer.explain(&sample, Some(&kind), &mut Memory::default()).unwrap();
        assert_eq!(found[0].fit, Fit::Fails, "{test}");
        let reason = found[0].reason();
        assert!(reason.contains(expected), "{test}: {reason}");
    }
}
