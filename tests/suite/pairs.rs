//! Random Kibana queries and filters, with documents that are often about the same values.
//!
//! Left out on purpose, for there the referee is known to stand apart from Elasticsearch:
//! non-ASCII letters under `case_insensitive`, IPv4 addresses written as IPv6, dates without a
//! fraction, numbers with one, punctuation above U+2000 and words above 255 letters in text.

use rulecast::pattern::{Pattern, Token};
use rulecast::query::kuery::{Bound, Kuery, Literal, Values};
use serde_json::{Value, json};

use crate::documents;
use rulecast::verify::near::chance::Dice;

/// Fields with the sort of their values
const FIELDS: &[(&str, Sort)] = &[
    ("process.name", Sort::Whole),
    ("process.name.caseless", Sort::Whole),
    ("process.name.text", Sort::Words),
    ("process.executable", Sort::Whole),
    ("process.executable.text", Sort::Words),
    ("process.command_line", Sort::Long),
    ("process.command_line.text", Sort::Words),
    ("process.args", Sort::Whole),
    ("process.parent.name", Sort::Whole),
    ("process.parent.name.text", Sort::Words),
    ("url.query", Sort::Whole),
    ("url.path", Sort::Long),
    ("user.name", Sort::Whole),
    ("registry.data.strings", Sort::Long),
    ("process.pid", Sort::Number),
    ("source.port", Sort::Number),
    ("source.ip", Sort::Address),
    ("@timestamp", Sort::Date),
    ("process.code_signature.trusted", Sort::Truth),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Whole,
    Long,
    Words,
    Number,
    Address,
    Date,
    Truth,
}

const TEXTS: &[&str] = &[
    "cmd.exe",
    "powershell.exe",
    "tomcat9.exe",
    "w3wp.exe",
    "C:\\Windows\\System32\\cmd.exe",
    "/usr/bin/sh",
    "cmd /c whoami",
    "net  user /add",
    "a*b?c",
    "say \"x\" (y) {z}:<w>",
    "it's 1.2,3",
    "日本 ärger",
    "",
    "queue:work foo_bar",
    "notepad and not or",
    "true",
    "80",
    "x\ty\nz",
    "AND",
    "\\\\srv\\share\\*",
    "a.b:c.1",
];
const NUMBERS: &[&str] = &["0", "-1", "80", "443", "080", "4294967296"];
const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.5",
    "10.255.0.9",
    "11.0.0.1",
    "192.168.1.6",
    "192.168.1.7",
    "8.8.8.8",
    "::1",
    "2001:db8::5",
    "2001:db9::5",
];
const NETWORKS: &[&str] =
    &["10.0.0.0/8", "192.168.1.7/32", "0.0.0.0/0", "2001:db8::/32", "10.0.0.0/30"];
const DATES: &[&str] = &[
    "2026-01-02T03:04:05.000Z",
    "2026-01-02T03:04:05.500Z",
    "1767323045000",
    "2026-06-01T00:00:00.250+02:00",
];
const PATTERNS: &[&[&str]] = &[
    &["logs-endpoint.events.process-*", "winlogbeat-*"],
    &["logs-windows.sysmon_operational-*"],
    &["endgame-*"],
    &["endgame-*", "logs-system.security*"],
    &["logs-endpoint.events.registry-*", "logs-endpoint.events.network-*"],
];
const STREAMS: &[&str] = &[
    "endpoint.events.process",
    "endpoint.events.registry",
    "windows.sysmon_operational",
    "system.security",
];

fn pick<'t>(dice: &mut Dice, from: &[&'t str]) -> &'t str {
    from[dice.roll(from.len())]
}

/// The values that tests and documents share
fn value(dice: &mut Dice, sort: Sort) -> String {
    match sort {
        Sort::Whole | Sort::Long | Sort::Words => match dice.roll(40) {
            // At the limits of what is indexed, in words of a length that Lucene takes whole.
            0 => "cmd /c ".chars().cycle().take(1_024 + dice.roll(2)).collect(),
            1 => "a\\b.exe ".chars().cycle().take(2_083 + dice.roll(2)).collect(),
            _ => {
                let text = pick(dice, TEXTS);
                changed(dice, text)
            }
        },
        Sort::Number => pick(dice, NUMBERS).to_owned(),
        Sort::Address => pick(dice, ADDRESSES).to_owned(),
        Sort::Date => pick(dice, DATES).to_owned(),
        Sort::Truth => pick(dice, &["true", "false"]).to_owned(),
    }
}

/// A text as it is, or changed by a little
fn changed(dice: &mut Dice, text: &str) -> String {
    match dice.roll(12) {
        0 => text.to_ascii_uppercase(),
        1 => format!("{text} x"),
        2 => format!("x\\{text}"),
        3 => text.chars().skip(1).collect(),
        4 => text.chars().rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect(),
        _ => text.to_owned(),
    }
}

