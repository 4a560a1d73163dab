//! The types of fields in Elasticsearch, and the indices that map them.
//!
//! In: the name of a field. Out: a [`Field`] with its type and the [`Groups`] of indices that map
//! it. The table has only the fields that rules need; a name that ends with `*` stands for one field
//! for each field of an event. A field outside the table is refused, since a wrong guess would give a
//! wrong verdict.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::analyse::Analyser;
use crate::query::Error;
use crate::taxonomy::{self, Log};

/// The text of the table
const TABLE: &str = include_str!("fields.tsv");

/// The type of a field's values
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Whole values, unchanged
    Keyword,
    /// Whole values, in lower case in the index
    Lowercase,
    /// Whole values, also long values; Kibana does not treat it as a keyword
    Wildcard,
    /// Analysed text: words in lower case
    Text,
    Long,
    Ip,
    Date,
    Boolean,
}

/// A field of the table
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// How it cuts text into words
    pub(super) analyser: Analyser,
    /// The longest value that is indexed, in characters; `None` without a limit
    pub(super) limit: Option<usize>,
    mapped: Groups,
}

impl Field {
    /// The path of its values in a document: a sub-field has the values of its parent
    pub(super) fn path(&self) -> &'static str {
        let parent = [".text", ".caseless"].iter().find_map(|end| self.name.strip_suffix(end));
        parent.unwrap_or(self.name)
    }

    /// Whether one of these groups maps the field
    pub(super) fn is_in(&self, groups: Groups) -> bool {
        self.mapped.within(groups) != Groups::NONE
    }
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut fields: Vec<Field> = TABLE.lines().filter_map(row).flat_map(each).collect();
    fields.sort_by_key(|field| field.name);
    // A name may be there on its own, too.
    fields.dedup_by_key(|field| field.name);
    fields
});

/// The fields that a row stands for
fn each(row: Field) -> Vec<Field> {
    let Some(parent) = row.name.strip_suffix('*') else { return vec![row] };
    let of_vocabulary = taxonomy::Field::all().map(|field| field.name().to_owned());
    let of_logs = Log::all().flat_map(|log| log.fields()).map(ToOwned::to_owned);
    let names: BTreeSet<String> = of_vocabulary.chain(of_logs).collect();
    // The table lives as long as the program, and so do its names.
    let named = |name: String| Field { name: format!("{parent}{name}").leak(), ..row.clone() };
    names.into_iter().map(named).collect()
}

fn row(line: &'static str) -> Option<Field> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, kind, limit, indices] = cells[..] else { return None };
    let analyser = if kind == "script" { Analyser::Script } else { Analyser::Standard };
    let kind = match kind {
        "keyword" => Type::Keyword,
        "lowercase" => Type::Lowercase,
        "wildcard" => Type::Wildcard,
        "text" | "script" => Type::Text,
        "long" => Type::Long,
        "ip" => Type::Ip,
        "date" => Type::Date,
        "boolean" => Type::Boolean,
        _ => return None,
    };
    let groups: Option<Vec<Groups>> = indices.split(' ').map(Groups::named).collect();
    let mapped = groups?.into_iter().reduce(Groups::with)?;
    Some(Field { name, kind, analyser, limit: limit.parse().ok(), mapped })
}

/// The field with this name
pub(super) fn named(name: &str) -> Result<&'static Field, Error> {
    let unknown = || Error::new(format!("the type of the field `{name}` is not known here"));
    let place = FIELDS.binary_search_by_key(&name, |field| field.name);
    place.map(|place| &FIELDS[place]).map_err(|_| unknown())
}

/// A set of index groups; the indices of a group map the same fields
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Groups(u32);

/// The words of the table but `all`; each is one bit of [`Groups`]
static GROUPS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    let words = rows.filter_map(|row| row.rsplit('\t').next()).flat_map(|cell| cell.split(' '));
    let mut words: Vec<&str> = words.filter(|word| *word != "all").collect();
    words.sort_unstable();
    words.dedup();
    words
});

impl Groups {
    pub(super) const NONE: Groups = Groups(0);

    /// The group with this word; `all` gives every group
    pub(super) fn named(word: &str) -> Option<Groups> {
        let place = GROUPS.iter().position(|group| *group == word);
        let all = (word == "all").then_some(Groups((1 << GROUPS.len()) - 1));
        place.map(|place| Groups(1 << place)).or(all)
    }

    /// The union of two sets
    pub(super) fn with(self, other: Groups) -> Groups {
        Groups(self.0 | other.0)
    }

    /// The intersection of two sets
    pub(super) fn within(self, other: Groups) -> Groups {
        Groups(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::FieldKind;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines: Vec<_> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        let rows: Vec<_> = lines.iter().filter_map(|line| row(line)).collect();
        assert_eq!(rows.len(), lines.len());
        assert!(rows.is_sorted_by(|a, b| a.name < b.name));
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
        let kept = named("winlog.event_data.LogonType").map(|field| field.kind);
        assert_eq!(kept, Ok(Type::Keyword));
        for field in FIELDS.iter() {
            assert!(named(field.path()).is_ok(), "{} has no parent", field.name);
        }
    }

    #[test]
    fn every_field_that_is_emitted_has_the_type_it_was_emitted_for() {
        let mappings = crate::mapping::Mappings::default();
        let streams = mappings.all().flat_map(|mapping| &mapping.streams);
        for field in streams.flat_map(|stream| stream.index_fields()) {
            let meant = match field.kind {
                FieldKind::Wildcard => Type::Wildcard,
                FieldKind::Ip => Type::Ip,
                FieldKind::Long => Type::Long,
                FieldKind::Boolean => Type::Boolean,
                FieldKind::Text | FieldKind::MatchOnlyText => Type::Text,
                FieldKind::Keyword | FieldKind::Flattened => Type::Keyword,
            };
            assert_eq!(named(&field.name).map(|field| field.kind), Ok(meant), "{}", field.name);
            if field.text {
                let analysed = named(&field.analysed());
                assert_eq!(analysed.map(|field| field.kind), Ok(Type::Text), "{}", field.name);
            }
        }
    }
}
