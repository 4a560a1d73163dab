//! The `rulecast` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulecast::cli::main()
}
