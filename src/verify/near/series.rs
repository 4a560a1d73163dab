//! Sequences of events, for correlations to count and order.
//!
//! In: the signals of a rule and the timespans of its correlations. Out: events that its signals
//! match, each with the time since the event before. For each signal: bursts from one client,
//! bursts of different values, pairs of events exactly a timespan apart and a little more, and as many as a
//! correlation counts, over just its timespan; as many values as one counts, and one more; events
//! that would complete a group if they had the value that groups them. Then all signals in turn,
//! forwards and backwards, at three speeds, on the same page and on pages of their own.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::assign::{assign, in_order, settle};
use super::fulfil::fulfil;
use super::values::Value as Given;
use super::{Care, Fields, blank};
use crate::ir::{Correlation, CorrelationTest, Expr, Role, Rule, Signal};
use crate::taxonomy::{EventKind, Field, FieldType};

/// The most events that are spread over a timespan
const MOST_SPREAD: u64 = 12;

/// An event of a sequence
#[derive(Debug, Clone)]
pub struct Follower {
    /// The signal that matches it: index into [`Rule::signals`]
    pub signal: usize,
    /// The time since the event before
    pub after: Duration,
    /// The event
    pub event: Fields,
}

/// Builds the sequence
struct Course<'b> {
    bases: &'b [(usize, Fields)],
    network: &'b str,
    followers: Vec<Follower>,
}

/// The sequence of events of a rule; empty when the rule has no correlation
pub fn series(rule: &Rule) -> Vec<Follower> {
    let spans: BTreeSet<u32> = rule.correlations.iter().map(|one| one.timespan).collect();
    if spans.is_empty() {
        return Vec::new();
    }
    let signals = rule.signals.iter().enumerate();
    let of_tables = signals.filter(|(_, signal)| !matches!(signal.kind, EventKind::Log(_)));
    let bases: Vec<(usize, Fields)> =
        of_tables.map(|(at, signal)| (at, matching(signal))).collect();
    let networks: BTreeSet<&str> = bases.iter().filter_map(|(_, base)| network(base)).collect();
    let network = networks.first().copied().unwrap_or("198.51.100").to_owned();
    let mut course = Course { bases: &bases, network: &network, followers: Vec::new() };
    (0..bases.len()).for_each(|at| course.bursts(at));
    course.apart(&spans);
    rule.correlations.iter().enumerate().for_each(|(at, one)| course.spread(at, one));
    rule.correlations.iter().enumerate().for_each(|(at, one)| course.values(at, one));
    rule.correlations.iter().for_each(|one| course.ungrouped(one));
    course.in_turn();
    course.followers
}

/// An event that fulfils every clause that a signal requires
fn matching(signal: &Signal) -> Fields {
    let required = signal.clauses.iter().filter(|clause| clause.role == Role::Require);
    let whole = Expr::All(required.map(|clause| clause.expr.clone()).collect());
    let mut event = blank(signal);
    let tests = whole.tests();
    let Some(first) = tests.first() else { return event };
    let mut given = Vec::new();
    fulfil(&whole, true, first, Care::default(), &mut given);
    given.sort_by_key(|one| in_order(one, first));
    // Every text contains the empty text, so it need not be set.
    given.retain(|(_, value)| *value != Given::Part(String::new()));
    given.iter().for_each(|(one, value)| assign(&mut event, one, value));
    settle(&mut event);
    event
}

fn network(event: &Fields) -> Option<&str> {
    event.get("c-ip")?.as_str()?.rsplit_once('.').map(|(network, _)| network)
}

/// The event's page with a mark in its name, and the same extension
fn page(event: &Fields, mark: &str) -> String {
    let stem = event.get("cs-uri-stem").and_then(Value::as_str).unwrap_or_default();
    match stem.rsplit_once('.') {
        Some((before, extension)) => format!("{before}{mark}.{extension}"),
        None => stem.to_owned(),
    }
}

/// A host of its own, so that nothing that came before completes a group of it
fn host(mark: &str) -> (&'static str, String) {
    ("Computer", format!("web-{mark}.corp.example"))
}

