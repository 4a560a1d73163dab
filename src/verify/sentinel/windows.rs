//! An event of Windows in the tables SecurityEvent, Event and WindowsEvent.
//!
//! In: an event in the names that it has itself, which are Sigma's. Out: its rows: `EventData` as XML text or
//! as JSON, and typed columns of SecurityEvent. An event with a `Channel` was written to that log and has rows of it. An event
//! without one may have been written by any sensor that writes its kind, so it has a row of each.
//!
//! Source: Microsoft's references of the tables, and recorded events.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value as Json, json};

use super::event::{Event, Fields, texts};
use super::{channel, process, registry};
use crate::query::kusto::{Platform, Schema};
use crate::taxonomy::Product;

/// The tables of Windows logs
pub(super) const TABLES: [&str; 3] = ["Event", "SecurityEvent", "WindowsEvent"];

const EVENTS: &str = "http://schemas.microsoft.com/win/2004/08/events/event";
const SYSMON: &str = "Microsoft-Windows-Sysmon";

/// What an event says beside its data
const SYSTEM: &[&str] = &[
    "*",
    "Channel",
    "Computer",
    "EventID",
    "Keywords",
    "Level",
    "Message",
    "Opcode",
    "Provider_Name",
    "Security_UserID",
    "Task",
    "category",
    "time",
];

/// Fields that rulecast has beside those of Sysmon
const OWN: &[&str] = &[
    "Action",
    "GrandparentImage",
    "Imphash",
    "RegistryData",
    "RegistryKey",
    "RegistryValue",
    "md5",
    "sha1",
    "sha256",
];

/// Data of Defender's antivirus whose name is written with blanks, which rules do not have
const BLANKS: &[(&str, &str)] = &[
    ("Feature_Name", "Feature Name"),
    ("NewValue", "New Value"),
    ("OldValue", "Old Value"),
    ("ProcessName", "Process Name"),
];

/// The ids of actions on files
const FILE_IDS: &[(&str, i64)] = &[("created", 11), ("modified", 2), ("deleted", 23)];

/// The columns of SecurityEvent
static COLUMNS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let columns = Schema::default().columns("SecurityEvent", Platform::Sentinel);
    columns.into_iter().map(|column| column.name).collect()
});

/// An event as Windows has it: names, or none, and texts of its data
struct Written {
    channel: String,
    provider: String,
    number: Option<i64>,
    data: Vec<(Option<String>, String)>,
    element: &'static str,
    description: String,
    /// Words that stand somewhere in the event
    words: Option<String>,
}

/// The rows in the tables of Windows logs, each with its table
pub(super) fn rows(event: &Event) -> Vec<(&'static str, Fields)> {
    let mut rows = Vec::new();
    for one in writings(event) {
        let own = match one.channel == channel::SECURITY {
            true => security(&one),
            false => log(&one),
        };
        for (table, mut row) in [own, forwarded(&one)] {
            row.insert("Computer".to_owned(), json!(event.said("Computer")));
            row.insert("EventID".to_owned(), json!(one.number));
            rows.push((table, row));
        }
    }
    rows
}

/// The event as it was written, once for each sensor that may have written it
fn writings(event: &Event) -> Vec<Written> {
    let source = channel::of(event.kind.name());
    let named = event.text("Channel").filter(|name| !name.is_empty());
    let named = named.map(|name| channel::spelled(&name).to_owned());
    let mut all = Vec::new();
    if event.product == Some(Product::Linux) || source.is_none() && named.is_none() {
        return all;
    }
    let is_start = event.kind.name() == "process_creation";
    if is_start && named.as_deref().is_none_or(|name| name == channel::SECURITY) {
        if process::well_known_account(event) {
            let provider = "Microsoft-Windows-Security-Auditing".to_owned();
            let data = process::created(event);
            all.push(written(event, channel::SECURITY.to_owned(), provider, (Some(4688), &data)));
        }
        if named.is_some() {
            return all;
        }
    }
    // Sysmon does not write that a file is renamed.
    if event.kind.name() == "file_event" && event.text("Action").as_deref() == Some("renamed") {
        return all;
    }
    let log = named.or_else(|| Some((*source?.channels.first()?).to_owned())).unwrap_or_default();
    let own = if log.starts_with(SYSMON) { OWN } else { &[] };
    let blanks = if event.kind.name() == "windows/windefend" { BLANKS } else { &[] };
    let data = event
        .fields
        .iter()
        .filter(|(name, _)| !SYSTEM.contains(&name.as_str()) && !own.contains(&name.as_str()));
    let data = data.map(|(name, value)| {
        let blank = blanks.iter().find(|(known, _)| known == name).map(|(_, blank)| *blank);
        (blank.unwrap_or(name).to_owned(), value.clone())
    });
    let data: Fields = data.collect();
    let provider = event.text("Provider_Name").filter(|name| !name.is_empty());
    let first = || source.and_then(|source| source.providers.first().copied()).unwrap_or_default();
    let provider = provider.unwrap_or_else(|| first().to_owned());
    let number = event.text("EventID").and_then(|id| id.parse().ok()).or_else(|| number_of(event));
    all.push(written(event, log, provider, (number, &data)));
    all
}

/// The id of an event that does not say it
fn number_of(event: &Event) -> Option<i64> {
    match event.kind.name() {
        "registry_event" => {
            let word = registry::word(&event.fields);
            registry::WORDS.iter().find(|(known, ..)| *known == word).map(|(_, _, _, id)| *id)
        }
        "file_event" => {
            let action = event.said("Action");
            FILE_IDS.iter().find(|(known, _)| *known == action).map(|(_, id)| *id).or(Some(11))
        }
        kind => channel::of(kind)?.ids.first().copied(),
    }
}

