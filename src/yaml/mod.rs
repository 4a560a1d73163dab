//! YAML and TOML as every kind of document is read from them.
//!
//! In: the text of a file. Out: a tree of [`Node`]s with the place of every key and value, and a
//! [`Reader`] that takes values of the required shape out of the tree and reports the others.

mod keys;
mod nearest;
mod node;
mod reader;
mod shorthand;
mod subspan;
#[cfg(feature = "project")]
mod toml;
mod tree;

#[cfg(test)]
pub(crate) use keys::tests as keys_tests;
pub(crate) use keys::{KeyRow, Keys, Shape};
pub(crate) use nearest::{misspelt, nearest};
pub use node::{Kind, Node};
pub(crate) use reader::Reader;
pub(crate) use shorthand::{Document, Shorthand};
pub use subspan::Style;
pub(crate) use subspan::locate;
#[cfg(feature = "project")]
pub(crate) use toml::parse_toml;
pub use tree::parse;
pub(crate) use tree::{comments, documents, refuse_shorthand};
