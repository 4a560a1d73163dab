//! What there is to write rules about: events, their fields, ATT&CK.
//!
//! In: nothing; the tables beside this file are embedded. Out: names and types that every later
//! room shares. No word of a target occurs here: which column or index holds a field is the
//! business of that target's own field table.

mod alias;
pub mod attack;
mod event;
mod field;
pub mod hash;
mod log;
mod name;
pub mod registry;

pub use alias::aliases;
pub use event::{ACTIONS, EventKind, Product, Recognized, recognize};
pub use field::{Field, FieldType};
pub use log::Log;
