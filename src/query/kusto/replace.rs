//! A name in place of an expression that occurs several times.
//!
//! In: a tree, an expression and what stands for it. Out: the tree with the second wherever it had the first.

use super::tree::{Expression, Item, Kind, Operator, Pipeline, Source, Step};

impl Expression {
    /// The expression with `by` in place of each `old` in it
    pub(crate) fn replaced(self, old: &Expression, by: &Expression) -> Expression {
        if self == *old {
            return by.clone();
        }
        let one = |part: Box<Expression>| Box::new(part.replaced(old, by));
        let many =
            |parts: Vec<Expression>| parts.into_iter().map(|p| p.replaced(old, by)).collect();
        let joined = |rest: Vec<_>| {
            rest.into_iter()
                .map(|(word, part): (_, Expression)| (word, part.replaced(old, by)))
                .collect()
        };
        let kind = match self.kind {
            Kind::Literal(_) | Kind::Name(_) | Kind::Star => self.kind,
            Kind::Call { name, arguments } => Kind::Call { name, arguments: many(arguments) },
            Kind::Given(name, value) => Kind::Given(name, one(value)),
            Kind::Member(value, name) => Kind::Member(one(value), name),
            Kind::Element { value, index, called } => {
                Kind::Element { value: one(value), index: one(index), called }
            }
            Kind::Chain { first, rest } => Kind::Chain { first: one(first), rest: joined(rest) },
            Kind::Arithmetic { first, rest } => {
                Kind::Arithmetic { first: one(first), rest: joined(rest) }
            }
            Kind::Compare { operator, left, right } => {
                Kind::Compare { operator, left: one(left), right: one(right) }
            }
            Kind::OneOf { operator, value, list } => {
                Kind::OneOf { operator, value: one(value), list: many(list) }
            }
            Kind::Between { operator, value, bounds } => {
                let bounds = Box::new(bounds.map(|bound| bound.replaced(old, by)));
                Kind::Between { operator, value: one(value), bounds }
            }
            Kind::Pipeline(pipeline) => Kind::Pipeline(Box::new(pipeline.replaced(old, by))),
        };
        Expression { place: self.place, kind }
    }
}

impl Pipeline {
    fn replaced(self, old: &Expression, by: &Expression) -> Pipeline {
        let legs =
            |legs: Vec<Expression>| legs.into_iter().map(|leg| leg.replaced(old, by)).collect();
        let source = match self.source {
            Source::Union(all, lines) => Source::Union(legs(all), lines),
            Source::Expression(value) => Source::Expression(value.replaced(old, by)),
        };
        let steps = self.steps.into_iter().map(|step| step.replaced(old, by)).collect();
        Pipeline { source, steps, place: self.place }
    }
}

impl Step {
    /// The step with `by` in place of each `old` in its expressions
    pub(crate) fn replaced(self, old: &Expression, by: &Expression) -> Step {
        let one = |item: Item| Item { value: item.value.replaced(old, by), ..item };
        let items = |list: Vec<Item>| list.into_iter().map(one).collect();
        let operator = match self.operator {
            Operator::Where(condition) => Operator::Where(condition.replaced(old, by)),
            Operator::Project(list) => Operator::Project(items(list)),
            Operator::Extend(list) => Operator::Extend(items(list)),
            Operator::Distinct(list) => Operator::Distinct(items(list)),
            Operator::Summarize { aggregates, by } => {
                Operator::Summarize { aggregates: items(aggregates), by: items(by) }
            }
            Operator::Join { kind, right, keys } => {
                Operator::Join { kind, right: right.replaced(old, by), keys }
            }
            Operator::MvExpand { item, to } => Operator::MvExpand { item: one(item), to },
            Operator::MvApply { item, steps } => {
                let steps = steps.into_iter().map(|step| step.replaced(old, by)).collect();
                Operator::MvApply { item: one(item), steps }
            }
            Operator::Sort(columns) => {
                let sorted = columns.into_iter().map(|(key, order)| (key.replaced(old, by), order));
                Operator::Sort(sorted.collect())
            }
            same @ (Operator::ProjectAway(_)
            | Operator::ProjectRename(_)
            | Operator::Unread { .. }) => same,
        };
        Step { operator, ..self }
    }
}
