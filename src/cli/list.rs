//! `list`: prints fields, targets, codes, events, modifiers, losses, operators, mappings, templates, the
//! settings of targets or those of the project.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::input::Settings;
use super::{Outcome, Stop, screen};
use crate::backend::Target;
use crate::backend::operators::{self, Support};
use crate::backend::settings::{SettingRow, settings_of};
use crate::backend::template::TEMPLATES;
use crate::definition::vocabulary::WORDS;
use crate::definition::{Modifier, nearest_name};
use crate::diagnostic::Code;
use crate::manifest::LossName;
use crate::project::Failure;
use crate::taxonomy::{EventKind, Field, FieldType, Log};

/// List fields, targets, codes, events, modifiers, losses, operators, mappings, settings or templates
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast list fields windows/security")]
pub(super) struct List {
    /// What to list
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
    /// Of `fields`: for this kind of event only, which may be a log source such as `windows/security`
    #[arg(value_name = "EVENT")]
    event: Option<String>,
    #[command(flatten)]
    settings: Settings,
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
    /// Where targets keep the events of each log source, the user's own mappings first
    Mappings,
    /// What rules and projects may set for each target
    Settings,
    /// The layouts of artifacts, which `--templates` replaces by name
    Templates,
    /// The settings of the project, and where each comes from
    Config,
}

impl List {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        let rows: Vec<(String, String)> = match self.what {
            What::Fields => return fields(self.event.as_deref()),
            What::Operators => return operators(),
            What::Settings => return target_settings(),
            What::Config => return config(&self.settings),
            What::Templates => TEMPLATES.iter().map(|one| row(one.name, one.says)).collect(),
            What::Mappings => super::mapping::rows(&self.settings)?,
            What::Targets => Target::ALL.iter().map(|t| row(t.name(), t.describe())).collect(),
            What::Codes => Code::ALL.iter().map(|c| row(c.as_str(), c.title())).collect(),
            What::Events => kinds().map(|kind| row(kind.name(), kind.describe())).collect(),
            What::Modifiers => Modifier::ALL.iter().map(|m| row(m.name(), m.says())).collect(),
            What::Losses => LossName::ALL.iter().map(|l| row(l.name(), l.says())).collect(),
        };
        print(&rows, "")
    }
}

fn target_settings() -> Result<Outcome, Stop> {
    for target in Target::ALL {
        writeln!(anstream::stdout(), "{}", target.name())?;
        let says = |one: SettingRow| row(one.name, &format!("{} ({})", one.says, one.values));
        print(&settings_of(*target).map(says).collect::<Vec<_>>(), "  ")?;
    }
    Ok(Outcome::Clean)
}

fn config(settings: &Settings) -> Result<Outcome, Stop> {
    let rows = super::settings::rows(settings)?;
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (names, values) = (width(0), width(1));
    let mut out = anstream::stdout().lock();
    for [name, value, place] in &rows {
        let line = format!("{name:names$}  {value:values$}  {place}");
        writeln!(out, "{}", screen::line(&line))?;
    }
    Ok(Outcome::Clean)
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

/// Every kind of event that the tables know
fn kinds() -> impl Iterator<Item = EventKind> {
    EventKind::ALL.iter().cloned().chain(Log::all().map(EventKind::Log))
}

fn kind_names() -> impl Iterator<Item = &'static str> {
    EventKind::ALL.iter().map(EventKind::name).chain(Log::names())
}

fn fields(event: Option<&str>) -> Result<Outcome, Stop> {
    let asked: Vec<EventKind> = match event {
        None => EventKind::ALL.to_vec(),
        Some(name) => match EventKind::category(name) {
            Some((kind, _)) => vec![kind],
            None => {
                let near = nearest_name(name, kind_names());
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err(Failure::new(format!("no events are called `{name}`{near}")).into());
            }
        },
    };
    for kind in asked {
        writeln!(anstream::stdout().lock(), "{kind}")?;
        let words = WORDS.iter().filter(|word| word.field(&kind).is_some());
        let words = words.map(|word| row(word.name, word.says));
        let fields = kind.field_names().into_iter().map(|name| {
            let field = Field::of_log(name);
            let says = if field.belongs_to(&kind) { field.says() } else { of_a_log(&kind, &field) };
            row(name, says)
        });
        print(&words.chain(fields).collect::<Vec<_>>(), "  ")?;
    }
    Ok(Outcome::Clean)
}

/// The type of a log's field in words; `text` when the log's table does not tell
fn of_a_log(kind: &EventKind, field: &Field) -> &'static str {
    match kind.field_type(field) {
        Some(FieldType::Path) => "a path",
        Some(FieldType::Command) => "a command line",
        Some(FieldType::Account) => "an account",
        Some(FieldType::Number) => "a number",
        Some(FieldType::Address) => "an address",
        Some(
            FieldType::Text | FieldType::Host | FieldType::Action | FieldType::Key | FieldType::Any,
        )
        | None => "text",
    }
}

fn operators() -> Result<Outcome, Stop> {
    let mut out = anstream::stdout().lock();
    for row in operators::ROWS.iter() {
        writeln!(out, "{}\n  {}", row.operator, row.example)?;
        for (column, support) in operators::COLUMNS.iter().zip(row.support) {
            let does = match support {
                Support::Exact(form) => format!("exact: {form}"),
                Support::Wider(loss) => format!("wider: {loss}"),
                Support::Narrower(loss) => format!("narrower: {loss}"),
                Support::Refused | Support::Unreadable => "refused".to_owned(),
            };
            writeln!(out, "    {:8}  {does}", column.name())?;
        }
    }
    Ok(Outcome::Clean)
}
