//! The generator of near events: for every signal of the rules it finds both sides of the border.

use rulecast::Rule;
use rulecast::matcher::{Engine, Memory, Options};
use rulecast::verify::near::{self, Care, Near};
use serde_json::Value;

use crate::support::rules;

fn matches(engine: &Engine, rule: &Rule, signal: usize, near: &Near) -> bool {
    let event = Value::Object(near.event.clone());
    let kind = Some(&rule.signals[signal].kind);
    let found = engine.judge_value(&event, kind, &mut Memory::default()).unwrap();
    found.iter().any(|one| one.signal == signal)
}

#[test]
fn every_signal_has_near_events_that_match_and_that_do_not() {
    for loaded in rules() {
        let rule = &loaded.rule;
        let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
        for (at, signal) in rule.signals.iter().enumerate() {
            let events = near::near(signal, Care { thorough: 3 });
            let matching: Vec<&Near> =
                events.iter().filter(|near| matches(&engine, rule, at, near)).collect();
            let (all, fit) = (events.len(), matching.len());
            assert!(fit > 1 && fit < all, "{}: {fit} of {all}", signal.name);
            // From an event that matches, changed in one place each, others come that do not.
            let beside = near::near_match(signal, &matching[0].event, Care { thorough: 3 });
            assert!(beside.iter().any(|near| !matches(&engine, rule, at, near)), "{}", signal.name);
        }
    }
}

#[test]
fn a_series_follows_every_correlation() {
    for loaded in rules() {
        let followers = near::series(&loaded.rule);
        assert_eq!(followers.is_empty(), loaded.rule.correlations.is_empty(), "{}", loaded.stem);
        let (first, again) = (followers.first(), near::series(&loaded.rule));
        assert_eq!(first.map(|one| &one.event), again.first().map(|one| &one.event));
    }
}
