//! Tables of Kusto.
//!
//! In: what a mapping says. Out: a [`Table`] with the [`Column`] of each field. A column may be an
//! expression over several. Quirks of a column are facts about its values, which every comparison
//! has to respect.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::place::Holds;
use crate::query::kusto::{self, Expression, Item, Operator, Platform, Step};
use crate::taxonomy::{EventKind, Field, Log, Product};

/// A table, or a function that returns rows
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// The mapping that it belongs to
    pub(crate) mapping: Arc<str>,
    /// The log source whose events it holds
    pub(crate) events: EventKind,
    /// The log that wrote all its rows, when it is one
    pub(super) log: Option<Log>,
    /// Where it exists
    pub(crate) platforms: Vec<Platform>,
    /// The connector that fills it (Azure Sentinel repository, ValidConnectorIds.json)
    pub(crate) connector: String,
    /// Why it does not tell products apart: a clause with `{product}` in the product's place
    pub(crate) unknown_product: String,
    /// The products of all its rows; any product when empty
    pub(crate) products: Vec<Product>,
    /// Lists that its expressions name
    pub(crate) lists: Arc<[(String, Vec<String>)]>,
    /// The steps that prepare its rows
    pub(crate) prepare: Vec<Step>,
    /// The value of each field without a place of its own, with `{field}` in the field's place
    pub(super) others: Option<Arc<str>>,
    /// The parameters of a parser, each with the fields whose values are parts of the column that it searches,
    /// between characters that are no letters or digits, or the column's ends
    pub(crate) parameters: Arc<[(String, Vec<Field>)]>,
    /// The texts that keywords are searched in
    pub(crate) keywords: Arc<[Expression]>,
    /// The rows that are events of the log source
    pub(crate) rows: Rows,
    pub(super) columns: BTreeMap<Field, Vec<Column>>,
    /// The value of each column of the result that it has
    pub(super) result: BTreeMap<String, Expression>,
}

/// The rows of a table that are events of its log source
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// Every row
    All,
    /// The rows for which a condition is true
    Where(Expression),
    /// The rows in which a field has one of its [`Column::words`]
    With(Field),
}

/// A column that holds a field or a part of it
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Its name, or an expression over columns, as the mapping writes it
    pub(crate) name: String,
    /// The same, parsed
    pub(crate) value: Expression,
    pub(crate) kind: Kind,
    /// The field, when the query adds the column: see [`Table::added`]
    pub(super) added: Option<Field>,
    pub(crate) holds: Holds,
    /// The table's words for each value of the field; empty when it holds the value itself
    pub(crate) words: Vec<(String, Vec<String>)>,
    /// The condition for the value `true` of a field that is true or false
    pub(crate) rows_of_true: Option<Expression>,
    /// Why only rows where the field is true are used, as a clause without a period
    pub(crate) only_true: Option<String>,
    /// Why only rows where the field is false are used, as a clause without a period
    pub(crate) only_false: Option<String>,
    /// The value before the event, in rows of renamed and deleted things
    pub(crate) earlier: Option<Expression>,
    /// The text that an empty value means in the rows of a condition
    pub(crate) empty: Option<(String, Expression)>,
    /// The character that stands for a blank
    pub(crate) blank: Option<String>,
    /// The table's word for some words of rules; any other value is the same in both
    pub(crate) values: Vec<(String, String)>,
}

/// The kind of a column's values
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text; never null: a missing value is empty
    Text,
    /// Text whose letter case the table sets (`web01`, `Tcp`), so case-sensitive tests are refused
    Recased,
    /// Text with `-` for no value, as W3C logs write it
    Dashed,
    /// A dynamic list of texts
    List,
    /// A nullable number
    Number,
    /// Words of the table for the values of a field
    Words,
    /// A column that tells whether a field is true
    Truth,
}

impl Table {
    /// Whether its rows say when they arrived
    ///
    /// Those of a parser do not, and what only a user's mapping knows may be one.
    pub(crate) fn tells_arrival(&self) -> bool {
        kusto::is_stored(&self.name)
    }

    /// The log that wrote all its rows, when it is one
    pub(crate) fn log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    /// The product of all its rows, when that is one
    pub(crate) fn product(&self) -> Option<Product> {
        if let [product] = self.products[..] { Some(product) } else { None }
    }

    /// Each field with the columns that hold it or a part of it
    pub(crate) fn places(&self) -> impl Iterator<Item = (&Field, &[Column])> {
        self.columns.iter().map(|(field, columns)| (field, columns.as_slice()))
    }

