//! Events as sensors record them.
//!
//! In: an event that was made near a literal. Out: the same event with what every sensor writes beside,
//! or nothing where no sensor writes such an event. A rule is not tried on an event that no table can have.
//!
//! Source: Microsoft's references of the tables and of Sysmon's events; `limits.tsv` of the proof lists
//! each with its reason.

use serde_json::{Value as Json, json};

use super::defender::FILE_ACTIONS;
use super::event::{Fields, text};
use super::family::{self, Family};
use super::{channel, registry};
use crate::taxonomy::{EventKind, Field, FieldType};

/// The lengths of hashes, in hexadecimal digits
pub(in crate::verify) const HASHES: &[(&str, &str, usize)] = &[
    ("md5", "MD5", 32),
    ("sha1", "SHA1", 40),
    ("sha256", "SHA256", 64),
    ("Imphash", "IMPHASH", 32),
];

/// What a web server counts in whole numbers
const COUNTED: [&str; 5] = ["cs-bytes", "s-port", "sc-bytes", "sc-status", "time-taken"];

/// Ways of filling columns for which a field has a directory
const WHOLE_PATHS: [&str; 2] = ["earlier file", "target process"];

/// The event as a sensor writes it; `about` is the field that it was made for, if any
pub(in crate::verify) fn recorded(
    kind: &EventKind,
    mut event: Fields,
    about: &str,
) -> Option<Fields> {
    let family = family::of(kind.name());
    let shown = family.is_some_and(|family| about.is_empty() || family.shows(about));
    // What no column shows, no query can ask for.
    if !shown && channel::of(kind.name()).is_none() || !is_possible(kind, family, &event) {
        return None;
    }
    if let Some(family) = family {
        one_value_a_column(family, &mut event, about);
        spell(family, &mut event);
        match family.name {
            "registry" => complete_registry(&mut event),
            "web" => part_request(&mut event, about),
            "firewall" if event.get("blocked").is_some_and(|said| !said.is_null()) => {
                event.shift_remove("action");
            }
            _ => {}
        }
    }
    name_log(kind, &mut event);
    Some(event)
}

/// Gives an event the numbers, addresses and command lines that it lacks of the columns of its table, each a value
/// of its own: a query that takes one column for another shows it
pub(super) fn filled(kind: &EventKind, event: &mut Fields) {
    let Some(family) = family::of(kind.name()) else { return };
    let own: Vec<_> = family.shown.iter().filter(|one| !one.column.starts_with('(')).collect();
    for (at, one) in own.iter().enumerate() {
        let lacks = |other: &str| event.get(other).is_none();
        let of_column = |other: &&&family::Shown| other.column == one.column;
        if one.field.is_empty() || !own.iter().filter(of_column).all(|one| lacks(one.field)) {
            continue;
        }
        let value = match kind.field_type(&Field::of_log(one.field)) {
            Some(FieldType::Number) => json!(40_000 + at),
            Some(FieldType::Address) => json!(format!("192.0.2.{at}")),
            Some(FieldType::Command) => json!(format!(r"C:\Lab\tool.exe /of {}", one.field)),
            Some(_) | None => continue,
        };
        event.insert(one.field.to_owned(), value);
    }
}

fn is_possible(kind: &EventKind, family: Option<&Family>, event: &Fields) -> bool {
    let of = family.map_or("", |family| family.name);
    let said = |field: &str| text(event, field);
    let ends = |field: &str, signs: &[char]| said(field).is_some_and(|text| text.ends_with(signs));
    let filled = |how: &str| {
        let shown = family.into_iter().flat_map(|family| &family.shown);
        let how = format!("({how})");
        shown.filter(move |shown| shown.column == how).map(|shown| shown.field)
    };
    let accounts = filled("account").chain(filled("account of actor"));
    let one_account = |field: &str| {
        said(field).is_none_or(|text| {
            text.split_once('\\').is_none_or(|(_, name)| !name.is_empty() && !name.contains('\\'))
        })
    };
    let actions = || FILE_ACTIONS.iter().map(|(action, _)| *action);
    let session = || {
        said("LogonId").is_none_or(|text| {
            let digits = text.strip_prefix("0x").unwrap_or_default();
            let plain = digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
            plain && matches!(digits.len(), 1..=8) && (digits == "0" || !digits.starts_with('0'))
        })
    };
    let whole = said("c-uri").is_some() || said("cs-uri").is_some();
    let parts = said("c-uri-extension").is_some() || said("c-uri-query").is_some();
    accounts.into_iter().all(one_account)
        && !ends("TargetFilename", &['.'])
        && !said("cs-uri-stem").is_some_and(|path| path.contains(['?', '#']))
        && !filled("parent of actor").any(|field| ends(field, &['\\', '/']))
        && match of {
            "file" => said("Action").is_some_and(|action| actions().any(|known| known == action)),
            "network" => matches!(said("Initiated").as_deref(), Some("true" | "false")),
            "registry" => is_possible_registry(event),
            "process" => session(),
            "proxy" => !(said("c-uri").is_some() && said("cs-uri").is_some() || whole && parts),
            "web" => {
                !COUNTED.iter().any(|field| said(field).is_some_and(|text| text.contains('.')))
            }
            _ => true,
        }
        && is_possible_log(kind, event)
}

