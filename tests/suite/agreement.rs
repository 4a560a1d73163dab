//! The generated matchers agree with the engine, on events near every literal of a rule.

use std::collections::BTreeMap;

use rulecast::ir::{Op, Part};
use rulecast::matcher::{Engine, Match, Memory, Options};
use rulecast::{Rule, ir};
use serde_json::{Map, Value, json};

use crate::support::{root, rules};

/// A deterministic source of choices
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }
}

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

/// For each field of a rule, values near those its tests compare with
pub(crate) fn values_near(rule: &Rule) -> BTreeMap<&'static str, Vec<String>> {
    values_near_tests(rule.signals.iter().flat_map(ir::Signal::tests))
}

/// The same for some tests
pub(crate) fn values_near_tests<'t>(
    tests: impl Iterator<Item = &'t ir::Test>,
) -> BTreeMap<&'static str, Vec<String>> {
    let mut near: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for test in tests {
        let values = near.entry(test.subject.field.name()).or_default();
        let mut texts: Vec<String> = match &test.op {
            Op::Text(_, patterns, _) | Op::Segments(patterns) => patterns
                .iter()
                .map(|p| p.to_string().replace('*', "x9").replace('?', "8"))
                .collect(),
            Op::Networks(networks) => networks.iter().map(|n| n.addr().to_string()).collect(),
            Op::Public => [
                "8.8.8.8",
                "10.1.2.3",
                "::1",
                "2a00:1450::1",
                "::ffff:8.8.4.4",
                "::ffff:10.0.0.1",
                "fe80::1",
            ]
            .map(ToOwned::to_owned)
            .to_vec(),
            Op::Numbers(ranges) => ranges
                .iter()
                .flat_map(|r| [r.from.saturating_sub(1), r.from, r.to, r.to.saturating_add(1)])
                .map(|n| n.to_string())
                .collect(),
            Op::Regex(_) | Op::Exists | Op::Null | Op::Same(..) => Vec::new(),
        };
        if test.subject.part == Part::Key {
            let keys = texts.iter().map(|text| text.replace('/', "\\"));
            let whole = |key: String| {
                let key = key.trim_end_matches('\\').to_owned();
                [format!("HKEY_LOCAL_MACHINE{key}"), format!("{key}\\Parameters"), key]
            };
            texts = keys.flat_map(whole).collect();
        } else if matches!(test.op, Op::Segments(_)) {
            let both = texts.iter().flat_map(|t| {
                [format!("C:{}a.php", t.replace('/', "\\")), format!("{t}a.jsp"), format!("{t}b")]
            });
            texts = both.collect();
        }
        if test.subject.part == Part::Extension {
            texts = texts.iter().map(|t| format!(r"C:\inetpub\wwwroot\a.{t}")).collect();
        }
        values.extend(texts);
    }
    near.values_mut().for_each(|values| {
        values.sort();
        values.dedup();
    });
    near
}

/// A value as it is, or changed by a little
pub(crate) fn near(value: &str, dice: &mut Dice) -> Value {
    let flipped = || -> String {
        value
            .chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect()
    };
    match dice.roll(14) {
        0 => json!(flipped()),
        1 => json!(format!("{value}x")),
        2 => json!(format!("x{value}")),
        3 => json!(value.chars().skip(1).collect::<String>()),
        4 => json!(format!(r"C:\Windows\System32\{value}")),
        5 => json!(format!("/usr/bin/{value}")),
        6 => json!(""),
        7 => Value::Null,
        8 => json!([value, "other"]),
        9 => json!(value.replace('k', "\u{212a}").replace('s', "ſ").replace('a', "ä")),
        10 => value.parse::<i64>().map_or_else(|_| json!(value), |number| json!(number)),
        _ => json!(value),
    }
}

/// An event with most of the fields, each near some literal of the rule
pub(crate) fn event_near(
    pool: &BTreeMap<&'static str, Vec<String>>,
    dice: &mut Dice,
) -> Map<String, Value> {
    let mut event = Map::new();
    for (field, values) in pool {
        if dice.roll(8) > 0 && !values.is_empty() {
            let value = &values[dice.roll(values.len())];
            let other = &values[dice.roll(values.len())];
            // Several tests of one field want a value that is near all of them.
            let value = match (other.rsplit_once('.'), dice.roll(4)) {
                (Some((_, extension)), 0) => format!("{value}.{extension}"),
                (_, 1) => format!("{value}{other}"),
                _ => value.clone(),
            };
            event.insert((*field).to_owned(), near(&value, dice));
        }
    }
    event
}

#[test]
fn every_generated_matcher_agrees_with_the_engine() {
    let matchers = matchers();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for loaded in rules() {
        let rule = &loaded.rule;
        let judge = matchers.get(loaded.stem.as_str());
        let judge = judge.unwrap_or_else(|| panic!("add {} to matchers.rs", loaded.stem));
        let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
        let pool = values_near(rule);
        let pools: Vec<_> =
            rule.signals.iter().map(|signal| values_near_tests(signal.tests())).collect();
        let mut matched: BTreeMap<&str, usize> = BTreeMap::new();
        for _ in 0..12_000 * rule.signals.len() {
            let at = dice.roll(rule.signals.len());
            let signal = &rule.signals[at];
            // Mostly near the one signal, now and then near any of them.
            let pool = if dice.roll(4) > 0 { &pools[at] } else { &pool };
            let event = event_near(pool, &mut dice);
            let kind = Some(signal.kind);
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
                    .judge_value(&event.value, Some(signal.kind), &mut Memory::default())
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
