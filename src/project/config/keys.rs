//! The keys of `rulecast.toml`.
//!
//! In: `keys.tsv`. Out: the keys of each kind of map, as the reader, the JSON Schema and the editor
//! know them.

use std::sync::LazyLock;

use crate::yaml::Keys;

const TABLE: &str = include_str!("keys.tsv");

/// The keys by the kind of map
pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::read(TABLE));

/// The names of the keys of a kind of map
pub(super) fn names(place: &str) -> &'static [&'static str] {
    KEYS.names(place)
}

#[test]
fn every_line_of_the_table_is_a_key() {
    crate::yaml::keys_tests::assert_whole(TABLE, &KEYS);
}