fn written(
    event: &Event,
    channel: String,
    provider: String,
    (number, data): (Option<i64>, &Fields),
) -> Written {
    let words = event.text("*");
    let name = |name: &String| (name != "Data").then(|| name.clone());
    let mut pairs: Vec<(Option<String>, String)> = Vec::new();
    for (field, value) in data {
        let all = texts(value);
        if all.is_empty() {
            pairs.push((name(field), String::new()));
        }
        pairs.extend(all.into_iter().map(|text| (name(field), text)));
    }
    let description = event.text("Message").or_else(|| words.clone()).unwrap_or_default();
    let element = channel::of(event.kind.name()).map_or("", |source| source.element);
    pairs.extend(words.clone().map(|words| (None, words)));
    Written { channel, provider, number, data: pairs, element, description, words }
}

/// Event: the data as XML in one text
///
/// Words stand there or in what the event says, by turns: a query has to look at both.
fn log(one: &Written) -> (&'static str, Fields) {
    let (mut data, mut description) = (&one.data[..], one.description.as_str());
    if let Some(words) = &one.words {
        let mixed =
            words.bytes().fold(0_u32, |mixed, byte| mixed.wrapping_mul(31) + u32::from(byte));
        if mixed >> 5 & 1 == 0 {
            data = &data[..data.len() - 1];
        } else if words == description {
            description = "";
        }
    }
    let data = format!(
        "<DataItem Type=\"System.XmlData\" time=\"2024-01-08T00:00:00.0000000Z\" \
         sourceHealthServiceId=\"1cc3bd45-c9c2-4588-8db8-f6295de382d4\">{}</DataItem>",
        xml(data, one.element, "")
    );
    let row = json!({
        "EventLog": one.channel, "Source": one.provider, "EventData": data,
        "RenderedDescription": description,
    });
    ("Event", fields(row))
}

/// WindowsEvent: the data as JSON, where a number is a text too
fn forwarded(one: &Written) -> (&'static str, Fields) {
    let mut data = Fields::new();
    for (name, value) in &one.data {
        let name = name.clone().unwrap_or_else(|| "Data".to_owned());
        let known = data.entry(name).or_insert_with(|| json!([]));
        known.as_array_mut().into_iter().for_each(|known| known.push(json!(value)));
    }
    for value in data.values_mut() {
        if let Some([one]) = value.as_array().map(Vec::as_slice) {
            *value = one.clone();
        }
    }
    let row = json!({"Channel": one.channel, "Provider": one.provider, "EventData": data});
    ("WindowsEvent", fields(row))
}

/// SecurityEvent: a column for most of the data; `EventData` where there is none for some
fn security(one: &Written) -> (&'static str, Fields) {
    let has = |name: &str| name != "Type" && COLUMNS.contains(name);
    let mut row = fields(json!({"Channel": channel::SECURITY, "EventSourceName": one.provider}));
    let of_data = |name: &str| {
        let entry = one.data.iter().find(|(known, _)| known.as_deref() == Some(name));
        entry.map(|(_, value)| value.clone())
    };
    for (name, value) in &one.data {
        if let Some(name) = name.as_ref().filter(|name| !SYSTEM.contains(&name.as_str())) {
            row.insert(name.clone(), json!(value));
        }
    }
    row.shift_remove("Type");
    let made = of_data("NewProcessName").filter(|name| !name.is_empty());
    if let Some(made) = made.or_else(|| of_data("ProcessName")) {
        let name = made.rsplit('\\').next().unwrap_or_default();
        row.insert("Process".to_owned(), json!(name));
    }
    if one.number == Some(4688) {
        let part = |name: &str| of_data(name).unwrap_or_default();
        let account = format!("{}\\{}", part("SubjectDomainName"), part("SubjectUserName"));
        row.insert("Account".to_owned(), json!(account));
    }
    if one.data.iter().any(|(name, _)| name.as_deref().is_none_or(|name| !has(name))) {
        row.insert("EventData".to_owned(), json!(xml(&one.data, one.element, "\r\n  ")));
    }
    ("SecurityEvent", row)
}

fn fields(row: Json) -> Fields {
    if let Json::Object(fields) = row { fields } else { Fields::new() }
}

/// The data as Windows renders it, with what parts its elements
fn xml(data: &[(Option<String>, String)], element: &str, between: &str) -> String {
    let mut inside = String::new();
    for (name, value) in data {
        let value = quoted(value);
        inside += &match (name, element.is_empty()) {
            (Some(name), false) => format!("{between}<{name}>{value}</{name}>"),
            (None, false) => value,
            (Some(name), true) => {
                format!("{between}<Data Name=\"{}\">{value}</Data>", quoted(name))
            }
            (None, true) => format!("{between}<Data>{value}</Data>"),
        };
    }
    match element {
        "" => format!("<EventData xmlns=\"{EVENTS}\">{inside}{between}</EventData>"),
        element => format!(
            "<UserData xmlns=\"{EVENTS}\">{between}<{element} xmlns=\"Event_NS\">{inside}{between}\
             </{element}>{between}</UserData>"
        ),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            '&' => quoted.push_str("&amp;"),
            '<' => quoted.push_str("&lt;"),
            '>' => quoted.push_str("&gt;"),
            '"' => quoted.push_str("&quot;"),
            '\'' => quoted.push_str("&apos;"),
            other => quoted.push(other),
        }
    }
    quoted
}
