//! The sets of tables that a query can be written for.
//!
//! In: a [`Profile`]. Out: its tables, its time column, its connectors, and the mapping files for
//! fields and result columns.

use crate::taxonomy::EventKind;

/// A set of tables
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Profile {
    /// Defender's tables, W3CIISLog and SecurityAlert in a Sentinel workspace
    Defender,
    /// The parsers of the Advanced Security Information Model
    Asim,
    /// Advanced hunting in Defender XDR
    Xdr,
}

impl Profile {
    /// Every profile
    pub(super) const ALL: &[Profile] = &[Profile::Defender, Profile::Asim, Profile::Xdr];

    /// The time column: advanced hunting has no `TimeGenerated`
    pub(super) fn time(self) -> &'static str {
        match self {
            Profile::Defender | Profile::Asim => "TimeGenerated",
            Profile::Xdr => "Timestamp",
        }
    }

    /// The table or parser that holds a kind of event; `None` when the profile has none
    pub(super) fn table(self, event: &EventKind) -> Option<&'static str> {
        let (defender, asim) = match event {
            EventKind::ProcessCreation => ("DeviceProcessEvents", Some("_Im_ProcessCreate")),
            EventKind::FileEvent => ("DeviceFileEvents", Some("_Im_FileEvent")),
            EventKind::NetworkConnection => ("DeviceNetworkEvents", Some("_Im_NetworkSession")),
            EventKind::RegistryEvent => ("DeviceRegistryEvents", Some("_Im_RegistryEvent")),
            EventKind::Webserver => ("W3CIISLog", Some("_Im_WebSession")),
            EventKind::SecurityAlert => ("SecurityAlert", None),
            EventKind::Log(_) => return None,
        };
        match (self, event) {
            (Profile::Asim, _) => asim,
            (Profile::Xdr, EventKind::Webserver | EventKind::SecurityAlert) => None,
            (Profile::Defender | Profile::Xdr, _) => Some(defender),
        }
    }

    /// The connector that fills a table (Azure Sentinel repository, ValidConnectorIds.json)
    pub(super) fn connector(self, event: &EventKind) -> &'static str {
        match event {
            EventKind::ProcessCreation
            | EventKind::FileEvent
            | EventKind::NetworkConnection
            | EventKind::RegistryEvent => "MicrosoftThreatProtection",
            EventKind::Webserver => "AzureMonitor(IIS)",
            EventKind::SecurityAlert => "MicrosoftDefenderAdvancedThreatProtection",
            // INVARIANT: a log has no table, so it needs no connector.
            EventKind::Log(_) => "",
        }
    }

    /// The text of the table that maps fields to columns
    pub(super) fn fields(self) -> &'static str {
        match self {
            Profile::Defender | Profile::Xdr => include_str!("defender_fields.tsv"),
            Profile::Asim => include_str!("asim_fields.tsv"),
        }
    }

    /// The text of the table of result columns
    pub(super) fn columns(self) -> &'static str {
        match self {
            Profile::Defender | Profile::Xdr => include_str!("defender_columns.tsv"),
            Profile::Asim => include_str!("asim_columns.tsv"),
        }
    }
}
