//! Other names that recorded events use for a field.
//!
//! In: `aliases.tsv`. Out: the other names of a field, each with the kind of event that uses it.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{EventKind, Field};

const TABLE: &str = include_str!("aliases.tsv");

type Alias = (&'static str, EventKind);

static ALIASES: LazyLock<HashMap<&'static str, Vec<Alias>>> = LazyLock::new(|| {
    let mut aliases: HashMap<_, Vec<_>> = HashMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let (Some(field), Some(alias), Some(on)) = (cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        if let Some(kind) = EventKind::named(on) {
            aliases.entry(field).or_default().push((alias, kind));
        }
    }
    aliases
});

/// Other names of a field in recorded events, each with the kind of event that uses it
pub fn aliases(field: &Field) -> impl Iterator<Item = (&'static str, &'static EventKind)> + use<> {
    ALIASES.get(field.name()).into_iter().flatten().map(|(alias, kind)| (*alias, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(ALIASES.values().map(Vec::len).sum::<usize>(), lines);
        let parent: Vec<_> = aliases(&Field::of_log("ParentImage")).collect();
        assert_eq!(parent, [("ParentProcessName", &EventKind::ProcessCreation)]);
    }
}
