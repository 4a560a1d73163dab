//! `explain`: prints the explanation of a code, or why events fit a rule or do not.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::events::EventForm;
use super::examples::Files;
use super::input::Surroundings;
use super::report::{self, Stream, count};
use super::{Format, Global, Outcome, Stop, screen};
use crate::definition::{Looked, nearest_name};
use crate::diagnostic::Code;
use crate::ir::{Role, test_text};
use crate::matcher::{Explained, Explainer, Fit, Had, Memory, Step, Trace};
use crate::project::Failure;
use crate::verify::{Example, Place};

/// Explain the code of a finding, or why events fit a rule or do not
///
/// The page of a code says what the finding is, why it is one, and shows the mistake and the right form.
///
/// Of each event and signal the first reason stands in one sentence. Below it stand the parts of the
/// signal: `+` is as the signal asks, `-` decides against it, with what the event has.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast explain E0201\n  \
                        rulecast explain rules/webshell/web_requests.yml -e web01.jsonl --line 12")]
pub(super) struct Explain {
    /// Code, such as E0201; with `--events` a rule file
    #[arg(value_name = "CODE|RULE")]
    what: String,
    /// File of events, repeatable; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Only the event in this line; those before it are read
    #[arg(long, value_name = "NUMBER", requires = "events")]
    line: Option<usize>,
    /// Only this signal
    #[arg(long, value_name = "NAME", requires = "events")]
    signal: Option<String>,
    #[command(flatten)]
    form: EventForm,
    #[command(flatten)]
    surroundings: Surroundings,
}

