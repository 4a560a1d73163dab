//! Executes Kusto over rows.
//!
//! ```text
//!  query ──► query::kusto::parse ──► Query ─┐
//!                                           ├─► run ──► rows, or what was not executed
//!  rows of tables, the time of the run ─────┘
//! ```
//!
//! In: the tree of a query, the rows of the tables that it may ask, and the time at which it runs. Out: the
//! rows that it returns. An expression becomes a [`node::Node`] before its rows are read, so that names,
//! literals and patterns are looked at once.
//!
//! Only the part of Kusto that rulecast emits is executed. INVARIANT: what is not known here is a
//! [`Fault`], at run too; it is never guessed. Nothing here knows a rule, the engine or the planner.
//!
//! Source: Microsoft's reference of the Kusto query language; what it leaves open is said where it is
//! decided.

mod address;
mod aggregate;
mod arithmetic;
mod command_line;
mod compare;
mod data;
mod expand;
mod function;
mod group;
mod join;
mod literal;
mod node;
mod pattern;
mod plan;
mod row_query;
mod run;
mod step;
mod term;
mod text_function;
mod time;
mod value;
mod window;

pub(crate) use data::{Data, Rows, text_of};
pub(crate) use row_query::RowQuery;
pub(crate) use run::Run;
pub(crate) use time::{instant_text, of_timestamp as instant};

use std::fmt;

/// Why a query was not executed, as a clause without a period
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(String);

/// The value of an expression on a row
type Outcome = Result<value::Value, Fault>;

impl Fault {
    fn new(what: impl Into<String>) -> Fault {
        Fault(what.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
