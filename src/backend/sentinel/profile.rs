//! The sets of tables that a query can be written for.
//!
//! In: a [`Profile`]. Out: its platform with the time column, and its mappings in the order in which
//! they are asked for the table of a log source.

use crate::mapping::{Table, built_in};
use crate::query::kusto::Platform;
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
    fn platform(self) -> Platform {
        match self {
            Profile::Defender | Profile::Asim => Platform::Sentinel,
            Profile::Xdr => Platform::AdvancedHunting,
        }
    }

    /// The time column: advanced hunting has no `TimeGenerated`
    pub(super) fn time(self) -> &'static str {
        match self.platform() {
            Platform::Sentinel => "TimeGenerated",
            Platform::AdvancedHunting => "Timestamp",
        }
    }

    /// The names of its mappings
    fn mappings(self) -> &'static [&'static str] {
        match self {
            Profile::Defender => &["defender", "web"],
            Profile::Asim => &["asim"],
            Profile::Xdr => &["defender"],
        }
    }

    /// The table that holds the events of a log source; `None` when the profile has none
    pub(in crate::backend) fn table(self, events: &EventKind) -> Option<&'static Table> {
        let tables = self.mappings().iter().filter_map(|name| built_in(name));
        let mut tables = tables.flat_map(|mapping| &mapping.tables);
        tables.find(|table| table.events == *events && table.platforms.contains(&self.platform()))
    }
}
