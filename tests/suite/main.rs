//! What rulecast promises, tested from outside: one file a promise.

// A test that cannot go on has failed, and says where.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod agreement;
mod architecture;
mod bump;
mod cli;
mod conformance;
mod counts;
mod coverage;
mod damage;
mod diagnostics;
mod documents;
mod eql;
mod eql_courses;
mod eql_judge;
mod eql_package;
mod eql_pairs;
mod eql_referee;
mod event_shapes;
mod events;
mod exceptions;
mod explained;
mod findings;
mod fixed;
mod folder;
mod generous;
mod golden;
mod hostile;
mod hunting;
mod indexed;
mod inert;
mod injection;
mod kept;
mod kept_events;
mod kibana;
#[cfg(unix)]
mod killed;
mod kuery;
mod kusto;
mod kusto_mutants;
mod late;
mod linking;
mod log_sources;
mod lsp;
mod mappings;
mod memory;
mod mutants;
mod mutate;
mod mutate_eql;
mod mutate_kusto;
mod native;
mod navigator;
mod near;
mod normalize;
mod numbers;
mod objects;
mod oracle;
mod outside;
mod owners;
mod packages;
mod pages;
mod pairs;
mod pcre;
mod planned;
mod project;
mod properties;
mod readers;
mod replay;
mod reviewed;
mod revised;
mod satisfiable;
mod schema;
mod series;
mod shape;
mod sigma;
mod silence;
mod specification;
mod started;
mod state;
mod streams;
mod support;
mod targets;
mod templates;
mod trials;
mod tuned;
mod verify;
mod warnings;

/// The one of the program: the allocator of the C library takes a third of a run
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
