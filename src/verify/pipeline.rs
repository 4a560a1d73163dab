//! Events as Elastic holds them.
//!
//! In: the engine's record of an event. Out: the document that Elastic's pipelines make of it,
//! with dotted field names. The pipelines drop some values that a sensor records. A document can
//! also be made without these gaps, to find out whether a gap explains a different verdict.
//!
//! Source of the gaps: the pipelines of the Sysmon, Windows and IIS integrations, and recorded
//! events with the documents made from them.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::ecs::{Row, rows_of};
use super::sources::source;
use crate::matcher::{Record, arguments, base_name};
use crate::taxonomy::{EventKind, Field, Product, registry};

/// Whether a document has the gaps of Elastic's pipelines
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gaps {
    /// As Elastic holds it, with the gaps
    Left,
    /// With the gaps, and texts that a pipeline may decode as they were sent
    AsSent,
    /// With every value of the event that is not empty
    AllButEmpty,
    /// With every value of the event
    Filled,
}

/// The id that an event has in its log
pub(super) fn id_of(record: &Record) -> Option<i64> {
    record.fields.get(&Field::named("EventID")?)?.first()?.parse().ok()
}

/// Texts that the pipelines treat as a missing value
pub(super) const NOTHING: &[&str] = &["", "-", "{00000000-0000-0000-0000-000000000000}"];

impl Gaps {
    /// Every choice of gaps
    pub(super) const ALL: [Gaps; 4] = [Gaps::Left, Gaps::AsSent, Gaps::AllButEmpty, Gaps::Filled];

    /// Whether values are dropped as the pipelines drop them
    fn are_left(self) -> bool {
        matches!(self, Gaps::Left | Gaps::AsSent)
    }

    /// Whether a value is missing in the document
    fn hold(self, value: &str) -> bool {
        match self {
            Gaps::Left | Gaps::AsSent => NOTHING.contains(&value),
            Gaps::AllButEmpty => value.is_empty(),
            Gaps::Filled => false,
        }
    }
}

/// The document of an event of this kind; `None` when no index holds events of the kind
pub fn document(record: &Record, kind: &EventKind, product: Product, gaps: Gaps) -> Option<Value> {
    let said = |name: &str| Some(record.fields.get(&Field::named(name)?)?.first()?.as_str());
    let action = said("Action").unwrap_or_default().to_ascii_lowercase();
    let action = action.as_str();
    let source = source(kind).filter(|source| !source.document.is_empty())?;
    let mut fields = Fields { product, gaps, map: Map::new() };
    let id = id_of(record);
    for (field, values) in record.fields.iter().filter(|(field, _)| **field != Field::EVERY) {
        let rows = rows_of(kind, field, id);
        for (row, value) in rows.iter().flat_map(|row| values.iter().map(move |v| (row, v))) {
            fields.take(row, value);
        }
        if let (true, Some(others)) = (rows.is_empty(), &source.others) {
            let name = others.replace("{field}", field.name());
            values.iter().for_each(|value| fields.keep(&name, value));
        }
    }
    if *kind == EventKind::RegistryEvent {
        fields.registry(action, &said);
    }
    if source.rendered {
        fields.add("message", rendered(record));
    }
    for (name, words) in source.fields(action, product) {
        fields.map.entry(name.clone()).or_insert_with(|| json!(words));
    }
    fields.map.insert("host.os.type".to_owned(), json!(product.name()));
    Some(Value::Object(fields.map))
}

/// A text with all values of an event, one in a line
fn rendered(record: &Record) -> String {
    let every = record.fields.get(&Field::EVERY);
    let values: Vec<&str> = match every {
        Some(values) => values.iter().map(String::as_str).collect(),
        None => record.fields.values().flatten().map(String::as_str).collect(),
    };
    values.join("\n")
}

