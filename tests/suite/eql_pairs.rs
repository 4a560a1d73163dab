//! Random queries in EQL, with documents that are often about the same values.
//!
//! Left out on purpose, for there the referee is known to stand apart from Elasticsearch:
//! - `startsWith~` and its like beside letters outside ASCII: the referee folds them as a script does,
//!   Elasticsearch searches such a field and folds only ASCII;
//! - `%` of a negative number: the referee's has the sign of the divisor, Elasticsearch's that of the
//!   dividend; and a division by zero, on which Elasticsearch fails;
//! - values of another type than the field's (`"1"` in a number), which Elasticsearch reads as it can and
//!   the referee takes as they are;
//! - constants of another type in `in`, which the referee takes, and the function `wildcard`, which it
//!   does not know;
//! - the order of addresses and of truths, and `==` between addresses of IPv4 and IPv6, on which the
//!   referee fails.

use rulecast::query::eql::{
    Comparison, Condition, Eql, EventQuery, FieldName, Matching, Operation, Value as V,
};
use rulecast::verify::near::chance::Dice;
use serde_json::{Map, Value, json};

use crate::documents::put;

/// The fields of the index with the types and the sort of their values
pub(crate) const FIELDS: &[(&str, &str, Sort)] = &[
    ("name", "keyword", Sort::Text),
    ("file.path", "wildcard", Sort::Text),
    ("code", "keyword", Sort::Ascii),
    ("user", "keyword", Sort::Letters),
    ("size", "long", Sort::Whole),
    ("load", "double", Sort::Float),
    ("up", "boolean", Sort::Truth),
    ("source.ip", "ip", Sort::Address),
    ("peer.ip", "ip", Sort::AnyAddress),
    ("seen", "date", Sort::Date),
    ("words", "text", Sort::Words),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Text,
    /// Texts of ASCII
    Ascii,
    /// Texts of other letters, or of those that fold to ASCII in Unicode
    Letters,
    Whole,
    Float,
    Truth,
    /// Addresses of IPv4
    Address,
    /// Addresses, which no test takes as equal to one
    AnyAddress,
    Date,
    Words,
}

const TEXTS: &[&str] = &[
    "cmd.exe",
    "CMD.exe",
    "cmd",
    "Cmd.Exe x",
    "xcmd.exe",
    "c*d",
    "c?d",
    "C:\\a\\cmd",
    "a b\nc",
    "",
    "true",
    "12",
    "[x]",
    "^cmd$",
    "\"q\"",
];
/// Texts that differ in letters outside ASCII, some only in their case
const OTHERS: &[&str] = &["Ärger", "ärger", "ÄRGER", "\u{212a}", "k", "ſ", "s", "\u{668}"];
const REGEXES: &[&str] = &[
    "cmd",
    "cmd.*",
    "c.d",
    ".*\\.exe",
    "^cmd$",
    "\\d+",
    "\\w+\\.exe",
    "c[a-m]d.*",
    "[^c].*",
    "(cmd|xcmd).exe",
    "c?m+d{1,2}.*",
    ".*\\\\.*",
    "ä.*",
    "()",
    "[.c]*\\S*",
    "\\[x\\]",
    "CM[Dd]( x)?",
    "a.b\\sc",
    "k",
    "a|b|cmd",
    "a#b",
    "(?i)cmd",
    "cmd|",
    "[a",
];
const NUMBERS: &[i64] = &[0, 1, 2, 7, 80];
const FLOATS: &[f64] = &[-1.5, 0.0, 0.5, 2.0, 80.25];
const ADDRESSES: &[&str] = &["10.0.0.1", "10.0.0.5", "10.255.0.9", "8.8.8.8"];
const OTHER_ADDRESSES: &[&str] = &["10.0.0.6", "8.8.8.8", "::1", "2001:db8::5"];
const NETWORKS: &[&str] = &["10.0.0.0/8", "10.0.0.5/30", "0.0.0.0/0", "2001:db8::/32", "::1/128"];

