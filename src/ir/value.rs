//! Lowers one value to a test, by the meaning of its key.
//!
//! In: a value and the [`Reading`] of its key. Out: an expression of one or two tests, or of one
//! test for each text that the value stands for. Refused here: values whose meaning would be a
//! guess, such as a port that is no number.

use super::scope::{Reading, Scope};
use super::text::{by_ends, open_ends, text};
use super::{Decimal, Expr, Numbers, Op, Part, TextTest, TimeUnit};
use super::{encode, network, place, regex};
use crate::definition::vocabulary::Reading as Word;
use crate::definition::{Comparison, Key, Modifier, Scalar, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::taxonomy::{ACTIONS, Field, FieldType};

/// Lowers one value
pub(super) fn lower(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    if let Scalar::List(_) = value.scalar {
        let message = format!("`{}` inside a list", value.written);
        scope.error(Code::E0208, value.span, message, "lists hold values only");
        return None;
    }
    let compares =
        |m: &&crate::source::Spanned<Modifier>| !matches!(m.value, Modifier::All | Modifier::Neq);
    if value.scalar == Scalar::Null {
        if reading.meaning.field == Field::EVERY {
            scope.error(Code::E0208, value.span, "null as a keyword".into(), "expected text");
            return None;
        }
        if let Some(modifier) = reading.key.modifiers.iter().find(compares) {
            let message = format!("null with `{}`", modifier.value.name());
            scope.error(Code::E0208, value.span, message, "null compares with nothing");
            return None;
        }
        return Some(reading.test(Part::Whole, Op::Null, value.span));
    }
    if reading.has(Modifier::FieldRef) {
        return field_reference(scope, reading, value);
    }
    if reading.has(Modifier::Re) {
        return regex::lower(scope, reading, value);
    }
    if let Some(unit) = reading.key.modifiers.iter().find_map(|one| TimeUnit::of(one.value)) {
        return time_unit(scope, reading, unit, value);
    }
    if reading.key.modifiers.iter().any(|one| encode::changes_text(one.value)) {
        let texts = encode::texts(scope, reading.key, value)?;
        let tests = texts.into_iter().map(|text| value.with(text));
        let tests: Vec<_> = tests.map(|text| plain(scope, reading, &text)).collect();
        let tests: Option<Vec<Expr>> = tests.into_iter().collect();
        return tests.map(Expr::Any);
    }
    plain(scope, reading, value)
}

/// Lowers a value that no modifier changes any further
fn plain(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    match (reading.meaning.reading, reading.meaning.kind) {
        (Some(Word::Program), _) => place::program(scope, reading, value),
        (Some(Word::Account), _) => {
            let pattern = value.pattern()?;
            let qualified = pattern.literals().any(|text| text.contains('\\'));
            Some(text(reading, if qualified { Part::Whole } else { Part::Name }, pattern, value))
        }
        (Some(Word::Argument), _) => argument(scope, reading, value),
        (Some(Word::Directories), _) => place::directories(scope, reading, value),
        (Some(Word::Key), _) => place::key(scope, reading, value),
        (Some(Word::Extension), _) => place::extension(scope, reading, value),
        (Some(Word::Remote), _) => remote(scope, reading, value),
        (Some(Word::Action), _) | (None, FieldType::Action) => action(scope, reading, value),
        (Some(Word::Numbers), _) => numbers(scope, reading, value),
        (None, FieldType::Number) if !reads_as_text(reading, value) => {
            numbers(scope, reading, value)
        }
        (None, FieldType::Address) => address(scope, reading, value),
        (None, FieldType::Any) if compares_numbers(reading) => numbers(scope, reading, value),
        (None, FieldType::Any)
            if reading.has(Modifier::Cidr) || is_network_as_text(reading, value) =>
        {
            address(scope, reading, value)
        }
        (Some(Word::Whole), _)
        | (
            None,
            FieldType::Text
            | FieldType::Host
            | FieldType::Path
            | FieldType::Command
            | FieldType::Account
            | FieldType::Number
            | FieldType::Key
            | FieldType::Any,
        ) => Some(text(reading, Part::Whole, value.pattern()?, value)),
    }
}

fn compares_numbers(reading: &Reading<'_>) -> bool {
    [Modifier::Gt, Modifier::Gte, Modifier::Lt, Modifier::Lte].iter().any(|one| reading.has(*one))
}

/// Whether a Sigma rule compares the digits of a number field as text
fn reads_as_text(reading: &Reading<'_>, value: &Value) -> bool {
    let ends = [Modifier::Contains, Modifier::StartsWith, Modifier::EndsWith, Modifier::Cased];
    let is_number = || whole(&value.written).is_some() || Decimal::read(&value.written).is_some();
    let text = ends.iter().any(|one| reading.has(*one)) || !is_number();
    reading.meaning.open && text && !compares_numbers(reading)
}

fn time_unit(
    scope: &mut Scope<'_>,
    reading: &Reading<'_>,
    unit: TimeUnit,
    value: &Value,
) -> Option<Expr> {
    let range = unit.range();
    match value.written.parse::<i64>() {
        Ok(number) if (range.from..=range.to).contains(&number) => {
            let op = Op::Numbers(vec![Numbers::compared(comparison(reading), number)]);
            Some(reading.test(Part::Time(unit), op, value.span))
        }
        _ => {
            let message = format!("`{}` is no such part of a date", value.written);
            let label = format!("expected {} to {}", range.from, range.to);
            scope.error(Code::E0208, value.span, message, &label);
            None
        }
    }
}

fn argument(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    let Some(product) = scope.product else {
        let message = format!("`{}` needs a `product`", reading.key.name.value);
        scope.report(
            Diagnostic::new(Code::E0111, scope.source, reading.key.span, message, "which system?")
                .help("Windows and Linux split a command line in different ways."),
        );
        return None;
    };
    Some(text(reading, Part::Argument(product), value.pattern()?, value))
}

fn remote(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    if value.written == "public" {
        return Some(reading.test(Part::Whole, Op::Public, value.span));
    }
    let networks = network::named(&value.written)
        .or_else(|| network::parse(&value.written).map(|network| vec![network]));
    match networks {
        Some(networks) => Some(reading.test(Part::Whole, Op::Networks(networks), value.span)),
        None => bad_network(scope, value, "public, private, loopback or a network"),
    }
}

fn address(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    if is_network_as_text(reading, value) {
        warn_without_cidr(scope, reading.key, value);
        return Some(text(reading, Part::Whole, value.pattern()?, value));
    }
    let open = [Modifier::Contains, Modifier::StartsWith, Modifier::EndsWith];
    let networks = match network::parse(&value.written) {
        Some(network) => vec![network],
        None if reading.has(Modifier::Cidr) || value.written.parse::<ipnet::IpNet>().is_ok() => {
            return bad_network(scope, value, "a network such as 10.0.0.0/8");
        }
        None => Vec::new(),
    };
    if networks.is_empty() || open.iter().any(|modifier| reading.has(*modifier)) {
        return Some(text(reading, Part::Whole, value.pattern()?, value));
    }
    Some(reading.test(Part::Whole, Op::Networks(networks), value.span))
}

/// Whether a Sigma rule writes a network without `cidr`: then it is text, as Sigma says
fn is_network_as_text(reading: &Reading<'_>, value: &Value) -> bool {
    let is_network = value.written.contains('/') && value.written.parse::<ipnet::IpNet>().is_ok();
    reading.meaning.open && is_network && !reading.has(Modifier::Cidr)
}

fn warn_without_cidr(scope: &mut Scope<'_>, key: &Key, value: &Value) {
    let message = format!("`{}` is text without `cidr`", value.written);
    let label = "compared as text, not as a network";
    let diagnostic = Diagnostic::new(Code::W0227, scope.source, value.span, message, label);
    let plain = key.modifiers.is_empty() && !scope.source.slice(key.span).ends_with(['\'', '"']);
    let end = Span::new(key.span.end, key.span.end);
    scope.report(match plain {
        true => diagnostic.fix("add `cidr`", vec![(end, "|cidr".to_owned())]),
        false => diagnostic.help("With the modifier `cidr` it is the network."),
    });
}

fn bad_network(scope: &mut Scope<'_>, value: &Value, wanted: &str) -> Option<Expr> {
    let message = format!("`{}` is no network", value.written);
    if value.written.parse::<ipnet::IpNet>().is_ok() {
        let label = "holds IPv4-mapped addresses and more";
        let diagnostic = Diagnostic::new(Code::E0211, scope.source, value.span, message, label);
        scope.report(
            diagnostic.help("Name IPv4 and IPv6 networks apart: engines differ on this one."),
        );
        return None;
    }
    scope.error(Code::E0211, value.span, message, &format!("expected {wanted}"));
    None
}

fn action(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    if !ACTIONS.contains(&value.written.as_str()) {
        let message = format!("`{}` is nothing that happens to a file or a key", value.written);
        let label = format!("expected {}", ACTIONS.join(", "));
        scope.error(Code::E0208, value.span, message, &label);
        return None;
    }
    let op = Op::Text(TextTest::word(&value.written));
    Some(reading.test(Part::Whole, op, value.span))
}

fn numbers(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    let written = value.written.as_str();
    let comparison = comparison(reading);
    let fraction = || Decimal::read(written).map(|limit| Numbers::compared_with(comparison, limit));
    let range = match (whole(written), written.split_once('-')) {
        (Some(number), _) => Some(Numbers::compared(comparison, number)),
        (None, Some((from, to))) => match (from.trim().parse(), to.trim().parse()) {
            (Ok(from), Ok(to)) if from <= to && comparison == Comparison::Eq => {
                Some(Numbers::between(from, to))
            }
            _ => fraction(),
        },
        (None, None) => fraction(),
    };
    let ports = reading.meaning.field.name().ends_with("Port");
    match range {
        Some(Numbers { from, to, .. })
            if ports && (from > 65_535 || to < 0 || (to > 65_535 && to != i64::MAX)) =>
        {
            let message = format!("`{written}` is no port");
            scope.error(Code::E0211, value.span, message, "ports go from 0 to 65535");
            None
        }
        Some(range) => Some(reading.test(Part::Whole, Op::Numbers(vec![range]), value.span)),
        None => {
            let message = format!("`{written}` is no number");
            scope.error(Code::E0208, value.span, message, "expected a number or a range `a-b`");
            None
        }
    }
}

/// A whole number, also one such as `1.0`
fn whole(written: &str) -> Option<i64> {
    let digits = match written.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) | None => written,
    };
    digits.parse().ok()
}

