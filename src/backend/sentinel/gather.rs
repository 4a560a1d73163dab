//! One projection for the signals that show the same.
//!
//! In: the rows of each signal, which end in a projection. Out: rows that name their signal and level, and for
//! each table a statement that unites them and projects what they show, once.

use super::columns::{Projected, Role, Rows};
use super::lets::Lets;
use crate::ir::Rule;
use crate::mapping::Table;
use crate::query::kusto::{Item, Let, Lines, Operator, Pipeline, Step};

/// Signals of one table that show the same columns
#[derive(Debug)]
pub(super) struct Gathered {
    /// Indices of the signals
    pub(super) signals: Vec<usize>,
    /// The statement of their rows
    pub(super) rows: Let,
}

impl Gathered {
    /// The name of their rows
    pub(super) fn name(&self) -> &str {
        &self.rows.name.text
    }
}

/// Gathers the signals that are read for their alerts alone
pub(super) fn gathered(
    rule: &Rule,
    signals: &mut [(Rows, Pipeline)],
    tables: &[Option<&Table>],
    lets: &mut Lets,
) -> Vec<Gathered> {
    let is_new = |at| rule.new_terms.as_ref().is_some_and(|new| new.signal == at);
    let is_alone = |at: &usize| rule.reports_signal(*at) && !rule.correlates(*at) && !is_new(*at);
    let mut groups: Vec<(&str, Vec<Item>, Vec<usize>)> = Vec::new();
    for at in (0..signals.len()).filter(is_alone) {
        let Some(table) = tables[at] else { continue };
        let items: Vec<Item> = signals[at].0.columns.iter().map(shown).collect();
        match groups.iter_mut().find(|(of, all, _)| *of == table.name && *all == items) {
            Some((.., alike)) => alike.push(at),
            None => groups.push((&table.name, items, vec![at])),
        }
    }
    groups.retain(|(.., alike)| alike.len() > 1);
    let mut all = Vec::new();
    for (table, items, alike) in groups {
        let legs = alike.iter().map(|at| {
            let (named, rows) = &mut signals[*at];
            label(&named.columns, rows);
            Pipeline::of(&named.name, [])
        });
        let rows = Pipeline::union(legs.collect(), Lines::Fit).then([Step::project(items)]);
        let rows =
            Let::new(&lets.name("shown"), rows).under(format!("What an alert shows of {table}"));
        all.push(Gathered { signals: alike, rows });
    }
    all
}

/// A column of the common projection; a label has been set before
fn shown(column: &Projected) -> Item {
    if column.role == Role::Label { Item::column(&column.name) } else { column.item() }
}

/// Sets the labels of a signal in place of its projection
fn label(columns: &[Projected], rows: &mut Pipeline) {
    rows.steps.pop_if(|step| matches!(step.operator, Operator::Project(_)));
    let labels = columns.iter().filter(|column| column.role == Role::Label);
    let set = labels.filter(|column| !column.value.is_name()).map(Projected::item);
    let set: Vec<Item> = set.collect();
    rows.steps.extend((!set.is_empty()).then(|| Step::extend(set)));
}
