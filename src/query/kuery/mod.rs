//! Kibana's query language.
//!
//! ```text
//!  text ──► parse ──► Kuery ──► print ──► text
//! ```
//!
//! In: a text, or parts that a plan joins. Out: a [`Kuery`], or the text of one. What a query asks
//! of documents is deliberately absent: that is for the judge in `verify`.
//!
//! INVARIANT: a tree that is printed and read back is the same tree.

mod parse;
mod print;
mod tree;

pub use parse::parse;
pub use tree::{Bound, Kuery, Literal, Values};
