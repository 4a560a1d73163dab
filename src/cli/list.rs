//! `list`: what there is to write.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::{Outcome, Stop};
use crate::backend::support::{self, Support};
use crate::backend::{LossName, Target};
use crate::definition::Modifier;
use crate::definition::vocabulary::WORDS;
use crate::diagnostic::Code;
use crate::taxonomy::{EventKind, Field};

/// List fields, targets, codes, events, modifiers, losses or operators
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast list fields")]
pub(super) struct List {
    /// What to list
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
}

#[derive(ValueEnum, Clone, Copy)]
enum What {
    /// Vocabulary and fields, by kind of event
    Fields,
    /// Where rules can go
    Targets,
    /// What can be found wrong
    Codes,
    /// Kinds of event
    Events,
    /// What can follow a `|` in a key
    Modifiers,
    /// What a target may lose, by the name to accept it under
    Losses,
    /// What each target does with each operator
    Operators,
}

impl List {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        let rows: Vec<(String, String)> = match self.what {
            What::Fields => return fields(),
            What::Operators => return operators(),
            What::Targets => Target::ALL.iter().map(|t| row(t.name(), t.describe())).collect(),
            What::Codes => Code::ALL.iter().map(|c| row(c.as_str(), c.title())).collect(),
            What::Events => EventKind::ALL.iter().map(|k| row(k.name(), k.describe())).collect(),
            What::Modifiers => Modifier::ALL.iter().map(|m| row(m.name(), m.says())).collect(),
            What::Losses => LossName::ALL.iter().map(|l| row(l.name(), l.says())).collect(),
        };
        print(&rows, "")
    }
}

fn row(name: &str, says: &str) -> (String, String) {
    (name.to_owned(), says.to_owned())
}

fn print(rows: &[(String, String)], indent: &str) -> Result<Outcome, Stop> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = anstream::stdout().lock();
    for (name, says) in rows {
        writeln!(out, "{indent}{name:width$}  {says}")?;
    }
    Ok(Outcome::Clean)
}

fn fields() -> Result<Outcome, Stop> {
    for kind in EventKind::ALL {
        writeln!(anstream::stdout().lock(), "{kind}")?;
        let words = WORDS.iter().filter(|word| word.field(*kind).is_some());
        let words = words.map(|word| row(word.name, word.says));
        let fields = Field::of(*kind).map(|field| row(field.name(), field.says()));
        print(&words.chain(fields).collect::<Vec<_>>(), "  ")?;
    }
    Ok(Outcome::Clean)
}

fn operators() -> Result<Outcome, Stop> {
    let mut out = anstream::stdout().lock();
    for row in support::ROWS.iter() {
        writeln!(out, "{}\n  {}", row.operator, row.example)?;
        for (target, support) in Target::USUAL.iter().zip(row.targets) {
            let does = match support {
                Support::Exact(form) => format!("exact: {form}"),
                Support::Wider(loss) => format!("wider: {loss}"),
                Support::Narrower(loss) => format!("narrower: {loss}"),
                Support::Refused | Support::Unreadable => "refused".to_owned(),
            };
            writeln!(out, "    {:8}  {does}", target.name())?;
        }
    }
    Ok(Outcome::Clean)
}
