//! Registry keys: one spelling of each hive, and the key and value of a recorded path.
//!
//! In: paths as authors write and sensors record them. Out: a key with its hive spelled out, the
//! name of the value, and data in the form that every target shares.

/// Spellings of the hives in lower case, each with the spelling that rules use
const HIVES: &[(&str, &str)] = &[
    ("hklm", "HKEY_LOCAL_MACHINE"),
    ("hkcu", "HKEY_CURRENT_USER"),
    ("hku", "HKEY_USERS"),
    ("hkcr", "HKEY_CLASSES_ROOT"),
    ("hkcc", "HKEY_CURRENT_CONFIG"),
    ("hkey_local_machine", "HKEY_LOCAL_MACHINE"),
    ("hkey_current_user", "HKEY_CURRENT_USER"),
    ("hkey_users", "HKEY_USERS"),
    ("hkey_classes_root", "HKEY_CLASSES_ROOT"),
    ("hkey_current_config", "HKEY_CURRENT_CONFIG"),
    ("\\registry\\machine", "HKEY_LOCAL_MACHINE"),
    ("\\registry\\user", "HKEY_USERS"),
];

/// The path with its hive spelled out, and whether it begins with a hive
pub fn spelled_out(path: &str) -> (String, bool) {
    for (spelling, hive) in HIVES {
        let Some(head) = path.get(..spelling.len()) else { continue };
        let rest = &path[spelling.len()..];
        if head.eq_ignore_ascii_case(spelling) && (rest.is_empty() || rest.starts_with('\\')) {
            return (format!("{hive}{rest}"), true);
        }
    }
    (path.to_owned(), false)
}

/// The hive's short form, as Sysmon writes it; `None` for any other text
pub fn short(hive: &str) -> Option<&'static str> {
    Some(match hive {
        "HKEY_LOCAL_MACHINE" => "HKLM",
        "HKEY_CURRENT_USER" => "HKCU",
        "HKEY_USERS" => "HKU",
        "HKEY_CLASSES_ROOT" => "HKCR",
        "HKEY_CURRENT_CONFIG" => "HKCC",
        _ => return None,
    })
}

/// Key and name of the value of Sysmon's `TargetObject`
///
/// Only when the event is about a value does the path end with the name of a value.
pub fn split(target: &str, about_value: bool) -> (String, Option<String>) {
    let (path, _) = spelled_out(target);
    match path.rsplit_once('\\') {
        Some((key, value)) if about_value => (key.to_owned(), Some(value.to_owned())),
        _ => (path, None),
    }
}

/// The data of Sysmon's `Details`: numbers in decimal; `None` for `Binary Data`, which tells no
/// data
pub fn data(details: &str) -> Option<String> {
    let hex = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let inside = |kind: &str| details.strip_prefix(kind)?.strip_prefix(" (")?.strip_suffix(')');
    if let Some(number) = inside("DWORD").and_then(hex) {
        return Some(number.to_string());
    }
    if let Some((high, low)) = inside("QWORD").and_then(|halves| halves.split_once('-')) {
        let number = hex(high).zip(hex(low)).map(|(high, low)| (high << 32) | low);
        return number.map(|number| number.to_string());
    }
    (details != "Binary Data").then(|| details.to_owned())
}

/// The action of Sysmon's `EventType`, and whether it is on a value; `None` for any other word
pub fn event_type(word: &str) -> Option<(&'static str, bool)> {
    Some(match word {
        "CreateKey" => ("created", false),
        "SetValue" => ("modified", true),
        "DeleteKey" => ("deleted", false),
        "DeleteValue" => ("deleted", true),
        "RenameKey" => ("renamed", false),
        "RenameValue" => ("renamed", true),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hives_have_one_spelling() {
        let spelled = |path| spelled_out(path).0;
        assert_eq!(spelled(r"hklm\SYSTEM"), r"HKEY_LOCAL_MACHINE\SYSTEM");
        assert_eq!(spelled(r"\REGISTRY\MACHINE\SYSTEM"), r"HKEY_LOCAL_MACHINE\SYSTEM");
        assert_eq!(spelled("HKU"), "HKEY_USERS");
        assert_eq!(spelled(r"HKLMX\a"), r"HKLMX\a");
        assert_eq!(short("HKEY_USERS"), Some("HKU"));
    }

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(data("DWORD (0x00000010)").as_deref(), Some("16"));
        assert_eq!(data("QWORD (0x01d8a78f-0x583894b2)").as_deref(), Some("133040423109694642"));
        assert_eq!(data("Binary Data"), None);
        assert_eq!(data("%windir%\\a.dll").as_deref(), Some("%windir%\\a.dll"));
    }
}
