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
//! A room imports only rooms to its left in this list, and a test keeps it so: [`source`] and
//! [`pattern`], [`query`] with the languages of the targets, [`diagnostic`], [`taxonomy`],
//! [`definition`], [`ir`], then [`backend`] and [`matcher`], [`verify`], [`project`], [`cli`].
//! `taxonomy` and `ir` know no target; the meaning of every comparison is written once, at
//! [`ir::Op`], and every target follows it, names what it loses, or refuses.
//!
//! ```
//! use std::sync::Arc;
//! use rulecast::{backend::Target, compile, source::SourceText};
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
//! let source = Arc::new(SourceText::new("shell.yml", text));
//! let compiled = compile(&source, "shell", Target::Sentinel).expect("no mistakes");
//! assert!(compiled[0].text.contains("InitiatingProcessFileName =~ \"w3wp.exe\""));
//! ```

pub mod backend;
pub mod cli;
pub mod definition;
pub mod diagnostic;
pub mod ir;
pub mod matcher;
pub mod pattern;
pub mod project;
pub mod query;
pub mod source;
pub mod taxonomy;
pub mod verify;

use std::sync::Arc;

pub use backend::Artifact;
pub use definition::Definition;
pub use diagnostic::Diagnostic;
pub use ir::Rule;
pub use matcher::Engine;

/// Compiles every rule of a text for a target, from YAML to artifacts
///
/// `stem` names the artifacts. For many rules, or files, see [`project`].
///
/// # Errors
/// Every finding of the text, sorted by place, when one of them is an error.
pub fn compile(
    source: &Arc<source::SourceText>,
    stem: &str,
    target: backend::Target,
) -> Result<Vec<Artifact>, Vec<Diagnostic>> {
    let mut found = diagnostic::Diagnostics::default();
    let mut artifacts = Vec::new();
    let definitions = definition::parse(source, &mut found);
    let suppressions = definition::Suppressions::read(source, &mut found);
    let mut rules: Vec<Option<Rule>> = Vec::new();
    for definition in &definitions {
        let mut own = diagnostic::Diagnostics::default();
        rules.push(ir::lower(definition, &mut own));
        definition::check(definition, &mut own);
        found.extend(own);
    }
    let all: Vec<&Definition> = definitions.iter().collect();
    let through = ir::join(&all, &mut rules, &mut found);
    for (rule, through) in rules.iter().zip(through) {
        let Some(rule) = rule.as_ref().filter(|_| !through) else { continue };
        backend::check_targets(rule, &mut found);
        artifacts.extend(backend::emit(target, rule, stem, &mut found).unwrap_or_default());
    }
    suppressions.apply(&mut found, definition::Looked::InPart);
    if found.has_errors() { Err(found.sorted()) } else { Ok(artifacts) }
}
