//! The query languages of the targets.
//!
//! In: texts and trees. Out: trees and texts. A language is its tree, one printer, a parser and,
//! where the target has a schema, a binder. Deliberately absent: rules, fields of Sigma and losses.
//! The code that emits queries and the code that judges them share these languages and nothing
//! else.

pub mod elasticsearch;
pub mod eql;
mod error;
pub mod kuery;
pub mod kusto;
mod layout;

pub use error::Error;
