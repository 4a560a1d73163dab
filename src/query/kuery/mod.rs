//! Kibana's query language.
//!
//! ```text
//!  text ──► parse ──► Kuery ──► print ──► text
//! ```
//!
//! In: a text, or parts that a plan joins. Out: a [`Kuery`], or the text of one. Deliberately
//! absent: running a query over documents, which the judge in `verify` does.
//!
//! INVARIANT: a tree that is printed and read back is the same tree.

mod parse;
mod print;
mod tree;

pub use parse::parse;
pub use tree::{Bound, Kuery, Literal, Values};