/// A value with some of its text replaced by stars
fn starred(dice: &mut Dice, text: &str) -> Pattern {
    let characters: Vec<char> = text.chars().collect();
    let from = dice.roll(characters.len() + 1);
    let to = from + dice.roll(characters.len() + 1 - from);
    let part = |part: &[char]| Token::Literal(part.iter().collect());
    Pattern::of(match dice.roll(4) {
        0 => vec![Token::Any, part(&characters[from..]), Token::Any],
        1 => vec![part(&characters[..from]), Token::Any],
        2 => vec![Token::Any, part(&characters[from..to]), Token::Any],
        _ => vec![part(&characters[..from]), Token::Any, part(&characters[to..])],
    })
}

/// Kibana cuts blanks off an unquoted value
fn plain(text: &str) -> Literal {
    let text = text.trim();
    match text {
        "" => Literal::Quoted(String::new()),
        text => Literal::Plain(Pattern::literal(text)),
    }
}

/// The same of a pattern; one that is left with nothing else asks whether the field is there
fn plain_pattern(pattern: &Pattern) -> Literal {
    let mut tokens = pattern.tokens().to_vec();
    if let Some(Token::Literal(first)) = tokens.first_mut() {
        *first = first.trim_start().to_owned();
    }
    if let Some(Token::Literal(last)) = tokens.last_mut() {
        *last = last.trim_end().to_owned();
    }
    let pattern = Pattern::of(tokens);
    pattern.as_literal().map_or(Literal::Plain(pattern.clone()), plain)
}

fn literal(dice: &mut Dice, sort: Sort) -> Literal {
    let value = value(dice, sort);
    match (sort, dice.roll(8)) {
        (_, 0) => Literal::Plain(Pattern::of([Token::Any])),
        (Sort::Address, 1..=3) => Literal::Quoted(pick(dice, NETWORKS).to_owned()),
        (Sort::Whole | Sort::Long | Sort::Words, 1..=3) => {
            let pattern = starred(dice, &value);
            // A bare operator inside a query string is refused here, and not by the referee.
            let shouts =
                pattern.to_string().split_whitespace().any(|w| ["AND", "OR", "NOT"].contains(&w));
            if shouts { Literal::Quoted(value) } else { plain_pattern(&pattern) }
        }
        (Sort::Number | Sort::Truth, 1) if dice.roll(15) == 0 => plain("abc"),
        (Sort::Number, 2) if dice.roll(15) == 0 => plain_pattern(&Pattern::read("1*")),
        (_, 4 | 5) => plain(&value),
        _ => Literal::Quoted(value),
    }
}

fn values(dice: &mut Dice, sort: Sort, depth: usize) -> Values {
    let many =
        |dice: &mut Dice| (0..2 + dice.roll(3)).map(|_| values(dice, sort, depth - 1)).collect();
    match if depth == 0 { 9 } else { dice.roll(10) } {
        0 | 1 => Values::Any(many(dice)),
        2 => Values::All(many(dice)),
        3 => Values::Not(Box::new(values(dice, sort, depth - 1))),
        _ => Values::One(literal(dice, sort)),
    }
}

/// A query
pub(crate) fn kuery(dice: &mut Dice, depth: usize) -> Kuery {
    let many = |dice: &mut Dice| (0..2 + dice.roll(2)).map(|_| kuery(dice, depth - 1)).collect();
    match if depth == 0 { 9 } else { dice.roll(10) } {
        0 | 1 => return Kuery::And(many(dice)),
        2 | 3 => return Kuery::Or(many(dice)),
        4 => return Kuery::Not(Box::new(kuery(dice, depth - 1))),
        _ => {}
    }
    let (name, sort) = FIELDS[dice.roll(FIELDS.len())];
    let name = Pattern::literal(name);
    let ranged = !matches!(sort, Sort::Words | Sort::Truth);
    if ranged && dice.roll(8) == 0 {
        let bounds = [Bound::Below, Bound::AtMost, Bound::Above, Bound::AtLeast];
        let limit = value(dice, sort);
        return Kuery::Range(name, bounds[dice.roll(4)], Literal::Quoted(limit));
    }
    Kuery::Field(name, values(dice, sort, 2))
}

