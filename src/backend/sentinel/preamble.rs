//! What is made of a table's columns before anything is asked of them.
//!
//! In: a profile and a kind of event. Out: steps behind the table, read once of the queries in
//! `preamble/`.
//!
//! An alert is taken apart, a row for each process, the files and the host beside it: entities
//! refer to each other by `$id` and `$ref` within one alert (Microsoft, security alert schema). A
//! process has its own time; the alert's is when a run can first see it. ASIM knows processes and
//! files by their paths; a URL there may have its origin before the path, or may not: parsers
//! differ. Of Defender's file events the parser gives the path with the name once more.

use std::sync::LazyLock;

use super::profile::Profile;
use crate::query::kusto::{self, Step};
use crate::taxonomy::EventKind;

/// A query whose steps prepare a table
struct Preamble {
    profile: Option<Profile>,
    kind: EventKind,
    text: &'static str,
}

const fn asim(kind: EventKind, text: &'static str) -> Preamble {
    Preamble { profile: Some(Profile::Asim), kind, text }
}

const PREAMBLES: &[Preamble] = &[
    asim(EventKind::ProcessCreation, include_str!("preamble/asim_process.kql")),
    asim(EventKind::FileEvent, include_str!("preamble/asim_file.kql")),
    asim(EventKind::NetworkConnection, include_str!("preamble/asim_network.kql")),
    asim(EventKind::RegistryEvent, include_str!("preamble/asim_registry.kql")),
    asim(EventKind::Webserver, include_str!("preamble/asim_web.kql")),
    Preamble {
        profile: None,
        kind: EventKind::SecurityAlert,
        text: include_str!("preamble/alert.kql"),
    },
];

static STEPS: LazyLock<Vec<Vec<Step>>> = LazyLock::new(|| {
    // INVARIANT: a test reads every text, so no table is left as it is by mistake.
    let steps = |one: &Preamble| kusto::rows(one.text).map(|rows| rows.steps).unwrap_or_default();
    PREAMBLES.iter().map(steps).collect()
});

/// The steps that prepare a table, if any
pub(super) fn preamble(profile: Profile, kind: EventKind) -> &'static [Step] {
    let fits = |one: &Preamble| one.kind == kind && one.profile.is_none_or(|own| own == profile);
    let found = PREAMBLES.iter().position(fits).and_then(|at| STEPS.get(at));
    found.map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::kusto::{Platform, bind, format};

    #[test]
    fn every_preamble_is_read_and_holds_together() {
        for one in PREAMBLES {
            assert_eq!(format(one.text).as_deref(), Ok(one.text));
            assert!(bind(one.text, Platform::Sentinel).is_ok(), "{}", one.text);
            let profile = one.profile.unwrap_or(Profile::Defender);
            assert!(!preamble(profile, one.kind).is_empty());
            assert!(one.text.starts_with(profile.table(one.kind).unwrap()));
        }
    }
}
