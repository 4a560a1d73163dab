//! `show`: prints a rule at one stage of compilation, a mapping or a template.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::Surroundings;
use super::report::{self, Stream};
use super::templates::OwnTemplates;
use super::{Global, Outcome, Stop, screen};
use crate::backend::Target;
use crate::backend::template::Template;
use crate::definition::Looked;
use crate::ir;
use crate::project::Failure;

/// Print a rule at one stage of compilation, a mapping or a template
#[derive(Args)]
#[command(
    after_help = "Example:\n  rulecast show rules/webshell/web_shell_activity.yml --stage ir\n  \
                  rulecast show mapping windows\n  \
                  rulecast show template sentinel/analytic.yaml"
)]
pub(super) struct Show {
    /// Rule file, or the word `mapping` or `template`
    #[arg(value_name = "RULE")]
    path: PathBuf,
    /// After `mapping` or `template`: its name; `rulecast list mappings` and `list templates` show them
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    surroundings: Surroundings,
    /// Which stage
    #[arg(long, value_enum, default_value_t = Stage::Ir)]
    stage: Stage,
    #[command(flatten)]
    templates: OwnTemplates,
}

/// A station of the compiler
#[derive(ValueEnum, Clone, Copy)]
enum Stage {
    /// As written, in one layout
    Definition,
    /// As meant
    Ir,
    /// For Microsoft Sentinel
    Sentinel,
    /// For Microsoft Sentinel's ASIM parsers
    Asim,
    /// For Defender XDR
    Xdr,
    /// For Elastic
    Elastic,
    /// As Rust source
    Native,
}

impl Show {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        match &self.name {
            Some(name) if self.path.as_os_str() == "mapping" => {
                return super::mapping::show(&self.surroundings.settings, name);
            }
            Some(name) if self.path.as_os_str() == "template" => {
                let template = Template::named(name).map_err(Failure::new)?;
                screen::body(&mut anstream::stdout().lock(), template.text)?;
                return Ok(Outcome::Clean);
            }
            Some(name) => {
                let why = format!(
                    "`{name}` is too much: one file, or `mapping` or `template` and a name"
                );
                return Err(Failure::new(why).into());
            }
            None => {}
        }
        let workspace = self.surroundings.load(std::slice::from_ref(&self.path))?;
        self.templates.give(workspace)?;
        let mut out = anstream::stdout().lock();
        for loaded in &workspace.rules {
            match self.stage {
                Stage::Definition => {
                    let printed = loaded.definition().map(|definition| definition.print());
                    screen::body(&mut out, &printed.unwrap_or_default())?;
                }
                Stage::Ir => screen::body(&mut out, &ir::print(&loaded.rule))?,
                Stage::Sentinel | Stage::Asim | Stage::Xdr | Stage::Elastic | Stage::Native => {}
            }
        }
        let target = match self.stage {
            Stage::Definition | Stage::Ir => None,
            Stage::Sentinel => Some(Target::Sentinel),
            Stage::Asim => Some(Target::Asim),
            Stage::Xdr => Some(Target::Xdr),
            Stage::Elastic => Some(Target::Elastic),
            Stage::Native => Some(Target::Native),
        };
        if let Some(target) = target {
            let (outputs, _) = workspace.outputs(&[target], crate::workspace::Kept::Artifacts);
            drop(out);
            super::convert::print(&outputs)?;
        }
        let findings = report::relevant(global, workspace, Looked::InPart);
        Ok(report::findings(global, &findings, Stream::Err)?)
    }
}
