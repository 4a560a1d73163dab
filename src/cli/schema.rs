//! `schema`: prints the JSON Schema of a kind of document.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::{Outcome, Stop};
use crate::schema::{self, Kind};
use crate::source::visible_json;

/// Print a JSON Schema for editors: the keys, their values, and a text about each
///
/// Without a kind, the schema takes every kind of YAML document.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast schema > rulecast.schema.json\n\n\
                  The first line of a rule, for editors with yaml-language-server:\n  \
                  # yaml-language-server: $schema=../rulecast.schema.json")]
pub(super) struct Schema {
    /// Which documents
    #[arg(value_enum)]
    kind: Option<Which>,
}

#[derive(ValueEnum, Clone, Copy)]
enum Which {
    /// Definitions
    Definition,
    /// Sigma rules
    Sigma,
    /// Sigma correlations
    Correlation,
    /// Sigma filters
    Filter,
    /// Mappings
    Mapping,
    /// The settings of a project, `rulecast.toml`
    Project,
}

impl Schema {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        let schema = match self.kind {
            None => schema::any(),
            Some(Which::Definition) => schema::of(Kind::Definition),
            Some(Which::Sigma) => schema::of(Kind::Sigma),
            Some(Which::Correlation) => schema::of(Kind::Correlation),
            Some(Which::Filter) => schema::of(Kind::Filter),
            Some(Which::Mapping) => schema::of(Kind::Mapping),
            Some(Which::Project) => schema::of(Kind::Project),
        };
        let text = visible_json(&format!("{schema:#}\n"));
        anstream::stdout().lock().write_all(text.as_bytes())?;
        Ok(Outcome::Clean)
    }
}