/// A whole number as Windows writes it: in hexadecimal with `0x` before it, or in decimal
pub(super) fn whole_number(text: &str) -> Option<i64> {
    match text.trim().strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.trim().parse().ok(),
    }
}

/// Whether a text has what a pipeline decodes
pub(super) fn is_escaped(text: &str) -> bool {
    text.contains(['%', '+'])
}

/// A text as the processor `urldecode` leaves it: Java's `URLDecoder`, which fails at a broken escape
pub(super) fn decoded(text: &str) -> Option<String> {
    let blanks = text.replace('+', " ");
    let mut escapes = blanks.split('%').skip(1);
    let whole =
        |escape: &str| escape.get(..2).is_some_and(|two| u8::from_str_radix(two, 16).is_ok());
    let read = || percent_decode_str(&blanks).decode_utf8_lossy().into_owned();
    escapes.all(whole).then(read)
}

/// An address without the prefix of an IPv4 address in IPv6
pub(super) fn without_mapping(text: &str) -> &str {
    text.strip_prefix("::ffff:").unwrap_or(text)
}

/// A document that is being filled
struct Fields {
    product: Product,
    gaps: Gaps,
    map: Map<String, Value>,
}

impl Fields {
    fn add(&mut self, ecs: &str, value: impl Into<Value>) {
        if let Value::Array(values) = self.map.entry(ecs).or_insert_with(|| json!([])) {
            values.push(value.into());
        }
    }

    /// Adds a value, unless the pipelines treat it as missing
    fn keep(&mut self, ecs: &str, value: &str) {
        if !self.gaps.hold(value) {
            self.add(ecs, value);
        }
    }

    fn take(&mut self, row: &Row, value: &str) {
        if self.gaps.hold(value) {
            return;
        }
        let (ecs, of) = (row.ecs, |part: &str| format!("{}.{part}", row.ecs));
        match row.how {
            // Elasticsearch drops the field when a number field or an address field has other
            // text, and takes the rest of the document.
            "number" => {
                if let Ok(number) = value.trim().parse::<i64>() {
                    self.add(ecs, number);
                }
            }
            "hexadecimal" | "address" | "client" | "truth" | "decoded" => {
                self.add_typed(row, value)
            }
            "lower" => self.add(ecs, value.to_ascii_lowercase()),
            "label" => self.add(ecs, value.split('.').next().unwrap_or_default()),
            "none" => {}
            "direction" => {
                let word = if value.eq_ignore_ascii_case("false") { "ingress" } else { "egress" };
                self.add(ecs, word);
            }
            "host" => {
                self.add(&of("name"), value);
                // The event has no host id, so the host's name serves as one.
                self.add(&of("id"), value);
            }
            "image" => self.path(&of("executable"), &of("name"), value),
            "file" => {
                self.path(&of("path"), &of("name"), value);
                self.extension(&of("extension"), value);
            }
            "command" => {
                self.add(&of("command_line"), value);
                for argument in arguments(value, self.product) {
                    self.add(&of("args"), argument);
                }
            }
            // Sensors write zeros for a hash that was not computed.
            "hash" if self.gaps.are_left() && value.chars().all(|c| c == '0') => {}
            "hash" => self.add(ecs, value.to_ascii_lowercase()),
            "account" => match value.rsplit_once('\\') {
                Some((domain, name)) => {
                    self.keep(&of("domain"), domain);
                    self.keep(&of("name"), name);
                }
                // The pipelines for Windows keep only accounts with a domain.
                None if self.gaps.are_left() && self.product == Product::Windows => {}
                None => self.add(&of("name"), value),
            },
            _ => self.add(ecs, value),
        }
    }

