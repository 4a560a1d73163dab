//! `--templates`: the user's own layout of artifacts.
//!
//! In: a folder. Out: a workspace whose artifacts are laid out by the templates in it.

use std::path::PathBuf;

use clap::Args;

use super::report;
use crate::backend::template::Templates;
use crate::diagnostic::Diagnostics;
use crate::project::{self, Failure};
use crate::workspace::Workspace;

/// Where templates of the user are
#[derive(Args)]
pub(super) struct OwnTemplates {
    /// Lay out artifacts by the templates in this folder, such as `sentinel/analytic.yaml.hbs`;
    /// `rulecast list templates` names them
    #[arg(long = "templates", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl OwnTemplates {
    /// Gives the templates to a workspace
    pub(super) fn give(&self, workspace: &mut Workspace) -> Result<(), Failure> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut findings = Diagnostics::default();
        let own = project::templates(folder)?;
        let templates = Templates::replaced(own, &mut findings).map_err(Failure::new)?;
        if findings.has_errors() {
            findings.sorted().iter().for_each(report::complain);
            let folder = project::display(folder);
            return Err(Failure::new(format!("the templates in {folder} have mistakes")));
        }
        workspace.policy.templates = templates;
        Ok(())
    }
}
