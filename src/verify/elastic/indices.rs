//! The indices that a rule searches, and the index of a document.
//!
//! In: the index patterns of a rule, then a document. Out: the [`Groups`] that map the document's
//! fields. Elastic names the index of a data stream `logs-<dataset>-<namespace>`.

use serde_json::Value;

use super::document::leaves;
use super::fields::Groups;
use super::glob::Glob;
use crate::query::Error;

/// The known index patterns, each with the groups of its indices
const PATTERNS: &[(&str, &[&str])] = &[
    ("auditbeat-*", &["others"]),
    ("endgame-*", &["endgame"]),
    ("filebeat-*", &["others"]),
    ("logs-apache.access-*", &["others"]),
    ("logs-auditd_manager.auditd-*", &["others"]),
    ("logs-crowdstrike.fdr*", &["others"]),
    ("logs-endpoint.events.*", &["process", "file", "network", "registry"]),
    ("logs-endpoint.events.file-*", &["file"]),
    ("logs-endpoint.events.network-*", &["network"]),
    ("logs-endpoint.events.process-*", &["process"]),
    ("logs-endpoint.events.registry-*", &["registry"]),
    ("logs-iis.access-*", &["others"]),
    ("logs-m365_defender.event-*", &["others"]),
    ("logs-nginx.access-*", &["others"]),
    ("logs-sentinel_one_cloud_funnel.*", &["others"]),
    ("logs-system.security*", &["others"]),
    ("logs-windows.sysmon_operational-*", &["others"]),
    ("winlogbeat-*", &["others"]),
];

/// The indices that a rule searches
#[derive(Debug, Clone)]
pub(super) struct Indices(Vec<(Glob, Groups)>);

impl Indices {
    /// Reads the index patterns of a rule
    pub(super) fn of(patterns: &[Value]) -> Result<Indices, Error> {
        let known = patterns.iter().map(|pattern| {
            let text = pattern.as_str().unwrap_or_default();
            let row = PATTERNS.iter().find(|(pattern, _)| *pattern == text);
            let unknown =
                || Error::new(format!("the fields of the index `{text}` are not known here"));
            let (pattern, words) = row.ok_or_else(unknown)?;
            let groups = words.iter().filter_map(|word| Groups::named(word));
            Ok((Glob::read(pattern), groups.fold(Groups::NONE, Groups::with)))
        });
        known.collect::<Result<_, Error>>().map(Indices)
    }

    /// The groups of a document's index; `None` when the rule does not search that index
    ///
    /// A document without a `data_stream.dataset` may be in any index of the rule.
    pub(super) fn of_document(&self, document: &Value) -> Option<Groups> {
        let searched = |(_, groups): &(Glob, Groups)| *groups;
        let stream = leaves(document, "data_stream.dataset").into_iter().find_map(Value::as_str);
        let Some(stream) = stream else {
            return self.0.iter().map(searched).reduce(Groups::with);
        };
        let index = format!("logs-{stream}-default");
        let fitting = self.0.iter().filter(|(pattern, _)| pattern.fits(&index, false));
        let own = stream.strip_prefix("endpoint.events.").unwrap_or("others");
        Some(fitting.map(searched).reduce(Groups::with)?.within(Groups::named(own)?))
    }
}