fn is_possible_registry(event: &Fields) -> bool {
    let word = text(event, "EventType");
    let action = text(event, "Action");
    let is_word = |said: &str| registry::WORDS.iter().any(|(word, ..)| *word == said);
    let is_action = |said: &str| registry::WORDS.iter().any(|(_, action, ..)| *action == said);
    word.is_none_or(|word| is_word(&word)) && action.is_none_or(|action| is_action(&action))
}

/// Whether an event says of its log what is so of its kind
fn is_possible_log(kind: &EventKind, event: &Fields) -> bool {
    let Some(source) = channel::of(kind.name()) else { return true };
    let named = text(event, "Channel").map(|name| channel::spelled(&name).to_owned());
    if named.as_deref() == Some(channel::SECURITY) {
        return true;
    }
    let lists = event.iter().any(|(name, value)| value.is_array() && name != "Data");
    let alone = HASHES.iter().all(|(field, _, length)| {
        text(event, field).is_none_or(|hash| {
            let runs = hash.split(|c: char| !c.is_ascii_hexdigit());
            hash.len() <= *length || runs.into_iter().all(|run| run.len() < *length)
        })
    });
    let provider = text(event, "Provider_Name");
    let number = text(event, "EventID");
    let is_id = |number: &String| {
        number.parse::<i32>().is_ok_and(|number| {
            number >= 0 && (source.ids.is_empty() || source.ids.contains(&number.into()))
        })
    };
    !lists
        && alone
        && named.is_none_or(|name| source.channels.contains(&name.as_str()))
        && (source.ids.is_empty()
            || provider.is_none_or(|name| source.providers.contains(&name.as_str())))
        && number.as_ref().is_none_or(is_id)
}

/// Gives fields of one column, which an event may name in several ways, one value: that of the field
/// that the event is about, or of the first of them
fn one_value_a_column(family: &Family, event: &mut Fields, about: &str) {
    let mut shown: Vec<_> = family
        .shown
        .iter()
        .filter(|one| !one.field.is_empty() && !one.column.starts_with('('))
        .collect();
    shown.sort_by_key(|one| one.field != about);
    let mut values: Vec<(&str, Json)> = Vec::new();
    for one in shown {
        let Some(value) = event.get_mut(one.field).filter(|value| !value.is_null()) else {
            continue;
        };
        match values.iter().find(|(column, _)| *column == one.column) {
            Some((_, first)) => value.clone_from(first),
            None => values.push((one.column, value.clone())),
        }
    }
}

/// Writes hosts, pipes and paths as Defender's sensor does
fn spell(family: &Family, event: &mut Fields) {
    for shown in &family.shown {
        let Some(said) = event.get(shown.field).and_then(Json::as_str) else { continue };
        let spelled = match family.filled(shown.field) {
            Some("host") => said.to_lowercase(),
            Some("pipe") if !said.starts_with('\\') => format!("\\{said}"),
            Some(how) if WHOLE_PATHS.contains(&how) && !said.is_empty() => {
                let whole = said.contains(['\\', '/']);
                if whole { said.to_owned() } else { format!("C:\\{said}") }
            }
            Some(_) | None => continue,
        };
        event.insert(shown.field.to_owned(), json!(spelled));
    }
}

