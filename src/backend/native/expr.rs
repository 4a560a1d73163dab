//! Expressions as Rust.
//!
//! In: an [`Expr`]. Out: a Rust expression over `event`, and the constants it names. Values are
//! case-folded here, so the generated code folds only the event. Only [`literal`] writes a string.

use std::collections::HashMap;

use super::helpers::{Helper, Helpers};
use crate::ir::{Case, Expr, NON_PUBLIC, Numbers, Op, Part, Relation, Test, TextTest};
use crate::pattern::{Pattern, Token, fold_text};
use crate::taxonomy::{FieldType, Product};

/// A constant list
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(super) struct Constant {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) items: Vec<String>,
}

/// Names that the template gives to its own items
const TAKEN: [&str; 2] = ["CORRELATIONS", "SIGNALS"];

/// The constants of one file
#[derive(Debug, Default)]
pub(super) struct Constants {
    all: Vec<Constant>,
    /// The index in `all` of each name
    places: HashMap<String, usize>,
    /// The numbered names of each base name
    alike: HashMap<String, Alike>,
}

/// `LIST`, `LIST_2`, `LIST_3` …
#[derive(Debug)]
struct Alike {
    /// The first number that has not been tried
    next: usize,
    /// The indices in `all` of the constants with lower numbers, by kind and items
    known: HashMap<(&'static str, Vec<String>), usize>,
}

impl Constants {
    /// The name of the constant with these items: `wanted`, numbered if other items have that name
    fn name(&mut self, wanted: &str, kind: &'static str, items: Vec<String>) -> String {
        let base = wanted.to_uppercase();
        let fresh = || Alike { next: 1, known: HashMap::new() };
        let alike = self.alike.entry(base.clone()).or_insert_with(fresh);
        let key = (kind, items);
        loop {
            if let Some(at) = alike.known.get(&key) {
                return self.all[*at].name.clone();
            }
            let name =
                if alike.next == 1 { base.clone() } else { format!("{base}_{}", alike.next) };
            alike.next += 1;
            if TAKEN.contains(&name.as_str()) {
                continue;
            }
            let Some(at) = self.places.get(&name) else {
                let place = self.all.len();
                self.places.insert(name.clone(), place);
                self.all.push(Constant { name: name.clone(), kind, items: key.1.clone() });
                alike.known.insert(key, place);
                return name;
            };
            let taken = &self.all[*at];
            alike.known.entry((taken.kind, taken.items.clone())).or_insert(*at);
        }
    }

    /// All constants, by name
    pub(super) fn sorted(mut self) -> Vec<Constant> {
        self.all.sort();
        self.all
    }
}

/// Prints expressions of one signal
pub(super) struct Printer<'p> {
    /// The signal's name, the prefix of constants that no list of the author names
    pub(super) signal: &'p str,
    pub(super) constants: &'p mut Constants,
    pub(super) helpers: &'p mut Helpers,
}