pub(crate) fn pick<T: Clone>(dice: &mut Dice, from: &[T]) -> T {
    from[dice.roll(from.len())].clone()
}

pub(crate) fn one_in(dice: &mut Dice, sides: usize) -> bool {
    dice.roll(sides) == 0
}

/// A text that tests and documents share, now and then changed by a little
fn text(dice: &mut Dice, sort: Sort) -> String {
    if sort == Sort::Letters || sort == Sort::Text && one_in(dice, 5) {
        return pick(dice, OTHERS).to_owned();
    }
    let text = pick(dice, TEXTS).to_owned();
    match dice.roll(12) {
        0 => text.to_ascii_uppercase(),
        1 => format!("{text}x"),
        2 => text.chars().skip(1).collect(),
        _ => text,
    }
}

/// A pattern, mostly with wildcards
fn pattern(dice: &mut Dice, sort: Sort) -> String {
    if one_in(dice, 3) {
        return text(dice, sort);
    }
    let mut pattern: Vec<char> = text(dice, sort).chars().collect();
    for wildcard in ['*', '?', '*'] {
        if one_in(dice, 2) {
            let from = dice.roll(pattern.len() + 1);
            let most = if wildcard == '?' { 1 } else { 3 };
            let to = (from + dice.roll(most + 1)).min(pattern.len());
            pattern.splice(from..to, [wildcard]);
        }
    }
    pattern.into_iter().collect()
}

fn number(dice: &mut Dice, sort: Sort) -> V {
    if sort == Sort::Float || one_in(dice, 6) {
        return V::Number(serde_json::Number::from_f64(pick(dice, FLOATS)).unwrap());
    }
    V::Number((pick(dice, NUMBERS) - i64::from(one_in(dice, 5))).into())
}

fn text_value(dice: &mut Dice, sort: Sort) -> V {
    V::Text(text(dice, sort))
}

fn call(function: &str, fold: bool, arguments: Vec<V>) -> V {
    V::Call { function: function.to_owned(), fold, arguments }
}

fn comparison(dice: &mut Dice) -> Comparison {
    use Comparison::{Above, AtLeast, AtMost, Below, Equal, NotEqual};
    pick(dice, &[Above, AtLeast, AtMost, Below, Equal, NotEqual])
}

fn equality(dice: &mut Dice) -> Comparison {
    pick(dice, &[Comparison::Equal, Comparison::NotEqual])
}

/// A test of a text
fn of_text(dice: &mut Dice, value: V, sort: Sort) -> Condition {
    use Matching::{Colon, Like, LikeFolded, Regex, RegexFolded};
    let many = |dice: &mut Dice| 1 + if one_in(dice, 2) { 0 } else { dice.roll(3) };
    match dice.roll(8) {
        0 => Condition::Compare(value, equality(dice), text_value(dice, sort)),
        1 => Condition::Compare(value, comparison(dice), text_value(dice, sort)),
        2 => {
            let items = (0..many(dice)).map(|_| text_value(dice, sort)).collect();
            Condition::In { value, items, fold: one_in(dice, 2) }
        }
        3 | 4 => {
            let kind = pick(dice, &[Regex, RegexFolded]);
            let many = many(dice);
            let regexes = (0..many).map(|_| pick(dice, REGEXES).to_owned()).collect();
            Condition::Matches(value, kind, regexes)
        }
        _ => {
            let kind = pick(dice, &[Colon, Colon, Like, LikeFolded]);
            let many = many(dice);
            let patterns = (0..many).map(|_| pattern(dice, sort)).collect();
            Condition::Matches(value, kind, patterns)
        }
    }
}

