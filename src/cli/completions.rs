//! `completions`: prints completions for the user's shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Outcome, Stop};

/// Print the completions of a shell
#[derive(Args)]
#[command(
    after_help = "Example:\n  rulecast completions bash > ~/.local/share/bash-completion/completions/rulecast"
)]
pub(super) struct Completions {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "rulecast", &mut script);
        std::io::Write::write_all(&mut anstream::stdout().lock(), &script)?;
        Ok(Outcome::Clean)
    }
}