    /// Whether it can have rows of a product
    pub(crate) fn has_rows_of(&self, product: Option<Product>) -> bool {
        self.products.is_empty() || product.is_none_or(|one| self.products.contains(&one))
    }

    /// The item that adds the column of a field that falls under `others`
    pub(crate) fn added(&self, name: &str) -> Option<Item> {
        let is_it = |column: &&Column| column.added.is_some() && column.name == name;
        let column = self.columns.values().flatten().find(is_it)?;
        let text = self.others.as_ref()?.replace("{field}", column.added.as_ref()?.name());
        // INVARIANT: the reader has parsed the template with the name of every field.
        let value = kusto::expression(&text).ok()?;
        Some(Item::named(name, if column.kind == Kind::Number { number(value) } else { value }))
    }

    /// Whether a column is computed for every row
    pub(crate) fn prepares(&self, name: &str) -> bool {
        let made = self.prepare.iter().filter_map(|step| {
            if let Operator::Extend(items) = &step.operator { Some(items) } else { None }
        });
        made.flatten().any(|item| item.name.as_ref().is_some_and(|made| made.text == name))
    }

    /// The column that holds this part of a field
    pub(crate) fn column(&self, field: &Field, holds: Holds) -> Option<&Column> {
        self.columns.get(field)?.iter().find(|column| column.holds == holds)
    }

    /// The columns that together hold all of a field
    pub(crate) fn columns(&self, field: &Field) -> Vec<&Column> {
        match self.column(field, Holds::Whole) {
            Some(whole) => vec![whole],
            None => {
                let parts = [Holds::Domain, Holds::Name];
                parts.into_iter().filter_map(|holds| self.column(field, holds)).collect()
            }
        }
    }

    /// The value of a column of the result; `None` when the table has none
    pub(crate) fn result(&self, name: &str) -> Option<&Expression> {
        self.result.get(name)
    }

    /// The field that is true or false by the rows' condition, with its column
    pub(crate) fn truth(&self) -> Option<(&Field, &Column)> {
        let columns = self
            .columns
            .iter()
            .flat_map(|(field, columns)| columns.iter().map(move |column| (field, column)));
        columns.into_iter().find(|(_, column)| column.kind == Kind::Truth)
    }

    /// Whether some column has a value from before the event
    pub(crate) fn has_earlier(&self) -> bool {
        self.columns.values().flatten().any(|column| column.earlier.is_some())
    }

    /// The value before the event of the column with this value; the value itself without one
    pub(crate) fn earlier<'t>(&'t self, value: &'t Expression) -> &'t Expression {
        let mut columns = self.columns.values().flatten();
        let column = columns.find(|column| column.value == *value && column.earlier.is_some());
        column.and_then(|column| column.earlier.as_ref()).unwrap_or(value)
    }
}

/// A text as a number; null for any other text
pub(crate) fn number(text: Expression) -> Expression {
    Expression::call("tolong", [text])
}

/// A text as a number with a fraction; null for any other text
pub(crate) fn real(text: Expression) -> Expression {
    Expression::call("todouble", [text])
}

impl Column {
    /// A text of the table that is no field
    pub(crate) fn of_text(value: Expression) -> Column {
        let name = kusto::print_expression(&value);
        Column { value, added: None, ..Column::of_others(name, Field::EVERY, Kind::Text) }
    }

    /// A column that a query adds for a field that falls under `others`
    pub(super) fn of_others(name: String, field: Field, kind: Kind) -> Column {
        Column {
            value: Expression::name(&name),
            name,
            kind,
            added: Some(field),
            holds: Holds::Whole,
            words: Vec::new(),
            rows_of_true: None,
            only_true: None,
            only_false: None,
            earlier: None,
            empty: None,
            blank: None,
            values: Vec::new(),
        }
    }

    /// The column for tests that are in the table's own words already
    pub(crate) fn without_values(&self) -> Column {
        Column { values: Vec::new(), ..self.clone() }
    }

    /// The table's words for these values of the field, sorted
    pub(crate) fn words_for<'c>(&'c self, values: &[&str]) -> Vec<&'c str> {
        let asked = self.words.iter().filter(|(value, _)| values.contains(&value.as_str()));
        let mut words: Vec<&str> =
            asked.flat_map(|(_, words)| words.iter().map(String::as_str)).collect();
        words.sort_unstable();
        words
    }
}
