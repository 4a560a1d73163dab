//! The types of fields in Elasticsearch, and the indices that map them.
//!
//! In: the name of a field. Out: a [`Field`] with its type and the [`Groups`] of indices that map
//! it. The table has only the fields that rules need; a name that ends with `*` stands for one field
//! for each field of an event. A field outside the table is refused, since a wrong guess would give a
//! wrong verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use super::analyse::Analyser;
use crate::mapping::{FieldKind, Mappings};
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
    pub(super) name: Arc<str>,
    pub(super) kind: Type,
    /// How it cuts text into words
    pub(super) analyser: Analyser,
    /// The longest value that is indexed, in characters; `None` without a limit
    pub(super) limit: Option<usize>,
    mapped: Groups,
}

impl Field {
    /// The path of its values in a document: a sub-field has the values of its parent
    pub(super) fn path(&self) -> &str {
        let parent = [".text", ".caseless"].iter().find_map(|end| self.name.strip_suffix(end));
        parent.unwrap_or(&self.name)
    }

    /// Whether one of these groups maps the field
    pub(super) fn is_in(&self, groups: Groups) -> bool {
        self.mapped.within(groups) != Groups::NONE
    }
}

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let mut fields: Vec<Field> = TABLE.lines().filter_map(row).flat_map(each).collect();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    // A name may be there on its own, too.
    fields.dedup_by(|one, other| one.name == other.name);
    fields
});

/// The fields that a row stands for
fn each(row: Field) -> Vec<Field> {
    let Some(parent) = row.name.strip_suffix('*').map(ToOwned::to_owned) else { return vec![row] };
    let of_vocabulary = taxonomy::Field::all().map(|field| field.name().to_owned());
    let of_logs = Log::all().flat_map(|log| log.fields()).map(ToOwned::to_owned);
    let names: BTreeSet<String> = of_vocabulary.chain(of_logs).collect();
    let named = |name: String| Field { name: format!("{parent}{name}").into(), ..row.clone() };
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
    Some(Field { name: name.into(), kind, analyser, limit: limit.parse().ok(), mapped })
}

/// The field of the table with this name
fn in_table(name: &str) -> Option<&'static Field> {
    let place = FIELDS.binary_search_by(|field| (*field.name).cmp(name));
    place.ok().map(|place| &FIELDS[place])
}

/// The fields and indices that a rule may name: those of the tables here, and those of the user
#[derive(Debug, Default)]
pub struct Known {
    fields: BTreeMap<String, Field>,
    patterns: BTreeSet<String>,
}

impl Known {
    /// With the types and indices of the user's own mappings
    pub fn of(mappings: &Mappings) -> Known {
        let mut known = Known::default();
        for mapping in mappings.all().filter(|mapping| mapping.source.is_some()) {
            known.patterns.extend(mapping.indices.iter().map(|index| index.pattern.clone()));
            for field in &mapping.types {
                known.add(&field.name, of_kind(field.kind), field.long);
                if field.text {
                    known.add(&field.analysed(), Type::Text, None);
                }
            }
        }
        known
    }

    fn add(&mut self, name: &str, kind: Type, limit: Option<usize>) {
        let (analyser, mapped) = (Analyser::Standard, Groups::every());
        let field = Field { name: name.into(), kind, analyser, limit, mapped };
        self.fields.insert(name.to_owned(), field);
    }

    /// The field with this name
    pub(super) fn named(&self, name: &str) -> Result<&Field, Error> {
        let unknown = || Error::new(format!("the type of the field `{name}` is not known here"));
        in_table(name).or_else(|| self.fields.get(name)).ok_or_else(unknown)
    }

    /// Whether the pattern is that of an index of the user
    pub(super) fn has_index(&self, pattern: &str) -> bool {
        self.patterns.contains(pattern)
    }
}

fn of_kind(kind: FieldKind) -> Type {
    match kind {
        FieldKind::Wildcard => Type::Wildcard,
        FieldKind::Ip => Type::Ip,
        FieldKind::Long => Type::Long,
        FieldKind::Boolean => Type::Boolean,
        FieldKind::Text | FieldKind::MatchOnlyText => Type::Text,
        FieldKind::Keyword | FieldKind::Flattened => Type::Keyword,
    }
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

    /// Every group
    pub(super) fn every() -> Groups {
        Groups((1 << GROUPS.len()) - 1)
    }

    /// The group with this word; `all` gives every group
    pub(super) fn named(word: &str) -> Option<Groups> {
        let place = GROUPS.iter().position(|group| *group == word);
        let all = (word == "all").then(Groups::every);
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

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines: Vec<_> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        let rows: Vec<_> = lines.iter().filter_map(|line| row(line)).collect();
        assert_eq!(rows.len(), lines.len());
        assert!(rows.is_sorted_by(|a, b| a.name < b.name));
        assert!(FIELDS.is_sorted_by(|a, b| a.name < b.name));
        let kept = in_table("winlog.event_data.LogonType").map(|field| field.kind);
        assert_eq!(kept, Some(Type::Keyword));
        for field in FIELDS.iter() {
            assert!(in_table(field.path()).is_some(), "{} has no parent", field.name);
        }
    }

    #[test]
    fn every_field_that_is_emitted_has_the_type_it_was_emitted_for() {
        let mappings = crate::mapping::Mappings::default();
        let streams = mappings.all().flat_map(|mapping| &mapping.streams);
        for field in streams.flat_map(|stream| stream.index_fields()) {
            let meant = of_kind(field.kind);
            assert_eq!(
                in_table(&field.name).map(|field| field.kind),
                Some(meant),
                "{}",
                field.name
            );
            if field.text {
                let analysed = in_table(&field.analysed());
                assert_eq!(analysed.map(|field| field.kind), Some(Type::Text), "{}", field.name);
            }
        }
    }
}
