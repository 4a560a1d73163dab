//! What a command reads: rules, and what surrounds them.

use std::path::PathBuf;

use clap::Args;

use crate::project::{Around, Failure, Project, load_with};

/// Options of every command that reads rules
#[derive(Args, Clone)]
pub(super) struct Surroundings {
    /// Add Sigma filters to the rules that they name, repeatable
    #[arg(long = "filter", value_name = "PATH")]
    filters: Vec<PathBuf>,
    /// What `%name%` stands for under the modifier `expand`: a YAML map of names to values
    #[arg(long, value_name = "FILE")]
    placeholders: Option<PathBuf>,
}

impl Surroundings {
    /// Reads the rules
    pub(super) fn load(&self, paths: &[PathBuf]) -> Result<Project, Failure> {
        let filters = self.filters.clone();
        load_with(paths, &Around { filters, placeholders: self.placeholders.clone() })
    }
}
