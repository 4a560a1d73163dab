//! The sets of tables that a query can be written for.
//!
//! In: a [`Profile`]. Out: its platform with the time column, and the order in which its mappings are
//! asked for the tables of a log source.

use crate::backend::{Session, asked_of};
use crate::ir::Signal;
use crate::mapping::{Order, Table};
use crate::query::kusto::Platform;

/// A set of tables
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Profile {
    /// The tables of a Sentinel workspace
    Workspace,
    /// The parsers of the Advanced Security Information Model
    Asim,
    /// Advanced hunting in Defender XDR
    Xdr,
}

impl Profile {
    fn platform(self) -> Platform {
        match self {
            Profile::Workspace | Profile::Asim => Platform::Sentinel,
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

    /// Whether the package around a query maps entities to columns
    pub(super) fn maps_entities(self) -> bool {
        self.platform() == Platform::Sentinel
    }

    /// The tables that hold the events of a signal, in the order in which they are asked
    pub(super) fn tables_of<'r>(
        self,
        session: &Session<'r>,
        signal: &'r Signal,
    ) -> impl Iterator<Item = &'r Table> + use<'r> {
        let order = match (self, session.order()) {
            (Profile::Asim, Order::Usual) => Order::Named(vec!["asim".to_owned()]),
            (Profile::Workspace | Profile::Asim | Profile::Xdr, asked) => asked,
        };
        session.mappings().tables(order, self.platform(), asked_of(signal))
    }
}