/// Adds what a sensor writes beside what a rule asks for, and takes away what it never writes
fn complete_registry(event: &mut Fields) {
    if text(event, "NewName").is_some_and(|name| !name.is_empty()) {
        event.insert("EventType".to_owned(), json!("RenameKey"));
    }
    let mut word = registry::word(event);
    let said = |event: &Fields, field: &str| text(event, field).filter(|text| !text.is_empty());
    let is_there = |event: &Fields, field: &str| event.get(field).is_some_and(|v| !v.is_null());
    if word == "SetValue"
        && !is_there(event, "TargetObject")
        && said(event, "RegistryValue").is_none()
    {
        // A value that is set has a name.
        "CreateKey".clone_into(&mut word);
    }
    let known = registry::WORDS.iter().find(|(known, ..)| *known == word);
    let (action, id) = known.map_or(("", 0), |(_, action, _, id)| (*action, *id));
    event.insert("EventType".to_owned(), json!(word));
    event.insert("Action".to_owned(), json!(action));
    if let Some(target) = text(event, "TargetObject") {
        event.insert("TargetObject".to_owned(), json!(with_hive(&target)));
        if word == "SetValue" && said(event, "Details").is_none() {
            event.insert("Details".to_owned(), json!("(Empty)"));
        }
    } else if let Some(key) = said(event, "RegistryKey") {
        let value = said(event, "RegistryValue").filter(|_| word != "RenameKey");
        let path = value.map_or_else(|| key.clone(), |value| format!("{key}\\{value}"));
        event.insert("TargetObject".to_owned(), json!(registry::short(&path)));
        // The engine would take the data out of `(Empty)`, which an empty value is written as.
        if word == "SetValue"
            && said(event, "Details").is_none()
            && text(event, "RegistryData").as_deref() != Some("")
        {
            let data = text(event, "RegistryData").unwrap_or_else(|| "Binary Data".to_owned());
            event.insert("Details".to_owned(), json!(data));
        }
    }
    if word == "RenameKey" {
        let name = said(event, "NewName").map(|name| with_hive(&name));
        let name = name.unwrap_or_else(|| text(event, "TargetObject").unwrap_or_default() + "2");
        event.insert("NewName".to_owned(), json!(name));
    }
    if word != "SetValue" {
        event.shift_remove("Details");
    }
    if is_there(event, "EventID") {
        event.insert("EventID".to_owned(), json!(id));
    }
}

/// A path as Sysmon writes one: it begins with a hive and ends in a name
fn with_hive(path: &str) -> String {
    let path = if path.ends_with('\\') { format!("{path}a") } else { path.to_owned() };
    if registry::has_hive(&path) {
        return path;
    }
    let between = if path.starts_with('\\') { "" } else { "\\" };
    format!("HKLM\\SOFTWARE{between}{path}")
}

/// A web server logs the path of a request and its query apart
fn part_request(event: &mut Fields, about: &str) {
    let whole = event.shift_remove("cs-uri").filter(|whole| !whole.is_null());
    if whole.is_none() && about != "cs-uri" {
        return;
    }
    let whole = whole.as_ref().and_then(Json::as_str).unwrap_or_default();
    let (stem, query) = whole.split_once('?').unwrap_or((whole, ""));
    for (field, text) in [("cs-uri-stem", stem), ("cs-uri-query", query)] {
        event.shift_remove(field);
        if !text.is_empty() {
            event.insert(field.to_owned(), json!(text));
        }
    }
}

/// Adds the log, the provider and the id, which no event of a log lacks, and all hashes in one text
fn name_log(kind: &EventKind, event: &mut Fields) {
    let Some(source) = channel::of(kind.name()) else { return };
    let known = text(event, "Hashes").unwrap_or_default();
    let mut hashes: Vec<(String, String)> = known
        .split(',')
        .filter_map(|part| part.split_once('='))
        .map(|(name, hash)| (name.to_owned(), hash.to_owned()))
        .collect();
    let said = HASHES.iter().filter_map(|(field, name, _)| {
        text(event, field).filter(|hash| !hash.is_empty()).map(|hash| (*name, hash))
    });
    let said: Vec<_> = said.collect();
    if !said.is_empty() {
        for (name, hash) in said {
            hashes.retain(|(known, _)| known != name);
            hashes.push((name.to_owned(), hash));
        }
        let all: Vec<String> = hashes.iter().map(|(name, hash)| format!("{name}={hash}")).collect();
        event.insert("Hashes".to_owned(), json!(all.join(",")));
    }
    if !matches!(kind, EventKind::Log(_)) {
        return;
    }
    let at = event.len() % source.channels.len();
    let added = [
        ("Channel", json!(source.channels[at])),
        ("EventID", json!(source.ids.first().copied().unwrap_or(1))),
        ("Provider_Name", json!(source.providers[at % source.providers.len()])),
    ];
    for (field, value) in added {
        let lacks = event.get(field).is_none_or(|there| there.is_null() || *there == "");
        if lacks {
            event.insert(field.to_owned(), value);
        }
    }
}
