//! Numbers, addresses, dates and booleans as points.
//!
//! In: a value of a document or of a query. Out: a point, which is a number in the order of the
//! values, or a range of points. Lucene indexes all four types so. An IPv4 address has the point
//! of its IPv6-mapped address.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::document::text;
use super::fields::{Field, Type};

/// A range of points; empty when its start is larger than its end
pub(in crate::verify) type Points = RangeInclusive<u128>;

/// The lower or upper limit of a range; `true` includes the limit
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    From(bool),
    To(bool),
}

/// The point of a value in a document; `None` when Elasticsearch does not index the value
pub(super) fn of_value(kind: Type, value: &Value) -> Option<u128> {
    match (kind, value) {
        (Type::Long, Value::Bool(_)) => None,
        // Indexing cuts off a fraction.
        (Type::Long, _) => number(&text(value)).map(|number| long(number.trunc)),
        (Type::Ip, _) => text(value).parse().ok().map(address),
        (Type::Date, _) => date(&text(value), false),
        (Type::Boolean, _) => truth(&text(value)),
        (Type::Keyword | Type::Lowercase | Type::Wildcard | Type::Text, _) => None,
    }
}

/// The points equal to a value; `None` when it is no value of the field's type
pub(super) fn equal(field: &Field, value: &str) -> Option<Points> {
    let one = |point| point..=point;
    match field.kind {
        Type::Long => number(value).map(|number| match number.whole {
            true => one(long(number.trunc)),
            // An integer field holds no fraction.
            false => NOTHING,
        }),
        Type::Ip => network(value),
        // A date is as long as its precision: a day, a minute, an instant.
        Type::Date => Some(date(value, false)?..=date(value, true)?),
        Type::Boolean => truth(value).map(one),
        Type::Keyword | Type::Lowercase | Type::Wildcard | Type::Text => None,
    }
}

/// The points on one side of a value; `None` when it is no value of the field's type
pub(super) fn beyond(field: &Field, value: &str, side: Side) -> Option<Points> {
    let (first, last) = match field.kind {
        Type::Long => {
            let number = number(value)?;
            // A fraction lies between two whole numbers, so no point equals the limit.
            let point = long(number.trunc);
            match (number.whole, number.negative) {
                (true, _) => (point, point),
                (false, false) => (point + 1, point),
                (false, true) => (point, point - 1),
            }
        }
        Type::Ip => {
            let point = value.parse().ok().map(address)?;
            (point, point)
        }
        Type::Date => (date(value, false)?, date(value, true)?),
        Type::Boolean | Type::Keyword | Type::Lowercase | Type::Wildcard | Type::Text => {
            return None;
        }
    };
    let fraction = first > last;
    Some(match side {
        Side::From(true) => first..=u128::MAX,
        Side::From(false) if fraction => first..=u128::MAX,
        Side::From(false) => last.checked_add(1).map_or(NOTHING, |from| from..=u128::MAX),
        Side::To(true) => 0..=last,
        Side::To(false) if fraction => 0..=last,
        Side::To(false) => first.checked_sub(1).map_or(NOTHING, |to| 0..=to),
    })
}

const NOTHING: Points = Points::new(1, 0);

struct Number {
    trunc: i64,
    whole: bool,
    negative: bool,
}

fn number(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Number { trunc: whole, whole: true, negative: whole < 0 });
    }
    // Rust also parses words such as `inf`.
    let digits = text.contains(|c: char| c.is_ascii_digit());
    let number: f64 = text.parse().ok().filter(|_| digits)?;
    // The largest float below 2^63; a larger number is no long.
    let fits = number.abs() < 9_223_372_036_854_775_000.0;
    fits.then_some(Number {
        trunc: number.trunc() as i64,
        whole: number.fract() == 0.0,
        negative: number < 0.0,
    })
}

/// The point of a number: shifted, so that negative numbers come first
fn long(number: i64) -> u128 {
    (i128::from(number) - i128::from(i64::MIN)).unsigned_abs()
}

