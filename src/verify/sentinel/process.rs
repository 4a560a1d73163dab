//! Started processes, as Windows' own auditing writes them in event 4688.
//!
//! In: an event in Sysmon's fields. Out: the data of event 4688. The account of the new process is that of
//! the event where it is another one than that of its creator, and `-` where it is the same.
//!
//! Source: Microsoft's page on event 4688.

use serde_json::{Value as Json, json};

use super::event::{Event, Fields};

/// The integrity levels, as parts of security identifiers
const LEVELS: &[(&str, u32)] = &[
    ("untrusted", 0),
    ("low", 4_096),
    ("medium", 8_192),
    ("mediumplus", 8_448),
    ("high", 12_288),
    ("system", 16_384),
];

/// Data that the event may name itself
const OWN: [&str; 3] = ["SubjectUserSid", "TargetUserSid", "TokenElevationType"];

/// Whether accounts have a domain and a name, as Windows' own auditing writes them
pub(super) fn well_known_account(event: &Event) -> bool {
    let user = event.said("User");
    let other = event.text("ParentUser").filter(|other| !other.is_empty());
    let whole = |account: &str| {
        let parts = account.split_once('\\');
        parts.is_some_and(|(domain, name)| {
            !domain.is_empty() && !name.is_empty() && !name.contains('\\')
        })
    };
    whole(&user) && whole(&other.unwrap_or(user.clone()))
}

/// The data of event 4688
pub(super) fn created(event: &Event) -> Fields {
    let user = event.said("User");
    let (domain, name) = user.split_once('\\').unwrap_or(("", &user));
    let session = event.text("LogonId").unwrap_or_else(|| "0x3e7".to_owned());
    let account = [name, domain, session.as_str()];
    let nobody = ["-", "-", "0x0"];
    let parent = event.text("ParentUser").filter(|parent| !parent.is_empty());
    let creator = parent.as_deref().and_then(|parent| parent.split_once('\\'));
    let (creator_domain, creator_name) = creator.unwrap_or(("CONTOSO", "HOST1$"));
    let other = [creator_name, creator_domain, "0x3e4"];
    let apart = match (&parent, event.text("TargetUserName")) {
        (Some(parent), _) => !parent.eq_ignore_ascii_case(&user),
        (None, Some(target)) => target != "-",
        // Events that do not name the creator say so by turns.
        (None, None) => event.said("CommandLine").len() % 2 == 1,
    };
    let (subject, target) = if apart { (other, account) } else { (account, nobody) };
    let mut data = Fields::new();
    let mut set = |name: &str, value: Json| drop(data.insert(name.to_owned(), value));
    for name in OWN {
        if let Some(value) = event.text(name) {
            set(name, json!(value));
        }
    }
    for (at, part) in ["UserName", "DomainName", "LogonId"].into_iter().enumerate() {
        let field = format!("Subject{part}");
        let own = event.text(&field).filter(|own| apart && !own.is_empty());
        set(&field, json!(own.as_deref().unwrap_or(subject[at])));
        set(&format!("Target{part}"), json!(target[at]));
    }
    set("NewProcessName", json!(event.said("Image")));
    set("ParentProcessName", json!(event.said("ParentImage")));
    set("CommandLine", json!(event.said("CommandLine")));
    set("NewProcessId", json!(hexadecimal(&event.said("ProcessId"))));
    set("ProcessId", json!(hexadecimal(&event.said("ParentProcessId"))));
    let level = event.said("IntegrityLevel");
    let known = LEVELS.iter().find(|(name, _)| level.eq_ignore_ascii_case(name));
    set("MandatoryLabel", json!(known.map_or(level, |(_, number)| format!("S-1-16-{number}"))));
    data
}

fn hexadecimal(number: &str) -> String {
    number.parse::<u64>().map_or_else(|_| number.to_owned(), |number| format!("{number:#x}"))
}
