//! Interned names, for fields and logs outside the tables.
//!
//! In: a name. Out: the same name for the life of the process, so that [`Field`](super::Field) and
//! [`Log`](super::Log) can be copied.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// Interns a name: leaked once, for the life of the process
pub(super) fn kept(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}
