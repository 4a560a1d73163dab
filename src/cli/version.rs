//! `--version`: the program, and the versions of what it knows.
//!
//! In: the heads of the tables that are embedded. Out: one text.

use std::sync::LazyLock;

use crate::definition;
use crate::mapping;
use crate::taxonomy::attack;

/// The text of `--version`
pub(super) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        format!(
            "{}\nMITRE ATT&CK Enterprise {}\nSigma specification {}\nElastic Common Schema {}\n\
             JSON Schema {}",
            env!("CARGO_PKG_VERSION"),
            attack::version(),
            definition::keys::sigma(),
            mapping::ecs_version(),
            crate::schema::DRAFT,
        )
    });
    &TEXT
}

#[test]
fn every_version_is_a_number() {
    for line in text().lines() {
        let number = line.rsplit(' ').next().unwrap_or("");
        assert!(number.starts_with(|c: char| c.is_ascii_digit()), "{line}");
    }
}
