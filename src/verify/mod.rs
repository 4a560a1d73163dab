//! The user's own proof: whether what was emitted means what the engine says.
//!
//! ```text
//!  event ──┬─► Engine ─────────────────────────────► matches ──┐
//!          └─► Observation ──► documents, as Elastic's pipelines ──┐  ├─► Finding
//!                        make them                           │  │
//!  NDJSON ──► Import ──► elastic::Rule ──────────────────────┴──┘
//!
//!  query, packages ──► kusto::bind ──► columns, or what is not there
//! ```
//!
//! In: artifacts, as text, the rule they are of and events. Out: a [`Verdict`]. Elastic's rules are
//! executed: for each event and signal, whether both say the same; their two forms are held against
//! each other. Kusto is bound, not executed. [`near`] makes events that are close to what a rule
//! compares with, for such trials.
//!
//! INVARIANT: an artifact is read as its target would read it. Of the compiler that made it only
//! the losses are known here, which the artifact names in its own description, and the words for
//! severities.

mod binding;
mod comparison;
pub mod elastic;
mod finding;
mod forms;
mod import;
pub mod near;
mod near_misses;
mod novelty;
mod observation;
mod pipeline;
mod trial;
mod verdict;

pub use binding::bind;
pub use elastic::{Import, Judged};
pub use finding::{Difference, Finding};
pub use forms::compare_forms;
pub use novelty::Seen;
pub use observation::{Observation, Observer};
pub use pipeline::{Gaps, document, guessed_product};
pub use trial::{Example, Place, Tally, Trial, try_tests};
pub use verdict::{Fault, Verdict};
