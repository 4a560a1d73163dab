//! Findings as people read them: when, where, who, which program.
//!
//! In: the results of a scan. Out: a [`Seen`] a finding, with one text a column, whatever the log calls
//! the field. A finding that only a correlation reports is told from the others by [`reported`].

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::definition::Level;
use crate::ir::Rule;
use crate::matcher::{Finding, Found, Hit};
use crate::pages::Sighting;
use crate::taxonomy::Field;

/// The fields that name the host, in the order of preference
const HOST: &[&str] = &["Computer", "s-computername", "Hostname"];
/// The fields that name the account
const USER: &[&str] = &[
    "User",
    "SubjectUserName",
    "TargetUserName",
    "cs-username",
    "userIdentity.userName",
    "userIdentity.arn",
];
/// The fields that name the program
const IMAGE: &[&str] = &["Image", "SourceImage", "ProcessName"];
/// The fields that say what was executed
const COMMAND: &[&str] = &["CommandLine", "ScriptBlockText"];

/// The fields that findings show
pub(super) struct Columns {
    host: Vec<Field>,
    user: Vec<Field>,
    image: Vec<Field>,
    command: Vec<Field>,
    /// The fields that rules ask for by `fields:`, without those above, in the order of the rules
    pub(super) own: Vec<Field>,
}

/// A finding
pub(super) struct Seen {
    /// Index of the rule in the engine
    pub(super) rule: usize,
    /// The name of the signal or correlation
    pub(super) what: String,
    pub(super) level: Level,
    /// `None` when the event has no readable time
    pub(super) time: Option<Timestamp>,
    pub(super) host: String,
    pub(super) user: String,
    pub(super) image: String,
    pub(super) command: String,
    /// The values of [`Columns::own`], in that order; empty where the rule does not ask for the field
    pub(super) own: Vec<String>,
    /// The fields that the rule tested, or what the events of a correlation have in common
    pub(super) fields: Vec<(String, String)>,
    /// The events, each by the number of its file and its line
    pub(super) events: Vec<(usize, usize)>,
    /// Whether the values are new; `None` when the rule has no `new_terms`
    pub(super) new: Option<bool>,
}

/// Whether a result is a finding by itself
pub(super) fn reported(rules: &[Rule], found: &Found) -> bool {
    match found {
        Found::Hit(hit) => rules[hit.matched.rule].reports_signal(hit.matched.signal),
        Found::Together(Finding { rule, together }) => {
            rules[*rule].reports_correlation(together.correlation)
        }
    }
}

impl Columns {
    /// The columns of findings of these rules
    pub(super) fn of(rules: &[Rule]) -> Columns {
        let fields = |names: &[&str]| names.iter().map(|name| Field::of_log(name)).collect();
        let mut columns = Columns {
            host: fields(HOST),
            user: fields(USER),
            image: fields(IMAGE),
            command: fields(COMMAND),
            own: Vec::new(),
        };
        for name in rules.iter().flat_map(|rule| &rule.metadata.fields) {
            let field = Field::of_log(&name.value);
            if field != Field::EVERY && !columns.shown().contains(&field) {
                columns.own.push(field);
            }
        }
        columns
    }

    /// Every field that the engine is to give with a match
    pub(super) fn shown(&self) -> Vec<Field> {
        let all = [&self.host, &self.user, &self.image, &self.command, &self.own];
        all.into_iter().flatten().cloned().collect()
    }

    /// A result as people read it; `file` is the number of the current file
    pub(super) fn seen(&self, rules: &[Rule], file: usize, found: &Found) -> Seen {
        match found {
            Found::Hit(hit) => self.hit(&rules[hit.matched.rule], file, hit),
            Found::Together(finding) => self.together(&rules[finding.rule], finding),
        }
    }

    fn hit(&self, rule: &Rule, file: usize, Hit { line, matched, new }: &Hit) -> Seen {
        let first = |fields: &[Field]| first(&matched.shown, fields);
        let asks = |field: &Field| rule.metadata.fields.iter().any(|one| one.value == field.name());
        let own = self.own.iter().map(|field| match asks(field) {
            true => matched.shown.get(field).map(|values| values.join(", ")).unwrap_or_default(),
            false => String::new(),
        });
        let tested = matched.fields.iter();
        Seen {
            rule: matched.rule,
            what: rule.signals[matched.signal].name.clone(),
            level: matched.level,
            time: matched.time,
            host: first(&self.host),
            user: first(&self.user),
            image: first(&self.image),
            command: first(&self.command),
            own: own.collect(),
            fields: tested
                .map(|(field, values)| (field.name().to_owned(), values.join(", ")))
                .collect(),
            events: vec![(file, *line)],
            new: *new,
        }
    }

    fn together(&self, rule: &Rule, Finding { rule: at, together }: &Finding) -> Seen {
        let correlation = &rule.correlations[together.correlation];
        // A group has a column's value where every event takes the key from a field of the column.
        let of = |column: &[Field]| {
            let keys = correlation.keys.iter();
            let key = keys
                .filter(|key| !key.fields.is_empty())
                .find(|key| key.fields.values().all(|field| column.contains(field)))?;
            let value = together.group.iter().find(|(name, _)| *name == key.name);
            value.map(|(_, value)| value.clone())
        };
        Seen {
            rule: *at,
            what: correlation.name.clone(),
            level: correlation.level,
            time: Some(together.time),
            host: of(&self.host).unwrap_or_default(),
            user: of(&self.user).unwrap_or_default(),
            image: of(&self.image).unwrap_or_default(),
            command: of(&self.command).unwrap_or_default(),
            own: vec![String::new(); self.own.len()],
            fields: together.group.clone(),
            events: together.places.clone(),
            new: None,
        }
    }
}

impl Seen {
    /// Where the first event stands, as `file:line`, and how many more there are
    pub(super) fn place(&self, files: &[String]) -> String {
        let mut places = self.events.iter().map(|(file, line)| format!("{}:{line}", files[*file]));
        let first = places.next().unwrap_or_default();
        match places.len() {
            0 => first,
            more => format!("{first} and {more} more"),
        }
    }

    /// The values of the rule's own columns, with their names
    pub(super) fn own<'s>(
        &'s self,
        columns: &'s Columns,
    ) -> impl Iterator<Item = (&'s str, &'s str)> {
        let all = columns.own.iter().zip(&self.own).filter(|(_, value)| !value.is_empty());
        all.map(|(field, value)| (field.name(), value.as_str()))
    }

    /// The finding for a page, where the rule has the number `rule`
    pub(super) fn sighting(&self, rule: usize, columns: &Columns, files: &[String]) -> Sighting {
        let mut fields = self.fields.clone();
        let columns =
            [("User", &*self.user), ("Image", &*self.image), ("CommandLine", &*self.command)]
                .into_iter()
                .chain(self.own(columns));
        for (name, value) in columns {
            // The rule may have tested the field, under this or another name.
            if !value.is_empty() && !fields.iter().any(|(_, known)| known == value) {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        Sighting {
            time: self.time,
            host: self.host.clone(),
            rule,
            what: self.what.clone(),
            level: self.level,
            place: self.place(files),
            fields,
        }
    }
}

/// The value of the first field that says something; Windows writes `-` for nothing
fn first(shown: &BTreeMap<Field, Vec<String>>, fields: &[Field]) -> String {
    let mut values = fields.iter().filter_map(|field| shown.get(field)).map(|v| v.join(", "));
    values.find(|value| !value.is_empty() && value != "-").unwrap_or_default()
}
