//! A mapping for people: where each log source lies, and each of its fields.
//!
//! In: a [`Mapping`]. Out: a [`Placement`] for each table and each stream, in its order.

use super::{Column, Holds, IndexField, Mapping, Rows, Stream, Table, Test};
use crate::query::kusto::{self, Platform};
use crate::taxonomy::Field;

/// Where a target keeps the events of a log source
#[derive(Debug)]
// Without the command line only the fields are asked for.
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
pub(crate) struct Placement {
    /// The log source
    pub(crate) events: String,
    /// The targets, by name
    pub(crate) targets: Vec<&'static str>,
    /// The table, or the index patterns
    pub(crate) place: String,
    /// The test that selects its events; empty when all are
    pub(crate) rows: String,
    /// Each field with its columns or index fields
    pub(crate) fields: Vec<(String, String)>,
    /// The columns that keywords are searched in; empty when they cannot be
    pub(crate) keywords: String,
    /// The parameters of a parser, each with the fields of whose values it is passed terms
    pub(crate) parameters: Vec<(String, String)>,
}

impl Mapping {
    /// Every table and stream
    pub(crate) fn placements(&self) -> impl Iterator<Item = Placement> {
        self.tables.iter().map(of_table).chain(self.streams.iter().map(of_stream))
    }
}

fn of_table(table: &Table) -> Placement {
    let target = |platform: &Platform| match platform {
        Platform::Sentinel => "sentinel",
        Platform::AdvancedHunting => "xdr",
    };
    let part = |column: &Column| {
        let value = match table.added(&column.name) {
            Some(item) => kusto::print_expression(&item.value),
            None => kusto::print_expression(&column.value),
        };
        named(column.holds, value)
    };
    let fields = table.columns.iter().map(|(field, columns)| {
        (field.to_string(), columns.iter().map(part).collect::<Vec<_>>().join(", "))
    });
    let keywords: Vec<String> = table.keywords.iter().map(kusto::print_expression).collect();
    Placement {
        events: table.events.to_string(),
        targets: table.platforms.iter().map(target).collect(),
        place: table.name.clone(),
        rows: match &table.rows {
            Rows::All => String::new(),
            Rows::Where(condition) => kusto::print_expression(condition),
            Rows::With(field) => format!("{field} has one of its words"),
        },
        fields: fields.collect(),
        keywords: keywords.join(", "),
        parameters: table.parameters.iter().map(passed).collect(),
    }
}

/// A parameter, and the fields of whose values it is passed terms
fn passed((parameter, fields): &(String, Vec<Field>)) -> (String, String) {
    (parameter.clone(), fields.iter().map(Field::name).collect::<Vec<_>>().join(", "))
}

fn of_stream(stream: &Stream) -> Placement {
    let patterns: Vec<&str> = stream.indices.iter().map(|index| index.pattern.as_str()).collect();
    let row = |(name, test): &(String, Test)| match test {
        Test::Is(values) => format!("{name}: {}", values.join(" or ")),
        Test::Product => format!("{name}: the product of the rule"),
        Test::With(field) => format!("{name}: a word of {field}"),
    };
    let rows: Vec<String> = stream.rows.iter().map(row).collect();
    let part = |(holds, field): &(Holds, IndexField)| named(*holds, field.name.clone());
    let fields = stream.fields.iter().map(|(field, parts)| {
        (field.to_string(), parts.iter().map(part).collect::<Vec<_>>().join(", "))
    });
    let keywords: Vec<&str> = stream.keywords.iter().map(|field| field.name.as_str()).collect();
    Placement {
        events: stream.events.to_string(),
        targets: vec!["elastic"],
        place: patterns.join(", "),
        rows: rows.join(" and "),
        fields: fields.collect(),
        keywords: keywords.join(", "),
        parameters: Vec::new(),
    }
}

/// A place with the part of the field that it holds
fn named(holds: Holds, place: String) -> String {
    if holds == Holds::Whole { place } else { format!("{} {place}", holds.word()) }
}
