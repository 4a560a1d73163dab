//! What rulecast promises, tested from outside: one file a promise.

// A test that cannot go on has failed, and says where.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod agreement;
mod architecture;
mod cli;
mod conformance;
mod counts;
mod damage;
mod diagnostics;
mod documents;
mod eql;
mod eql_judge;
mod events;
mod generous;
mod golden;
mod hostile;
mod hunting;
mod inert;
mod injection;
mod kept;
mod kibana;
#[cfg(unix)]
mod killed;
mod kuery;
mod kusto;
mod linking;
mod log_sources;
mod mappings;
mod memory;
mod mutants;
mod mutate;
mod mutate_eql;
mod native;
mod near;
mod normalize;
mod numbers;
mod oracle;
mod outside;
mod pairs;
mod pcre;
mod project;
mod properties;
mod readers;
mod replay;
mod satisfiable;
mod shape;
mod sigma;
mod specification;
mod state;
mod streams;
mod support;
mod targets;
mod trials;
mod verify;
mod warnings;
