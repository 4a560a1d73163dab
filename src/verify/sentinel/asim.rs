//! A row as a parser of ASIM gives it.
//!
//! In: an event and its row in the table that the parser reads. Out: the row of the parser.
//!
//! Source: Microsoft's documentation of the ASIM schemas and parsers.

use serde_json::{Value as Json, json};

use super::event::{Event, Fields, text};
use super::family::Family;

/// The parts of the two accounts that Defender shows
const ACTOR: &str = "InitiatingProcessAccount";

/// Whether a parser gives a row of an event: a sensor on a host names the process of each connection
pub(super) fn has_row(family: &Family, event: &Event) -> bool {
    family.name != "network" || !event.said("Image").is_empty()
}

/// The row of the parser
pub(super) fn row(family: &Family, event: &Event, row: &Fields) -> Fields {
    let get = |column: &str| text(row, column).unwrap_or_default();
    let user = |prefix: &str| {
        let parts = [get(&format!("{prefix}Domain")), get(&format!("{prefix}Name"))];
        let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        said.join("\\")
    };
    let mut made = Fields::new();
    let host = if get("DeviceName").is_empty() { get("Computer") } else { get("DeviceName") };
    let mut set = |column: &str, value: Json| drop(made.insert(column.to_owned(), value));
    set("Dvc", json!(host));
    for shown in family.shown.iter().filter(|shown| !shown.parsed.is_empty()) {
        set(shown.parsed, row.get(shown.column).cloned().unwrap_or_else(|| json!("")));
    }
    // Parsers of other sources than Defender keep the letter case of a path.
    let actor = if family.name == "process" { "ParentImage" } else { "Image" };
    if matches!(family.name, "process" | "file" | "registry") {
        set("ActingProcessName", json!(event.said(actor)));
        set("ActorUsername", json!(user(ACTOR)));
    }
    match family.name {
        "process" => {
            set("TargetUserIdType", json!("SID"));
            set("EventType", json!("ProcessCreated"));
            set("TargetUsername", json!(user("Account")));
            set("TargetProcessIMPHASH", json!(import_hash(event)));
            set("TargetProcessCurrentDirectory", json!(event.said("CurrentDirectory")));
            set("TargetProcessGuid", json!(event.said("ProcessGuid")));
            set("ActingProcessGuid", json!(event.said("ParentProcessGuid")));
        }
        "registry" => {
            // The parsers of Defender say that an account is known by its security identifier.
            set("ActorUserIdType", json!("SID"));
            if get("ActionType").ends_with("Deleted") {
                // What is deleted stands where any other key and value stand.
                let either = |now: &str, before: &str| {
                    if get(now).is_empty() { get(before) } else { get(now) }
                };
                set("RegistryKey", json!(either("RegistryKey", "PreviousRegistryKey")));
                let value = either("RegistryValueName", "PreviousRegistryValueName");
                set("RegistryValue", json!(value));
            }
        }
        "network" => session(event, row, &user(ACTOR), &mut set),
        "web" => {
            set("EventType", json!("WebServerSession"));
            let query = get("csUriQuery");
            let query =
                if matches!(&*query, "" | "-") { String::new() } else { format!("?{query}") };
            set("Url", json!(get("csUriStem") + &query));
        }
        _ => {}
    }
    made
}

/// Defender has none; the parser of Sysmon takes it out of the text of all hashes
fn import_hash(event: &Event) -> String {
    let all = event.said("Hashes");
    let among = all.split(',').find_map(|part| part.strip_prefix("IMPHASH="));
    let alone = event.text("Imphash").filter(|hash| !hash.is_empty());
    alone.unwrap_or_else(|| among.unwrap_or_default().to_owned())
}

/// The source of a session is who opened it
fn session(event: &Event, row: &Fields, user: &str, set: &mut impl FnMut(&str, Json)) {
    let get = |column: &str| row.get(column).cloned().unwrap_or_else(|| json!(""));
    let opened = event.text("Initiated").as_deref() != Some("false");
    let (from, to) = if opened { ("Local", "Remote") } else { ("Remote", "Local") };
    let side = if opened { "Src" } else { "Dst" };
    set("NetworkDirection", json!(if opened { "Outbound" } else { "Inbound" }));
    set("EventType", json!("EndpointNetworkSession"));
    let protocol = text(row, "Protocol").unwrap_or_default().to_uppercase();
    set("NetworkProtocol", json!(protocol));
    for (end, name) in [("Src", from), ("Dst", to)] {
        set(&format!("{end}IpAddr"), get(&format!("{name}IP")));
        set(&format!("{end}PortNumber"), get(&format!("{name}Port")));
    }
    set("DstHostname", json!(event.said("DestinationHostname")));
    set(&format!("{side}ProcessName"), json!(event.said("Image")));
    set(&format!("{side}ProcessId"), get("InitiatingProcessId"));
    set(&format!("{side}Username"), json!(user));
    set(&format!("{side}UserId"), get("InitiatingProcessAccountSid"));
    set(&format!("{side}UserIdType"), json!("SID"));
}
