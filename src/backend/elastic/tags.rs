//! The tags of a rule, as Elastic's own rules have them.
//!
//! In: a signal, its stream and its indices. Out: domain, system, tactics and data sources, then the
//! author's own tags; none twice.

use std::collections::HashSet;

use super::settings::Settings;
use super::threat::rule_threats;
use crate::backend::shown;
use crate::ir::{Rule, Signal};
use crate::mapping::{Index, Stream};
use crate::taxonomy::Product;

/// The tags of a signal's rule
pub(super) fn tags(
    rule: &Rule,
    (signal, stream): (&Signal, &Stream),
    indices: &[Index],
    settings: &Settings,
) -> Vec<String> {
    let mut tags = vec![format!("Domain: {}", stream.domain)];
    let systems = match signal.product {
        Some(product) => vec![product],
        None => stream.systems.clone(),
    };
    tags.extend(systems.iter().map(|product| match product {
        Product::Windows => "OS: Windows".to_owned(),
        Product::Linux => "OS: Linux".to_owned(),
        Product::Macos => "OS: macOS".to_owned(),
    }));
    tags.push("Use Case: Threat Detection".to_owned());
    tags.extend(rule_threats(rule).iter().map(|threat| format!("Tactic: {}", threat.tactic.name)));
    for index in indices.iter().filter(|index| !index.source.is_empty()) {
        tags.push(format!("Data Source: {}", index.source));
    }
    if rule.metadata.investigation.is_some() {
        tags.push("Resources: Investigation Guide".to_owned());
    }
    let mut known: HashSet<String> = tags.iter().cloned().collect();
    let own = settings.tags.iter().map(|tag| shown(tag));
    tags.extend(own.filter(|tag| known.insert(tag.clone())));
    tags
}
