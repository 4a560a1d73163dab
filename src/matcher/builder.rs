//! Builds an engine step by step.
//!
//! In: rules, and what is known of the events. Out: an [`Engine`].

use super::shape::Shape;
use super::{Engine, Options};
use crate::ir::Rule;
use crate::mapping::Mappings;
use crate::taxonomy::{EventKind, Field};

/// Rules, and what is known of the events that an engine will judge
///
/// ```
/// use rulecast::matcher::{Collected, Engine, Found, Lines, Memory, scan};
/// use rulecast::taxonomy::EventKind;
/// use rulecast::workspace::{Text, Workspace};
///
/// let text = "
/// title: Shell of a web server
/// id: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a10
/// signals:
///   shell: {event: process_creation, parents: [w3wp.exe], children: [cmd.exe]}
/// ";
/// let mut workspace = Workspace::read(&Text::new("shell.yml", text).into());
/// let kind = EventKind::named("process_creation").expect("a kind of event");
/// let engine = Engine::builder().rules(workspace.take_reported()).kind(kind).build();
///
/// // Events are judged as they are read, from any number of streams.
/// let stream = br#"{"ParentImage": "C:\\W\\w3wp.exe", "Image": "C:\\W\\cmd.exe"}"#;
/// let (mut memory, mut collected) = (Memory::default(), Collected::default());
/// scan(&engine, &mut memory, (0, &mut Lines::new(&stream[..])), &mut collected)?;
/// assert!(matches!(&collected.found[..], [Found::Hit(hit)] if hit.line == 1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct EngineBuilder {
    rules: Vec<Rule>,
    options: Options,
}

impl Engine {
    /// An engine without rules, for events of any form
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }
}

impl EngineBuilder {
    /// Adds rules; [`Match::rule`](super::Match::rule) counts all of them in their order
    #[must_use]
    pub fn rules(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// The object inside each event that holds the fields: its path, keys joined by dots
    #[must_use]
    pub fn field(mut self, path: impl Into<String>) -> Self {
        self.options.field = Some(path.into());
        self
    }

    /// The kind of every event
    #[must_use]
    pub fn kind(mut self, kind: EventKind) -> Self {
        self.options.kind = Some(kind);
        self
    }

    /// The field that names the kind of each event
    #[must_use]
    pub fn kind_field(mut self, field: impl Into<String>) -> Self {
        self.options.kind_field = Some(field.into());
        self
    }

    /// The path of the value that is the time of each event
    #[must_use]
    pub fn time_field(mut self, path: impl Into<String>) -> Self {
        self.options.time_field = Some(path.into());
        self
    }

    /// The shape of every event; without it each event shows its own
    #[must_use]
    pub fn shape(mut self, shape: Shape) -> Self {
        self.options.shape = Some(shape);
        self
    }

    /// Fields that each match shows beside its evidence
    #[must_use]
    pub fn shown(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.options.shown.extend(fields);
        self
    }

    /// What the columns and index fields of the targets mean, in events that are rows or documents
    #[must_use]
    pub fn mappings(mut self, mappings: Mappings) -> Self {
        self.options.mappings = mappings;
        self
    }

    /// Compiles the rules
    pub fn build(self) -> Engine {
        Engine::new(self.rules, &self.options)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;

    #[test]
    fn what_a_service_keeps_may_be_shared_by_its_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Engine>();
        is_shared::<EngineBuilder>();
        is_shared::<Memory>();
    }
}