/// A query of Elasticsearch, as a filter holds it
fn filter(dice: &mut Dice, depth: usize) -> Value {
    if depth > 0 && dice.roll(3) == 0 {
        let many = |dice: &mut Dice| -> Vec<Value> {
            (0..1 + dice.roll(3)).map(|_| filter(dice, depth - 1)).collect()
        };
        return match dice.roll(5) {
            0 => json!({"bool": {"filter": many(dice)}}),
            1 => json!({"bool": {"must": many(dice), "should": many(dice)}}),
            2 => json!({"bool": {"must_not": many(dice)}}),
            3 => json!({"bool": {"should": many(dice), "minimum_should_match": 1 + dice.roll(2)}}),
            _ => json!({"bool": {"should": many(dice), "must_not": filter(dice, depth - 1)}}),
        };
    }
    let (name, sort) = FIELDS[dice.roll(FIELDS.len())];
    let value = value(dice, sort);
    let fold = value.is_ascii() && dice.roll(2) == 0;
    match (sort, dice.roll(6)) {
        (_, 0) => json!({"exists": {"field": name}}),
        (Sort::Words, at) => {
            json!({(if at < 3 { "match" } else { "match_phrase" }): {name: {"query": value}}})
        }
        (Sort::Truth, _) => json!({"term": {name: value == "true"}}),
        (Sort::Number, 1) => json!({"terms": {name: [80, 443, "0"]}}),
        (Sort::Number | Sort::Address | Sort::Date, 1 | 2) => {
            json!({"range": {name: {"gte": value}}})
        }
        (Sort::Number, 3) => json!({"range": {name: {"gt": 0, "lte": 443}}}),
        (Sort::Address, 3) => json!({"terms": {name: [pick(dice, NETWORKS), value]}}),
        // Elasticsearch writes a date in a term with its own rules.
        (Sort::Date, _) => json!({"range": {name: {"lt": value}}}),
        (Sort::Number | Sort::Address, _) => json!({"term": {name: {"value": value}}}),
        (Sort::Whole | Sort::Long, 1 | 2) => {
            let starred = starred(dice, &value);
            let pattern = starred.tokens().iter().map(|token| match token {
                Token::Any => if dice.roll(4) == 0 { "?" } else { "*" }.to_owned(),
                Token::One => "?".to_owned(),
                Token::Literal(text) => {
                    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
                }
            });
            let pattern: String = pattern.collect();
            json!({"wildcard": {name: {"value": pattern, "case_insensitive": fold}}})
        }
        (Sort::Whole | Sort::Long, 3) => {
            json!({"prefix": {name: {"value": value, "case_insensitive": fold}}})
        }
        (Sort::Whole | Sort::Long, 4) => json!({"terms": {name: [value, "cmd.exe"]}}),
        (Sort::Whole | Sort::Long, _) => {
            json!({"term": {name: {"value": value, "case_insensitive": fold}}})
        }
    }
}

/// A rule and documents near its values
pub(crate) fn rule_and_events(dice: &mut Dice, events: usize) -> (Value, Vec<Value>) {
    let query = kuery(dice, 3);
    let filters = (0..dice.roll(3)).map(|_| {
        let meta = json!({"negate": dice.roll(3) == 0, "disabled": dice.roll(9) == 0});
        json!({"meta": meta, "query": filter(dice, 2)})
    });
    let filters: Vec<Value> = filters.collect();
    let mut near = documents::near_rule(&query, &json!(filters));
    for (field, sort) in FIELDS {
        (0..2).for_each(|_| documents::add(&mut near, field, &value(dice, *sort)));
    }
    let index = PATTERNS[dice.roll(PATTERNS.len())];
    let rule = json!({"index": index, "query": query.to_string(), "filters": filters});
    let documents = (0..events).map(|_| {
        let mut document = documents::document(&near, dice);
        if dice.roll(3) == 0 {
            document["data_stream"] = json!({"dataset": pick(dice, STREAMS)});
        }
        document
    });
    let documents = documents.collect();
    (rule, documents)
}

/// Pieces of which texts are made that are queries, or nearly
const PIECES: &[&str] = &[
    "a", "b.c", "é", "1", "x y", " ", "  ", "\t", "\u{a0}", "not ", "NOT", " and ", " AND ",
    " or ", "or", "and", ":", ":", ": ", "(", ")", "{", "}", "<", ">=", "*", "**", "\"", "\\",
    "\\*", "\\\"", "\\t", "\\u0041", "\\u004", "\\or", "\\not", "\\q", "?", "\n", "-", "[",
];

/// A text: a query as it is printed, then changed here and there, or pieces in any order
pub(crate) fn text(dice: &mut Dice) -> String {
    if dice.roll(3) == 0 {
        return (0..1 + dice.roll(12)).map(|_| pick(dice, PIECES)).collect();
    }
    let simple = |dice: &mut Dice| {
        let values = [
            "b",
            "(c or d)",
            "\"e \\\" f\"",
            "g*h",
            "(i and not (j or k))",
            "{ l:m }",
            "*",
            "n  o",
        ];
        let name = pick(dice, &["a", "b.c", "d.*", "\"e f\"", "not_g"]);
        let sign = pick(dice, &[":", " : ", ":", " >= ", "<"]);
        format!("{name}{sign}{}", pick(dice, &values))
    };
    let mut text = simple(dice);
    for _ in 0..dice.roll(4) {
        let joined = pick(dice, &[" and ", " or ", " AND\n", "\u{a0}Or\u{a0}"]);
        let not = pick(dice, &["", "", "not ", "Not\t"]);
        text = match dice.roll(3) {
            0 => format!("({text}{joined}{not}{})", simple(dice)),
            1 => format!("{not}({text}){joined}{}", simple(dice)),
            _ => format!("{text}{joined}{not}{}", simple(dice)),
        };
    }
    for _ in 0..dice.roll(3) {
        let at = dice.roll(text.chars().count() + 1);
        let at = text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
        text.insert_str(at, pick(dice, PIECES));
    }
    text
}
