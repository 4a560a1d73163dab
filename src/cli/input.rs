//! The input of commands: rules, filters and placeholders.

use std::path::PathBuf;

use clap::Args;

use crate::project::{self, Failure};
use crate::workspace::Workspace;

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

/// The rules that a command is about
#[derive(Args, Clone)]
pub(super) struct Rules {
    /// Rule files or folders
    #[arg(value_name = "PATH", default_value = "rules")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    surroundings: Surroundings,
}

impl Rules {
    /// Reads the rules, with filters and placeholders
    pub(super) fn load(&self) -> Result<&'static mut Workspace, Failure> {
        self.surroundings.load(&self.paths)
    }
}

impl Surroundings {
    /// Reads the rules
    ///
    /// They are leaked: to drop thousands of rules would take long, and the memory is freed when
    /// the process ends.
    pub(super) fn load(&self, paths: &[PathBuf]) -> Result<&'static mut Workspace, Failure> {
        let filters = self.filters.clone();
        let surroundings =
            project::Surroundings { filters, placeholders: self.placeholders.clone() };
        Ok(Box::leak(Box::new(project::load_with(paths, &surroundings)?)))
    }
}