impl Printer<'_> {
    /// The expression; `depth` is the indentation of its first line
    pub(super) fn print(&mut self, expr: &Expr, depth: usize) -> String {
        match expr {
            Expr::All(parts) => self.group(parts, "&&", "true", depth),
            Expr::Any(parts) => self.group(parts, "||", "false", depth),
            Expr::Not(part) if is_one_call(part) => format!("!{}", self.print(part, depth)),
            Expr::Not(part) => format!("!{}", bracketed(&self.print(part, depth))),
            Expr::Test(test) => self.test(test, depth),
        }
    }

    fn group(&mut self, parts: &[Expr], operator: &str, none: &str, depth: usize) -> String {
        let pad = "    ".repeat(depth + 1);
        let mut printed = Vec::new();
        let mut rest = parts;
        while let Some(first) = rest.first() {
            // Tests of one subject joined by `or` become one loop over its values.
            let alike = if operator == "||" { alternatives(rest) } else { Vec::new() };
            if alike.len() > 1 {
                let whole = alike.len() == parts.len();
                printed.push(self.tests(&alike, if whole { depth } else { depth + 1 }));
                rest = &rest[alike.len()..];
                continue;
            }
            let text = self.print(first, depth + 1);
            let group = matches!(first, Expr::All(_) | Expr::Any(_)) && !is_one_call(first);
            printed.push(if group { bracketed(&text) } else { text });
            rest = &rest[1..];
        }
        if printed.is_empty() {
            return none.to_owned();
        }
        printed.join(&format!("\n{pad}{operator} "))
    }

    fn test(&mut self, test: &Test, depth: usize) -> String {
        let name = literal(test.subject.field.name());
        match &test.op {
            Op::Exists => format!("event.has({name})"),
            Op::Null => format!("!event.any({name}, &mut |_| true)"),
            Op::Same(_, other, _) => {
                let (other, fold) = (literal(other.name()), self.helpers.call(Helper::Fold));
                format!(
                    "event.any({name}, &mut |a| event.any({other}, &mut |b| {fold}(a) == {fold}(b)))"
                )
            }
            Op::Text(..)
            | Op::Segments(_)
            | Op::Networks(_)
            | Op::Public
            | Op::Numbers(_)
            | Op::Regex(_) => self.tests(&[test], depth),
        }
    }

    /// One call for tests of one subject; true when any test passes
    fn tests(&mut self, tests: &[&Test], depth: usize) -> String {
        let subject = &tests[0].subject;
        let bodies: Vec<String> = tests.iter().map(|test| self.body(test)).collect();
        let pad = "    ".repeat(depth + 1);
        let body = bodies.join(&format!("\n{pad}    || "));
        let account = subject.field.kind() == FieldType::Account;
        let name = literal(subject.field.name());
        let part = match subject.part {
            Part::Whole if bodies.len() == 1 => {
                return format!("event.any({name}, &mut |v| {body})");
            }
            // INVARIANT: `unsupported` has refused parts of a date.
            Part::Whole | Part::Time(_) => None,
            Part::Name if account => Some(self.helpers.call(Helper::AccountName).to_owned()),
            Part::Name => Some(self.helpers.call(Helper::BaseName).to_owned()),
            Part::Key => Some(format!("&{}", self.helpers.call(Helper::Key))),
            Part::Extension => {
                let extension = self.helpers.call(Helper::Extension);
                return format!(
                    "event.any({name}, &mut |v| {extension}(v).is_some_and(|v| {body}))"
                );
            }
            Part::Argument(product) => {
                let split = self.helpers.call(match product {
                    Product::Windows => Helper::WindowsArguments,
                    Product::Linux | Product::Macos => Helper::Words,
                });
                return format!("event.any({name}, &mut |v| {split}(v).iter().any(|v| {body}))");
            }
        };
        let part = part.map_or_else(String::new, |part| format!("\n{pad}let v = {part}(v);"));
        format!("event.any({name}, &mut |v| {{{part}\n{pad}{body}\n{}}})", "    ".repeat(depth))
    }

    /// The condition on one value `v`
    fn body(&mut self, test: &Test) -> String {
        match &test.op {
            Op::Text(text) => self.text(test, text),
            Op::Segments(values) => self.segments(test, values),
            Op::Networks(networks) => self.networks(test, networks),
            Op::Public => {
                let list = self.constants.name("NON_PUBLIC", "(&str, u32)", blocks(&NON_PUBLIC));
                format!("{}(v, {list})", self.helpers.call(Helper::Public))
            }
            Op::Numbers(ranges) => self.numbers(ranges),
            Op::Regex(patterns) => {
                let items = patterns.iter().map(|pattern| literal(pattern)).collect();
                let list = self.constant(test, "&str", items);
                let is_found = self.helpers.call(Helper::IsFound);
                format!("{list}.iter().any(|one| event.{is_found}(one, v))")
            }
            // INVARIANT: `test` prints these; they have no condition on a single value.
            Op::Exists | Op::Null | Op::Same(..) => "true".to_owned(),
        }
    }

    fn constant(&mut self, test: &Test, kind: &'static str, items: Vec<String>) -> String {
        let name = match &test.list {
            Some(list) => list.clone(),
            None => format!("{}_{}", self.signal, snake(test.subject.field.name())),
        };
        let suffix = match test.op.as_text().map(|text| text.relation) {
            Some(Relation::Starts) => "_starts",
            Some(Relation::Ends) => "_ends",
            Some(Relation::Contains) => "_parts",
            Some(Relation::Wildcard) => "_patterns",
            Some(Relation::Equals) | None => "",
        };
        let name = format!("{name}{suffix}");
        self.constants.name(&name, kind, items)
    }

    fn text(&mut self, test: &Test, text: &TextTest) -> String {
        let values: Vec<Pattern> = match text.case {
            Case::Insensitive => text.values.iter().map(|v| v.map_literals(fold_text)).collect(),
            Case::Sensitive => text.values.clone(),
        };
        let value = if text.folds() { self.folded() } else { "v".to_owned() };
        let function = self.helpers.call(match text.relation {
            Relation::Equals => Helper::Equals,
            Relation::Starts => Helper::Starts,
            Relation::Ends => Helper::Ends,
            Relation::Contains => Helper::Contains,
            Relation::Wildcard => Helper::Fits,
        });
        let mut items: Vec<String> = match text.relation {
            Relation::Wildcard => values.iter().map(tokens).collect(),
            Relation::Equals | Relation::Starts | Relation::Ends | Relation::Contains => {
                values.iter().filter_map(Pattern::as_literal).map(literal).collect()
            }
        };
        items.sort();
        let kind = if text.relation == Relation::Wildcard { "&[Token]" } else { "&str" };
        let list = self.constant(test, kind, items);
        format!("{function}({value}, {list})")
    }

    fn segments(&mut self, test: &Test, values: &[Pattern]) -> String {
        let part = test.subject.part;
        let folded = values.iter().map(|value| value.map_literals(fold_text));
        let spellings = folded.flat_map(|value| part.spellings(&value));
        let open = |pattern: Pattern| {
            let rooted = pattern.literals().next().is_some_and(|t| !t.starts_with(['/', '\\']));
            let start = (!rooted).then_some(Token::Any);
            let tokens = pattern.tokens().iter().cloned();
            Pattern::of(start.into_iter().chain(tokens).chain([Token::Any]))
        };
        let spellings: Vec<Pattern> = spellings.collect();
        let anywhere = |p: &Pattern| p.as_literal().is_some_and(|t| t.starts_with(['/', '\\']));
        if spellings.iter().all(anywhere) {
            let mut items: Vec<String> =
                spellings.iter().filter_map(Pattern::as_literal).map(literal).collect();
            items.sort();
            let list = self.constant(test, "&str", items);
            let contains = self.helpers.call(Helper::Contains);
            return format!("{contains}({}, {list})", self.folded());
        }
        let mut items: Vec<String> = spellings.into_iter().map(open).map(|p| tokens(&p)).collect();
        items.sort();
        let list = self.constant(test, "&[Token]", items);
        format!("{}({}, {list})", self.helpers.call(Helper::Fits), self.folded())
    }

    /// The value in lower case
    fn folded(&mut self) -> String {
        format!("&{}(v)", self.helpers.call(Helper::Fold))
    }

    fn networks(&mut self, test: &Test, networks: &[ipnet::IpNet]) -> String {
        let list = self.constant(test, "(&str, u32)", blocks(networks));
        format!("{}(v, {list})", self.helpers.call(Helper::InNetworks))
    }

    /// Integer ranges in one call; each open range, which includes fractions, in its own call
    fn numbers(&mut self, ranges: &[Numbers]) -> String {
        let (fractions, whole): (Vec<Numbers>, Vec<Numbers>) =
            ranges.iter().partition(|range| range.fraction.is_some());
        let (open, closed): (Vec<Numbers>, Vec<Numbers>) =
            whole.into_iter().partition(|range| range.open);
        let mut calls = Vec::new();
        if !closed.is_empty() {
            let within = self.helpers.call(Helper::NumberIn);
            calls.push(format!("{within}(v, &[{}])", pairs(&closed)));
        }
        for range in open {
            let (helper, limit) = match range.to {
                i64::MAX => (Helper::NumberAbove, range.from.saturating_sub(1)),
                to => (Helper::NumberBelow, to.saturating_add(1)),
            };
            calls.push(format!("{}(v, {limit})", self.helpers.call(helper)));
        }
        for (comparison, limit) in fractions.iter().filter_map(|range| range.fraction) {
            // A whole number above 2^53 is rounded, but never past a limit of 15 digits.
            let (number, sign) = (self.helpers.call(Helper::Number), comparison.sign());
            calls.push(format!("{number}(v).is_some_and(|number| number {sign} {limit})"));
        }
        calls.join(" || ")
    }
}

