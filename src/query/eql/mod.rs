//! Elastic's event query language (EQL).
//!
//! ```text
//!  text ──► parse ──► Eql ──► print ──► text
//! ```
//!
//! In: a text, or conditions that a plan joins. Out: an [`Eql`], or the text of one. Deliberately
//! absent: running a query over events, which the judge in `verify` does.
//!
//! INVARIANT: a tree that is printed and read back is the same tree, without its comments.
//!
//! Source: Elasticsearch's reference of the EQL syntax; the style is that of Elastic's own rules.

mod bind;
mod condition;
mod constant;
mod cursor;
mod lex;
mod list;
mod parse;
mod print;
mod quote;
#[cfg(test)]
mod random;
#[cfg(test)]
mod round_trip;
mod simplify;
mod tree;

pub use bind::{FieldType, Finding, bind};
pub use list::{NETWORKS, merged, one_of};
pub use parse::{MOST_RUNS, parse};
pub use tree::{
    Comparison, Condition, Eql, EventQuery, FieldName, Matching, Operation, Sequence, Step, Value,
};
