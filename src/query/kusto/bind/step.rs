//! Computes the columns after each step.
//!
//! In: a table and a step. Out: the table that the next step sees.

use super::item::called;
use super::{Binder, Scope};
use crate::query::kusto::Type;
use crate::query::kusto::table::Table;
use crate::query::kusto::tree::{Expression, Item, JoinKind, Name, Operator, Step};

impl Binder<'_> {
    pub(super) fn step(&mut self, mut table: Table, step: &Step) -> Table {
        match &step.operator {
            Operator::Where(condition) => {
                self.expect(Type::Bool, condition, Scope::rows(&table));
                table
            }
            Operator::Project(items) => {
                let bound = self.items(items, Scope::rows(&table));
                table.columns.clear();
                self.add(&mut table, bound);
                table
            }
            Operator::Extend(items) => {
                let bound = self.items(items, Scope::rows(&table));
                self.extend(&mut table, bound);
                table
            }
            Operator::Distinct(items) => {
                let bound = self.items(items, Scope::rows(&table));
                for (bound, item) in bound.iter().zip(items) {
                    self.not_dynamic(bound.kind, &item.value.place);
                }
                let mut out = Table { open: table.open, ..Table::default() };
                self.add(&mut out, bound);
                out
            }
            Operator::ProjectAway(names) => {
                for name in names {
                    self.known(&table, name);
                }
                table.columns.retain(|slot| names.iter().all(|name| name.text != slot.name));
                table
            }
            Operator::ProjectRename(renamed) => {
                for (new, old) in renamed {
                    self.rename(&mut table, new, old);
                }
                table
            }
            Operator::Summarize { aggregates, by } => self.summarize(&table, aggregates, by),
            Operator::Join { kind, right, keys } => self.join(table, *kind, right, keys),
            Operator::MvExpand { item, to } => self.expand(table, item, to.as_ref()),
            Operator::MvApply { item, steps } => self.apply(table, item, steps),
            Operator::Sort(keys) => {
                for (key, _) in keys {
                    let kind = self.scalar(key, Scope::rows(&table));
                    self.not_dynamic(kind, &key.place);
                }
                Table { sorted: true, ..table }
            }
            Operator::Unread { word, .. } => {
                let message = format!("the operator `{}` is not read here", word);
                self.find(&step.place, message);
                Table::unknown()
            }
        }
    }

    /// The type of a column; a finding when the table lacks the column
    fn known(&mut self, table: &Table, name: &Name) -> Option<Type> {
        let kind = table.column(&name.text);
        if kind.is_none() {
            self.find(&name.place, format!("there is no column `{}` here", name.text));
        }
        kind.flatten()
    }

    fn rename(&mut self, table: &mut Table, new: &Name, old: &Name) {
        let kind = self.known(table, old);
        if table.place_of(&new.text).is_some() {
            let message = format!("there is a column `{}` already", new.text);
            self.find(&new.place, message);
            return;
        }
        match table.place_of(&old.text) {
            Some(at) => table.columns[at].name.clone_from(&new.text),
            None => table.set(&new.text, kind),
        }
    }

    fn join(&mut self, left: Table, kind: JoinKind, right: &Expression, keys: &[Name]) -> Table {
        let right = self.table(right);
        for key in keys {
            let sides = [("left", &left), ("right", &right)];
            let kinds = sides.map(|(_, table)| table.column(&key.text));
            for ((side, _), column) in sides.iter().zip(&kinds) {
                if column.is_none() {
                    let message = format!("the {side} side has no column `{}`", key.text);
                    self.find(&key.place, message);
                }
            }
            let [Some(Some(one)), Some(Some(other))] = kinds else { continue };
            if one != other {
                let message = format!("the key `{}` is {one} left and {other} right", key.text);
                self.find(&key.place, message);
            }
            self.not_dynamic(Some(one), &key.place);
        }
        match kind {
            JoinKind::Inner | JoinKind::InnerUnique | JoinKind::LeftOuter => left.join(&right),
            JoinKind::LeftAnti | JoinKind::LeftSemi => Table { sorted: false, ..left },
        }
    }

    /// The name of the column that an item expands; a finding when the value is not dynamic
    fn list(&mut self, table: &Table, item: &Item) -> String {
        let value = &item.value;
        let kind = self.scalar(value, Scope::rows(table));
        if let Some(other) = kind.filter(|kind| *kind != Type::Dynamic) {
            let message = format!("a dynamic list is expected, and this is {other}");
            self.find(&value.place, message);
        }
        let name = item.name.as_ref().map(|name| name.text.clone()).or_else(|| called(value));
        name.unwrap_or_else(|| "Column1".to_owned())
    }

    fn expand(&mut self, mut table: Table, item: &Item, to: Option<&Name>) -> Table {
        let name = self.list(&table, item);
        let kind = match to {
            None => Some(Type::Dynamic),
            Some(to) => {
                let kind = Type::named(&to.text);
                if kind.is_none() {
                    self.find(&to.place, format!("`{}` is not a type", to.text));
                }
                kind
            }
        };
        table.set(&name, kind);
        table
    }

    /// `mv-apply`: the inner steps see one element at a time; their columns are added to the row
    fn apply(&mut self, mut table: Table, item: &Item, steps: &[Step]) -> Table {
        let name = self.list(&table, item);
        let mut inner = table.clone();
        inner.set(&name, Some(Type::Dynamic));
        for step in steps {
            inner = self.step(inner, step);
        }
        table.open |= inner.open;
        table.sorted = false;
        for slot in inner.columns {
            table.set(&slot.name, slot.kind);
        }
        table
    }
}
