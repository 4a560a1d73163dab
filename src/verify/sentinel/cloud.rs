//! Columns that tables of cloud services, of network devices and of Linux fill from several fields.
//!
//! In: an event, a field of it and the field's text. Out: columns; `None` for an unknown way of filling them.
//!
//! Source: the references of the tables and of the services' own logs; no recordings.

use serde_json::{Value as Json, json};

use super::event::{Event, Fields, of};

/// What rules ask for where a call to AWS has no error
const NO_ERROR: [&str; 2] = ["success", "none"];

/// Words of vendors, and whether a connection is said to be blocked, in the words of ASIM
const VERDICTS: &[(&str, &str)] =
    &[("accept", "Allow"), ("forward", "Allow"), ("false", "Allow"), ("true", "Deny")];

/// Facility and program of lines of Syslog
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("apache", "daemon", "apache2"),
    ("apache/error", "daemon", "apache2"),
    ("linux/auth", "auth", "login"),
    ("linux/clamav", "local6", "clamd"),
    ("linux/cron", "cron", "CRON"),
    ("linux/sshd", "auth", "sshd"),
    ("linux/sudo", "authpriv", "sudo"),
    ("linux/vsftpd", "ftp", "vsftpd"),
    ("linux/guacamole", "daemon", "guacd"),
];

/// What every row of a table says
pub(super) fn constant(family: &str, kind: &str) -> Fields {
    match family {
        "fortigate" => of(&[("DeviceVendor", "Fortinet"), ("DeviceProduct", "Fortigate")]),
        "syslog" => {
            let known = PROGRAMS.iter().find(|(of, ..)| *of == kind);
            let (facility, program) = known.map_or(("daemon", "app"), |(_, f, p)| (*f, *p));
            of(&[("Facility", facility), ("ProcessName", program), ("SeverityLevel", "info")])
        }
        "proxy" => of(&[("EventType", "HTTPsession")]),
        _ => Fields::new(),
    }
}

pub(super) fn columns(how: &str, event: &Event, _field: &str, text: &str) -> Option<Fields> {
    let one = |column: &str, value: Json| Fields::from_iter([(column.to_owned(), value)]);
    let some = || if text.is_empty() { json!("") } else { json!([text]) };
    Some(match how {
        "answers" => one("answers_s", some()),
        "application" => {
            let name = text.to_lowercase();
            one("IdApplicationName", json!(name.strip_suffix(".googleapis.com").unwrap_or(&name)))
        }
        "authorization" => one("AuthorizationInfo", authorization(event)),
        "error" => {
            let none = NO_ERROR.contains(&text.to_lowercase().as_str());
            one("ErrorCode", json!(if none { "" } else { text }))
        }
        "extensions" => one(
            "AdditionalExtensions",
            json!(format!("cat=event;FTNTFGTcfgpath={text};FTNTFGTcfgattr=name")),
        ),
        "flow" => one("AuthenticationProtocol", json!(protocol(text)?)),
        "request" => one("RequestObject", request(event)),
        "sign-in" => sign_in(event, text)?,
        "target" => one("OriginalTarget", json!([{"displayName": text, "type": "User"}])),
        "targets" => one("TargetResources", targets(event)),
        "types" => one("resp_mime_types_s", some()),
        "url" => url(event),
        "verdict" => {
            let word = event.text("action").filter(|word| !word.is_empty());
            let word = word.unwrap_or_else(|| event.said("blocked"));
            let known = VERDICTS.iter().find(|(said, _)| *said == word.to_lowercase());
            one("DvcAction", json!(known.map_or(&*word, |(_, verdict)| verdict)))
        }
        _ => return None,
    })
}

/// How somebody signed in, which the portal shows in words of its own; `None` for a word that it never shows
fn protocol(text: &str) -> Option<&str> {
    match text.to_lowercase().as_str() {
        "device code" => Some("deviceCode"),
        "devicecode" => None,
        _ => Some(text),
    }
}

/// Whether a sign-in succeeded, which the error code says; `None` where the event says otherwise itself
fn sign_in(event: &Event, text: &str) -> Option<Fields> {
    let succeeded = text.eq_ignore_ascii_case("success");
    match event.text("ResultType") {
        Some(code) if (code == "0") != succeeded => None,
        Some(_) if succeeded => Some(Fields::new()),
        Some(_) => Some(of(&[("Status", text)])),
        None if succeeded => Some(of(&[("ResultType", "0")])),
        None => Some(of(&[("ResultType", "50126"), ("Status", text)])),
    }
}

/// A list of objects, each with a list of properties, whose new value is JSON again
fn targets(event: &Event) -> Json {
    let first = |names: &[&str]| names.iter().find_map(|name| event.text(name));
    let display = first(&["TargetResources.ModifiedProperties.DisplayName"]);
    let new = first(&[
        "TargetResources.ModifiedProperties.NewValue",
        "TargetResources.modifiedProperties.newValue",
    ]);
    let name = first(&["TargetResources", "properties.targetResources"]);
    let mut made = json!({"id": "1", "displayName": name});
    let mut properties = Vec::new();
    if let Some(consent) = event.text("ConsentContext.IsAdminConsent") {
        let new = json!(consent).to_string();
        properties.push(json!({"displayName": "ConsentContext.IsAdminConsent", "newValue": new}));
    }
    if display.is_some() || new.is_some() {
        // A text with quotes is JSON itself, a list or a bag, and written as it is.
        let quoted = new.map(|new| if new.contains('"') { new } else { json!(new).to_string() });
        properties.push(json!({"displayName": display, "oldValue": "[]", "newValue": quoted}));
    }
    if !properties.is_empty() {
        made["modifiedProperties"] = properties.into();
    }
    json!([made])
}

/// Which permissions were asked for, and whether they were given
fn authorization(event: &Event) -> Json {
    let granted = event.text("data.protoPayload.authorizationInfo.granted");
    let granted = match granted.as_deref().map(str::to_lowercase).as_deref() {
        Some("true") => json!(true),
        Some("false") => json!(false),
        Some(_) | None => json!(granted),
    };
    let permission = event.text("data.protoPayload.authorizationInfo.permission");
    json!([{"granted": granted, "permission": permission}])
}

/// What a pod is asked to be, deep inside the object of the request
fn request(event: &Event) -> Json {
    let container = event
        .text("capabilities")
        .map(|capability| json!({"securityContext": {"capabilities": {"add": [capability]}}}));
    let volume =
        event.text("hostPath").map(|path| json!({"name": "v", "hostPath": {"path": path}}));
    let list = |one: Option<Json>| Json::Array(one.into_iter().collect());
    json!({"kind": "Pod", "spec": {"containers": list(container), "volumes": list(volume)}})
}

/// The address of a request, of which an event may name parts alone
fn url(event: &Event) -> Fields {
    let host = event.text("cs-host").filter(|host| !host.is_empty());
    let whole = event.text("c-uri").or_else(|| event.text("cs-uri"));
    let whole = whole.filter(|whole| !whole.is_empty()).unwrap_or_else(|| {
        let part = |field: &str, mark: &str| match event.said(field) {
            text if text.is_empty() => text,
            text => format!("{mark}{text}"),
        };
        let host = host.clone().unwrap_or_else(|| "www.contoso.test".to_owned());
        format!(
            "http://{host}/shop/index{}{}",
            part("c-uri-extension", "."),
            part("c-uri-query", "?")
        )
    });
    of(&[("Url", &whole), ("HttpHost", &host.unwrap_or_default())])
}
