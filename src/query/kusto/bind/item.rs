//! Columns that steps compute, and their names.
//!
//! In: `Name = expression` or an expression alone. Out: a [`Bound`] column. An expression without a
//! name takes the name of the column that it is made of, as `min_TimeGenerated`, or a number among
//! those without any name, as `Column1`.

use super::{Binder, Scope};
use crate::query::kusto::Type;
use crate::query::kusto::functions::{Called, named};
use crate::query::kusto::table::Table;
use crate::query::kusto::tree::{Expression, Item, Kind, Name, Place};

/// A column that a step computes
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) name: Title,
    pub(super) kind: Option<Type>,
}

/// The name of a computed column
#[derive(Debug)]
pub(super) enum Title {
    /// The name in the query; no other column of the step may have it
    Fixed(Name),
    /// A name made from the expression; a number keeps it apart from others
    After(String),
    Numbered,
}

impl Binder<'_> {
    pub(super) fn items(&mut self, items: &[Item], scope: Scope<'_>) -> Vec<Bound> {
        let bound =
            |item: &Item| Bound { name: title(item), kind: self.scalar(&item.value, scope) };
        items.iter().map(bound).collect()
    }

    /// Adds computed columns to those of a new table
    pub(super) fn add(&mut self, table: &mut Table, bound: Vec<Bound>) {
        let mut number = 0;
        for Bound { name, kind } in bound {
            match name {
                Title::Fixed(name) if table.place_of(&name.text).is_some() => self.twice(&name),
                Title::Fixed(name) => table.set(&name.text, kind),
                Title::After(name) => table.add(&name, kind),
                Title::Numbered => {
                    number += 1;
                    table.add(&format!("Column{number}"), kind);
                }
            }
        }
    }

    /// Sets computed columns over those of a table
    pub(super) fn extend(&mut self, table: &mut Table, bound: Vec<Bound>) {
        let mut own = Table::default();
        self.add(&mut own, bound);
        for slot in own.columns {
            table.set(&slot.name, slot.kind);
        }
    }

    fn twice(&mut self, name: &Name) {
        self.find(&name.place, format!("the column `{}` stands twice here", name.text));
    }

    /// Reports a dynamic value where rows are grouped or joined by it
    pub(super) fn not_dynamic(&mut self, kind: Option<Type>, place: &Place) {
        if kind == Some(Type::Dynamic) {
            let message = "rows are not compared by a dynamic value; convert it".to_owned();
            self.find(place, message);
        }
    }
}

fn title(item: &Item) -> Title {
    let value = &item.value;
    let alone =
        value.as_name().map(|text| Name { text: text.to_owned(), place: value.place.clone() });
    match item.name.clone().or(alone) {
        Some(name) => Title::Fixed(name),
        None => called(value).map_or(Title::Numbered, Title::After),
    }
}

/// The name that a column takes from its expression; `None` gives it a number
pub(crate) fn called(expression: &Expression) -> Option<String> {
    match &expression.kind {
        Kind::Name(name) => Some(name.clone()),
        Kind::Member(value, member) => Some(format!("{}_{}", called(value)?, member.text)),
        Kind::Element { value, called: index, .. } => Some(format!("{}_{index}", called(value)?)),
        Kind::Call { name, arguments } => match named(&name.text).first()?.called {
            Called::Numbered => None,
            Called::Prefixed("") => called(arguments.first()?),
            Called::Prefixed(prefix) => {
                let argument = arguments.first().and_then(called).unwrap_or_default();
                Some(format!("{prefix}{argument}"))
            }
        },
        Kind::Literal(_)
        | Kind::Star
        | Kind::Given(..)
        | Kind::Chain { .. }
        | Kind::Arithmetic { .. }
        | Kind::Compare { .. }
        | Kind::OneOf { .. }
        | Kind::Between { .. }
        | Kind::Pipeline(_) => None,
    }
}
