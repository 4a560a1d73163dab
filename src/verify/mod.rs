//! The user's own proof that artifacts agree with the engine.
//!
//! ```text
//!  event ──┬─► Engine ──► matches ──────────────────────┐
//!          └─► Observation ──► documents, as Elastic's  ├─► Finding
//!                              pipelines make them ──┐  │
//!  NDJSON ──► Import ──► elastic::Rule ──────────────┴──┘
//!
//!  query, packages ──► kusto::bind ──► columns, or faults
//!  query, rows of Microsoft's tables ──► execute::Run ──► what it reports
//!
//!  Rust source ──► native::Program, compiled by another room ──► levels
//! ```
//!
//! In: artifacts as text, their rule, and events. Out: a [`Verdict`]. Elastic's rules are executed:
//! each event and signal gets the verdict of both sides. Their two forms are compared with each
//! other. Kusto is bound to table schemas, then executed over rows (`sentinel`, with `query::kusto::execute`). [`near`]
//! makes events close to the literals of a rule, for such trials.
//!
//! INVARIANT: an artifact is read as its target would read it. Only the manifest comes from the
//! compiler: it says how many signals there are, and which losses the artifact names.

mod binding;
mod comparison;
mod correlated;
mod ecs;
pub mod elastic;
pub mod eql;
mod exceptions;
mod family;
mod finding;
mod forms;
mod import;
#[cfg(test)]
mod kusto_random;
mod native;
pub mod near;
mod near_misses;
mod novelty;
mod observation;
mod own_document;
mod package;
mod pipeline;
#[cfg(test)]
mod read_back;
mod recordable;
mod sentinel;
mod series;
mod shown;
mod sources;
mod trial;
mod verdict;

pub use binding::bind;
pub use elastic::{Import, Judged};
pub use finding::{Difference, Finding};
pub use forms::compare_forms;
pub use native::{Asking, Judged as JudgedNative, Program};
pub use novelty::Seen;
pub use observation::{Observation, Observer};
pub use package::check_packages;
pub use pipeline::{Gaps, document, guessed_product};
#[cfg(test)]
pub(crate) use sentinel::returned;
pub use sentinel::{Asked, Trials, Watcher, matching};
pub use series::{Course, Watched, course, try_series, watch};
pub use trial::{
    Example, Place, Tally, Trial, near_examples, own_examples, try_near_events, try_tests,
};
pub use verdict::{Fault, Verdict};
