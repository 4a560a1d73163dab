//! Values near each literal of a test.
//!
//! In: a test. Out: for each of its literals the values to try, the literal itself first: letter
//! case flipped, an end cut or grown, a border moved, empty, null, missing, beyond ASCII. Names and
//! extensions are also tried in folders with `/` and with `\`.
//!
//! Letters that fold to ASCII letters (`K`, `ſ`) are left out: targets do not document how they
//! compare them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Care;
use super::sample::sample;
use crate::ir::{NON_PUBLIC, Numbers, Op, Part, Relation, Test};
use crate::pattern::{Pattern, Token};
use crate::taxonomy::{Field, FieldType};

/// The value that a field gets for a test
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    /// Nothing: the event lacks the field
    Missing,
    /// The field exists and is null
    Null,
    /// A text for the tested part; parts set for other tests stay
    Part(String),
    /// A text that replaces the whole field
    Whole(String),
    /// The value of the test's other field
    Same,
    /// The value of the test's other field, in the other letter case
    Flipped,
}

/// Addresses beside the networks that are not public, and texts that are nearly addresses
const ADDRESSES: [&str; 20] = [
    "8.8.8.8",
    "100.63.255.255",
    "172.15.255.255",
    "192.0.0.8",
    "3fff::1",
    "5f00::1",
    "::ffff:0.1.2.3",
    "::ffff:169.254.1.1",
    "::ffff:192.0.0.8",
    "::ffff:198.18.1.1",
    "fec0::1",
    "2606:4700::1111",
    "64:ff9b:1::1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:7f00:1",
    "2001:0DB8:0:0::1",
    "10.0.0",
    "010.0.0.1",
    "10.0.0.1 ",
];

/// Paths of files without an extension, in folders with a dot
const NO_EXTENSION: [&str; 2] = [r"C:\x.y\z", "/x.y/z"];

/// For each literal of a test, the values to try, without duplicates
pub(super) fn variants(test: &Test, care: Care) -> Vec<Vec<Value>> {
    let part = |text: &str| Value::Part(text.to_owned());
    let mut variants: Vec<Vec<Value>> = match &test.op {
        Op::Text(text) => {
            let near = text
                .values
                .iter()
                .enumerate()
                .map(|(at, pattern)| near_text(pattern, text.relation, at < care.thorough));
            near.map(|near| with_places(near, test.subject.part)).collect()
        }
        Op::Segments(patterns) => {
            let texts = patterns.iter().enumerate();
            let runs = texts.flat_map(|(at, run)| {
                test.subject.part.spellings(run).into_iter().rev().map(move |run| (at, run))
            });
            runs.map(|(at, run)| near_text(&run, Relation::Contains, at < care.thorough)).collect()
        }
        Op::Regex(patterns) => {
            let texts = patterns.iter().filter_map(|pattern| sample(pattern));
            let near = texts.enumerate().map(|(at, text)| {
                near_text(&Pattern::literal(&text), Relation::Contains, at < care.thorough)
            });
            near.collect()
        }
        Op::Networks(networks) => networks.iter().map(near_network).collect(),
        Op::Public => {
            let near = NON_PUBLIC.iter().flat_map(near_network);
            vec![ADDRESSES.iter().map(|text| part(text)).chain(near).collect()]
        }
        Op::Numbers(ranges) => ranges.iter().map(|range| near_range(*range)).collect(),
        Op::Exists => vec![vec![part(present(&test.subject.field)), Value::Missing, Value::Null]],
        Op::Null => vec![vec![Value::Missing, Value::Null, part(present(&test.subject.field))]],
        Op::Same(..) => vec![vec![Value::Same, Value::Flipped, part("other")]],
    };
    // Every event has an action, so an action is never missing, null or empty.
    if let (Some(first), false) =
        (variants.first_mut(), test.subject.field.kind() == FieldType::Action)
    {
        first.extend([Value::Missing, Value::Null, part(""), part("-")]);
    }
    for values in &mut variants {
        let mut seen = BTreeSet::new();
        values.retain(|value| seen.insert(value.clone()));
    }
    variants
}

/// The ends of a range, their neighbours, and a number within the range
fn near_range(range: Numbers) -> Vec<Value> {
    let most = i64::from(i32::MAX);
    let (from, to) = (range.from.max(0), range.to.min(most));
    let mut beside = [from, to, from - 1, to + 1, to.min(from + 7)];
    // Without a lower end, start with the upper end: another test of the field may exclude 0.
    if range.from < 0 {
        beside.swap(0, 1);
    }
    let near = beside.into_iter().filter(|number| (0..=most).contains(number));
    let limit = range.fraction.map(|(_, limit)| limit.to_string());
    let fractions = limit.iter().flat_map(|limit| [limit.clone(), format!("{limit}5")]);
    let near = near.map(|number| Value::Part(number.to_string()));
    fractions.map(Value::Part).chain(near).chain([Value::Missing]).collect()
}

/// The ends of a network, their neighbours, and other spellings of these addresses
fn near_network(network: &IpNet) -> Vec<Value> {
    let (first, last) = (network.network(), network.broadcast());
    let mut near = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let before = IpAddr::from(u32::from(first).wrapping_sub(1).to_be_bytes());
            let after = IpAddr::from(u32::from(last).wrapping_add(1).to_be_bytes());
            let near = [IpAddr::V4(first), IpAddr::V4(last), before, after];
            let mapped = [format!("::ffff:{first}"), format!("::ffff:{last}")];
            near.iter().map(ToString::to_string).chain(mapped).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            let before = IpAddr::from(u128::from(first).wrapping_sub(1).to_be_bytes());
            let after = IpAddr::from(u128::from(last).wrapping_add(1).to_be_bytes());
            let near = [IpAddr::V6(first), IpAddr::V6(last), before, after];
            let groups = first.segments().map(|group| format!("{group:04X}"));
            near.iter().map(ToString::to_string).chain([groups.join(":")]).collect()
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Vec::new(),
    };
    near.extend(["8.8.8.8", "2606:4700::1111"].map(ToOwned::to_owned));
    near.into_iter().map(Value::Part).chain([Value::Missing]).collect()
}