/// How the key compares numbers; a negation is made of it later
fn comparison(reading: &Reading<'_>) -> Comparison {
    let compares = [
        (Modifier::Gt, Comparison::Gt),
        (Modifier::Gte, Comparison::Gte),
        (Modifier::Lt, Comparison::Lt),
        (Modifier::Lte, Comparison::Lte),
    ];
    let said = compares.into_iter().find(|(modifier, _)| reading.has(*modifier));
    said.map_or(Comparison::Eq, |(_, comparison)| comparison)
}

fn field_reference(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    if !matches!(&value.scalar, Scalar::Text(name) if name.as_literal().is_some()) {
        let message = format!("`{}` names no field", value.written);
        scope.error(Code::E0208, value.span, message, "expected the name of a field");
        return None;
    }
    let known = Field::named(&value.written).filter(|field| field.belongs_to(scope.kind));
    let other = known.or_else(|| scope.open.then(|| Field::of_log(&value.written)));
    let Some(other) = other else {
        let message = format!("{} events have no field `{}`", scope.kind, value.written);
        scope.error(Code::E0201, value.span, message, "not a field of this event");
        return None;
    };
    let (start, end) = open_ends(reading);
    let relation = by_ends(start, end);
    Some(reading.test(Part::Whole, Op::Same(relation, other, reading.case()), value.span))
}
