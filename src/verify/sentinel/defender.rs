//! Columns that Defender, a web server or an alert fills from several fields, or from a part of one.
//!
//! In: an event, a field of it and the field's text. Out: columns. `None` for a way of filling that is not known here:
//! then no row is made of such events.
//!
//! Source: Microsoft's references of the tables of advanced hunting, of SecurityAlert and of the entities of
//! alerts.

use serde_json::{Value as Json, json};

use super::event::{Event, Fields, of, texts};
use super::{cloud, registry};

/// What Defender calls an action on a file
pub(super) const FILE_ACTIONS: &[(&str, &str)] = &[
    ("created", "FileCreated"),
    ("modified", "FileModified"),
    ("renamed", "FileRenamed"),
    ("deleted", "FileDeleted"),
];

/// What Defender says of a connection that the host opens; any of them may be
const OUTCOMES: [&str; 3] = ["ConnectionSuccess", "ConnectionAttempt", "ConnectionFailed"];

/// The columns of a way of filling them
pub(super) fn columns(how: &str, event: &Event, field: &str, text: &str) -> Option<Fields> {
    Some(match how {
        "access" => {
            let digits = text.strip_prefix("0x").filter(|digits| digits.len() <= 8);
            let number = digits.and_then(|digits| i64::from_str_radix(digits, 16).ok());
            more(json!({"DesiredAccess": number}))
        }
        "account" => account("Account", text),
        "account of actor" => account("InitiatingProcessAccount", text),
        "action on file" => {
            let known = FILE_ACTIONS.iter().find(|(action, _)| *action == text);
            of(&[("ActionType", known.map_or("", |(_, shown)| shown))])
        }
        "actor" => of(&[
            ("InitiatingProcessFileName", base_name(text)),
            ("InitiatingProcessFolderPath", &text.to_lowercase()),
        ]),
        "connection" => connection(event),
        "earlier file" => apart("Previous", text),
        "entities" => entities(event),
        "file" => of(&[("FolderPath", text), ("FileName", base_name(text))]),
        "hashes" => hashes(text),
        "host" => of(&[("DeviceName", &text.to_lowercase())]),
        "logon" => {
            let digits = text.strip_prefix("0x");
            let number = digits.and_then(|digits| i64::from_str_radix(digits, 16).ok());
            Fields::from_iter([("LogonId".to_owned(), json!(number))])
        }
        "parent of actor" => of(&[("InitiatingProcessParentFileName", base_name(text))]),
        "pipe" => more(json!({
            "FileOperation": "File created", "PipeName": format!("\\Device\\NamedPipe{text}"),
            "ThreadId": 8124,
        })),
        "query" => more(json!({"DnsQueryString": text})),
        "registry" => registry::columns(event),
        "target process" => apart("", text),
        "threat" => more(json!({"ThreatName": text, "WasRemediated": true})),
        "uri" => request(event),
        _ => return cloud::columns(how, event, field, text),
    })
}

fn more(values: Json) -> Fields {
    Fields::from_iter([("AdditionalFields".to_owned(), values)])
}

pub(super) fn base_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or_default()
}

/// Domain and name, in a letter case that is Defender's own
fn account(prefix: &str, text: &str) -> Fields {
    let flip = |c: char| match c.is_ascii_lowercase() {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    };
    let text: String = text.chars().map(flip).collect();
    let (domain, name) = text.split_once('\\').unwrap_or(("", &text));
    of(&[(&format!("{prefix}Domain"), domain), (&format!("{prefix}Name"), name)])
}

/// A path in two columns, where the one of the folder lacks the name
fn apart(prefix: &str, path: &str) -> Fields {
    let name = base_name(path);
    let folder = path[..path.len() - name.len()].trim_end_matches(['\\', '/']);
    of(&[(&format!("{prefix}FolderPath"), folder), (&format!("{prefix}FileName"), name)])
}

/// All hashes in one text, as Sysmon writes them
fn hashes(text: &str) -> Fields {
    let pairs = text.split(',').filter_map(|part| part.split_once('='));
    let shown = pairs.filter(|(name, _)| matches!(*name, "MD5" | "SHA1" | "SHA256"));
    shown.map(|(name, hash)| (name.to_owned(), json!(hash.to_lowercase()))).collect()
}

/// Local and remote ends: the source opened the connection, but of UDP it is the local end
fn connection(event: &Event) -> Fields {
    let opened = event.text("Initiated").as_deref() != Some("false");
    let source = (event.said("SourceIp"), event.said("SourcePort"));
    let destination = (event.said("DestinationIp"), event.said("DestinationPort"));
    let protocol = event.said("Protocol");
    let here = opened || protocol == "udp";
    let (local, remote) = if here { (source, destination) } else { (destination, source) };
    let number = local.1.parse::<usize>().unwrap_or(0);
    let action =
        if opened { OUTCOMES[number % OUTCOMES.len()] } else { "InboundConnectionAccepted" };
    let capital = protocol.chars().next().into_iter().flat_map(char::to_uppercase);
    let rest = protocol.chars().skip(1).flat_map(char::to_lowercase);
    let protocol: String = capital.chain(rest).collect();
    of(&[
        ("ActionType", action),
        ("LocalIP", &local.0),
        ("RemoteIP", &remote.0),
        ("LocalPort", &local.1),
        ("RemotePort", &remote.1),
        ("Protocol", &protocol),
    ])
}

/// The entities of an alert as Defender for Endpoint writes them: files by reference
fn entities(event: &Event) -> Fields {
    let mut entities =
        vec![json!({"$id": "1", "Type": "host", "HostName": event.said("Computer")})];
    let files = event.fields.get("AlertFiles").map(texts).unwrap_or_default();
    for (at, name) in (2..).zip(files) {
        entities.push(json!({"$id": at.to_string(), "Type": "file", "Name": name}));
    }
    let image = event.said("Image");
    let image = base_name(&image);
    let same = entities.iter().find(|one| one["Name"] == image).map(|one| one["$id"].clone());
    let file = match same {
        Some(id) => json!({"$ref": id}),
        None => json!({"$id": "98", "Type": "file", "Name": image}),
    };
    entities.push(json!({
        "$id": "99", "Type": "process", "CommandLine": event.said("CommandLine"),
        "CreationTimeUtc": event.said("time"), "ImageFile": file,
    }));
    of(&[("Entities", &Json::Array(entities).to_string())])
}

/// A web server logs the path of a request and its query apart
fn request(event: &Event) -> Fields {
    let whole = event.text("cs-uri").filter(|_| event.text("cs-uri-stem").is_none());
    let Some(whole) = whole else { return Fields::new() };
    let (stem, query) = whole.split_once('?').unwrap_or((&whole, ""));
    let query = if query.is_empty() { "-" } else { query };
    of(&[("csUriStem", stem), ("csUriQuery", query)])
}