/// A test with a function of texts
fn of_function(dice: &mut Dice) -> Condition {
    let code = || V::field("code");
    match dice.roll(6) {
        0 | 1 => {
            let function = pick(dice, &["startsWith", "endsWith", "stringContains"]);
            let part = text_value(dice, Sort::Ascii);
            let asked = call(function, one_in(dice, 2), vec![code(), part]);
            match dice.roll(3) {
                0 => Condition::Compare(asked, equality(dice), V::Truth(one_in(dice, 2))),
                _ => Condition::Truth(asked),
            }
        }
        2 => {
            let length = call("length", false, vec![V::field("name")]);
            match dice.roll(4) {
                0 => Condition::Compare(length, equality(dice), V::Null),
                _ => Condition::Compare(length, comparison(dice), V::Number(dice.roll(9).into())),
            }
        }
        3 => {
            let joined = vec![code(), V::Text("-".to_owned()), V::field("size")];
            let start = text(dice, Sort::Ascii);
            let patterns = vec![format!("{start}-*"), format!("*{}", dice.roll(3))];
            Condition::Matches(call("concat", false, joined), Matching::Colon, patterns)
        }
        4 => {
            let mut places = vec![code()];
            for _ in 0..1 + dice.roll(2) {
                places.push(V::Number((dice.roll(9) as i64 - 4).into()));
            }
            of_text(dice, call("substring", false, places), Sort::Ascii)
        }
        _ => {
            let size = call("string", false, vec![V::field("size")]);
            Condition::In {
                value: size,
                items: vec![V::Text("1".to_owned()), V::Text("80".to_owned())],
                fold: false,
            }
        }
    }
}

/// A test of a number, which may be computed
fn of_number(dice: &mut Dice, value: V, sort: Sort) -> Condition {
    let value = match dice.roll(6) {
        0 => {
            let operation = pick(dice, &[Operation::Plus, Operation::Minus, Operation::Times]);
            V::Arithmetic(Box::new(value), operation, Box::new(number(dice, sort)))
        }
        1 => {
            let whole = [Operation::Over, Operation::Modulo];
            let operation = if sort == Sort::Whole { pick(dice, &whole) } else { Operation::Over };
            V::Arithmetic(
                Box::new(value),
                operation,
                Box::new(V::Number((1 + dice.roll(3)).into())),
            )
        }
        _ => value,
    };
    match dice.roll(6) {
        0 => {
            let items = (0..1 + dice.roll(3)).map(|_| number(dice, sort)).collect();
            Condition::In { value, items, fold: false }
        }
        1 => Condition::Compare(number(dice, sort), comparison(dice), value),
        _ => Condition::Compare(value, comparison(dice), number(dice, sort)),
    }
}

/// A test that Elasticsearch refuses
fn refused(dice: &mut Dice) -> Condition {
    let one = || V::Number(1.into());
    let x = || vec!["x*".to_owned()];
    let is = |left, right| Condition::Compare(left, Comparison::Equal, right);
    match dice.roll(10) {
        0 => Condition::Matches(V::field("words"), Matching::Colon, x()),
        1 => Condition::Matches(V::field("gone"), Matching::Colon, x()),
        2 => Condition::Matches(V::field("size"), Matching::Colon, x()),
        3 => Condition::Matches(V::field("source.ip"), Matching::Like, x()),
        4 => is(V::field("name"), one()),
        5 => is(V::field("size"), V::Text("1".to_owned())),
        6 => is(V::field("up"), V::Text("true".to_owned())),
        7 => is(V::field("name"), V::field("code")),
        8 => Condition::Truth(V::field("name")),
        _ => {
            let networks = vec![V::field("name"), V::Text("10.0.0.0/8".to_owned())];
            Condition::Truth(call("cidrMatch", false, networks))
        }
    }
}

/// A test of a field that no index maps
fn of_nothing(dice: &mut Dice) -> Condition {
    let gone = V::Field(FieldName { name: "gone".to_owned(), optional: true });
    match dice.roll(6) {
        0 => Condition::Compare(gone, equality(dice), V::Null),
        1 => Condition::Truth(gone),
        2 => Condition::Truth(call("cidrMatch", false, vec![gone, V::Text("::/0".to_owned())])),
        3 => Condition::Compare(gone, comparison(dice), V::Number(1.into())),
        _ => of_text(dice, gone, Sort::Text),
    }
}

