//! The groups of an event.
//!
//! In: an event that waits, and a correlation. Out: the values by which it is grouped and counted, as they
//! compare.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::novelty::combinations;
use crate::ir::{Correlation, Fields};
use crate::taxonomy::{Field, FieldType};

/// An event that fits a signal, with the values that correlations read
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// When it happened
    pub time: Timestamp,
    /// Index of the signal
    pub signal: usize,
    /// The values of the fields that correlations read
    pub values: BTreeMap<Field, Vec<String>>,
    /// Number of its file, and its line
    pub place: (usize, usize),
}

/// The groups of an event: one for each combination of its key values
pub(super) fn keys(correlation: &Correlation, event: &Waiting) -> Vec<Vec<String>> {
    let values = correlation.keys.iter().map(|key| compared(&key.fields, event));
    combinations(&values.collect::<Vec<_>>()).keys
}

/// The non-empty values of an event's field
pub(super) fn values_of<'e>(
    fields: &Fields,
    event: &'e Waiting,
) -> impl Iterator<Item = &'e String> {
    let field = fields.get(&event.signal);
    let values = field.and_then(|field| event.values.get(field));
    values.into_iter().flatten().filter(|value| !value.is_empty())
}

/// The same, as they compare: a host without its domain
pub(super) fn compared(fields: &Fields, event: &Waiting) -> Vec<String> {
    let host = fields.get(&event.signal).is_some_and(|field| field.kind() == FieldType::Host);
    let one = |value: &String| if host { short_host(value) } else { value.clone() };
    values_of(fields, event).map(one).collect()
}

/// A host without its domain, in lower case; an address stays whole
pub(crate) fn short_host(host: &str) -> String {
    let first = host.split('.').next().unwrap_or(host);
    let address = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
    if address { host.to_lowercase() } else { first.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_its_name_without_domain_and_an_address_stays_whole() {
        assert_eq!(short_host("WEB01.corp.example"), "web01");
        assert_eq!(short_host("10.0.0.5"), "10.0.0.5");
        assert_eq!(short_host("7server.corp"), "7server");
    }
}
