//! Names of pages, and links to them.
//!
//! In: the folder and the name of a rule's file. Out: the path of its page, which no other rule has on any
//! disk, and the address of a path as a link writes it.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::workspace::Loaded;

/// The page of the set
pub(super) const INDEX: &str = "index.html";
/// The page about ATT&CK
pub(super) const ATTACK: &str = "attack.html";
/// The page of the review
pub(super) const CHANGES: &str = "changes.html";
/// The page of the events
pub(super) const EVENTS: &str = "events.html";
/// The folder of the pages of rules
const RULES: &str = "rules";

/// What a link writes as it is
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// The path of a page as a link from the folder of the pages
pub(super) fn href(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

/// The way from a page to the folder of the pages: empty, or `../` for each folder
pub(super) fn root(path: &str) -> String {
    "../".repeat(path.matches('/').count())
}

/// An address that a reader may follow; `None` for anything but the web
///
/// A rule may be anybody's, and an address may be a script.
pub(super) fn outside(address: &str) -> Option<&str> {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let is_plain = !address.contains(|c: char| c.is_whitespace() || c.is_control());
    (is_web && is_plain).then_some(address)
}

/// The paths of the pages of rules, in their order
///
/// Two rules may have one name; and names that differ in their case only are one file on some disks.
pub(super) fn paths(rules: &[Loaded]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut path = |loaded: &Loaded| {
        let name = match loaded.folder.as_str() {
            "" => format!("{RULES}/{}", loaded.stem),
            folder => format!("{RULES}/{folder}/{}", loaded.stem),
        };
        let mut free = |number: &usize| {
            let path =
                if *number == 1 { format!("{name}.html") } else { format!("{name}-{number}.html") };
            taken.insert(path.to_lowercase()).then_some(path)
        };
        // One of so many numbers is free.
        (1..=rules.len() + 1).find_map(|number| free(&number)).unwrap_or(name)
    };
    rules.iter().map(&mut path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_linked() {
        assert_eq!(outside("https://attack.mitre.org/"), Some("https://attack.mitre.org/"));
        for address in ["javascript:alert(1)", "data:text/html,x", " https://a", "https://a b", "a"]
        {
            assert_eq!(outside(address), None, "{address}");
        }
    }

    #[test]
    fn a_link_is_an_address_and_knows_its_way_back() {
        assert_eq!(href("rules/a b/#1 100%.html"), "rules/a%20b/%231%20100%25.html");
        assert_eq!(
            (root("index.html"), root("rules/web/a.html")),
            (String::new(), "../../".to_owned())
        );
    }
}
