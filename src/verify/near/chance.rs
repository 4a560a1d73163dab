//! Random events: each field is near some literal of a rule, in random combinations.
//!
//! In: the tests of a rule and a seed. Out: events with most of the fields, in the notations of
//! many senders: lists, numbers as numbers, null, letters beyond ASCII that fold to ASCII letters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Fields;
use crate::ir::{Op, Part, Test, TextTest};

/// A deterministic random generator; a seed of 0 rolls only 0
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// A number from 0 to `sides` - 1
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }
}

/// For each field, values near the literals of its tests
pub type Pool<'t> = BTreeMap<&'t str, Vec<String>>;

/// Collects values near the literals of the tests, sorted and without duplicates
pub fn pool<'t>(tests: impl Iterator<Item = &'t Test>) -> Pool<'t> {
    let mut pool = Pool::new();
    for test in tests {
        let mut texts: Vec<String> = match &test.op {
            Op::Text(TextTest { values: patterns, .. }) | Op::Segments(patterns) => patterns
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
                .chain(ranges.iter().filter_map(|r| Some(r.fraction?.1.to_string())))
                .collect(),
            Op::Same(..) => ["same", "SAME", "samey"].map(ToOwned::to_owned).to_vec(),
            Op::Regex(_) | Op::Exists | Op::Null => Vec::new(),
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
        for field in test.fields() {
            pool.entry(field.name()).or_default().extend(texts.iter().cloned());
        }
    }
    pool.values_mut().for_each(|values| {
        values.sort();
        values.dedup();
    });
    pool
}

/// An event with most of the fields, each near some value of the pool
pub fn event(pool: &Pool<'_>, dice: &mut Dice) -> Fields {
    let mut event = Fields::new();
    for (field, values) in pool {
        if dice.roll(8) > 0 && !values.is_empty() {
            let value = &values[dice.roll(values.len())];
            let other = &values[dice.roll(values.len())];
            // Join two values, so that several tests of one field can match at once.
            let value = match (other.rsplit_once('.'), dice.roll(4)) {
                (Some((_, extension)), 0) => format!("{value}.{extension}"),
                (_, 1) => format!("{value}{other}"),
                _ => value.clone(),
            };
            event.insert((*field).to_owned(), changed(&value, dice));
        }
    }
    event
}

/// The value, unchanged or with a small change
fn changed(value: &str, dice: &mut Dice) -> Value {
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
