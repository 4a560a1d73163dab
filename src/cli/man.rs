//! `man`: prints the manual of the program or of a command.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::{Cli, Outcome, Stop};
use crate::definition::nearest_name;
use crate::project::Failure;

/// Print the manual of the program or of a command, for `man`
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast man > ~/.local/share/man/man1/rulecast.1\n  \
                  rulecast man convert > ~/.local/share/man/man1/rulecast-convert.1")]
pub(super) struct Manual {
    /// Command; without one, the program
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

impl Manual {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        let mut program = Cli::command();
        // Gives each command its full name, which its page shows.
        program.build();
        let page = match &self.command {
            None => program,
            Some(name) => match program.find_subcommand(name) {
                Some(command) => command.clone(),
                None => {
                    let known = program.get_subcommands().filter(|one| !one.is_hide_set());
                    let known: Vec<&str> = known.map(|one| one.get_name()).collect();
                    let near = nearest_name(name, known.iter().copied());
                    let near =
                        near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    return Err(Failure::new(format!("no command is called `{name}`{near}")).into());
                }
            },
        };
        let mut text = Vec::new();
        Man::new(page).render(&mut text)?;
        anstream::stdout().lock().write_all(&text)?;
        Ok(Outcome::Clean)
    }
}
