//! Write a detection once, as YAML; get the Sentinel query, the Elastic rule and a native
//! matcher that mean the same.
//!
//! ```text
//!  YAML ──► definition::Definition ──► ir::Rule ──┬─► backend::sentinel ──► KQL, analytic rule
//!  text     as written, with places   as meant    ├─► backend::elastic  ──► Kibana KQL rules
//!  (source)                                       ├─► backend::native   ──► Rust source
//!                                                 └─► matcher::Engine   ──► verdicts on events
//! ```
//!
//! A room imports only rooms to its left in this list, and a test keeps it so: [`source`],
//! `pattern` and `pcre`, `query` with the languages of the targets, [`diagnostic`], `yaml`, [`taxonomy`],
//! [`definition`], [`ir`], `mapping` with the places where targets keep events, [`manifest`], then
//! [`backend`] and [`matcher`], `verify`, [`workspace`], `project`, [`schema`], `lsp`, `pages`, `cli`. `taxonomy` and `ir` know
//! no target; the meaning of every comparison is written once, at [`ir::Op`], and every target
//! follows it, names what it loses, or refuses. Rooms without a link are open only for the tests of
//! this repository; they are no part of the library's interface.
//!
//! # Compiling
//!
//! ```
//! use rulecast::{backend::Target, compile, workspace::Text};
//!
//! let text = "
//! title: Shell of a web server
//! id: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a10
//! signals:
//!   shell_spawn:
//!     event: process_creation
//!     parents: [w3wp.exe]
//!     children: [cmd.exe]
//! ";
//! let compiled = compile(Text::new("shell.yml", text), Target::Sentinel).expect("no mistakes");
//! assert!(compiled[0].text.contains("InitiatingProcessFileName =~ \"w3wp.exe\""));
//! ```
//!
//! [`workspace`] does it for many texts, with filters and placeholders.
//!
//! # Matching
//!
//! An [`Engine`] owns its rules and keeps no state, so any number of threads may ask it. What came
//! before, a [`Memory`](matcher::Memory) knows: which values of `new_terms` have been seen, and what
//! correlations wait for. It can be kept between runs.
//!
//! ```
//! use rulecast::matcher::{Engine, Memory};
//! use rulecast::workspace::{Text, Workspace};
//!
//! let text = "
//! title: Web server that asks who it is
//! id: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a11
//! signals:
//!   shell:
//!     event: process_creation
//!     parents: [w3wp.exe]
//!     children: [cmd.exe]
//!   question:
//!     event: process_creation
//!     parents: [cmd.exe]
//!     children: [whoami.exe, ipconfig.exe]
//! new_terms: {signal: shell, fields: [host, command_line], window: 7d}
//! correlations:
//!   questions:
//!     type: event_count
//!     signals: [question]
//!     group-by: [host]
//!     timespan: 1m
//!     condition: {gte: 2}
//! ";
//! let mut workspace = Workspace::read(&Text::new("questions.yml", text).into());
//! assert!(!workspace.diagnostics.has_errors());
//! let engine = Engine::builder().rules(workspace.take_reported()).build();
//!
//! let event = |second: u32, parent: &str, child: &str| {
//!     format!(
//!         r#"{{"time": "2026-11-21T10:00:{second:02}Z", "Computer": "web1", "CommandLine": "{child}",
//!            "ParentImage": "C:\\Windows\\{parent}", "Image": "C:\\Windows\\{child}"}}"#
//!     )
//! };
//! let mut memory = Memory::default();
//! let (mut new, mut together) = (Vec::new(), Vec::new());
//! for (line, event) in [
//!     event(0, "w3wp.exe", "cmd.exe"),
//!     event(1, "cmd.exe", "whoami.exe"),
//!     event(2, "w3wp.exe", "cmd.exe"),
//!     event(3, "cmd.exe", "ipconfig.exe"),
//! ]
//! .iter()
//! .enumerate()
//! {
//!     for matched in engine.judge(event)? {
//!         new.extend(memory.observe(&engine, &matched));
//!         together.extend(memory.correlate(&engine, &matched, (0, line + 1)));
//!     }
//! }
//! // Some correlations are judged only when no event can follow.
//! together.extend(memory.finish(&engine));
//!
//! assert_eq!(new, [true, false]);
//! assert_eq!(together.len(), 1);
//! assert_eq!(together[0].together.places, [(0, 2), (0, 4)]);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Features
//!
//! - `cli`, on by default: the command `rulecast`, and `diagnostic::full`, which draws a finding
//!   with the lines that it is about. Includes `project`.
//! - `project`: the room of that name, which reads rules from disk and writes outputs.
//!
//! A library needs neither: `default-features = false`.

pub mod backend;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod definition;
pub mod diagnostic;
pub mod ir;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod lsp;
pub mod manifest;
pub mod mapping;
pub mod matcher;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod pages;
#[doc(hidden)]
pub mod pattern;
#[doc(hidden)]
pub mod pcre;
#[cfg(feature = "project")]
pub mod project;
#[doc(hidden)]
pub mod query;
pub mod review;
pub mod schema;
pub mod source;
pub mod taxonomy;
#[doc(hidden)]
pub mod verify;
pub mod workspace;
#[doc(hidden)]
pub mod yaml;

pub use definition::Definition;
pub use diagnostic::Diagnostic;
pub use ir::Rule;
pub use manifest::{Artifact, Manifest};
pub use matcher::Engine;

/// Compiles every rule of a text for a target, from YAML to what is to be written
///
/// # Errors
/// Every finding of the text, sorted by place, when one of them is an error.
pub fn compile(
    text: workspace::Text,
    target: backend::Target,
) -> Result<Vec<workspace::Output>, Vec<Diagnostic>> {
    let mut workspace = workspace::Workspace::read(&text.into());
    let (outputs, _) = workspace.outputs(&[target], workspace::Kept::Artifacts);
    let refused = workspace.diagnostics.has_errors();
    if refused { Err(workspace.findings(definition::Looked::InPart)) } else { Ok(outputs) }
}
