//! The query languages of the targets.
//!
//! In: texts and trees. Out: trees and texts. A language is its tree, one printer, a parser and,
//! where the target has a schema, a binder. No word of a rule, a field of Sigma or a loss stands
//! here: what is emitted and what judges it share these languages and nothing else.

pub mod elasticsearch;
mod error;
pub mod kuery;
pub mod kusto;
mod layout;

pub use error::Error;
