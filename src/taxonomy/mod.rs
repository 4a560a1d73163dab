//! The vocabulary of rules: kinds of events, their fields, and ATT&CK.
//!
//! In: nothing; the tables beside this file are embedded. Out: names and types that every later
//! room shares. Deliberately absent: the words of a target. The target's own field table says which
//! column or index holds a field.

mod alias;
pub mod attack;
mod event;
mod field;
pub mod hash;
mod log;
mod recognize;
pub mod registry;

pub use alias::aliases;
pub use event::{ACTIONS, EventKind, FOLDERLESS, Product};
pub use field::{Field, FieldType};
pub use log::Log;
pub use recognize::{Recognized, recognize};