/// The leading tests of a list that have the same subject and look at single values
fn alternatives(parts: &[Expr]) -> Vec<&Test> {
    let mut tests: Vec<&Test> = Vec::new();
    for part in parts {
        match part {
            Expr::Test(test)
                if !matches!(test.op, Op::Exists | Op::Null | Op::Same(..))
                    && tests.first().is_none_or(|first| first.subject == test.subject) =>
            {
                tests.push(test);
            }
            Expr::Test(_) | Expr::Any(_) | Expr::All(_) | Expr::Not(_) => break,
        }
    }
    tests
}

/// Whether the expression prints as a single call
fn is_one_call(expr: &Expr) -> bool {
    match expr {
        Expr::Test(test) => test.op != Op::Null,
        Expr::Any(parts) => alternatives(parts).len() == parts.len() && !parts.is_empty(),
        Expr::All(_) | Expr::Not(_) => false,
    }
}

fn bracketed(text: &str) -> String {
    format!("({text})")
}

/// `ParentImage` as `parent_image`, `c-ip` as `c_ip`, `userIdentity.type` as `user_identity_type`
///
/// Two fields may get the same name; [`Constants::name`] then numbers their lists.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    out
}

fn blocks(networks: &[ipnet::IpNet]) -> Vec<String> {
    let block = |network: &ipnet::IpNet| {
        format!("({}, {})", literal(&network.addr().to_string()), network.prefix_len())
    };
    networks.iter().map(block).collect()
}

fn pairs(ranges: &[Numbers]) -> String {
    let number = |n: i64| match n {
        i64::MIN => "i64::MIN".to_owned(),
        i64::MAX => "i64::MAX".to_owned(),
        n => n.to_string(),
    };
    let pairs =
        ranges.iter().map(|range| format!("({}, {})", number(range.from), number(range.to)));
    pairs.collect::<Vec<_>>().join(", ")
}

fn tokens(pattern: &Pattern) -> String {
    let tokens = pattern.tokens().iter().map(|token| match token {
        Token::Any => "Token::Any".to_owned(),
        Token::One => "Token::One".to_owned(),
        Token::Literal(text) => format!("Token::Text({})", literal(text)),
    });
    format!("&[{}]", tokens.collect::<Vec<_>>().join(", "))
}

/// A Rust string literal: the debug form escapes quotes, controls and direction marks
pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}