/// Adds the first two values of a name or an extension in folders with `/` and with `\`
fn with_places(mut near: Vec<Value>, part: Part) -> Vec<Value> {
    let folders: &[&str] = match part {
        Part::Name => &["", "x/y/", "x\\y\\", "/"],
        Part::Extension => &["x.", "x/y.z.", "x\\y.", "x.y/z.", "x.y\\"],
        Part::Whole | Part::Argument(_) | Part::Key | Part::Time(_) => &[],
    };
    let texts: Vec<String> = near
        .iter()
        .take(2)
        .filter_map(|value| match value {
            Value::Part(text) => Some(text.clone()),
            Value::Missing | Value::Null | Value::Whole(_) | Value::Same | Value::Flipped => None,
        })
        .collect();
    for (folder, text) in folders.iter().flat_map(|f| texts.iter().map(move |text| (f, text))) {
        near.push(Value::Whole(format!("{folder}{text}")));
    }
    if part == Part::Extension {
        near.extend(NO_EXTENSION.map(|path| Value::Whole(path.to_owned())));
    }
    near
}

/// A value that a field of this type may have
fn present(field: &Field) -> &'static str {
    match field.kind() {
        FieldType::Number => "4444",
        FieldType::Address => "8.8.8.8",
        FieldType::Path => r"C:\Lab\there.exe",
        FieldType::Account => r"CONTOSO\there",
        FieldType::Action => "created",
        FieldType::Key => r"HKEY_LOCAL_MACHINE\SOFTWARE\There",
        FieldType::Text | FieldType::Host | FieldType::Command | FieldType::Any => "there",
    }
}

fn near_text(pattern: &Pattern, relation: Relation, thorough: bool) -> Vec<Value> {
    let filled = |any: &str, one: &str| -> String {
        let tokens = pattern.tokens().iter();
        tokens
            .map(|token| match token {
                Token::Literal(text) => text.clone(),
                Token::Any => any.to_owned(),
                Token::One => one.to_owned(),
            })
            .collect()
    };
    let text = filled("x9", "7");
    let flipped: String = text.chars().map(flip).collect();
    let (head, last) = split_last(&text);
    let mut rest = text.chars();
    let first: String = rest.next().into_iter().collect();
    let tail = rest.as_str();
    let mut near = vec![text.clone(), flipped.clone()];
    if pattern.as_literal().is_none() {
        near.extend([filled("", "7"), filled("x9", ""), filled("x9", "77"), filled("a/b\\c", "/")]);
        near.extend([filled("", "x"), filled("\\a b", ".")]);
    }
    near.extend([head.to_owned(), tail.to_owned(), format!("{text}x")]);
    // What a test of the beginning does not take, a test of any part does.
    let begins = relation == Relation::Starts
        || relation == Relation::Wildcard && pattern.tokens().first() != Some(&Token::Any);
    if begins {
        near.push(format!("x{text}"));
    }
    if thorough {
        near.extend([format!("x{text}"), format!("x{text}x")]);
        near.extend([format!("{text} x"), format!("x {text}"), format!("x-{text}")]);
        // A text that matches a shorter pattern, and that text with the words of the pattern.
        near.extend([format!("{head}-{text}"), cut(pattern), format!("{}-{text}", cut(pattern))]);
        near.extend(["-", "."].map(|border| format!("{text}{border}y")));
        near.extend(["_", "\\", "/"].map(|border| format!("y{border}{text}")));
        near.extend([format!("{text} {text}"), format!("({text})"), format!("\"{text}\"")]);
        near.extend([text.replace('\\', "/"), text.replace('/', "\\")]);
        near.extend([text.replace(['\\', '/'], ""), format!("{text} "), format!("{text}\n")]);
        let flip_all = |text: &str| text.chars().map(flip).collect::<String>();
        near.extend([format!("{}{tail}", flip_all(&first)), format!("{head}{}", flip_all(last))]);
        near.extend([format!("é{text}"), format!("{text}é"), format!("Ä{text}")]);
        near.extend([format!("{head}σ"), format!("日{tail}")]);
        if !text.is_ascii() {
            near.extend([text.to_uppercase(), text.to_lowercase()]);
        }
        if relation == Relation::Starts {
            near.push(format!("{flipped}x9"));
        }
        if relation == Relation::Equals {
            near.extend([String::new(), "-".to_owned(), text.replace('.', "9")]);
        }
    }
    near.into_iter().map(Value::Part).chain(thorough.then_some(Value::Missing)).collect()
}

fn flip(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

/// A text without its last character, and that character
fn split_last(text: &str) -> (&str, &str) {
    text.split_at(text.char_indices().next_back().map_or(0, |(at, _)| at))
}

/// A text for the pattern without the last character of its last literal
fn cut(pattern: &Pattern) -> String {
    let literal = |token: &Token| matches!(token, Token::Literal(_));
    let last = pattern.tokens().iter().rposition(literal);
    let tokens = pattern.tokens().iter().enumerate();
    let cut = tokens.map(|(at, token)| match token {
        Token::Literal(text) if Some(at) == last => split_last(text).0,
        Token::Literal(text) => text,
        Token::Any => "9",
        Token::One => "7",
    });
    cut.collect()
}
