//! Steps that prepare a table before the rule's tests.
//!
//! In: a profile and a kind of event. Out: steps that follow the table, parsed once from the
//! queries in `preamble/`.
//!
//! - Alerts: one row per process, with its files and host. Entities refer to each other by `$id`
//!   and `$ref` within one alert (Microsoft, security alert schema). A process has a time of its
//!   own; a run can first see it at the time of the alert.
//! - ASIM identifies processes and files by their paths. A URL has the origin before the path in
//!   some parsers only. For Defender's file events the parser appends the name to the path again.

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
    // INVARIANT: a test parses every text, so the default of no steps never applies.
    let steps = |one: &Preamble| kusto::rows(one.text).map(|rows| rows.steps).unwrap_or_default();
    PREAMBLES.iter().map(steps).collect()
});

/// The steps that prepare a table, if any
pub(super) fn preamble(profile: Profile, kind: &EventKind) -> &'static [Step] {
    let fits = |one: &Preamble| one.kind == *kind && one.profile.is_none_or(|own| own == profile);
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
            assert!(!preamble(profile, &one.kind).is_empty());
            assert!(one.text.starts_with(profile.table(&one.kind).unwrap()));
        }
    }
}
