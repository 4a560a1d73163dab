//! Elastic's emitted rules on trial: on the rules' own tests, on recorded events and on events near
//! every literal, they say what the engine says.

use std::collections::BTreeMap;
use std::path::Path;

use rulecast::backend::{Target, Translation, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir::say_action;
use rulecast::taxonomy::EventKind;
use rulecast::verify::near::chance::{self, Dice};
use rulecast::verify::near::{self, Care};
use rulecast::verify::{Example, Import, Place, Tally, Trial, compare_forms, try_tests};
use rulecast::workspace::Loaded;
use rulecast::{Rule, project};
use serde_json::{Value, json};

use crate::support::{LANGUAGES, corpus, definition, in_language, root, rule, sigmahq};

/// What Elastic takes of the rules of a folder in a language, each with the whole rule
pub(crate) fn translations(folder: &Path, language: &str) -> Vec<(Rule, Translation)> {
    translated(&project::load(&[folder.to_owned()]).expect("the rules can be read").rules, language)
}

pub(crate) fn translated(rules: &[Loaded], language: &str) -> Vec<(Rule, Translation)> {
    let mut all = Vec::new();
    for loaded in rules {
        let mut found = Diagnostics::default();
        let rule = in_language(loaded.rule.clone(), language);
        let made = translate(Target::Elastic, &rule, &loaded.stem, &mut found);
        if let Some(made) = made.filter(|made| !made.artifacts.is_empty()) {
            assert_eq!(compare_forms(&made.artifacts), [], "{}", loaded.stem);
            all.push((loaded.rule.clone(), made));
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
        say_action(&mut event, action);
        Example { place: Place::Line { file: 0, line: line + 1 }, event, kind: Some(kind) }
    });
    examples.collect()
}

/// Events near the literals of each signal of a rule; those by chance differ from any other
pub(crate) fn near(rule: &Rule, dice: &mut Dice, by_chance: usize) -> Vec<Example> {
    let mut all = Vec::new();
    for (file, signal) in rule.signals.iter().enumerate() {
        let pool = chance::pool(signal.tests());
        let chance = (0..by_chance).map(|_| chance::event(&pool, dice));
        let events = near::near(signal, Care::default())
            .into_iter()
            .map(|near| near.event)
            .chain(chance.collect::<Vec<_>>());
        for (line, event) in events.enumerate() {
            let place = Place::Line { file, line };
            all.push(Example {
                place,
                event: Value::Object(event),
                kind: Some(signal.kind.clone()),
            });
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

/// A rule on trial: what was tried, what came out, and the events
type Tried<'e> = (&'static str, Tally, &'e [Example]);

/// What became of events of one sort, over all rules
#[derive(Default)]
struct Total {
    events: usize,
    matched: usize,
    unwritten: usize,
    lost: usize,
}

impl Total {
    fn add(&mut self, tally: &Tally) {
        self.events += tally.events;
        self.matched += tally.matched;
        self.unwritten += tally.unwritten;
        self.lost += tally.lost;
    }

    fn show(&self) -> String {
        let Total { events, matched, unwritten, lost } = self;
        format!(
            "{events} events, {matched} matched, {unwritten} excused as written by no sensor, {lost} as lost"
        )
    }
}

/// Tries a rule on events, by itself
pub(crate) fn tried(import: Import<'_>, rule: &Rule, examples: &[Example]) -> Tally {
    let imports = [Some(import)];
    let mut trial = Trial::new(std::slice::from_ref(rule), &imports);
    trial.observe(examples);
    trial.finish().remove(0)
}

fn read(made: &Translation) -> Import<'_> {
    let title = &made.rule.metadata.title.value;
    Import::read(&made.rule, &made.manifest, import(made))
        .unwrap_or_else(|why| panic!("{title}: {why}"))
}

#[test]
fn emitted_rules_say_what_the_engine_says() {
    let recorded = recorded();
    let mut dice = Dice(0x5eed_0005);
    let mut wrong = Vec::new();
    let mut totals: BTreeMap<&str, Total> = BTreeMap::new();
    for folder in ["rules", "tests/operators"] {
        for (rule, made) in ["kuery", "eql"]
            .iter()
            .flat_map(|language| translations(&root().join(folder), language))
        {
            let near = near(&made.rule, &mut dice, 50);
            let all: [Tried<'_>; 3] = [
                ("tests", try_tests(&read(&made), &rule), &[]),
                ("recorded", tried(read(&made), &made.rule, &recorded), &recorded),
                ("near", tried(read(&made), &made.rule, &near), &near),
            ];
            for (what, tally, examples) in all {
                totals.entry(what).or_default().add(&tally);
                if !tally.differences.is_empty() {
                    let (title, number) = (&rule.metadata.title.value, tally.differences.len());
                    wrong.push(format!("{title}, {what}: {number}\n{}", show(&tally, examples)));
                }
            }
        }
    }
    totals.iter().for_each(|(what, total)| println!("{what}: {}", total.show()));
    // Of recorded events few are excused: those with a dash for no value, with a program that has no
    // folder (`System`), with data of the registry in binary form; and keys made or deleted, which
    // Elastic writes alike. Events near literals are made to meet such gaps.
    for (what, percent) in [("recorded", 3), ("tests", 2), ("near", 20)] {
        let Total { events, unwritten, lost, .. } = totals[what];
        assert!(unwritten.max(lost) * 100 <= events * percent, "{what}: {}", totals[what].show());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_of_sigmahq_say_what_the_engine_says_of_recorded_events() {
    let name = "rules_of_sigmahq_say_what_the_engine_says_of_recorded_events";
    let Some(corpus) = corpus(name) else { return };
    let made = translated(&sigmahq(&corpus).rules, "auto");
    assert!(made.len() > 800, "{}", made.len());
    let recorded = recorded();
    let reduced: Vec<Rule> = made.iter().map(|(_, made)| made.rule.clone()).collect();
    let imports: Vec<Option<Import<'_>>> = made.iter().map(|(_, made)| Some(read(made))).collect();
    let mut trial = Trial::new(&*reduced, &imports);
    trial.observe(&recorded);
    let of_recorded = trial.finish();
    let (mut total, mut wrong) = (Total::default(), Vec::new());
    for (tally, (rule, _)) in of_recorded.iter().zip(&made) {
        total.add(tally);
        if !tally.differences.is_empty() {
            let (name, number) = (rule.source.name(), tally.differences.len());
            wrong.push(format!("{name}: {number}\n{}", show(tally, &recorded)));
        }
    }
    println!("{} rules of SigmaHQ: {}", made.len(), total.show());
    // What these rules look for, the recorded events say in full.
    assert_eq!((total.unwritten, total.lost), (0, 0));
    assert!(wrong.is_empty(), "{} rules\n{}", wrong.len(), wrong.join("\n"));
}

/// What comes of an event that a pipeline cuts: excused by losses, or different where none is named
fn cut(kind: &str, test: &str, event: &Value, language: &str) -> [(Vec<&'static str>, usize); 2] {
    let rule = in_language(rule(&definition(kind, test)), language);
    let events = match kind {
        "rv" | "r" => EventKind::RegistryEvent,
        _ => EventKind::ProcessCreation,
    };
    let place = Place::Line { file: 0, line: 1 };
    let example = Example { place, event: event.clone(), kind: Some(events) };
    let made = translate(Target::Elastic, &rule, "rule", &mut Diagnostics::default());
    let mut made = made.unwrap_or_else(|| panic!("{test}: refused in {language}"));
    let judged = |made: &mut Translation| {
        let tally = tried(read(made), &made.rule, std::slice::from_ref(&example));
        made.manifest.losses.clear();
        assert_eq!(tally.unwritten, 0, "{test} in {language}");
        (tally.losses.iter().map(|loss| loss.name()).collect(), tally.differences.len())
    };
    [judged(&mut made), judged(&mut made)]
}

#[test]
fn what_pipelines_leave_out_is_excused_by_the_loss_that_says_so_alone() {
    let set = |data: Value| {
        let mut event = json!({"EventType": "SetValue", "TargetObject": "HKLM\\SOFTWARE\\A\\B"});
        event.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        event
    };
    let binary = set(json!({"Details": "Binary Data"}));
    for (kind, test, event, loss) in [
        ("pw", "children: [System]", json!({"Image": "System"}), "gaps"),
        ("p", "Company: '-'", json!({"Company": "-"}), "empty"),
        ("p", "Company|exists: true", json!({"Company": "-"}), "empty"),
        ("pw", "arguments|startswith: '-'", json!({"CommandLine": "-"}), "empty"),
        ("rv", "registry_keys: ['SOFTWARE\\A']", set(json!({"Details": "-"})), "gaps"),
        ("r", "RegistryData|exists: true", binary.clone(), "gaps"),
        ("r", "RegistryData|exists: false", binary.clone(), "gaps"),
        ("r", "RegistryData|contains: Binary", binary, "gaps"),
    ] {
        for language in LANGUAGES {
            let [named, silent] = cut(kind, test, &event, language);
            assert_eq!(named, (vec![loss], 0), "{test} in {language}");
            assert_eq!(silent, (Vec::new(), 1), "{test} in {language}, without its loss");
        }
    }
}

#[test]
fn an_empty_value_or_null_is_excused_by_the_loss_empty_alone() {
    let value = |value: Value| json!({"CommandLine": value});
    let examples =
        [value(json!("")), value(Value::Null)].into_iter().enumerate().map(|(at, event)| {
            let place = Place::Line { file: 0, line: at + 1 };
            Example { place, event, kind: Some(EventKind::ProcessCreation) }
        });
    let examples: Vec<Example> = examples.collect();
    for (test, differ) in [
        ("CommandLine|exists: true", 2),
        ("CommandLine|exists: false", 2),
        ("CommandLine: null", 1),
        ("CommandLine: '*'", 1),
        ("CommandLine|contains: ''", 1),
        ("CommandLine: ''", 1),
        ("CommandLine|cased: ''", 1),
        ("CommandLine|re: '^.*$'", 1),
    ] {
        for language in LANGUAGES {
            let rule = in_language(rule(&definition("p", test)), language);
            let made = translate(Target::Elastic, &rule, "rule", &mut Diagnostics::default());
            let mut made = made.unwrap_or_else(|| panic!("{test}: refused in {language}"));
            let named = tried(read(&made), &made.rule, &examples);
            let says = (named.lost, named.unwritten, named.differences.len());
            assert_eq!(says, (differ, 0, 0), "{test} in {language}");
            made.manifest.losses.clear();
            let silent = tried(read(&made), &made.rule, &examples);
            let says = (silent.lost, silent.unwritten, silent.differences.len());
            assert_eq!(says, (0, 0, differ), "{test} in {language}, without its loss");
        }
    }
}
