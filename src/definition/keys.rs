//! The keys of a definition and of Sigma's documents.
//!
//! In: `keys.tsv`. Out: the keys of each kind of map, as the reader, the JSON Schema and the editor
//! know them.

use std::sync::LazyLock;

use crate::yaml::Keys;

const TABLE: &str = include_str!("keys.tsv");

/// The keys by the kind of map
pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::read(TABLE));

/// The version of Sigma's specification, from the head of the table
#[cfg(feature = "cli")]
pub(crate) fn sigma() -> &'static str {
    let head = TABLE.lines().next().unwrap_or("");
    head.trim_end_matches('.').rsplit(' ').next().unwrap_or("")
}

/// The names of the keys of a kind of map, such as `signal`
pub(super) fn names(place: &str) -> &'static [&'static str] {
    KEYS.names(place)
}

/// The names of the keys that a kind of map is wrong without
pub(super) fn needed(place: &str) -> impl Iterator<Item = &'static str> {
    KEYS.of(place).iter().filter(|key| key.must).map(|key| key.name)
}

#[test]
fn every_line_of_the_table_is_a_key() {
    crate::yaml::keys_tests::assert_whole(TABLE, &KEYS);
}
