//! Write a detection once, as YAML; get the Sentinel query, the Elastic rule and a native
//! matcher that mean the same.
//!
//! ```text
//!  YAML ──► definition::Definition ──► ir::Rule ──┬─► backend::sentinel ──► KQL + analytic rule
//!  (source)      as written, with spans     as meant   ├─► backend::elastic  ──► Kibana KQL + new_terms rule
//!                                                      ├─► backend::native   ──► Rust source
//!                                                      └─► matcher::Engine   ──► verdicts on events
//! ```

pub mod backend;
pub mod definition;
pub mod diagnostic;
pub mod ir;
pub mod matcher;
pub mod source;
pub mod taxonomy;
