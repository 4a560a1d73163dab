//! Rules and outputs on disk.
//!
//! In: paths from the command line. Out: a [`Workspace`](crate::workspace::Workspace) of what the
//! files hold, verdicts on what is emitted for its rules, and outputs written safely.

mod events;
mod files;
mod load;
mod output;
mod replace;
mod verify;

pub use events::{check_events, events};
pub use files::{Failure, display};
use files::{RuleFile, find};
pub use load::{Surroundings, load, load_with};
pub use output::{Change, inside, pending, tidy, write};
pub use replace::{replaceable, update};
pub use verify::{Events, Verified, verify};
