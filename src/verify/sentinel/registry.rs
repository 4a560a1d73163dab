//! Events of the registry, as Defender shows them.
//!
//! In: an event in Sysmon's fields (`TargetObject`, `Details`, `EventType`, `NewName`) or in those that
//! rulecast has beside them (`Action`, `RegistryKey`, …). Out: the columns of Defender. A deleted value is
//! known by its previous name and key; a key's own value has no name.
//!
//! Source: Microsoft's references of DeviceRegistryEvents and of Sysmon's events 12, 13 and 14.

use serde_json::json;

use super::event::{Event, Fields, text};

/// Sysmon's words: the action, what Defender calls it, and the id of the event
pub(super) const WORDS: &[(&str, &str, &str, i64)] = &[
    ("CreateKey", "created", "RegistryKeyCreated", 12),
    ("SetValue", "modified", "RegistryValueSet", 13),
    ("DeleteKey", "deleted", "RegistryKeyDeleted", 12),
    ("DeleteValue", "deleted", "RegistryKeyDeleted", 12),
    ("RenameKey", "renamed", "RegistryKeyRenamed", 14),
];

const HIVES: &[(&str, &str)] = &[
    ("HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKU", "HKEY_USERS"),
    ("HKCU", "HKEY_CURRENT_USER"),
    ("HKCR", "HKEY_CLASSES_ROOT"),
    ("HKCC", "HKEY_CURRENT_CONFIG"),
];

/// Sysmon's name of a key's own value
const UNNAMED: &str = "(Default)";

/// Sysmon's word for what an event is about
pub(super) fn word(fields: &Fields) -> String {
    if let Some(word) = text(fields, "EventType") {
        return word;
    }
    let action = text(fields, "Action").unwrap_or_else(|| "created".to_owned());
    let said = |field| text(fields, field).is_some_and(|value| !value.is_empty());
    if action == "deleted" {
        let of_value = said("RegistryValue") || said("Details");
        return if of_value { "DeleteValue" } else { "DeleteKey" }.to_owned();
    }
    let known = WORDS.iter().find(|(_, known, ..)| *known == action);
    known.map_or_else(String::new, |(word, ..)| (*word).to_owned())
}

/// A path with its hive spelled out
pub(super) fn spelled(path: &str) -> String {
    let (hive, rest) =
        path.split_once('\\').map_or((path, None), |(hive, rest)| (hive, Some(rest)));
    let long = HIVES.iter().find(|(short, _)| *short == hive).map_or(hive, |(_, long)| long);
    rest.map_or_else(|| long.to_owned(), |rest| format!("{long}\\{rest}"))
}

/// A path with its hive cut short
pub(super) fn short(path: &str) -> String {
    let (hive, rest) =
        path.split_once('\\').map_or((path, None), |(hive, rest)| (hive, Some(rest)));
    let short = HIVES.iter().find(|(_, long)| *long == hive).map_or(hive, |(short, _)| short);
    rest.map_or_else(|| short.to_owned(), |rest| format!("{short}\\{rest}"))
}

/// Whether a path begins with a hive as Sysmon writes it
pub(super) fn has_hive(path: &str) -> bool {
    let hive = path.split('\\').next().unwrap_or_default();
    HIVES.iter().any(|(short, _)| *short == hive)
}

/// The data and their type, of Sysmon's text for both
pub(super) fn typed(details: &str) -> (String, &'static str) {
    let hexadecimal = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let inside = |word: &str| details.strip_prefix(word)?.strip_prefix(" (")?.strip_suffix(')');
    if let Some(number) = inside("DWORD").and_then(hexadecimal) {
        return (number.to_string(), "Dword");
    }
    if let Some((high, low)) = inside("QWORD").and_then(|text| text.split_once('-'))
        && let (Some(high), Some(low)) = (hexadecimal(high), hexadecimal(low))
    {
        return ((high << 32 | low).to_string(), "QWord");
    }
    match details {
        "Binary Data" => (String::new(), "Binary"),
        "(Empty)" => (String::new(), "String"),
        _ => (details.to_owned(), "String"),
    }
}

/// The columns of Defender
pub(super) fn columns(event: &Event) -> Fields {
    let word = word(&event.fields);
    let (key, value) = match (event.text("RegistryKey"), event.text("TargetObject")) {
        (None, Some(target)) => {
            let path = spelled(&target);
            match path.rsplit_once('\\').filter(|_| matches!(&*word, "SetValue" | "DeleteValue")) {
                Some((key, value)) => (key.to_owned(), value.to_owned()),
                None => (path, String::new()),
            }
        }
        (key, _) => (key.unwrap_or_default(), event.said("RegistryValue")),
    };
    let known = WORDS.iter().find(|(known, ..)| *known == word);
    let action = known.map_or("", |(_, action, ..)| action);
    let shown = known.map_or("", |(_, _, shown, _)| shown);
    let unnamed = value == UNNAMED && word == "SetValue";
    let name = if unnamed { String::new() } else { value.clone() };
    let mut row = Fields::new();
    let mut set = |column: &str, text: &str| drop(row.insert(column.to_owned(), json!(text)));
    set("ActionType", shown);
    set("RegistryKey", &key);
    set("RegistryValueName", &name);
    if action == "renamed" {
        set("RegistryKey", &spelled(&event.said("NewName")));
        set("PreviousRegistryKey", &key);
    } else if action == "deleted" && !value.is_empty() {
        set("ActionType", "RegistryValueDeleted");
        set("RegistryKey", "");
        set("RegistryValueName", "");
        set("PreviousRegistryKey", &key);
        set("PreviousRegistryValueName", &value);
    }
    let details = event.text("Details").filter(|details| !details.is_empty());
    let (data, kind) = details.map_or((String::new(), ""), |details| typed(&details));
    set("RegistryValueData", &event.text("RegistryData").unwrap_or(data));
    set("RegistryValueType", kind);
    row
}
