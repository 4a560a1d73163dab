//! Values near each literal of a test: the value itself, and values beside it.
//!
//! In: a test. Out: for each of its values, what to try: letter case flipped, an end cut or grown, a
//! border moved, empty, missing, beyond ASCII; names and extensions also in folders of either kind.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use rulecast::ir::{NON_PUBLIC, Op, Part, Relation, Test};
use rulecast::pattern::{Pattern, Token};
use rulecast::taxonomy::{Field, FieldType};

/// Literals of a test that get every variant; the others get the literal and a few
const THOROUGH: usize = 300;

/// What begins so is the whole value: what stands there already is not kept
pub(crate) const WHOLE: char = '\u{0}';

/// For each value of a test, what to try; the value itself first
pub(crate) fn variants(test: &Test) -> Vec<Vec<Option<String>>> {
    let some = |text: &str| Some(text.to_owned());
    match &test.op {
        Op::Text(relation, patterns, _) => {
            let texts = patterns.iter().enumerate();
            let near = texts.map(|(at, pattern)| near_text(pattern, *relation, at < THOROUGH));
            near.map(|near| with_places(near, test.subject.part)).collect()
        }
        Op::Segments(patterns) => {
            let texts = patterns.iter().enumerate();
            let runs = texts.flat_map(|(at, run)| {
                test.subject.part.spellings(run).into_iter().rev().map(move |run| (at, run))
            });
            runs.map(|(at, run)| near_text(&run, Relation::Contains, at < THOROUGH)).collect()
        }
        Op::Networks(networks) => {
            let near =
                |network| near_network(network).map(Some).into_iter().chain([None]).collect();
            networks.iter().map(near).collect()
        }
        Op::Public => {
            let near = NON_PUBLIC.iter().flat_map(near_network);
            vec![[some("8.8.8.8"), None].into_iter().chain(near.map(Some)).collect()]
        }
        Op::Numbers(ranges) => ranges
            .iter()
            .map(|range| {
                let (from, to) = (range.from.max(0), range.to.min(i64::from(u32::MAX)));
                let mut beside = [from, to, from.saturating_sub(1), to.saturating_add(1)];
                // The end that is said: what another test says of the field may be beyond the other.
                if range.from < 0 {
                    beside.swap(0, 1);
                }
                beside.map(|number| Some(number.to_string())).into_iter().chain([None]).collect()
            })
            .collect(),
        Op::Exists => vec![vec![some(present(test.subject.field)), None, some("")]],
        Op::Null => vec![vec![None, some(present(test.subject.field)), some("")]],
        Op::Same(..) => vec![vec![None, some("other")]],
        // What fits an expression is in the samples of the rules.
        Op::Regex(_) => Vec::new(),
    }
}

/// The ends of a network, and what stands beside them
fn near_network(network: &IpNet) -> [String; 4] {
    let (first, last) = (network.network(), network.broadcast());
    let (before, after) = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => (
            IpAddr::from(u32::from(first).wrapping_sub(1).to_be_bytes()),
            IpAddr::from(u32::from(last).wrapping_add(1).to_be_bytes()),
        ),
        (IpAddr::V6(first), IpAddr::V6(last)) => (
            IpAddr::from(u128::from(first).wrapping_sub(1).to_be_bytes()),
            IpAddr::from(u128::from(last).wrapping_add(1).to_be_bytes()),
        ),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => (first, last),
    };
    [first, last, before, after].map(|address| address.to_string())
}

/// Names and extensions alone, and in folders of either kind
fn with_places(mut near: Vec<Option<String>>, part: Part) -> Vec<Option<String>> {
    let folders: &[&str] = match part {
        Part::Name => &["", "x/y/", "x\\y\\", "/"],
        Part::Extension => &["x.", "x/y.z.", "x\\y.", "x.y/z.", "x.y\\"],
        Part::Whole | Part::Argument(_) | Part::Key | Part::Time(_) => &[],
    };
    let texts: Vec<String> = near.iter().take(2).flatten().cloned().collect();
    for (folder, text) in folders.iter().flat_map(|f| texts.iter().map(move |text| (f, text))) {
        near.push(Some(format!("{WHOLE}{folder}{text}")));
    }
    near
}

/// Some value of a field
fn present(field: Field) -> &'static str {
    match field.kind() {
        FieldType::Number => "4444",
        FieldType::Address => "8.8.8.8",
        FieldType::Path => r"C:\Lab\there.exe",
        FieldType::Account => r"CONTOSO\there",
        FieldType::Action => "created",
        FieldType::Key => r"HKEY_LOCAL_MACHINE\SOFTWARE\There",
        FieldType::Text | FieldType::Command | FieldType::Any => "there",
    }
}

fn near_text(pattern: &Pattern, relation: Relation, thorough: bool) -> Vec<Option<String>> {
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
    let flipped: String =
        text.chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect();
    let mut near = vec![text.clone(), flipped];
    if pattern.as_literal().is_none() {
        near.extend([filled("", "7"), filled("x9", ""), filled("x9", "77"), filled("a/b\\c", "/")]);
    }
    if thorough {
        let mut shorter = text.chars();
        shorter.next();
        let tail = shorter.as_str().to_owned();
        let mut shorter = text.chars();
        shorter.next_back();
        let head = shorter.as_str().to_owned();
        near.extend([format!("{text}x"), format!("x{text}"), format!("x{text}x"), tail]);
        near.push(head.clone());
        near.extend([format!("{text} x"), format!("x {text}"), format!("x-{text}")]);
        // One that a shorter pattern fits, and the words of this one.
        near.extend([format!("{head}-{text}"), cut(pattern), format!("{}-{text}", cut(pattern))]);
        near.extend([format!("é{text}"), format!("{text} "), text.replace(['\\', '/'], "")]);
        if relation == Relation::Starts {
            near.push(format!("{}x9", near[1]));
        }
        if relation == Relation::Equals {
            near.extend([String::new(), "-".to_owned(), text.replace('.', "9")]);
        }
    }
    let mut seen = BTreeSet::new();
    near.retain(|text| seen.insert(text.clone()));
    near.into_iter().map(Some).chain(thorough.then_some(None)).collect()
}

/// What fits a pattern but for the last character of its last literal
fn cut(pattern: &Pattern) -> String {
    let literal = |token: &Token| matches!(token, Token::Literal(_));
    let last = pattern.tokens().iter().rposition(literal);
    let tokens = pattern.tokens().iter().enumerate();
    let cut = tokens.map(|(at, token)| match token {
        Token::Literal(text) if Some(at) == last => {
            text.char_indices().next_back().map_or("", |(end, _)| &text[..end])
        }
        Token::Literal(text) => text,
        Token::Any => "9",
        Token::One => "7",
    });
    cut.collect()
}
