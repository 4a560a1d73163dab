//! Builds trees.
//!
//! In: names, values and smaller trees. Out: larger trees, flat where Kusto's are: `and` in `and`
//! is one chain. Built trees have no places.

use super::Type;
use super::quote::{json, quote};
use super::tree::{
    Expression, Item, JoinKind, Kind, Let, Lines, Literal, Name, Operator, Order, Pipeline, Source,
    Step,
};

impl Name {
    pub(crate) fn new(text: &str) -> Name {
        Name { text: text.to_owned(), place: 0..0 }
    }
}

impl From<Kind> for Expression {
    fn from(kind: Kind) -> Expression {
        Expression { place: 0..0, kind }
    }
}

/// Values
impl Expression {
    /// A column, a table or a name that `let` has set
    pub(crate) fn name(name: &str) -> Expression {
        Kind::Name(name.to_owned()).into()
    }

    /// Whether it is a column or another name, and nothing is computed
    pub(crate) fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Name(_))
    }

    /// The tests that must all hold: itself where it is no chain of `and`
    pub(crate) fn conjuncts(&self) -> Vec<&Expression> {
        if let Kind::Chain { first, rest } = &self.kind
            && rest.iter().all(|(word, _)| word.text == "and")
        {
            return std::iter::once(&**first).chain(rest.iter().map(|(_, part)| part)).collect();
        }
        vec![self]
    }

    /// A string with exactly this text
    pub(crate) fn text(text: &str) -> Expression {
        Expression::written(Type::String, quote(text))
    }

    /// A string that the program which runs the query replaces: `{{name}}`
    pub(crate) fn placeholder(name: &str) -> Expression {
        Expression::written(Type::String, format!("\"{{{{{name}}}}}\""))
    }

    /// The unit separator, which joins values that do not hold it
    pub(crate) fn unit_separator() -> Expression {
        Expression::written(Type::String, r#""\x1f""#.to_owned())
    }

    pub(crate) fn number(number: impl Into<i128>) -> Expression {
        Expression::written(Type::Long, number.into().to_string())
    }

    /// A number with a fraction, as decimal digits
    pub(crate) fn real(written: String) -> Expression {
        Expression::written(Type::Real, written)
    }

    pub(crate) fn truth(truth: bool) -> Expression {
        Expression::written(Type::Bool, truth.to_string())
    }

    /// A length of time in Kusto's notation, such as `90m`
    pub(crate) fn timespan(written: String) -> Expression {
        Expression::written(Type::TimeSpan, written)
    }

    /// It as an argument, for the parameter of this name
    pub(crate) fn given_as(self, parameter: &str) -> Expression {
        Kind::Given(Name::new(parameter), Box::new(self)).into()
    }

    /// A list of texts
    pub(crate) fn dynamic(values: &[String]) -> Expression {
        let values = values.iter().map(|value| json(value)).collect();
        Kind::Literal(Literal::Dynamic(values)).into()
    }

    fn written(kind: Type, written: String) -> Expression {
        Kind::Literal(Literal::Written(kind, written)).into()
    }

    pub(crate) fn star() -> Expression {
        Kind::Star.into()
    }

    pub(crate) fn call(name: &str, arguments: impl IntoIterator<Item = Expression>) -> Expression {
        let arguments = arguments.into_iter().collect();
        Kind::Call { name: Name::new(name), arguments }.into()
    }
}

/// Conditions
impl Expression {
    /// All of the parts, flat and without a chain of one
    pub(crate) fn all(parts: impl IntoIterator<Item = Expression>) -> Expression {
        Expression::chain("and", parts).unwrap_or_else(|| Expression::truth(true))
    }

    /// One of the parts, flat and without a chain of one
    pub(crate) fn any(parts: impl IntoIterator<Item = Expression>) -> Expression {
        Expression::chain("or", parts).unwrap_or_else(|| Expression::truth(false))
    }

    fn chain(word: &str, parts: impl IntoIterator<Item = Expression>) -> Option<Expression> {
        let mut flat = Vec::new();
        for part in parts {
            if let Kind::Chain { first, rest } = part.kind {
                if rest.iter().all(|(own, _)| own.text == word) {
                    flat.push(*first);
                    flat.extend(rest.into_iter().map(|(_, part)| part));
                } else {
                    flat.push(Kind::Chain { first, rest }.into());
                }
            } else {
                flat.push(part);
            }
        }
        let mut flat = flat.into_iter();
        let first = flat.next()?;
        let rest: Vec<_> = flat.map(|part| (Name::new(word), part)).collect();
        match rest.is_empty() {
            true => Some(first),
            false => Some(Kind::Chain { first: Box::new(first), rest }.into()),
        }
    }

