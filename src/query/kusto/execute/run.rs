//! Runs a query.
//!
//! In: a query, rows and the time of the run. Out: the rows of the query, or those of a name that `let`
//! has set. A name is computed on first use, and once: everything here gives the same value each time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::data::{Data, Rows};
use super::node::Cursor;
use super::plan::Scope;
use super::value::Value;
use super::{Fault, step, time};
use crate::query::kusto::{
    Expression, Kind, Name, Operator, Pipeline, Query, Source, Table, Type, schema,
};

/// A run of a query at a time
pub(crate) struct Run<'q> {
    query: &'q Query,
    rows: &'q Rows,
    pub(super) now: i64,
    known: RefCell<BTreeMap<usize, Meaning>>,
}

/// What a name means
#[derive(Debug, Clone)]
pub(super) enum Meaning {
    Value(Value, Option<Type>),
    Rows(Arc<Data>),
}

impl<'q> Run<'q> {
    pub(crate) fn new(query: &'q Query, rows: &'q Rows, now: Timestamp) -> Run<'q> {
        Run { query, rows, now: time::of_timestamp(now), known: RefCell::default() }
    }

    /// The rows that the query returns
    ///
    /// # Errors
    /// What was not executed.
    pub(crate) fn result(&self) -> Result<Data, Fault> {
        self.pipeline(&self.query.result, self.query.lets.len())
    }

    /// The rows of a name that `let` has set
    ///
    /// # Errors
    /// What was not executed, and a name without rows.
    pub(crate) fn rows_named(&self, name: &str) -> Result<Arc<Data>, Fault> {
        match self.named(name, self.query.lets.len())? {
            Meaning::Rows(rows) => Ok(rows),
            Meaning::Value(..) => Err(Fault::new(format!("`{name}` is no rows"))),
        }
    }

    /// The meaning of a name, of which only the first `lets` are set
    pub(super) fn named(&self, name: &str, lets: usize) -> Result<Meaning, Fault> {
        let before = self.query.lets.get(..lets).unwrap_or_default();
        let Some(at) = before.iter().rposition(|one| one.name.text == name) else {
            return self.rows.table(name).map(Meaning::Rows);
        };
        if let Some(known) = self.known.borrow().get(&at) {
            return Ok(known.clone());
        }
        let value = &self.query.lets[at].value;
        let meaning = match &value.source {
            Source::Expression(alone) if value.steps.is_empty() => self.meaning(alone, at)?,
            Source::Expression(_) | Source::Union(..) => {
                Meaning::Rows(Arc::new(self.pipeline(value, at)?))
            }
        };
        self.known.borrow_mut().insert(at, meaning.clone());
        Ok(meaning)
    }

    fn meaning(&self, alone: &Expression, lets: usize) -> Result<Meaning, Fault> {
        if let Some(rows) = self.rows_of(alone, lets)? {
            return Ok(Meaning::Rows(rows));
        }
        let scope = Scope { run: self, columns: &Table::default(), lets };
        let (node, kind) = scope.plan(alone)?;
        let value = node.on(Cursor { rows: &[Vec::new()], at: 0 })?;
        Ok(Meaning::Value(value, kind))
    }

    /// The rows of an expression; `None` when it is a value
    pub(super) fn rows_of(
        &self,
        expression: &Expression,
        lets: usize,
    ) -> Result<Option<Arc<Data>>, Fault> {
        match &expression.kind {
            Kind::Pipeline(pipeline) => Ok(Some(Arc::new(self.pipeline(pipeline, lets)?))),
            Kind::Call { name, arguments } if name.text == "materialize" => match &arguments[..] {
                [rows] => self.rows_of(rows, lets),
                _ => Err(Fault::new("`materialize` without rows")),
            },
            // A parser of ASIM.
            Kind::Call { name, arguments } if name.text.starts_with("_Im_") => {
                self.of_parser(name, arguments, lets).map(Some)
            }
            Kind::Name(name) => match self.named(name, lets) {
                Ok(Meaning::Rows(rows)) => Ok(Some(rows)),
                Ok(Meaning::Value(..)) => Ok(None),
                // A name that is neither may be a column.
                Err(_) if !self.is_set(name, lets) => Ok(None),
                Err(fault) => Err(fault),
            },
            Kind::Literal(_)
            | Kind::Star
            | Kind::Call { .. }
            | Kind::Given(..)
            | Kind::Member(..)
            | Kind::Element { .. }
            | Kind::Chain { .. }
            | Kind::Arithmetic { .. }
            | Kind::Compare { .. }
            | Kind::OneOf { .. }
            | Kind::Between { .. } => Ok(None),
        }
    }

    /// The rows of a parser, without those that its arguments leave out
    fn of_parser(
        &self,
        name: &Name,
        arguments: &[Expression],
        lets: usize,
    ) -> Result<Arc<Data>, Fault> {
        let mut data = self.rows.table(&name.text)?;
        for argument in arguments {
            let unknown = || Fault::new(format!("this argument of `{}`", name.text));
            let Kind::Given(parameter, terms) = &argument.kind else { return Err(unknown()) };
            let column = schema::parameter(&name.text, &parameter.text).ok_or_else(unknown)?;
            let count = Expression::call("array_length", [(**terms).clone()]);
            let has = Expression::name(column).one_of("has_any", vec![(**terms).clone()]);
            let all = Expression::any([count.compare("==", Expression::number(0)), has]);
            data = Arc::new(step::filter(self, lets, &data, &all)?);
        }
        Ok(data)
    }

    fn is_set(&self, name: &str, lets: usize) -> bool {
        let before = self.query.lets.get(..lets).unwrap_or_default();
        before.iter().any(|one| one.name.text == name)
    }

    /// The rows of an expression that must be rows
    pub(super) fn source(&self, source: &Expression, lets: usize) -> Result<Arc<Data>, Fault> {
        if let Some(rows) = self.rows_of(source, lets)? {
            return Ok(rows);
        }
        match source.as_name() {
            Some(name) => self.rows.table(name),
            None => Err(Fault::new("a value in place of rows")),
        }
    }

    pub(super) fn pipeline(&self, pipeline: &Pipeline, lets: usize) -> Result<Data, Fault> {
        let mut data = match &pipeline.source {
            Source::Expression(source) => self.source(source, lets)?,
            Source::Union(legs, _) => {
                let legs = legs.iter().map(|leg| self.source(leg, lets));
                Arc::new(step::union(&legs.collect::<Result<Vec<_>, _>>()?)?)
            }
        };
        for one in &pipeline.steps {
            // Rows that a filter takes away are never copied.
            data = Arc::new(if let Operator::Where(condition) = &one.operator {
                step::filter(self, lets, &data, condition)?
            } else {
                step::step(self, lets, Arc::unwrap_or_clone(data), one)?
            });
        }
        Ok(Arc::unwrap_or_clone(data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::kusto::{Column, parse};

    #[test]
    fn a_parser_keeps_the_rows_with_one_of_the_terms() {
        let columns = ["TargetProcessName", "ActingProcessName"]
            .map(|name| Column { name: name.to_owned(), kind: Type::String });
        let now = Timestamp::UNIX_EPOCH;
        let row = |target: &str, acting: &str| {
            let row = serde_json::json!({"TargetProcessName": target, "ActingProcessName": acting});
            (now, row.as_object().unwrap().clone())
        };
        let all = [row(r"C:\a\CMD.EXE", "w3wp.exe"), row(r"C:\xcmd.exe", "w3wp.exe"), row("", "")];
        let mut rows = Rows::default();
        rows.add("_Im_ProcessCreate", &columns, all.into_iter());
        let found = |arguments: &str| {
            let text = format!(
                "let terms = dynamic([\"cmd.exe\", \"x\"]);\n_Im_ProcessCreate({arguments})"
            );
            let query = parse(&text).unwrap();
            Run::new(&query, &rows, now).result().map(|data| data.rows.len()).map_err(|_| ())
        };
        assert_eq!(found(""), Ok(3));
        assert_eq!(found("targetprocess_has_any=terms"), Ok(1));
        assert_eq!(found("targetprocess_has_any=dynamic([]), actingprocess_has_any=terms"), Ok(0));
        assert_eq!(found("actingprocess_has_any=dynamic([\"w3wp.exe\"])"), Ok(2));
        assert_eq!(found("parentprocess_has_any=terms"), Err(()), "it loses rows");
    }
}
