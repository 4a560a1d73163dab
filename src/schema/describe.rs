//! What an editor shows about a word: its meaning, an example, the column it becomes on each target.
//!
//! In: a key, a field, a modifier or another name of the language. Out: Markdown, made from the tables
//! that the reader and the targets use.

use super::columns;
use crate::backend::settings::SettingRow;
#[cfg(feature = "cli")]
use crate::definition::Modifier;
use crate::definition::vocabulary::Word;
#[cfg(feature = "cli")]
use crate::taxonomy::attack;
use crate::taxonomy::{EventKind, Field, FieldType};
use crate::yaml::KeyRow;

/// The text about a key of a map
pub(crate) fn key(row: &KeyRow) -> String {
    let mut text = sentence(row.says);
    if !row.example.is_empty() {
        let line = format!("{}: {}", row.name, row.example);
        text.push_str(&format!("\n\n```yaml\n{line}\n```"));
    }
    text
}

/// The text about the name of a test on events of a kind: a word of the vocabulary or a field;
/// `None` for a name that such events do not have
pub(crate) fn test(kind: &EventKind, name: &str) -> Option<String> {
    if let Some(word) = Word::named(name).filter(|_| !matches!(kind, EventKind::Log(_))) {
        let field = word.field(kind)?;
        let field = field.name();
        let head = format!("{} (field `{field}`)", word.says);
        return Some(format!("{}{}", sentence(&head), places(kind, field)));
    }
    let field = Field::of_log(name);
    let typed = type_in_words(kind.field_type(&field)?);
    let says = if field.belongs_to(kind) { field.says() } else { "" };
    let head = if says.is_empty() { typed.to_owned() } else { format!("{says}; {typed}") };
    Some(format!("{}{}", sentence(&head), places(kind, name)))
}

/// The places of a field on the targets, a line each
fn places(kind: &EventKind, field: &str) -> String {
    let lines = columns::of(kind.name(), field).iter();
    let lines = lines.map(|(target, place)| format!("\n- {}: {place}", target.name()));
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\n{lines}\n- native: {field}") }
}

/// The text about a setting of a target
pub(crate) fn setting(row: SettingRow) -> String {
    format!("{}: {}.", row.says, row.values)
}

/// The text about a modifier
#[cfg(feature = "cli")]
pub(crate) fn modifier(modifier: Modifier) -> String {
    sentence(modifier.says())
}

/// The text about a kind of event
#[cfg(feature = "cli")]
pub(crate) fn event(kind: &EventKind) -> String {
    sentence(kind.describe())
}

/// The text about a technique or tactic of ATT&CK, as tags write it
#[cfg(feature = "cli")]
pub(crate) fn attack(name: &str) -> Option<String> {
    let name = name.strip_prefix("attack.").unwrap_or(name);
    if let attack::Found::Live(technique) = attack::technique(name) {
        let tactics: Vec<&str> = technique.tactics.iter().map(|tactic| tactic.name).collect();
        let parent = technique.parent().map_or(String::new(), |one| format!("{}: ", one.name));
        let (own, tactics, url) = (technique.name, tactics.join(", "), technique.url());
        return Some(format!("{parent}{own}\n\n{tactics}\n\n{url}"));
    }
    let tactic = attack::tactic(name)?;
    Some(format!("{}\n\n{}", tactic.name, tactic.url()))
}

/// The type of a field's values
fn type_in_words(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Path => "a path",
        FieldType::Command => "a command line",
        FieldType::Account => "an account",
        FieldType::Number => "a number",
        FieldType::Address => "an address",
        FieldType::Host => "the name of a host",
        FieldType::Action => "an action",
        FieldType::Key => "a registry key",
        FieldType::Text | FieldType::Any => "text",
    }
}

/// A line of a table as a sentence
fn sentence(says: &str) -> String {
    let mut letters = says.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[test]
fn a_word_names_its_field_and_the_columns_of_it() {
    let text = test(&EventKind::ProcessCreation, "parents").unwrap();
    assert!(text.contains("(field `ParentImage`)"), "{text}");
    assert!(text.contains("- sentinel: ") && text.contains("InitiatingProcess"), "{text}");
    assert!(text.contains("- elastic: ") && text.contains("process.parent"), "{text}");
    assert_eq!(test(&EventKind::FileEvent, "children"), None);
}
