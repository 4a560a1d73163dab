//! Reads rules and events from disk, and writes outputs.
//!
//! In: paths from the command line. Out: a [`Workspace`](crate::workspace::Workspace) with the
//! files' rules, verdicts on the artifacts of these rules, and outputs written safely.

mod bump;
mod case;
mod compiled;
pub(crate) mod config;
mod digest;
mod events;
mod executed;
mod failure;
mod files;
mod fix;
mod history;
mod ids;
mod last;
mod leftover;
mod load;
mod meaning;
mod orphans;
mod output;
mod owners;
mod path;
#[cfg(test)]
mod read_back;
mod replace;
mod revision;
mod roots;
mod sighted;
mod stale;
mod templates;
mod textdiff;
mod tree;
mod verify;

pub use bump::{changed, next_version, raise};
pub use config::{CheckDecision, Config, FILE, Layer, LossDecision, new_id, today};
pub use digest::Digest;
pub use events::{Source, events, sources};
pub use failure::Failure;
pub(crate) use files::RuleFile;
use files::find;
#[cfg(feature = "cli")]
pub(crate) use files::on_disk;
pub use fix::{Fixed, fixes};
pub use history::{Dated, history};
pub use ids::changed_ids;
pub use last::last;
pub use leftover::left_over;
pub use load::{Surroundings, load, load_with};
pub use orphans::{Orphan, orphans};
pub use output::{Change, inside, pending, tidy, write};
pub use owners::{OWNERS, Owned, Owner, Owners, own};
use path::absolute;
pub use path::display;
pub use replace::{replaceable, update};
pub use sighted::{OnTargets, Sight, Sights, Unseen};
pub use stale::remove_stale;
pub use templates::templates;
pub use textdiff::{Edit, edits, unified};
pub use tree::Tree;
pub use verify::{Events, Verified, verify};
