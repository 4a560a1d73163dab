//! The names that expressions and steps use.
//!
//! In: a tree. Out: the set of all names in it: columns, tables and names that `let` has set.

use std::collections::BTreeSet;

use super::tree::{Expression, Item, Kind, Operator, Pipeline, Source, Step};

impl Expression {
    /// The names in the expression
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.collect_names(&mut names);
        names
    }

    /// Adds the names in the expression to `names`
    pub(crate) fn collect_names(&self, names: &mut BTreeSet<String>) {
        let mut many = |parts: &[Expression]| {
            parts.iter().for_each(|part| part.collect_names(names));
        };
        match &self.kind {
            Kind::Literal(_) | Kind::Star => {}
            Kind::Name(name) => drop(names.insert(name.clone())),
            Kind::Call { arguments, .. } => many(arguments),
            Kind::Given(_, value) | Kind::Member(value, _) => value.collect_names(names),
            Kind::Element { value, index, .. } => {
                value.collect_names(names);
                index.collect_names(names);
            }
            Kind::Chain { first, rest } | Kind::Arithmetic { first, rest } => {
                first.collect_names(names);
                rest.iter().for_each(|(_, part)| part.collect_names(names));
            }
            Kind::Compare { left, right, .. } => {
                left.collect_names(names);
                right.collect_names(names);
            }
            Kind::OneOf { value, list, .. } => {
                many(list);
                value.collect_names(names);
            }
            Kind::Between { value, bounds, .. } => {
                many(&**bounds);
                value.collect_names(names);
            }
            Kind::Pipeline(pipeline) => pipeline.collect_names(names),
        }
    }
}

impl Pipeline {
    /// Whether the rows come from the table or statement with this name
    pub(crate) fn reads(&self, name: &str) -> bool {
        match &self.source {
            Source::Expression(value) => value.as_name() == Some(name),
            Source::Union(legs, _) => legs.iter().any(|leg| leg.as_name() == Some(name)),
        }
    }

    fn collect_names(&self, names: &mut BTreeSet<String>) {
        match &self.source {
            Source::Expression(value) => value.collect_names(names),
            Source::Union(legs, _) => legs.iter().for_each(|leg| leg.collect_names(names)),
        }
        self.steps.iter().for_each(|step| step.collect_names(names));
    }
}

impl Step {
    /// Adds the names in the step to `names`
    pub(crate) fn collect_names(&self, names: &mut BTreeSet<String>) {
        let mut items = |items: &[Item]| {
            items.iter().for_each(|item| item.value.collect_names(names));
        };
        match &self.operator {
            Operator::Where(condition) => condition.collect_names(names),
            Operator::Project(list) | Operator::Extend(list) | Operator::Distinct(list) => {
                items(list);
            }
            Operator::ProjectAway(list) => {
                names.extend(list.iter().map(|name| name.text.clone()));
            }
            Operator::ProjectRename(pairs) => {
                names.extend(pairs.iter().map(|(_, old)| old.text.clone()));
            }
            Operator::Summarize { aggregates, by } => {
                items(aggregates);
                items(by);
            }
            Operator::Join { right, keys, .. } => {
                right.collect_names(names);
                names.extend(keys.iter().map(|key| key.text.clone()));
            }
            Operator::MvExpand { item, .. } => item.value.collect_names(names),
            Operator::MvApply { item, steps } => {
                item.value.collect_names(names);
                steps.iter().for_each(|step| step.collect_names(names));
            }
            Operator::Sort(columns) => {
                columns.iter().for_each(|(column, _)| column.collect_names(names));
            }
            // Every word may be a name.
            Operator::Unread { text, .. } => {
                let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
                names.extend(words.map(ToOwned::to_owned));
            }
        }
    }
}
