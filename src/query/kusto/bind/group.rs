//! The columns that `summarize` gives.
//!
//! In: a table, aggregates and keys. Out: the keys, then the aggregates. `arg_min` and `arg_max`
//! give the value they compare and the columns named beside it; `*` names all other columns.

use super::item::{Bound, Title, called};
use super::{Binder, Scope};
use crate::query::kusto::table::Table;
use crate::query::kusto::tree::{Expression, Item, Kind, Name};

impl Binder<'_> {
    pub(super) fn summarize(&mut self, input: &Table, aggregates: &[Item], by: &[Item]) -> Table {
        let mut result = Table { open: input.open, ..Table::default() };
        let keys = self.items(by, Scope::rows(input));
        for (key, item) in keys.iter().zip(by) {
            self.not_dynamic(key.kind, &item.value.place);
        }
        self.add(&mut result, keys);
        let mut bound = Vec::new();
        for item in aggregates {
            if let Kind::Call { name, arguments } = &item.value.kind
                && matches!(name.text.as_str(), "arg_min" | "arg_max")
            {
                bound.extend(self.beside(input, item, name, arguments, by));
            } else {
                bound.extend(self.items(std::slice::from_ref(item), Scope::groups(input)));
            }
        }
        self.add(&mut result, bound);
        result
    }

    /// The columns of `arg_min(value, ..)` or `arg_max(value, ..)`
    fn beside(
        &mut self,
        input: &Table,
        item: &Item,
        function: &Name,
        arguments: &[Expression],
        by: &[Item],
    ) -> Vec<Bound> {
        let Some((value, others)) = arguments.split_first() else {
            let message = format!("`{}` takes 1 argument or more, not 0", function.text);
            self.find(&function.place, message);
            return Vec::new();
        };
        let scope = Scope::rows(input);
        let kind = self.scalar(value, scope);
        if let Some(other) = kind.filter(|kind| !kind.is_orderable()) {
            let message = format!("`{}` needs an order, and {other} has none", function.text);
            self.find(&value.place, message);
        }
        let name = match &item.name {
            Some(name) => Title::Fixed(name.clone()),
            None => called(value).map_or(Title::Numbered, Title::After),
        };
        let mut bound = vec![Bound { name, kind }];
        for other in others {
            if !matches!(other.kind, Kind::Star) {
                let kind = self.scalar(other, scope);
                let name = called(other).map_or(Title::Numbered, Title::After);
                bound.push(Bound { name, kind });
                continue;
            }
            let spent = by.iter().map(|key| &key.value).chain([value]);
            let spent: Vec<&str> = spent.filter_map(Expression::as_name).collect();
            let rest = input.columns.iter().filter(|slot| !spent.contains(&slot.name.as_str()));
            bound.extend(
                rest.map(|slot| Bound { name: Title::After(slot.name.clone()), kind: slot.kind }),
            );
        }
        bound
    }
}
