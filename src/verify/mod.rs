//! The user's own proof: whether what was emitted means what the engine says.
//!
//! ```text
//!  event ──┬─► Engine ─────────────────────────────► matches ──┐
//!          └─► Sight ──► documents, as Elastic's pipelines ──┐  ├─► Finding
//!                        make them                           │  │
//!  artifact ──► Import ──► kuery::Rule ──────────────────────┴──┘
//! ```
//!
//! In: artifacts, as text, the rule they are of and events. Out: for each event and signal whether
//! both say the same.
//!
//! INVARIANT: an artifact is read as its target would read it. Of the compiler that made it only
//! the losses are known here, which the artifact names in its own description.

mod document;
mod elastic;
mod import;
mod scope;
mod sight;
mod trial;

pub use document::{Gaps, document, guessed_product};
pub use elastic::{Difference, Finding, Import, Judged, Seen};
pub use sight::{Eyes, Sight};
pub use trial::{Example, Place, Tally, Trial, try_tests};
