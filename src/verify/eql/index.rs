//! What the indices of a query map.
//!
//! In: the name of a field. Out: its type, or why a query cannot use it. The caller knows the types;
//! a field without one is mapped in no index.
//!
//! INVARIANT: a [`Column`] has a type whose values can be compared or counted, or is a date.

use crate::query::Error;
use crate::query::eql::FieldName;

/// The type of a field, as far as a query can tell it apart
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole texts: `keyword`, `constant_keyword`, `wildcard`, `version`
    Text,
    /// Whole numbers
    Whole,
    /// Numbers with a fraction
    Float,
    /// Addresses
    Ip,
    /// True or false
    Boolean,
    /// Times; a query can only ask whether there is one
    Date,
    /// Words of a text, which no query can use
    Analysed,
    /// Objects of their own, which no query can use
    Nested,
}

/// A field of an index
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldType {
    /// The type of its values
    pub kind: Kind,
    /// The longest text that is indexed, in characters (`ignore_above`); `None` without a limit
    pub limit: Option<usize>,
}

/// Which letters are the same without their case
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folding {
    /// Those of ASCII
    #[default]
    Ascii,
    /// All, one character for one, as in releases after Elasticsearch's pull request 153513
    Unicode,
}

/// The indices that a query searches
#[derive(Clone, Copy)]
pub struct Index<'t> {
    types: &'t dyn Fn(&str) -> Option<FieldType>,
    pub(super) folding: Folding,
}

/// A field that has a type
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) limit: Option<usize>,
}

impl FieldType {
    /// The type with this name in a mapping, with the limit that ECS gives to a `keyword`
    pub fn named(name: &str) -> Option<FieldType> {
        let kind = match name {
            "keyword" | "constant_keyword" | "wildcard" | "version" => Kind::Text,
            "long" | "integer" | "short" | "byte" | "unsigned_long" => Kind::Whole,
            "double" | "float" | "half_float" | "scaled_float" => Kind::Float,
            "ip" => Kind::Ip,
            "boolean" => Kind::Boolean,
            "date" | "date_nanos" => Kind::Date,
            "text" | "match_only_text" => Kind::Analysed,
            "nested" => Kind::Nested,
            _ => return None,
        };
        Some(FieldType { kind, limit: (name == "keyword").then_some(1024) })
    }
}

impl<'t> Index<'t> {
    /// Indices whose fields have these types; other fields are mapped in none of them
    pub fn new(types: &'t dyn Fn(&str) -> Option<FieldType>) -> Index<'t> {
        Index { types, folding: Folding::default() }
    }

    /// The same indices in a release that folds so
    pub fn folding(self, folding: Folding) -> Index<'t> {
        Index { folding, ..self }
    }

    /// The field that a query names; `None` when it is optional and mapped nowhere
    pub(super) fn column(&self, field: &FieldName) -> Result<Option<Column>, Error> {
        let name = &field.name;
        let parents = name.match_indices('.').map(|(at, _)| (self.types)(&name[..at]));
        if parents.flatten().any(|parent| parent.kind == Kind::Nested) {
            return Err(Error::new(format!("the field `{name}` is part of a nested object")));
        }
        let Some(mapped) = (self.types)(name) else {
            return match field.optional {
                true => Ok(None),
                false => Err(Error::new(format!("the field `{name}` is mapped in no index"))),
            };
        };
        match mapped.kind {
            Kind::Analysed => Err(Error::new(format!("the field `{name}` is analysed text"))),
            Kind::Nested => Err(Error::new(format!("the field `{name}` is a nested object"))),
            kind @ (Kind::Text
            | Kind::Whole
            | Kind::Float
            | Kind::Ip
            | Kind::Boolean
            | Kind::Date) => Ok(Some(Column { name: name.clone(), kind, limit: mapped.limit })),
        }
    }
}
