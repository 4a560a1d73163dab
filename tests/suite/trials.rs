//! Elastic's emitted rules on trial: on the rules' own tests, on recorded events and on events near
//! every literal, they say what the engine says.

use std::collections::BTreeMap;
use std::path::Path;

use rulecast::backend::{Target, Translation, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::taxonomy::EventKind;
use rulecast::verify::{Example, Import, Place, Tally, Trial, try_tests};
use rulecast::{Rule, project};
use serde_json::Value;

use crate::agreement::{Dice, event_near, values_near_tests};
use crate::near;
use crate::support::root;

/// What Elastic takes of the rules of a folder, each with the whole rule
pub(crate) fn translations(folder: &Path) -> Vec<(Rule, Translation)> {
    let mut all = Vec::new();
    for loaded in project::load(&[folder.to_owned()]).expect("the rules can be read").rules {
        let mut found = Diagnostics::default();
        let made = translate(Target::Elastic, &loaded.rule, &loaded.stem, &mut found);
        if let Some(made) = made.filter(|made| !made.artifacts.is_empty()) {
            all.push((loaded.rule, made));
        }
    }
    all
}

/// The lines for Kibana's import
pub(crate) fn import(translation: &Translation) -> &str {
    let mut artifacts = translation.artifacts.iter();
    &artifacts.find(|artifact| artifact.name.ends_with(".ndjson")).unwrap().text
}

/// The events that were recorded
pub(crate) fn recorded() -> Vec<Example> {
    let text = std::fs::read_to_string(root().join("tests/events/recorded.jsonl")).unwrap();
    let examples = text.lines().enumerate().map(|(line, text)| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        let (kind, action) = EventKind::category(value["kind"].as_str().unwrap()).unwrap();
        let mut event = value["event"].take();
        if let (Some(action), None) = (action, event.get("EventType")) {
            event["Action"] = action.into();
        }
        Example { place: Place::Line { file: 0, line: line + 1 }, event, kind: Some(kind) }
    });
    examples.collect()
}

/// Events near the literals of each signal of a rule; those by chance differ from any other
pub(crate) fn near(rule: &Rule, dice: &mut Dice, by_chance: usize) -> Vec<Example> {
    let mut all = Vec::new();
    for (file, signal) in rule.signals.iter().enumerate() {
        let pool = values_near_tests(signal.tests());
        let chance = (0..by_chance).map(|_| Value::Object(event_near(&pool, dice)));
        let events = near::events(signal).into_iter().chain(chance.collect::<Vec<_>>());
        for (line, event) in events.enumerate() {
            let place = Place::Line { file, line };
            all.push(Example { place, event, kind: Some(signal.kind) });
        }
    }
    all
}

fn show(tally: &Tally, examples: &[Example]) -> String {
    let shown = tally.differences.iter().take(5).map(|(place, difference)| {
        let event = examples.iter().find(|example| example.place == *place);
        format!("{difference:?}\n  {}", event.map(|e| e.event.to_string()).unwrap_or_default())
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn emitted_rules_say_what_the_engine_says() {
    let recorded = recorded();
    let mut dice = Dice(0x5eed_0005);
    let mut wrong = Vec::new();
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for folder in ["rules", "tests/operators"] {
        for (rule, made) in translations(&root().join(folder)) {
            let reduced = std::slice::from_ref(&made.rule);
            let title = &made.rule.metadata.title.value;
            let import = Import::read(&made.rule, &made.losses, import(&made))
                .unwrap_or_else(|why| panic!("{title}: {why}"));
            let tests = try_tests(&import, &rule);
            let near = near(&made.rule, &mut dice, 400);
            let imports = [Some(import)];
            let mut trial = Trial::new(reduced, &imports);
            trial.observe(&recorded);
            let of_recorded = trial.finish().remove(0);
            let mut trial = Trial::new(reduced, &imports);
            trial.observe(&near);
            let of_near = trial.finish().remove(0);
            for (what, tally, examples) in [
                ("tests", tests, &[][..]),
                ("recorded", of_recorded, &recorded),
                ("near", of_near, &near),
            ] {
                *totals.entry("events").or_default() += tally.events;
                *totals.entry("matched").or_default() += tally.matched;
                *totals.entry("dropped").or_default() += tally.dropped;
                *totals.entry("lost").or_default() += tally.lost;
                if !tally.differences.is_empty() {
                    let number = tally.differences.len();
                    wrong.push(format!("{title}, {what}: {number}\n{}", show(&tally, examples)));
                }
            }
        }
    }
    eprintln!("{totals:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
