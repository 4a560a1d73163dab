//! Judges whether an event fits a compiled expression.
//!
//! In: a [`Node`] and an [`Event`]. Out: true or false, and the slots of the tests that passed.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;

use aho_corasick::AhoCorasick;

use super::compile::{Check, Node, TextCheck};
use super::event::Event;
use super::glob;
use super::same::Others;
use super::slot::Slot;
use crate::ir::{Case, NON_PUBLIC, RegexPattern};
use crate::pattern::fold_text;

/// Whether the event fits the expression
pub(super) fn holds(node: &Node, event: &Event<'_>) -> bool {
    match node {
        Node::All(parts) => parts.iter().all(|part| holds(part, event)),
        Node::Any(parts) => parts.iter().any(|part| holds(part, event)),
        Node::Not(part) => !holds(part, event),
        Node::Test { subject, slot, check } => passes(check, *subject, *slot, event),
    }
}

/// Slots of the tests that the event passes, to explain a match; tests under a `not` do not count
pub(super) fn evidence(node: &Node, event: &Event<'_>) -> Vec<usize> {
    let mut slots = Vec::new();
    add_evidence(node, event, &mut HashSet::new(), &mut slots);
    slots
}

fn add_evidence(node: &Node, event: &Event<'_>, seen: &mut HashSet<usize>, slots: &mut Vec<usize>) {
    match node {
        Node::All(parts) | Node::Any(parts) => {
            parts.iter().for_each(|part| add_evidence(part, event, seen, slots));
        }
        Node::Not(_) => {}
        Node::Test { subject, slot, check } => {
            if !seen.contains(slot) && passes(check, *subject, *slot, event) {
                seen.insert(*slot);
                slots.push(*slot);
            }
        }
    }
}

fn passes(check: &Check, subject: usize, slot: usize, event: &Event<'_>) -> bool {
    match check {
        Check::Folded(check) => event.any_folded(subject, |text| text_passes(check, text)),
        Check::Cased(check) => event.any(subject, |text| text_passes(check, text)),
        Check::Regex(patterns, sets) => {
            let sets = sets.get_or_init(|| RegexPattern::compile(patterns));
            event.any(subject, |text| sets.iter().any(|set| set.is_match(text)))
        }
        Check::Networks(networks) => {
            address(event, subject, |ip| networks.iter().any(|network| network.contains(&ip)))
        }
        Check::Public => {
            address(event, subject, |ip| !NON_PUBLIC.iter().any(|network| network.contains(&ip)))
        }
        Check::Numbers(ranges) => event.any(subject, |text| {
            let text = text.trim();
            if let Ok(whole) = text.parse::<i64>() {
                return ranges.iter().any(|range| (range.from..=range.to).contains(&whole));
            }
            let number = text.parse::<f64>();
            number.is_ok_and(|n| n.is_finite() && ranges.iter().any(|range| range.holds(n)))
        }),
        Check::Exists => !matches!(event.slot(slot), Slot::Missing),
        Check::Null => event.slot(slot).values().is_empty(),
        Check::Same(relation, other, case) => {
            let others = event.slot(*other).values().iter();
            match case {
                Case::Sensitive => {
                    let others = others.map(|other| Cow::Borrowed(&**other));
                    let others = Others::of(*relation, others.collect());
                    event.any(subject, |text| others.take(text))
                }
                Case::Insensitive => {
                    let others = others.map(|other| Cow::Owned(fold_text(other)));
                    let others = Others::of(*relation, others.collect());
                    event.any_folded(subject, |text| others.take(text))
                }
            }
        }
    }
}

fn address(event: &Event<'_>, subject: usize, test: impl Fn(IpAddr) -> bool) -> bool {
    event.any(subject, |text| {
        text.parse::<IpAddr>().is_ok_and(|address| test(address.to_canonical()))
    })
}

fn text_passes(check: &TextCheck, text: &str) -> bool {
    match check {
        TextCheck::Equals(values) => values.contains(text),
        TextCheck::Starts(values) => values.iter().any(|value| text.starts_with(value.as_str())),
        TextCheck::Ends(values) => values.iter().any(|value| text.ends_with(value.as_str())),
        TextCheck::Contains(values) => values.iter().any(|value| text.contains(value.as_str())),
        TextCheck::ContainsMany(values, automaton) => {
            match automaton.get_or_init(|| AhoCorasick::new(values).ok()) {
                Some(automaton) => automaton.is_match(text),
                None => values.iter().any(|value| text.contains(value.as_str())),
            }
        }
        TextCheck::Wildcard(patterns) => patterns.iter().any(|pattern| glob::fits(pattern, text)),
    }
}