/// The point of an address
pub(in crate::verify) fn address(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The points of an address, or of all addresses in a network
pub(in crate::verify) fn network(text: &str) -> Option<Points> {
    let Some((base, length)) = text.split_once('/') else {
        let point = address(text.parse().ok()?);
        return Some(point..=point);
    };
    let base: IpAddr = base.parse().ok()?;
    let length: u32 = length.parse().ok()?;
    let length = match base {
        IpAddr::V4(_) => length.checked_add(96)?,
        IpAddr::V6(_) => length,
    };
    let host = u128::MAX.checked_shr(length).unwrap_or(0);
    let first = address(base) & !host;
    (length <= 128).then_some(first..=first | host)
}

fn truth(text: &str) -> Option<u128> {
    match text {
        "true" => Some(1),
        // Elasticsearch reads the empty text as false.
        "false" | "" => Some(0),
        _ => None,
    }
}

/// The point of a date in milliseconds; its missing units are the earliest or latest possible
fn date(text: &str, latest: bool) -> Option<u128> {
    let point = |milliseconds: i64| Some(long(milliseconds));
    if let Ok(milliseconds) = text.parse() {
        return point(milliseconds);
    }
    let (written, instant) = match text.parse::<jiff::Timestamp>() {
        Ok(instant) => {
            let zone = text.rfind(['Z', 'z', '+']).or_else(|| text.rfind('-'));
            (text.get(..zone?)?, instant)
        }
        Err(_) => {
            let local: DateTime = text.parse().ok()?;
            (text, local.to_zoned(TimeZone::UTC).ok()?.timestamp())
        }
    };
    let left_out = match (written.len(), written.contains('.')) {
        (_, true) => 0,
        (..=10, _) => 24 * 60 * 60 * 1_000 - 1,
        (..=16, _) => 60 * 1_000 - 1,
        _ => 999,
    };
    point(instant.as_millisecond().checked_add(if latest { left_out } else { 0 })?)
}

#[cfg(test)]
mod tests {
    use super::super::fields::Known;
    use super::*;

    fn is(field: &str, wanted: &str, value: Value) -> bool {
        let field = &Known::default().named(field).unwrap().clone();
        let point = of_value(field.kind, &value);
        point.is_some_and(|point| equal(field, wanted).unwrap().contains(&point))
    }

    #[test]
    fn an_address_is_one_however_it_is_written() {
        let ip = |wanted: &str, value: &str| is("source.ip", wanted, Value::from(value));
        assert!(ip("10.0.0.0/8", "10.1.2.3") && !ip("10.0.0.0/8", "11.0.0.0"));
        assert!(ip("10.0.0.0/8", "::ffff:10.1.2.3") && ip("::1", "0:0:0:0:0:0:0:1"));
        assert!(ip("0.0.0.0/0", "8.8.8.8") && !ip("0.0.0.0/0", "::1") && ip("::/0", "8.8.8.8"));
        assert!(
            equal(&Known::default().named("source.ip").unwrap().clone(), "10.0.0.0/33").is_none()
        );
    }

    #[test]
    fn numbers_are_whole() {
        let port = |wanted: &str, value: Value| is("source.port", wanted, value);
        assert!(port("80", Value::from("080")) && port("80.0", Value::from(80)));
        assert!(!port("80.5", Value::from(80)) && port("80", Value::from(80.5)));
        assert!(port("-1", Value::from(-1)) && !port("1", Value::from(true)));
        let field = &Known::default().named("source.port").unwrap().clone();
        assert!(equal(field, "inf").is_none() && equal(field, "x").is_none());
        let has = |value: i64, limit: &str, side| {
            beyond(field, limit, side).unwrap().contains(&long(value))
        };
        assert!(has(81, "80.5", Side::From(true)) && !has(80, "80.5", Side::From(false)));
        assert!(has(-81, "-80.5", Side::To(false)) && !has(-80, "-80.5", Side::To(true)));
        assert!(has(80, "80", Side::From(true)) && !has(80, "80", Side::To(false)));
    }

    #[test]
    fn a_date_is_as_long_as_it_is_written() {
        let date = |wanted: &str, value: &str| is("@timestamp", wanted, Value::from(value));
        assert!(date("2026-01-02", "2026-01-02T23:59:59.999Z"));
        assert!(!date("2026-01-02", "2026-01-03T00:00:00Z"));
        assert!(date("2026-01-02T03:04:05Z", "2026-01-02T04:04:05.5+01:00"));
        assert!(!date("2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.5Z"));
        assert!(is("@timestamp", "1000", Value::from(1000)));
    }

    #[test]
    fn truth_is_a_word() {
        let trusted = "process.code_signature.trusted";
        assert!(
            is(trusted, "true", Value::from(true)) && is(trusted, "false", Value::from("false"))
        );
        assert!(equal(&Known::default().named(trusted).unwrap().clone(), "yes").is_none());
    }
}
