//! The command line: one file per verb.
//!
//! In: arguments. Out: data on stdout, messages on stderr, and an exit code: 0 nothing found, 1
//! findings, 2 could not run. A reader that closes the pipe ends the run quietly.

mod aligned;
mod bump;
mod census;
mod changes;
mod check;
mod completions;
mod convert;
mod diff;
mod events;
mod examples;
mod explain;
mod input;
mod interruption;
mod junit;
mod list;
mod lsp;
mod man;
mod mapping;
mod matrix;
mod movement;
mod near;
mod new;
mod outdated;
mod pages;
mod plan;
mod progress;
mod report;
mod scan;
mod schema;
mod screen;
mod seen;
mod select;
mod settings;
mod show;
mod sightings;
mod spreadsheet;
mod summary;
mod templates;
mod test;
mod tune;
mod verdict;
mod verify;
mod version;

use std::io;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::project::Failure;

/// Write a detection once, as YAML; run it on Sentinel, Elastic and natively
///
/// A definition names parents, children, paths, extensions and exclusions. rulecast checks it at
/// the word, compiles it for every target, and runs it on events. What a target cannot say
/// exactly is refused or reported as a named loss.
#[derive(Parser)]
#[command(
    name = "rulecast",
    version = env!("CARGO_PKG_VERSION"),
    long_version = version::text(),
    arg_required_else_help = true,
    after_help = "Example:\n  rulecast check rules\n  rulecast convert rules -o build\n  \
                  rulecast scan rules -e events.jsonl\n\n\
                  Exit codes: 0 nothing found, 1 findings, 2 could not run"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Global {
    /// How to print findings
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        env = "RULECAST_FORMAT",
        default_value_t = Format::Full,
        help_heading = "Global options"
    )]
    format: Format,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        env = "RULECAST_COLOR",
        default_value_t = Color::Auto,
        help_heading = "Global options"
    )]
    color: Color,
    /// Say nothing but findings and data
    #[arg(short, long, global = true, help_heading = "Global options")]
    quiet: bool,
    /// Exit 1 already when something of this severity was found
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "SEVERITY",
        env = "RULECAST_FAIL_ON",
        default_value_t = FailOn::Error,
        help_heading = "Global options"
    )]
    fail_on: FailOn,
    /// Report these warnings only, by code or by what codes begin with: `W0213,W03`; repeatable
    ///
    /// Errors are always reported.
    #[arg(
        long,
        global = true,
        value_name = "CODES",
        env = "RULECAST_SELECT",
        value_parser = select::codes,
        help_heading = "Global options"
    )]
    select: Vec<select::Codes>,
    /// Leave these warnings out, also where they are selected; repeatable
    ///
    /// What is left out does not count for `--fail-on`. To let one warning stand at one place, write
    /// `# allow[W0213]: reason` beside it.
    #[arg(
        long,
        global = true,
        value_name = "CODES",
        env = "RULECAST_IGNORE",
        value_parser = select::warnings,
        help_heading = "Global options"
    )]
    ignore: Vec<select::Codes>,
}

/// How findings are printed
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// With the lines they are about
    Full,
    /// A line each
    Concise,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// Comma-separated values, for `report` and `scan` only
    Csv,
    /// A line for each match, cut to the width of the terminal, for `scan` only
    Table,
    /// JUnit XML, for `test` only
    Junit,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
enum FailOn {
    Error,
    Warning,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Convert(convert::Convert),
    Test(test::Test),
    Report(matrix::Report),
    Verify(verify::Verify),
    Scan(scan::Scan),
    Show(show::Show),
    Explain(explain::Explain),
    Diff(diff::Diff),
    Plan(plan::Plan),
    Tune(tune::Tune),
    New(new::New),
    List(list::List),
    Schema(schema::Schema),
    Lsp(lsp::Lsp),
    Completions(completions::Completions),
    Man(man::Manual),
    #[command(hide = true)]
    Near(near::NearEvents),
}

/// How a run ended
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Clean,
    Findings,
    /// Some input could not be read to its end; the failure is already reported
    Broken,
    /// The signal of this number ended the run
    Stopped(usize),
}

/// Why a run ended early
enum Stop {
    Failed(Failure),
    Io(io::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Io(error)
    }
}

/// Runs the command the arguments ask for
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.global.color {
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
        Color::Auto => {}
    }
    let global = &cli.global;
    if let Some(why) = misplaced(global.format, &cli.command) {
        return report::failed(why);
    }
    let ended = match cli.command {
        Command::Check(check) => check.run(global),
        Command::Convert(convert) => convert.run(global),
        Command::Test(test) => test.run(global),
        Command::Report(report) => report.run(global),
        Command::Verify(verify) => verify.run(global),
        Command::Scan(scan) => scan.run(global),
        Command::Show(show) => show.run(global),
        Command::Diff(diff) => diff.run(global),
        Command::Plan(plan) => plan.run(global),
        Command::Tune(tune) => tune.run(global),
        Command::New(new) => new.run(global),
        Command::Explain(explain) => explain.run(global),
        Command::List(list) => list.run(),
        Command::Schema(schema) => schema.run(),
        Command::Lsp(lsp) => lsp.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(manual) => manual.run(),
        Command::Near(near) => near.run(),
    };
    match ended {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Broken) => ExitCode::from(2),
        Ok(Outcome::Stopped(signal)) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(255)),
        Err(Stop::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Stop::Io(error)) => report::failed(&error.to_string()),
        Err(Stop::Failed(failure)) => report::failed(&failure.to_string()),
    }
}

/// Why the command has no such format
fn misplaced(format: Format, command: &Command) -> Option<&'static str> {
    let (is_report, is_scan) =
        (matches!(command, Command::Report(_)), matches!(command, Command::Scan(_)));
    match format {
        Format::Csv if !is_report && !is_scan => {
            Some("`--format csv` is for `rulecast report` and `rulecast scan` only")
        }
        Format::Table if !is_scan => Some("`--format table` is for `rulecast scan` only"),
        Format::Junit if !matches!(command, Command::Test(_)) => {
            Some("`--format junit` is for `rulecast test` only")
        }
        Format::Full
        | Format::Concise
        | Format::Json
        | Format::Sarif
        | Format::Github
        | Format::Csv
        | Format::Table
        | Format::Junit => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_tree_is_sound() {
        super::Cli::command().debug_assert();
    }
}