    /// Adds a value that must have a form of its own; any other text is dropped
    fn add_typed(&mut self, row: &Row, value: &str) {
        let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
        match row.how {
            "hexadecimal" => {
                whole_number(value).into_iter().for_each(|number| self.add(row.ecs, number));
            }
            "address" if is_address(value) => self.add(row.ecs, value),
            "client" if is_address(without_mapping(value)) => {
                self.add(row.ecs, without_mapping(value));
            }
            "truth" => {
                let said = value.to_ascii_lowercase().parse::<bool>();
                said.into_iter().for_each(|truth| self.add(row.ecs, truth));
            }
            "decoded" if self.gaps != Gaps::AsSent => {
                decoded(value).into_iter().for_each(|text| self.add(row.ecs, text));
            }
            "decoded" => self.add(row.ecs, value),
            _ => {}
        }
    }

    fn separator(&self) -> char {
        if self.product == Product::Windows { '\\' } else { '/' }
    }

    /// Adds a path and its name, the text after the last separator; the pipelines add no name for a
    /// path without a separator
    fn path(&mut self, whole: &str, name: &str, value: &str) {
        self.add(whole, value);
        match (value.rsplit_once(self.separator()), self.gaps) {
            (Some((_, last)), Gaps::Left | Gaps::AsSent) => self.add(name, last),
            (None, Gaps::Left | Gaps::AsSent) => {}
            (_, Gaps::AllButEmpty | Gaps::Filled) => self.add(name, base_name(value)),
        }
    }

    /// Adds an extension
    ///
    /// The pipelines take the text after the last dot of the whole path, even a dot in a directory.
    fn extension(&mut self, ecs: &str, value: &str) {
        let (text, there) = match self.gaps {
            Gaps::Left | Gaps::AsSent => (value, value.contains(self.separator())),
            Gaps::AllButEmpty | Gaps::Filled => (base_name(value), true),
        };
        if let (Some((_, extension)), true) = (text.rsplit_once('.'), there) {
            self.add(ecs, extension);
        }
    }

    /// Adds the path and the data of a registry event
    ///
    /// The path is the key, followed by the value's name when the event is about a value.
    fn registry<'r>(&mut self, action: &str, said: &dyn Fn(&str) -> Option<&'r str>) {
        let value = said("RegistryValue");
        if let Some(key) = said("RegistryKey") {
            let (hive, rest) = key.split_once('\\').unwrap_or((key, ""));
            let hive = registry::short(&hive.to_ascii_uppercase()).unwrap_or(hive);
            let mut path = hive.to_owned();
            for part in [rest].into_iter().filter(|rest| !rest.is_empty()).chain(value) {
                path.push('\\');
                path.push_str(part);
            }
            self.keep("registry.value", path.rsplit('\\').next().unwrap_or_default());
            self.add("registry.path", path);
        }
        let word = match (action, value) {
            ("created", _) => Some("CreateKey"),
            ("modified", _) => Some("SetValue"),
            ("renamed", _) => Some("RenameKey"),
            ("deleted", Some(_)) => Some("DeleteValue"),
            ("deleted", None) => Some("DeleteKey"),
            _ => None,
        };
        if let Some(word) = word.filter(|_| said("EventType").is_none()) {
            self.add("winlog.event_data.EventType", word);
        }
        if action != "modified" {
            return;
        }
        let details = said("Details").unwrap_or_default();
        let binary = details == "Binary Data";
        let kind = match details.split_once(" (") {
            Some(("DWORD", _)) => "SZ_DWORD",
            Some(("QWORD", _)) => "SZ_QWORD",
            _ if binary => "REG_BINARY",
            _ => "REG_SZ",
        };
        let data = said("RegistryData").or(binary.then_some(details));
        let data = data.filter(|data| !self.gaps.hold(data));
        // Sysmon records `Binary Data` in place of binary data; Elastic holds these words.
        if let Some(data) = data.filter(|_| !binary || self.gaps.are_left()) {
            self.add("registry.data.strings", data);
        }
        if data.is_some() || !self.gaps.are_left() {
            self.add("registry.data.type", kind);
        }
    }
}

