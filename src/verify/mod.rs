//! The user's own proof: whether what was emitted means what the engine says.
mod document;
pub use document::{Gaps, document, guessed_product};