    /// The negation: `in` becomes `!in`, any other expression is put into `not()`
    pub(crate) fn not(self) -> Expression {
        if let Kind::OneOf { operator, value, list } = self.kind {
            return match operator.text == "in" {
                true => value.one_of("!in", list),
                false => Expression::call("not", [Kind::OneOf { operator, value, list }.into()]),
            };
        }
        Expression::call("not", [self])
    }

    /// `self operator right`, for `==` and its kin
    pub(crate) fn compare(self, operator: &str, right: Expression) -> Expression {
        let (left, right) = (Box::new(self), Box::new(right));
        Kind::Compare { operator: Name::new(operator), left, right }.into()
    }

    /// `self operator (list)`, for `in` and its kin
    pub(crate) fn one_of(self, operator: &str, list: Vec<Expression>) -> Expression {
        Kind::OneOf { operator: Name::new(operator), value: Box::new(self), list }.into()
    }

    /// `self == value` for a single value, `self in (list)` for several
    pub(crate) fn equals_any(self, list: Vec<Expression>) -> Expression {
        match <[Expression; 1]>::try_from(list) {
            Ok([only]) => self.compare("==", only),
            Err(list) => self.one_of("in", list),
        }
    }

    pub(crate) fn between(self, low: Expression, high: Expression) -> Expression {
        let (value, bounds) = (Box::new(self), Box::new([low, high]));
        Kind::Between { operator: Name::new("between"), value, bounds }.into()
    }

    pub(crate) fn plus(self, right: Expression) -> Expression {
        Kind::Arithmetic { first: Box::new(self), rest: vec![(Name::new("+"), right)] }.into()
    }

    pub(crate) fn minus(self, right: Expression) -> Expression {
        Kind::Arithmetic { first: Box::new(self), rest: vec![(Name::new("-"), right)] }.into()
    }
}

impl Item {
    /// A value without a new name
    pub(crate) fn plain(value: Expression) -> Item {
        Item { name: None, value }
    }

    /// `name = value`, or only the column when it keeps its name
    pub(crate) fn named(name: &str, value: Expression) -> Item {
        match value.as_name() == Some(name) {
            true => Item::plain(value),
            false => Item { name: Some(Name::new(name)), value },
        }
    }

    /// A column under its own name
    pub(crate) fn column(name: &str) -> Item {
        Item::plain(Expression::name(name))
    }
}

impl From<Operator> for Step {
    fn from(operator: Operator) -> Step {
        Step { comments: Vec::new(), place: 0..0, lines: Lines::Fit, operator }
    }
}

impl Step {
    pub(crate) fn filter(condition: Expression) -> Step {
        Operator::Where(condition).into()
    }

    /// A filter of the tests that can stand ahead, and the step without them
    ///
    /// A filter under a comment stays whole: the comment speaks of all its tests.
    pub(crate) fn parted(
        self,
        is_ahead: impl Fn(&Expression) -> bool,
    ) -> (Option<Step>, Option<Step>) {
        let bare = Some(&self.operator).filter(|_| self.comments.is_empty());
        let Some(Operator::Where(test)) = bare else { return (None, Some(self)) };
        let tests = test.conjuncts().into_iter().cloned();
        let (ahead, rest): (Vec<Expression>, Vec<Expression>) = tests.partition(is_ahead);
        let filter = |tests: Vec<Expression>| {
            (!tests.is_empty()).then(|| Step::filter(Expression::all(tests)))
        };
        (filter(ahead), filter(rest))
    }

    pub(crate) fn extend(items: impl IntoIterator<Item = Item>) -> Step {
        Operator::Extend(items.into_iter().collect()).into()
    }

    pub(crate) fn project(items: impl IntoIterator<Item = Item>) -> Step {
        Step::from(Operator::Project(items.into_iter().collect())).on_own_lines()
    }

