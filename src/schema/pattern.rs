//! Regular expressions for texts that keys take, in the dialect that JSON Schema asks for.
//!
//! In: the name of a format or of a list whose words have many spellings. Out: the pattern.

use crate::definition::Modifier;
use crate::taxonomy::attack;

/// A date, as definitions write it
const DATE: &str = r"^[0-9]{4}[-/](0[1-9]|1[0-2])[-/](0[1-9]|[12][0-9]|3[01])$";
/// A UUID in each form that the reader takes
const UUID: &str = r"^(urn:uuid:|\{)?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?$";
/// A time span: a whole number of seconds, minutes, hours or days
const SPAN: &str = "^[0-9]*[1-9][0-9]*[smhd]$";
/// A text that is not blank
pub(super) const TEXT: &str = r"\S";
/// A plain name
pub(super) const NAME: &str = "^[a-z][a-z0-9_]{0,39}$";
/// The characters of the name of a field
const FIELD: &str = r"[A-Za-z0-9_.@(){}\[\]:/$#%+-]+";

/// The pattern of a format
pub(super) fn of(format: &str) -> &'static str {
    match format {
        "date" => DATE,
        "uuid" => UUID,
        "span" => SPAN,
        _ => TEXT,
    }
}

/// The pattern of modifiers behind a name
pub(super) fn modifiers() -> String {
    let names: Vec<&str> = Modifier::ALL.iter().map(|one| one.name()).collect();
    format!(r"(\|({}))", names.join("|"))
}

/// The pattern of every key of a test
pub(super) fn key() -> String {
    let modifiers = modifiers();
    format!("^({FIELD}{modifiers}*|{modifiers}+)$")
}

/// The pattern of keys that begin with one of these names
pub(super) fn key_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(escaped).collect();
    format!("^({}){}*$", names.join("|"), modifiers())
}

/// The pattern of one name with a modifier behind it
pub(super) fn modified(name: &str) -> String {
    format!(r"^{}\|", escaped(name))
}

/// A name in which no character has a meaning of its own
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() && !"_-:/ #%@".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The pattern of live techniques and tactics
pub(super) fn technique() -> String {
    format!("^(attack\\.)?{}$", live())
}

/// The pattern of tags: those of ATT&CK name a live technique, tactic, group or the like
pub(super) fn tag() -> String {
    let objects = "([gG]|[sS]|[cC]|[mM]|[dD][sS]|[dD][cC])[0-9]{4}";
    format!(r"^(attack\.({}|{objects})|(?!attack\.).*\S.*)$", live())
}

fn live() -> String {
    let techniques = attack::techniques().map(|one| one.id.trim_start_matches('T'));
    let techniques: Vec<String> = techniques.map(escaped).collect();
    let tactics = attack::tactics().iter();
    let tactics: Vec<String> = tactics
        .flat_map(|one| [one.slug.replace('-', "[-_]"), one.id.replace("TA", "[tT][aA]")])
        .collect();
    format!("([tT]({})|{})", techniques.join("|"), tactics.join("|"))
}
