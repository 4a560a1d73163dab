//! Values of a query, resolved.
//!
//! In: a value as it was written. Out: a [`Term`]. Its fields have types, its functions are known, and
//! whatever has no field is already computed. An optional field that is mapped nowhere is null.
//!
//! INVARIANT: a call or an operation has a field and no null. What a function makes of an unmapped
//! field beside a mapped one is not known, so such a call is refused.

use super::datum::Datum;
use super::function::{self, Function};
use super::index::{Column, Index, Kind};
use crate::query::Error;
use crate::query::eql::{Operation, Value};

/// A value that is ready to be computed
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Term {
    /// A constant; `None` is null
    Constant(Option<Datum>),
    Field(Column),
    Call(Function, Vec<Term>),
    Arithmetic(Box<Term>, Operation, Box<Term>),
}

/// Resolves a value
pub(super) fn of(value: &Value, index: &Index<'_>) -> Result<Term, Error> {
    match value {
        Value::Field(name) => {
            let column = index.column(name)?;
            Ok(column.map_or(Term::Constant(None), Term::Field))
        }
        Value::Text(text) => Ok(Term::Constant(Some(Datum::Text(text.clone())))),
        Value::Number(number) => Ok(Term::Constant(Some(Datum::number(number)))),
        Value::Truth(truth) => Ok(Term::Constant(Some(Datum::Truth(*truth)))),
        Value::Null => Ok(Term::Constant(None)),
        Value::Call { function, fold, arguments } => {
            let arguments = arguments.iter().map(|argument| of(argument, index));
            let arguments: Vec<Term> = arguments.collect::<Result<_, Error>>()?;
            let kinds: Vec<Option<Kind>> = arguments.iter().map(Term::kind).collect();
            let called = Function::of(function, *fold, &kinds)?;
            computed(Term::Call(called, arguments), function)
        }
        Value::Arithmetic(left, operation, right) => {
            let (left, right) = (of(left, index)?, of(right, index)?);
            for side in [&left, &right] {
                if !matches!(side.kind(), None | Some(Kind::Whole | Kind::Float)) {
                    return Err(Error::new("an operand of arithmetic is no number"));
                }
            }
            let term = Term::Arithmetic(Box::new(left), *operation, Box::new(right));
            computed(term, "arithmetic")
        }
    }
}

/// The term, computed if it has no field
fn computed(term: Term, name: &str) -> Result<Term, Error> {
    let parts: Vec<&Term> = match &term {
        Term::Call(_, arguments) => arguments.iter().collect(),
        Term::Arithmetic(left, _, right) => vec![left, right],
        Term::Constant(_) | Term::Field(_) => Vec::new(),
    };
    if parts.iter().all(|part| matches!(part, Term::Constant(_))) {
        return Ok(Term::Constant(term.value(&[])));
    }
    if parts.contains(&&Term::Constant(None)) {
        return Err(Error::new(format!("`{name}` of a field and of null is not judged here")));
    }
    Ok(term)
}

impl Term {
    /// The type of its values; `None` for null
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Term::Constant(datum) => datum.as_ref().map(Datum::kind),
            Term::Field(column) => Some(column.kind),
            Term::Call(function, _) => Some(function.kind()),
            Term::Arithmetic(left, _, right) => match (left.kind(), right.kind()) {
                (Some(Kind::Whole), Some(Kind::Whole)) => Some(Kind::Whole),
                _ => Some(Kind::Float),
            },
        }
    }

    /// Its fields, each once
    pub(super) fn columns(&self) -> Vec<&Column> {
        let mut columns: Vec<&Column> = match self {
            Term::Constant(_) => Vec::new(),
            Term::Field(column) => vec![column],
            Term::Call(_, arguments) => arguments.iter().flat_map(Term::columns).collect(),
            Term::Arithmetic(left, _, right) => {
                left.columns().into_iter().chain(right.columns()).collect()
            }
        };
        columns.sort_by(|one, other| one.name.cmp(&other.name));
        columns.dedup_by(|one, other| one.name == other.name);
        columns
    }

    /// Its value, where each field has one of its values or none
    pub(super) fn value(&self, fields: &[(&Column, Option<Datum>)]) -> Option<Datum> {
        match self {
            Term::Constant(datum) => datum.clone(),
            Term::Field(column) => {
                let own = fields.iter().find(|(field, _)| field.name == column.name);
                own.and_then(|(_, datum)| datum.clone())
            }
            Term::Call(function, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(fields));
                function.call(&values.collect::<Option<Vec<Datum>>>()?)
            }
            Term::Arithmetic(left, operation, right) => {
                function::arithmetic(&left.value(fields)?, *operation, &right.value(fields)?)
            }
        }
    }
}