/// The operating system that an event's paths suggest: Linux if one starts with `/`
pub fn guessed_product(record: &Record, kind: &EventKind) -> Product {
    let rooted = |text: &String| text.starts_with('/');
    let paths = ["Image", "TargetFilename", "CurrentDirectory"].into_iter();
    let mut values = paths.filter_map(|name| record.fields.get(&Field::named(name)?)).flatten();
    let linux = *kind != EventKind::RegistryEvent && values.any(rooted);
    if linux { Product::Linux } else { Product::Windows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::Recorder;

    fn of(kind: &EventKind, event: &Value, gaps: Gaps) -> Value {
        let record = Recorder::new(kind).read(event, Some(kind)).unwrap();
        document(&record, kind, guessed_product(&record, kind), gaps).unwrap()
    }

    #[test]
    fn an_event_of_windows_keeps_its_data_unless_its_id_says_where_they_go() {
        let security = EventKind::named("windows/security").unwrap();
        let logon = json!({"EventID": 4624, "IpAddress": "::ffff:10.0.0.1", "LogonType": 3});
        let document = of(&security, &logon, Gaps::Left);
        assert_eq!(document["source.ip"], json!(["10.0.0.1"]));
        assert_eq!(document["winlog.event_data.LogonType"], json!(["3"]));
        assert_eq!(document["winlog.channel"], json!(["Security"]));
        let access = json!({"EventID": 4663, "ProcessName": r"C:\a.exe"});
        let document = of(&security, &access, Gaps::Left);
        assert_eq!(document["winlog.event_data.ProcessName"], json!([r"C:\a.exe"]));
        assert_eq!(document.get("process.executable"), None);
    }

    #[test]
    fn a_process_has_a_name_and_arguments() {
        let event = json!({
            "Image": r"C:\Windows\cmd.exe", "CommandLine": r#"cmd "a b""#, "User": r"NT\SYSTEM",
            "ParentImage": "w3wp.exe", "Company": "-", "ProcessId": "7",
        });
        let document = of(&EventKind::ProcessCreation, &event, Gaps::Left);
        assert_eq!(document["process.name"], json!(["cmd.exe"]));
        assert_eq!(document["process.args"], json!(["cmd", "a b"]));
        assert_eq!(document["user.domain"], json!(["NT"]));
        assert_eq!(document["process.pid"], json!([7]));
        assert_eq!(document.get("process.parent.name"), None, "the path has no separator");
        assert_eq!(document.get("process.pe.company"), None);
        let filled = of(&EventKind::ProcessCreation, &event, Gaps::Filled);
        assert_eq!(filled["process.parent.name"], json!(["w3wp.exe"]));
        assert_eq!(filled["process.pe.company"], json!(["-"]));
    }

    #[test]
    fn a_registry_event_has_one_path() {
        let key = r"HKEY_LOCAL_MACHINE\SOFTWARE\Run";
        let set = json!({"RegistryKey": key, "RegistryValue": "a", "RegistryData": "b"});
        let document = of(&EventKind::RegistryEvent, &set, Gaps::Left);
        assert_eq!(document["registry.path"], json!([r"HKLM\SOFTWARE\Run\a"]));
        assert_eq!(document["registry.value"], json!(["a"]));
        assert_eq!(document["registry.data.strings"], json!(["b"]));
        let made = json!({"RegistryKey": key, "Action": "created"});
        let document = of(&EventKind::RegistryEvent, &made, Gaps::Left);
        assert_eq!(document["registry.value"], json!(["Run"]));
        assert_eq!(document.get("registry.data.type"), None);
    }

    #[test]
    fn the_extension_is_that_of_the_whole_path() {
        let event = json!({"TargetFilename": r"C:\a.com\file"});
        let document = of(&EventKind::FileEvent, &event, Gaps::Left);
        assert_eq!(document["file.extension"], json!([r"com\file"]));
        assert_eq!(of(&EventKind::FileEvent, &event, Gaps::Filled).get("file.extension"), None);
    }
}
