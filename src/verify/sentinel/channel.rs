//! Which Windows log holds the events of which log source.
//!
//! In: `channels.tsv`, written from Microsoft's names of its logs and from recorded events, not from the
//! mappings of the compiler. Out: the channels, providers and ids of a log source. The proof of emitted Kusto
//! reads the same file.

use std::sync::LazyLock;

use super::family::lines;

pub(super) const SECURITY: &str = "Security";

/// The log of a log source: its ids where it is a part of one
#[derive(Debug)]
pub(super) struct Source {
    name: &'static str,
    pub(super) channels: Vec<&'static str>,
    pub(super) providers: Vec<&'static str>,
    pub(super) ids: Vec<i64>,
    /// The element that holds the values of events which have `UserData` in place of `EventData`
    pub(super) element: &'static str,
}

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    lines(include_str!("channels.tsv")).filter_map(|cells| source(&cells)).collect()
});

fn source(cells: &[&'static str]) -> Option<Source> {
    let [name, channels, providers, ids, element] = *cells else { return None };
    let ids = ids.split(',').filter(|id| !id.is_empty()).map(str::parse);
    Some(Source {
        name,
        channels: channels.split(';').collect(),
        providers: providers.split(';').collect(),
        ids: ids.collect::<Result<_, _>>().ok()?,
        element,
    })
}

/// The log of a kind of events
pub(super) fn of(kind: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == kind)
}

/// A channel as Microsoft spells it: collectors may write its name in lower case
pub(super) fn spelled(name: &str) -> &str {
    let all = SOURCES.iter().flat_map(|source| &source.channels);
    all.copied().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        assert_eq!(SOURCES.len(), lines(include_str!("channels.tsv")).count());
        assert_eq!(of("registry_event").unwrap().ids, [12, 13, 14]);
        assert_eq!(spelled("security"), SECURITY);
    }
}