impl Course<'_> {
    /// Appends an event of a signal, with other values in those of the fields that it has
    fn then(&mut self, base: usize, seconds: f64, values: &[(&str, String)]) {
        let (signal, mut event) = self.bases[base].clone();
        for (name, value) in values {
            if let Some(there) = event.get_mut(*name) {
                *there = json!(value);
            }
        }
        let after = Duration::from_secs_f64(seconds);
        self.followers.push(Follower { signal, after, event });
    }

    fn client(&self, number: usize) -> (&'static str, String) {
        ("c-ip", format!("{}.{number}", self.network))
    }

    fn page(&self, base: usize, mark: &str) -> (&'static str, String) {
        ("cs-uri-stem", page(&self.bases[base].1, mark))
    }

    /// Many events of one signal: of one client, of several clients, users and pages
    fn bursts(&mut self, base: usize) {
        for number in 0..100 {
            let gap = if number % 25 == 0 { 5.0 } else { 0.04 };
            self.then(base, gap, &[self.client(77)]);
        }
        for number in 0..20 {
            let gap = [5.0, 0.28].get(number).copied().unwrap_or(0.04);
            self.then(base, gap, &[self.client(76)]);
        }
        for clients in 1..6 {
            for number in 0..clients {
                let page = self.page(base, &format!("c{clients}"));
                self.then(base, 0.5, &[self.client(210 + number), page]);
            }
        }
        for number in 0..60 {
            let user = ("User", format!("CONTOSO\\n{number}"));
            let name = ("cs-username", format!("n{number}"));
            self.then(base, 0.5, &[self.client(80 + number), user, name]);
        }
        for number in 0..60 {
            let page = self.page(base, &number.to_string());
            self.then(base, 0.5, &[self.client(78), page]);
        }
    }

    /// Pairs of signals, and each signal twice: exactly a timespan apart, and a millisecond more
    fn apart(&mut self, spans: &BTreeSet<u32>) {
        let count = self.bases.len();
        let others = (0..count).map(|at| (at, (at + 1) % count));
        let pairs: Vec<(usize, usize)> = others.chain((0..count).map(|at| (at, at))).collect();
        let all = spans.iter().flat_map(|span| pairs.iter().map(move |pair| (*span, *pair)));
        for (number, (span, (base, other))) in all.enumerate() {
            for thousandths in 0..2 {
                let client = self.client(150 + number % 50);
                // An event that is no request has no page.
                let pages =
                    [other, base].map(|of| self.page(of, &format!("p{number}x{thousandths}")));
                let page = pages.into_iter().find(|(_, stem)| !stem.is_empty());
                let page = page.unwrap_or_else(|| self.page(other, ""));
                let values = [client, page, host(&format!("p{number}x{thousandths}"))];
                self.then(base, 2.0 * f64::from(span), &values);
                self.then(other, f64::from(span) + f64::from(thousandths) / 1000.0, &values);
            }
        }
    }

    /// As many events as a correlation asks for: the last exactly a timespan after the first, and a millisecond
    /// more; then in a moment, after another client by more than the timespan
    fn spread(&mut self, at: usize, correlation: &Correlation) {
        let least = match &correlation.test {
            CorrelationTest::Events(bound) => bound.from.clamp(1, MOST_SPREAD),
            CorrelationTest::Together
            | CorrelationTest::InOrder
            | CorrelationTest::Origins(_)
            | CorrelationTest::Values(..)
            | CorrelationTest::Numbers(..) => return,
        };
        let (span, gaps) = (f64::from(correlation.timespan), (least - 1).max(1));
        // Whole milliseconds, which every clock can tell.
        let whole = u64::from(correlation.timespan) * 1_000;
        let each = whole / gaps;
        for base in 0..self.bases.len() {
            for thousandths in 0..2 {
                let page = self.page(base, &format!("s{at}b{base}x{thousandths}"));
                let host = host(&format!("s{at}b{base}x{thousandths}"));
                let values = [self.client(110 + at % 30), page, host];
                self.then(base, 2.0 * span, &values);
                for gap in 1..least {
                    let rest = whole - each * (gaps - 1) + thousandths;
                    let gap = if gap == gaps { rest } else { each };
                    self.then(base, gap as f64 / 1000.0, &values);
                }
            }
            let page = self.page(base, &format!("s{at}b{base}other"));
            self.then(base, 2.0 * span, &[self.client(141), page.clone()]);
            for number in 0..least {
                let gap = if number == 0 { 1.2 * span } else { 0.5 };
                self.then(base, gap, &[self.client(142), page.clone()]);
            }
        }
    }

    /// As many different values as a correlation counts at least or at most, and one more, each in a group of
    /// their own
    fn values(&mut self, at: usize, correlation: &Correlation) {
        let CorrelationTest::Values(counted, bound) = &correlation.test else { return };
        let limit = bound.to.unwrap_or(bound.from).clamp(1, MOST_SPREAD) as usize;
        for base in 0..self.bases.len() {
            let signal = self.bases[base].0;
            let Some(counted) = counted.first().and_then(|fields| fields.get(&signal)) else {
                continue;
            };
            let keys = correlation.keys.iter().filter_map(|key| key.fields.get(&signal));
            let keys: Vec<&Field> = keys.filter(|key| *key != counted).collect();
            for number in [limit, limit + 1] {
                let mut gap = 2.0 * f64::from(correlation.timespan);
                for value in 0..number {
                    let group = keys.iter().map(|key| self.marked(base, key, (at, number)));
                    let own = self.marked(base, counted, (at, 30 + value));
                    let values: Vec<(&str, String)> = group.chain([own]).collect();
                    self.then(base, gap, &values);
                    gap = 0.5;
                }
            }
        }
    }

    /// As many events as complete a group, without a value that groups them
    fn ungrouped(&mut self, correlation: &Correlation) {
        let least = match &correlation.test {
            CorrelationTest::Events(bound) | CorrelationTest::Values(_, bound) => bound.from,
            CorrelationTest::Together | CorrelationTest::InOrder => 1,
            CorrelationTest::Origins(_) | CorrelationTest::Numbers(..) => return,
        };
        let counted = correlation.test.fields().first();
        for key in &correlation.keys {
            let mut gap = 2.0 * f64::from(correlation.timespan);
            for number in 0..least.clamp(1, MOST_SPREAD) as usize {
                for base in 0..self.bases.len() {
                    let signal = self.bases[base].0;
                    let Some(field) = key.fields.get(&signal) else { continue };
                    let counted = counted.and_then(|fields| fields.get(&signal));
                    let counted = counted.map(|field| self.marked(base, field, (0, 50 + number)));
                    self.then(base, gap, counted.as_slice());
                    let last = self.followers.last_mut();
                    last.map(|one| one.event.shift_remove(field.name()));
                    gap = 0.2;
                }
            }
        }
    }

    /// A value of a field that no other part of the sequence has
    fn marked<'f>(
        &self,
        base: usize,
        field: &'f Field,
        (at, number): (usize, usize),
    ) -> (&'f str, String) {
        let own = self.bases[base].1.get(field.name());
        let text = own.and_then(Value::as_str).unwrap_or_default();
        let value = match field.name() {
            // No log writes another text where a number is.
            _ if field.kind() == FieldType::Number => {
                let own = own.and_then(Value::as_u64).or_else(|| text.parse().ok());
                (own.unwrap_or_default() + number as u64).to_string()
            }
            "c-ip" => self.client(30 + (at * 7 + number) % 40).1,
            "cs-uri-stem" => self.page(base, &format!("v{at}n{number}")).1,
            "Computer" => host(&format!("v{at}n{number}")).1,
            _ => format!("{text} v{at}n{number}"),
        };
        (field.name(), value)
    }

    /// The signals in turn: each round has one event of every signal
    fn in_turn(&mut self) {
        let forwards: Vec<usize> = (0..self.bases.len()).collect();
        let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
        for (round, speed) in [0.2, 10.0, 50.0].into_iter().enumerate() {
            for (turn, order) in [&forwards, &backwards, &forwards].into_iter().enumerate() {
                for base in order {
                    self.then(*base, speed, &[self.client(200)]);
                }
                for base in order {
                    let page = self.page(*base, &format!("r{round}t{turn}"));
                    self.then(*base, speed, &[self.client(201), page]);
                }
            }
        }
    }
}