impl Explain {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        if self.events.is_empty() { code(&self.what) } else { self.events(global) }
    }

    fn events(&self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.surroundings.load(&[PathBuf::from(&self.what)])?;
        let rules: Vec<_> = workspace.rules.iter().map(|loaded| loaded.rule.clone()).collect();
        self.check_signal(rules.iter().flat_map(|rule| &rule.signals).map(|one| &one.name))?;
        let read = (&*rules, &workspace.policy.mappings);
        let mut files = Files::open(&self.events, &self.form, read, global.quiet)?;
        let options = self.form.options(read)?;
        let explainers =
            rules.into_iter().map(|rule| (Explainer::new(rule, &options), Memory::default()));
        let mut explainers: Vec<_> = explainers.collect();
        let mut shown = 0;
        loop {
            let examples = files.next()?;
            if examples.is_empty() {
                break;
            }
            for (explainer, memory) in &mut explainers {
                for example in &examples {
                    let explained =
                        explainer.explain(&example.event, example.kind.as_ref(), memory);
                    let explained = explained.map_err(|error| Failure::new(error.to_string()))?;
                    shown += usize::from(self.show(global, &files.names, example, &explained)?);
                }
            }
        }
        if let Some(failure) = files.failure() {
            return Err(failure.into());
        }
        files.finish(&mut workspace.diagnostics);
        if shown == 0 {
            let line = self.line.map_or_else(String::new, |line| format!(" in line {line}"));
            return Err(Failure::new(format!("there is no event{line} to explain")).into());
        }
        let findings = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &findings, Stream::Err)?;
        report::say(global, &format!("{} explained", count(shown, "event")))?;
        Ok(outcome)
    }

    fn check_signal<'n>(
        &self,
        names: impl Iterator<Item = &'n String> + Clone,
    ) -> Result<(), Failure> {
        let Some(asked) = self.signal.as_ref() else { return Ok(()) };
        if names.clone().any(|name| name == asked) {
            return Ok(());
        }
        let near = nearest_name(asked, names.map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Err(Failure::new(format!("no signal is called `{asked}`{near}")))
    }

    /// Prints what an event is to the signals; false when it is not asked for
    fn show(
        &self,
        global: &Global,
        files: &[String],
        example: &Example,
        explained: &[Explained<'_>],
    ) -> std::io::Result<bool> {
        let Place::Line { file, line } = example.place else { return Ok(false) };
        if self.line.is_some_and(|asked| asked != line) {
            return Ok(false);
        }
        let asked =
            |one: &&Explained<'_>| self.signal.as_ref().is_none_or(|name| *name == one.signal.name);
        let mut out = anstream::stdout().lock();
        let place = format!("{}:{line}", files[file]);
        for one in explained.iter().filter(asked) {
            if global.format == Format::Json {
                writeln!(out, "{}", object(&place, one))?;
                continue;
            }
            let fits = if one.fit == Fit::Fits { "match" } else { "no match" };
            let text = format!("{place}: {}: {fits}: {}", one.signal.name, one.reason());
            writeln!(out, "{}", screen::line(&text))?;
            for tried in &one.clauses {
                let role = if tried.clause.role == Role::Require { "requires" } else { "excludes" };
                let mark = mark(tried.passes());
                let text = format!("  {mark} {role} {}", tried.clause.label);
                writeln!(out, "{}", screen::line(text.trim_end()))?;
                // Parts of what is as the signal asks are of no interest when the event does not fit.
                if !tried.passes() || one.fit == Fit::Fits && tried.trace.holds {
                    write(&mut out, &tried.trace, 3)?;
                }
            }
        }
        Ok(true)
    }
}

fn code(name: &str) -> Result<Outcome, Stop> {
    let Some(code) = Code::named(name) else {
        let near = nearest_name(name, Code::ALL.iter().map(|code| code.as_str()));
        let mut hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
        if std::path::Path::new(name).exists() {
            hint = "; a rule is explained with events, by `-e FILE`".to_owned();
        }
        return Err(Failure::new(format!("no code `{name}`{hint}")).into());
    };
    page(&mut anstream::stdout().lock(), code)?;
    Ok(Outcome::Clean)
}

/// Prints the page of a code: what, why, wrong, right
fn page(out: &mut impl Write, code: Code) -> std::io::Result<()> {
    writeln!(out, "{code}: {}\n\n{}", code.title(), wrapped(code.explanation()))?;
    for (head, text) in code
        .page()
        .into_iter()
        .flat_map(|page| [("Wrong", page.wrong.as_str()), ("Right", page.right.as_str())])
    {
        writeln!(out, "\n{head}:\n")?;
        for line in text.lines() {
            // A tab is a mistake that nobody would see.
            writeln!(out, "{}", screen::line(&format!("    {}", line.replace('\t', "<tab>"))))?;
        }
    }
    Ok(())
}

/// The widest line of an explanation, for a terminal of 80 columns
const COLUMNS: usize = 80;

/// A text in lines that a terminal shows whole
fn wrapped(text: &str) -> String {
    let (mut lines, mut width) = (String::new(), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        let fits = width + 1 + length <= COLUMNS;
        lines.push_str(if width == 0 {
            ""
        } else if fits {
            " "
        } else {
            "\n"
        });
        width = if fits && width > 0 { width + 1 + length } else { length };
        lines.push_str(word);
    }
    lines
}

fn mark(good: bool) -> char {
    if good { '+' } else { '-' }
}

/// The most characters of a line of the tree
const WIDTH: usize = 100;

/// Prints the parts of an expression; `+` holds, `-` does not
fn write(out: &mut impl Write, trace: &Trace<'_>, depth: usize) -> std::io::Result<()> {
    let mut line = |text: &str| {
        let text = format!("{}{} {text}", "  ".repeat(depth), mark(trace.holds));
        writeln!(out, "{}", screen::line(&cut(&text)))
    };
    match &trace.step {
        Step::All(parts) => {
            line("all of")?;
            parts.iter().try_for_each(|part| write(out, part, depth + 1))
        }
        Step::Any(parts) => {
            line("any of")?;
            parts.iter().try_for_each(|part| write(out, part, depth + 1))
        }
        Step::Not(part) => {
            line("not")?;
            write(out, part, depth + 1)
        }
        Step::Test(test, had) => {
            line(&test_text(test))?;
            let had = match had {
                Had::Missing => "the event has none".to_owned(),
                Had::Null => "has no value".to_owned(),
                Had::Texts(texts) => texts.join(", "),
            };
            let text = format!("{}  = {had}", "  ".repeat(depth));
            writeln!(out, "{}", screen::line(&cut(&text)))
        }
    }
}

/// The text up to the width of a screen
fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH - 1) {
        Some((end, _)) if text.chars().count() > WIDTH => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

fn object(place: &str, one: &Explained<'_>) -> Value {
    let clauses = one.clauses.iter().map(|tried| {
        let role = if tried.clause.role == Role::Require { "require" } else { "exclude" };
        let (label, passes) = (&tried.clause.label, tried.passes());
        json!({"role": role, "label": label, "passes": passes, "test": step(&tried.trace)})
    });
    json!({
        "place": place, "signal": one.signal.name, "match": one.fit == Fit::Fits,
        "reason": one.reason(), "clauses": clauses.collect::<Vec<_>>(),
    })
}

fn step(trace: &Trace<'_>) -> Value {
    let all = |parts: &[Trace<'_>]| parts.iter().map(step).collect::<Vec<_>>();
    let (word, what) = match &trace.step {
        Step::All(parts) => ("all", json!(all(parts))),
        Step::Any(parts) => ("any", json!(all(parts))),
        Step::Not(part) => ("not", step(part)),
        Step::Test(test, had) => {
            let had = match had {
                Had::Missing => json!("missing"),
                Had::Null => Value::Null,
                Had::Texts(texts) => json!(texts),
            };
            return json!({"holds": trace.holds, "test": test_text(test), "event": had});
        }
    };
    json!({"holds": trace.holds, word: what})
}
