//! The tags of a rule, as Elastic's own rules have them.
//!
//! In: a planned rule. Out: domains, systems, tactics and data sources, then the author's own tags;
//! none twice.

use std::collections::{BTreeSet, HashSet};

use super::Planned;
use super::settings::Settings;
use super::threat::rule_threats;
use crate::backend::shown;
use crate::ir::Rule;
use crate::taxonomy::Product;

/// The tags of a rule
pub(super) fn tags(rule: &Rule, planned: &Planned<'_>, settings: &Settings) -> Vec<String> {
    let domains: BTreeSet<&str> =
        planned.signals.iter().map(|(_, stream)| stream.domain.as_str()).collect();
    let mut tags: Vec<String> = domains.iter().map(|domain| format!("Domain: {domain}")).collect();
    let systems = planned.signals.iter().flat_map(|(signal, stream)| match signal.product {
        Some(product) => vec![product],
        None => stream.systems.clone(),
    });
    let system = |product| match product {
        Product::Windows => "OS: Windows".to_owned(),
        Product::Linux => "OS: Linux".to_owned(),
        Product::Macos => "OS: macOS".to_owned(),
    };
    for tag in systems.map(system) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.push("Use Case: Threat Detection".to_owned());
    tags.extend(rule_threats(rule).iter().map(|threat| format!("Tactic: {}", threat.tactic.name)));
    for index in planned.indices.iter().filter(|index| !index.source.is_empty()) {
        let tag = format!("Data Source: {}", index.source);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if planned.ordered {
        tags.push("Rule Type: Event Correlation (EQL)".to_owned());
    }
    if rule.metadata.investigation.is_some() {
        tags.push("Resources: Investigation Guide".to_owned());
    }
    let mut known: HashSet<String> = tags.iter().cloned().collect();
    let own = settings.tags.iter().map(|tag| shown(tag));
    tags.extend(own.filter(|tag| known.insert(tag.clone())));
    tags
}
