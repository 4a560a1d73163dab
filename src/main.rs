//! The `rulecast` command.

use std::process::ExitCode;

/// Rules are trees of small texts: the allocator of the C library takes a third of a run
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rulecast::cli::main()
}
