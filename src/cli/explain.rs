//! `explain`: prints the explanation of a code.

use std::io::Write;

use clap::Args;

use super::{Outcome, Stop};
use crate::definition::nearest_name;
use crate::diagnostic::Code;
use crate::project::Failure;

/// Explain the code of a finding
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast explain E0201")]
pub(super) struct Explain {
    /// Code, such as E0201
    #[arg(value_name = "CODE")]
    code: String,
}

impl Explain {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        let Some(code) = Code::named(&self.code) else {
            let near = nearest_name(&self.code, Code::ALL.iter().map(|code| code.as_str()));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            return Err(Failure::new(format!("no code `{}`{hint}", self.code)).into());
        };
        let mut out = anstream::stdout().lock();
        writeln!(out, "{code}: {}\n\n{}", code.title(), code.explanation())?;
        Ok(Outcome::Clean)
    }
}
