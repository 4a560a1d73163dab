//! Makes text safe for a terminal and for the log of a GitHub step.
//!
//! In: text that may hold a user's text. Out: the same text without characters that control the
//! terminal and, in a GitHub step, without commands that the runner obeys. The runner obeys two
//! forms: `::name …::` at the start of a line, after blanks, and `##[name …]` anywhere.

use std::io::{self, IsTerminal, Write};

use crate::source::{is_unprintable, visible};

/// Whether the output is the log of a GitHub step
fn is_step() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Makes one line of text safe to print
pub(super) fn line(text: &str) -> String {
    lines(visible(text))
}

/// Makes lines safe to print; unprintable characters must already be removed
pub(super) fn lines(text: String) -> String {
    if is_step() { broken(&text) } else { text }
}

/// Breaks every runner command by a `�`
fn broken(text: &str) -> String {
    let text = text.replace("##[", "#\u{fffd}[");
    let one = |line: &str| {
        let start = line.len() - line.trim_start().len();
        match line[start..].strip_prefix("::") {
            Some(rest) => format!("{}:\u{fffd}{rest}", &line[..start]),
            None => line.to_owned(),
        }
    };
    text.split_inclusive('\n').map(one).collect()
}

/// Prints an artifact or a rule; byte for byte unless stdout is a terminal or a GitHub step's log
pub(super) fn body(out: &mut impl Write, text: &str) -> io::Result<()> {
    if is_step() {
        return out.write_all(stopped(text).as_bytes());
    }
    if io::stdout().is_terminal() {
        let shown = |c| if is_unprintable(c) && !"\n\t".contains(c) { '\u{fffd}' } else { c };
        return out.write_all(text.chars().map(shown).collect::<String>().as_bytes());
    }
    out.write_all(text.as_bytes())
}

/// The text between two lines that stop and resume the runner's commands
///
/// The token is a hash of the text, so the text cannot contain the line that resumes commands.
fn stopped(text: &str) -> String {
    let token = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).hyphenated();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("::stop-commands::{token}\n{text}{end}::{token}::\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        let text = "::error::x\n \u{a0}\t::warning::x\na ##[error]x ###[a]\nstd::env::args\n";
        let harmless = ":\u{fffd}error::x\n \u{a0}\t:\u{fffd}warning::x\n\
                        a #\u{fffd}[error]x ##\u{fffd}[a]\nstd::env::args\n";
        assert_eq!(broken(text), harmless);
    }

    #[test]
    fn a_body_ends_with_the_token_on_its_own_line() {
        let stopped = stopped("::error::x");
        let lines: Vec<&str> = stopped.lines().collect();
        let token = lines[0].strip_prefix("::stop-commands::").unwrap();
        assert_eq!(lines[1..], ["::error::x", &format!("::{token}::")]);
    }
}
