//! The generated matchers agree with the engine, on events near every literal of a rule.

use std::collections::BTreeMap;

use rulecast::ir::Signal;
use rulecast::matcher::{Engine, Match, Memory, Options};
use rulecast::verify::near::chance::{self, Dice};
use serde_json::{Map, Value};

use crate::support::{root, rules};

/// An event as the generated trait sees it
pub(crate) struct Json<'e>(pub(crate) &'e Map<String, Value>);

impl Json<'_> {
    fn any(&self, field: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        fn one(value: &Value, test: &mut dyn FnMut(&str) -> bool) -> bool {
            match value {
                Value::String(text) => test(text),
                Value::Number(number) => test(&number.to_string()),
                Value::Bool(truth) => test(&truth.to_string()),
                Value::Array(items) => items.iter().any(|item| one(item, test)),
                Value::Null | Value::Object(_) => false,
            }
        }
        match (self.0.get(field), self.derived(field)) {
            (Some(value), _) => one(value, test),
            (None, Some(derived)) => test(&derived),
            (None, None) => false,
        }
    }

    fn text(&self, field: &str) -> Option<String> {
        let mut text = None;
        let value = self.0.get(field);
        value.map(|value| {
            Json(&Map::from_iter([("x".to_owned(), value.clone())])).any("x", &mut |v| {
                text = Some(v.to_owned());
                true
            })
        });
        text
    }

    /// What a caller makes of the fields that sensors record, as the engine does it
    pub(crate) fn derived(&self, field: &str) -> Option<String> {
        use rulecast::taxonomy::registry;
        let (target, details) = (self.text("TargetObject"), self.text("Details"));
        let of_value = ["RegistryValue", "RegistryData"].iter().any(|f| self.text(f).is_some());
        let told = self.text("EventType").and_then(|word| registry::event_type(&word));
        let about_value = told.map_or(details.is_some() || of_value, |(_, about)| about);
        let registry = target.is_some() || self.text("RegistryKey").is_some() || of_value;
        let split = || Some(registry::split(target.as_ref()?, about_value));
        match field {
            "Action" => Some(match told {
                Some((action, _)) => action.to_owned(),
                None if registry && about_value => "modified".to_owned(),
                None => "created".to_owned(),
            }),
            "RegistryKey" => Some(split()?.0),
            "RegistryValue" => split()?.1,
            "RegistryData" => registry::data(&details?),
            _ => None,
        }
    }

    fn has(&self, field: &str) -> bool {
        self.0.contains_key(field) || self.derived(field).is_some()
    }
}

/// What a generated matcher says: signal, level
type Verdicts = Vec<(String, String)>;

macro_rules! matchers {
    ($($stem:ident $path:literal),* $(,)?) => {
        $(
            #[rustfmt::skip]
            #[path = $path]
            mod $stem;

            impl $stem::Event for Json<'_> {
                fn any(&self, field: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
                    Json::any(self, field, test)
                }
                fn has(&self, field: &str) -> bool {
                    Json::has(self, field)
                }
            }
        )*

        /// The matcher of each rule, by the stem of its file
        fn matchers() -> BTreeMap<&'static str, fn(&Map<String, Value>, &str) -> Verdicts> {
            BTreeMap::from([$((stringify!($stem), {
                fn judge(event: &Map<String, Value>, kind: &str) -> Verdicts {
                    let event = Json(event);
                    let signals = $stem::SIGNALS.iter();
                    let fitting = signals.filter(|s| s.event == kind && (s.matches)(&event));
                    let said = |s: &$stem::Signal| {
                        (s.name.to_owned(), (s.level)(&event).to_owned())
                    };
                    fitting.map(said).collect()
                }
                judge as fn(&Map<String, Value>, &str) -> Verdicts
            })),*])
        }
    };
}

include!("matchers.rs");

#[test]
fn every_generated_matcher_agrees_with_the_engine() {
    let matchers = matchers();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for loaded in rules() {
        let rule = &loaded.rule;
        let judge = matchers.get(loaded.stem.as_str());
        let judge = judge.unwrap_or_else(|| panic!("add {} to matchers.rs", loaded.stem));
        let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
        let pool = chance::pool(rule.signals.iter().flat_map(Signal::tests));
        let pools: Vec<_> =
            rule.signals.iter().map(|signal| chance::pool(signal.tests())).collect();
        let mut matched: BTreeMap<&str, usize> = BTreeMap::new();
        for _ in 0..12_000 * rule.signals.len() {
            let at = dice.roll(rule.signals.len());
            let signal = &rule.signals[at];
            // Mostly near the one signal, now and then near any of them.
            let pool = if dice.roll(4) > 0 { &pools[at] } else { &pool };
            let event = chance::event(pool, &mut dice);
            let kind = Some(&signal.kind);
            let value = Value::Object(event);
            let engine_says: Vec<Match> =
                engine.judge_value(&value, kind, &mut Memory::default()).unwrap();
            let says =
                |m: &Match| (rule.signals[m.signal].name.clone(), m.level.as_str().to_owned());
            let engine_says: Verdicts = engine_says.iter().map(says).collect();
            let generated = judge(value.as_object().unwrap(), signal.kind.name());
            assert_eq!(engine_says, generated, "{value}");
            for (name, _) in &engine_says {
                let name = rule.signals.iter().find(|s| s.name == *name).unwrap().name.as_str();
                *matched.entry(name).or_default() += 1;
            }
        }
        for signal in &rule.signals {
            let hits = matched.get(signal.name.as_str()).copied().unwrap_or(0);
            assert!(hits > 100, "only {hits} events fit {}: they are too dull", signal.name);
        }
    }
}

#[test]
fn every_sample_goes_the_same_way() {
    let matchers = matchers();
    for loaded in rules() {
        let judge = matchers[loaded.stem.as_str()];
        for sample in &loaded.rule.tests {
            let Some(name) = &sample.signal else { continue };
            // A correlation is left to the caller.
            let signal = loaded.rule.signals.iter().find(|s| s.name == name.value);
            let Some(signal) = signal else { continue };
            let engine = Engine::new(std::slice::from_ref(&loaded.rule), &Options::default());
            for event in &sample.events {
                let engine_says = !engine
                    .judge_value(&event.value, Some(&signal.kind), &mut Memory::default())
                    .unwrap()
                    .is_empty();
                let generated = judge(event.value.as_object().unwrap(), signal.kind.name());
                assert_eq!(engine_says, !generated.is_empty(), "{}", sample.name.value);
            }
        }
    }
}

#[test]
fn every_generated_file_is_compiled_here() {
    let entries = std::fs::read_dir(root().join("tests/generated")).unwrap();
    for entry in entries {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(matchers().contains_key(stem.as_str()), "add {stem} to matchers.rs");
    }
}