    pub(crate) fn project_away<'n>(names: impl IntoIterator<Item = &'n str>) -> Step {
        Operator::ProjectAway(names.into_iter().map(Name::new).collect()).into()
    }

    pub(crate) fn distinct<'n>(names: impl IntoIterator<Item = &'n str>) -> Step {
        Operator::Distinct(names.into_iter().map(Item::column).collect()).into()
    }

    /// Aggregates, and the columns to group by
    pub(crate) fn summarize<'n>(
        aggregates: impl IntoIterator<Item = Item>,
        by: impl IntoIterator<Item = &'n str>,
    ) -> Step {
        let aggregates = aggregates.into_iter().collect();
        Operator::Summarize { aggregates, by: by.into_iter().map(Item::column).collect() }.into()
    }

    pub(crate) fn join<'n>(
        kind: JoinKind,
        right: Pipeline,
        keys: impl IntoIterator<Item = &'n str>,
    ) -> Step {
        let keys = keys.into_iter().map(Name::new).collect();
        Operator::Join { kind, right: right.bracketed(), keys }.into()
    }

    /// A row for each value of a list, of this type
    pub(crate) fn expand(column: &str, kind: Type) -> Step {
        let to = Some(Name::new(kind.as_str()));
        Operator::MvExpand { item: Item::column(column), to }.into()
    }

    pub(crate) fn sort<'n>(columns: impl IntoIterator<Item = &'n str>) -> Step {
        let key = |name| (Expression::name(name), Some(Order::Ascending));
        Operator::Sort(columns.into_iter().map(key).collect()).into()
    }

    /// The step with a line for each part
    pub(crate) fn on_own_lines(self) -> Step {
        Step { lines: Lines::Own, ..self }
    }
}

impl Pipeline {
    /// The rows of a name, and steps over them
    pub(crate) fn of(name: &str, steps: impl IntoIterator<Item = Step>) -> Pipeline {
        Pipeline::from(Expression::name(name)).then(steps)
    }

    pub(crate) fn union(legs: Vec<Pipeline>, lines: Lines) -> Pipeline {
        let legs = legs.into_iter().map(Pipeline::bracketed).collect();
        Pipeline { source: Source::Union(legs, lines), steps: Vec::new(), place: 0..0 }
    }

    /// The pipeline with more steps at its end
    pub(crate) fn then(mut self, steps: impl IntoIterator<Item = Step>) -> Pipeline {
        self.steps.extend(steps);
        self
    }

    /// The pipeline with one more column: in its last step, where that adds columns and the value reads none
    /// of them
    pub(crate) fn extended(mut self, item: Item) -> Pipeline {
        let read = item.value.names();
        let apart =
            |other: &Item| other.name.as_ref().is_some_and(|name| !read.contains(&name.text));
        match self.steps.last_mut().map(|step| &mut step.operator) {
            Some(Operator::Extend(items)) if items.iter().all(apart) => items.push(item),
            _ => self.steps.push(Step::extend([item])),
        }
        self
    }

    /// The rows of a parser that is given arguments
    pub(crate) fn given(mut self, arguments: Vec<Expression>) -> Pipeline {
        if let Source::Expression(Expression { kind: Kind::Name(name), .. }) = &self.source
            && !arguments.is_empty()
        {
            self.source = Source::Expression(Expression::call(&name.clone(), arguments));
        }
        self
    }

    /// The pipeline in `materialize`, which computes its rows once for all uses
    pub(crate) fn materialized(self) -> Pipeline {
        Expression::call("materialize", [self.bracketed()]).into()
    }

    /// The rows as an expression
    pub(crate) fn bracketed(self) -> Expression {
        match (self.source, self.steps.is_empty()) {
            (Source::Expression(value), true) => value,
            (source, _) => Kind::Pipeline(Box::new(Pipeline { source, ..self })).into(),
        }
    }
}

impl From<Expression> for Pipeline {
    fn from(value: Expression) -> Pipeline {
        Pipeline { source: Source::Expression(value), steps: Vec::new(), place: 0..0 }
    }
}

impl Let {
    pub(crate) fn new(name: &str, value: impl Into<Pipeline>) -> Let {
        Let { comments: Vec::new(), name: Name::new(name), value: value.into() }
    }

    /// The statement with a comment above it
    pub(crate) fn under(mut self, comment: String) -> Let {
        self.comments.push(comment);
        self
    }
}
