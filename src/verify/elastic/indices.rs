//! The indices that a rule searches, and the index of a document.
//!
//! In: the index patterns of a rule, then a document. Out: the [`Groups`] that map the document's
//! fields. Elastic names the index of a data stream `logs-<dataset>-<namespace>`.

use serde_json::Value;

use super::document::leaves;
use super::fields::{Groups, Known};
use super::glob::Glob;
use crate::query::Error;

/// The text of the table of index patterns
const TABLE: &str = include_str!("indices.tsv");

/// The groups of an index pattern; `None` for an unknown pattern
fn groups_of(pattern: &str) -> Option<Groups> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    let (_, words) =
        rows.filter_map(|row| row.split_once('\t')).find(|(own, _)| *own == pattern)?;
    words.split(' ').map(Groups::named).try_fold(Groups::NONE, |all, one| Some(all.with(one?)))
}

/// The indices that a rule searches
#[derive(Debug, Clone)]
pub(super) struct Indices(Vec<(Glob, Groups)>);

impl Indices {
    /// Reads the index patterns of a rule
    pub(super) fn of(patterns: &[Value], own: &Known) -> Result<Indices, Error> {
        let known = patterns.iter().map(|pattern| {
            let text = pattern.as_str().unwrap_or_default();
            let unknown =
                || Error::new(format!("the fields of the index `{text}` are not known here"));
            let groups = own.has_index(text).then(Groups::every);
            Ok((Glob::read(text), groups_of(text).or(groups).ok_or_else(unknown)?))
        });
        known.collect::<Result<_, Error>>().map(Indices)
    }

    /// The groups of all indices
    pub(super) fn groups(&self) -> Groups {
        self.0.iter().map(|(_, groups)| *groups).fold(Groups::NONE, Groups::with)
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
        // Elastic Defend's streams map only their own fields; other indices have one pattern each.
        let own = stream.strip_prefix("endpoint.events.").unwrap_or("all");
        Some(fitting.map(searched).reduce(Groups::with)?.within(Groups::named(own)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_that_a_rule_may_search_is_known() {
        let mappings = crate::mapping::Mappings::default();
        for index in mappings.all().flat_map(|mapping| &mapping.indices) {
            assert!(groups_of(&index.pattern).is_some(), "{}", index.pattern);
        }
    }
}
