//! What Elasticsearch holds the fields of a document as, and where.
//!
//! In: the name of a field. Out: a [`Field`] with its type and the [`Groups`] of indices that map
//! it. The table is as small as the rules need; a field it does not have is refused, for a wrong
//! guess would be a wrong verdict.

use std::sync::LazyLock;

use crate::query::Error;

/// The table as written
const TABLE: &str = include_str!("fields.tsv");

/// What the values of a field are
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Whole values as they are
    Keyword,
    /// Whole values, folded by the index
    Lowercase,
    /// Whole values, also long ones; Kibana does not know it as a keyword
    Wildcard,
    /// Words
    Text,
    Long,
    Ip,
    Date,
    Boolean,
}

/// A field of the table
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// The most characters of a value that is indexed
    pub(super) limit: Option<usize>,
    mapped: Groups,
}

impl Field {
    /// Where its values stand in a document: the sub-fields hold what their parent does
    pub(super) fn path(&self) -> &'static str {
        let parent = [".text", ".caseless"].iter().find_map(|end| self.name.strip_suffix(end));
        parent.unwrap_or(self.name)
    }

    /// Whether one of these indices has it
    pub(super) fn is_in(&self, groups: Groups) -> bool {
        self.mapped.within(groups) != Groups::NONE
    }
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Field> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, kind, limit, indices] = cells[..] else { return None };
    let kind = match kind {
        "keyword" => Type::Keyword,
        "lowercase" => Type::Lowercase,
        "wildcard" => Type::Wildcard,
        "text" => Type::Text,
        "long" => Type::Long,
        "ip" => Type::Ip,
        "date" => Type::Date,
        "boolean" => Type::Boolean,
        _ => return None,
    };
    let groups: Option<Vec<Groups>> = indices.split(' ').map(Groups::named).collect();
    let mapped = groups?.into_iter().reduce(Groups::with)?;
    Some(Field { name, kind, limit: limit.parse().ok(), mapped })
}

/// The field with this name
pub(super) fn named(name: &str) -> Result<&'static Field, Error> {
    let unknown = || Error::new(format!("the type of the field `{name}` is not known here"));
    FIELDS.iter().find(|field| field.name == name).ok_or_else(unknown)
}

/// Kinds of indices, told apart by what they map
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Groups(u8);

/// The words of the table, a bit each
const GROUPS: &[&str] = &["process", "file", "network", "registry", "endgame", "others"];

impl Groups {
    pub(super) const NONE: Groups = Groups(0);

    /// The group with this word; `all` for every one
    pub(super) fn named(word: &str) -> Option<Groups> {
        let place = GROUPS.iter().position(|group| *group == word);
        let all = (word == "all").then_some(Groups((1 << GROUPS.len()) - 1));
        place.map(|place| Groups(1 << place)).or(all)
    }

    /// Those of either
    pub(super) fn with(self, other: Groups) -> Groups {
        Groups(self.0 | other.0)
    }

    /// Those of both
    pub(super) fn within(self, other: Groups) -> Groups {
        Groups(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(FIELDS.len(), lines);
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
        for field in FIELDS.iter() {
            assert!(named(field.path()).is_ok(), "{} has no parent", field.name);
        }
    }

    #[test]
    fn every_field_that_is_emitted_has_the_type_it_was_emitted_for() {
        let table = include_str!("../../backend/elastic/fields.tsv");
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.split('\t').collect();
            let [_, _, _, name, kind, text, _] = cells[..] else { panic!("{line}") };
            if name == "-" {
                continue;
            }
            let meant = match kind {
                "wildcard" => Type::Wildcard,
                "ip" => Type::Ip,
                "long" => Type::Long,
                _ => Type::Keyword,
            };
            assert_eq!(named(name).map(|field| field.kind), Ok(meant), "{line}");
            if text == "yes" {
                let analysed = named(&format!("{name}.text"));
                assert_eq!(analysed.map(|field| field.kind), Ok(Type::Text), "{line}");
            }
        }
    }
}
