//! `lsp`: runs the language server.

use clap::Args;
use lsp_server::Connection;

use super::{Outcome, Stop};
use crate::lsp;
use crate::project::Failure;

/// Run the language server, which editors start
///
/// It speaks the Language Server Protocol on standard input and output.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast lsp\n\nHow editors start it: the README, section \
                        \"In an editor\"")]
pub(super) struct Lsp {
    /// Speak on standard input and output; the only way, so editors need not say it
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        // There is no other way to speak, with the option or without.
        let Lsp { stdio: _ } = self;
        let (connection, threads) = Connection::stdio();
        let ended = lsp::serve(&connection);
        // The writing thread ends when nobody can send any more.
        drop(connection);
        ended.map_err(|why| Failure::new(format!("the editor's messages end: {why}")))?;
        threads.join()?;
        Ok(Outcome::Clean)
    }
}