/// A test of one field
fn leaf(dice: &mut Dice) -> Condition {
    match dice.roll(24) {
        0..=2 => return of_nothing(dice),
        3..=5 => return of_function(dice),
        6 => return Condition::Truth(V::Truth(one_in(dice, 2))),
        7 if one_in(dice, 4) => return refused(dice),
        _ => {}
    }
    let (name, _, sort) = FIELDS[dice.roll(FIELDS.len() - 1)];
    let value = V::Field(FieldName { name: name.to_owned(), optional: one_in(dice, 4) });
    match (sort, dice.roll(6)) {
        (_, 0) | (Sort::Date | Sort::Words, _) => {
            Condition::Compare(value, equality(dice), V::Null)
        }
        (Sort::Text | Sort::Ascii | Sort::Letters, _) => of_text(dice, value, sort),
        (Sort::Whole | Sort::Float, _) => of_number(dice, value, sort),
        (Sort::Truth, 1..=3) => Condition::Truth(value),
        (Sort::Truth, _) => Condition::Compare(value, equality(dice), V::Truth(one_in(dice, 2))),
        (Sort::Address, 1..=3) | (Sort::AnyAddress, _) => {
            let mut networks = vec![value];
            networks
                .extend((0..1 + dice.roll(2)).map(|_| V::Text(pick(dice, NETWORKS).to_owned())));
            Condition::Truth(call("cidrMatch", false, networks))
        }
        (Sort::Address, _) => {
            Condition::Compare(value, equality(dice), V::Text(pick(dice, ADDRESSES).to_owned()))
        }
    }
}

fn condition(dice: &mut Dice, depth: usize) -> Condition {
    let many = |dice: &mut Dice| -> Vec<Condition> {
        (0..2 + dice.roll(2)).map(|_| condition(dice, depth - 1)).collect()
    };
    match if depth == 0 { 9 } else { dice.roll(8) } {
        0 | 1 => Condition::all(many(dice)),
        2 | 3 => Condition::any(many(dice)),
        4 | 5 => Condition::Not(Box::new(condition(dice, depth - 1))),
        _ => leaf(dice),
    }
}

/// A query of single events
pub(crate) fn query(dice: &mut Dice) -> Eql {
    let category = pick(dice, &[None, None, Some("process"), Some("file")]);
    let category = category.map(str::to_owned);
    Eql::Event(EventQuery { category, condition: condition(dice, 3) })
}

fn value(dice: &mut Dice, sort: Sort) -> Value {
    match sort {
        // At the limit of what is indexed
        Sort::Text | Sort::Ascii if one_in(dice, 30) => {
            json!("cmd.".repeat(256) + pick(dice, &["", "x"]))
        }
        Sort::Text | Sort::Ascii | Sort::Letters | Sort::Words => json!(text(dice, sort)),
        Sort::Whole => json!(pick(dice, NUMBERS)),
        Sort::Float => json!(pick(dice, FLOATS)),
        Sort::Truth => json!(one_in(dice, 2)),
        Sort::Address => json!(pick(dice, ADDRESSES)),
        Sort::AnyAddress => json!(pick(dice, OTHER_ADDRESSES)),
        Sort::Date => json!("2026-01-02T03:04:05.000Z"),
    }
}

/// A document with most of the fields: missing, alone or in lists, nested or dotted
pub(crate) fn document(dice: &mut Dice) -> Value {
    let mut document = Map::new();
    let categories = [json!("process"), json!(["file", "process"]), json!("Process"), json!([])];
    put(&mut document, "event.category", pick(dice, &categories), dice);
    for (name, _, sort) in FIELDS.iter().copied().chain([("gone", "", Sort::Text)]) {
        let said = match dice.roll(12) {
            0 | 1 => continue,
            2 => pick(dice, &[Value::Null, json!([]), json!([null])]),
            3 | 4 => json!([value(dice, sort), value(dice, sort)]),
            5 => json!([[value(dice, sort)], null, value(dice, sort)]),
            _ => value(dice, sort),
        };
        put(&mut document, name, said, dice);
    }
    Value::Object(document)
}
