//! Reads rules and events from disk, and writes outputs.
//!
//! In: paths from the command line. Out: a [`Workspace`](crate::workspace::Workspace) with the
//! files' rules, verdicts on the artifacts of these rules, and outputs written safely.

mod bump;
mod case;
pub(crate) mod config;
mod digest;
mod events;
mod executed;
mod files;
mod ids;
mod leftover;
mod load;
mod meaning;
mod output;
mod replace;
mod revision;
mod templates;
mod verify;

pub use bump::{changed, next_version, raise};
pub use config::{CheckDecision, Config, FILE, Layer, LossDecision, new_id, today};
pub use digest::Digest;
pub use events::{Source, events, sources};
pub use files::{Failure, display};
#[cfg(feature = "cli")]
pub(crate) use files::{RuleFile, find};
#[cfg(not(feature = "cli"))]
use files::{RuleFile, find};
pub use ids::changed_ids;
pub use leftover::left_over;
pub use load::{Surroundings, load, load_with};
pub use output::{Change, inside, pending, tidy, write};
pub use replace::{replaceable, update};
pub use revision::at_revision;
pub use templates::templates;
pub use verify::{Events, Verified, verify};
