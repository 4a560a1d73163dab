//! Neutral events, from which generated events start.
//!
//! In: a signal. Out: the fields that every event of its kind has, with values that no rule tests
//! for.

use serde_json::json;

use super::Fields;
use crate::ir::Signal;
use crate::taxonomy::{EventKind, Product};

/// The hosts that events are spread over; a blank event has the first
const HOSTS: [&str; 3] = ["web01", "web02.contoso.example", "10.9.8.7"];

/// A neutral event of the signal's kind: no rule tests for its values
pub fn blank(signal: &Signal) -> Fields {
    let linux = signal.product == Some(Product::Linux);
    let path = if linux { "/opt/app/tool" } else { r"C:\Lab\tool.exe" };
    let account = if linux { "worker" } else { r"CONTOSO\worker" };
    let event = match signal.kind {
        EventKind::ProcessCreation => json!({
            "Image": path, "ParentImage": path, "CommandLine": path, "ParentCommandLine": path,
            "User": account, "OriginalFileName": "tool.bin", "Company": "Contoso",
            "IntegrityLevel": "Medium", "ProcessId": 4100, "ParentProcessId": 4096,
        }),
        EventKind::FileEvent => json!({
            "Image": path, "TargetFilename": path, "User": account, "Action": "created",
            "ProcessId": 4100,
        }),
        EventKind::NetworkConnection => json!({
            "Image": path, "User": account, "ProcessId": 4100, "Initiated": "true",
            "Protocol": "icmp", "SourceIp": "10.1.2.3", "SourcePort": 50000,
            "DestinationIp": "10.4.5.6", "DestinationPort": 4321,
        }),
        EventKind::RegistryEvent => json!({
            "Image": path, "User": account, "Action": "modified", "ProcessId": 4100,
            "RegistryKey": r"HKEY_LOCAL_MACHINE\SOFTWARE\Tool", "RegistryValue": "Path",
            "RegistryData": "1",
        }),
        EventKind::Webserver => json!({
            "cs-uri-stem": "/shop/index.html", "cs-method": "OPTIONS", "cs-uri-query": "a=1",
            "c-ip": "198.51.100.0", "sc-status": 200, "sc-bytes": 512, "cs-user-agent": "curl/8",
            "cs-username": "anna", "cs-referer": "https://www.contoso.test/",
            "s-sitename": "W3SVC1", "cs-host": "www.contoso.test",
        }),
        EventKind::SecurityAlert => json!({
            "ProviderName": "Contoso", "AlertName": "Something", "AlertSeverity": "Low",
            "AlertId": "a-1", "AlertFiles": ["agent.bin"], "Image": path, "CommandLine": path,
        }),
        EventKind::Log(_) => json!({}),
    };
    let mut fields = event.as_object().cloned().unwrap_or_default();
    fields.insert("Computer".to_owned(), json!(HOSTS[0]));
    fields
}

/// Spreads events over hosts and clients; keeps a host or client that a test has set
pub(super) fn vary(event: &mut Fields, number: usize) {
    let mut spread = |name: &str, blank: &str, other: String| {
        if let Some(value) = event.get_mut(name).filter(|value| **value == *blank) {
            *value = json!(other);
        }
    };
    spread("Computer", HOSTS[0], HOSTS[number % HOSTS.len()].to_owned());
    spread("c-ip", "198.51.100.0", format!("198.51.100.{}", number % 4));
}
