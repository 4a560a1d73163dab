//! Title, id, level: what a rule says about itself, spelled as in Sigma.
//!
//! In: the metadata keys of a document. Out: [`Metadata`] with checked values; a wrong value is
//! reported and left out. ATT&CK tags and the short form `attack:` become one list here.

use std::fmt;

use super::shape::{Reader, nearest};
use super::yaml::Node;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Spanned;

/// What a rule says about itself
#[derive(Debug, Clone)]
pub struct Metadata {
    /// One line
    pub title: Spanned<String>,
    /// A UUID in lower case
    pub id: Option<Spanned<String>>,
    /// Whether there is an id that is none, which has been reported
    pub(super) id_is_wrong: bool,
    /// A name other rules can refer to
    pub name: Option<Spanned<String>>,
    /// How ripe the rule is
    pub status: Option<Spanned<Status>>,
    /// How bad a match is
    pub level: Option<Spanned<Level>>,
    /// What it finds and why that matters
    pub description: Option<Spanned<String>>,
    /// Who wrote it
    pub author: Vec<Spanned<String>>,
    /// First written, `YYYY-MM-DD`
    pub date: Option<Spanned<String>>,
    /// Last changed, `YYYY-MM-DD`
    pub modified: Option<Spanned<String>>,
    /// Where to read more
    pub references: Vec<Spanned<String>>,
    /// ATT&CK techniques (`T1505.003`) and tactics (`persistence`), as named by the author
    pub attack: Vec<Spanned<String>>,
    /// Tags of other namespaces
    pub tags: Vec<Spanned<String>>,
    /// What else may look like this
    pub falsepositives: Vec<Spanned<String>>,
    /// What to look at when it has matched: Markdown, the triage guide
    pub investigation: Option<Spanned<String>>,
    /// SPDX expression
    pub license: Option<Spanned<String>>,
    /// Fields an analyst wants to see
    pub fields: Vec<Spanned<String>>,
    /// What the rule has to do with others
    pub related: Vec<Related>,
    /// Which machines it is meant for
    pub scope: Vec<Spanned<String>>,
    /// Names of fields and log sources of its own, when they are not Sigma's
    pub taxonomy: Option<Spanned<String>>,
}

/// Another rule, and what this one has to do with it
#[derive(Debug, Clone)]
pub struct Related {
    /// Its id
    pub id: Spanned<String>,
    /// Sigma's word for it
    pub relation: Spanned<&'static str>,
}

/// What a rule can have to do with another; the second spelling of each is of Sigma 1
const RELATIONS: &[&str] =
    &["derived", "obsolete", "obsoletes", "merged", "renamed", "similar", "correlation"];

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$says:meta])* $variant:ident $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$says])* $variant),* }

        impl $name {
            /// Every value
            pub const ALL: &[$name] = &[$($name::$variant),*];

            /// Sigma's spelling
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How bad a match is
    Level {
        /// Not an alert by itself
        Informational "informational",
        /// Worth noting
        Low "low",
        /// Worth a look
        Medium "medium",
        /// Worth a look now
        High "high",
        /// Wake somebody
        Critical "critical",
    }
}

words! {
    /// How ripe a rule is
    Status {
        /// Kept for reference only
        Unsupported "unsupported",
        /// Replaced
        Deprecated "deprecated",
        /// New
        Experimental "experimental",
        /// In trial
        Test "test",
        /// In use
        Stable "stable",
    }
}

/// The metadata keys of every kind of document
pub(super) const KEYS: &[&str] = &[
    "title",
    "id",
    "name",
    "status",
    "level",
    "attack",
    "tags",
    "description",
    "references",
    "author",
    "date",
    "modified",
    "falsepositives",
    "investigation",
    "license",
    "fields",
    "related",
];
/// Those that only Sigma has, and SigmaHQ's own
pub(super) const SIGMA_KEYS: &[&str] =
    &["scope", "taxonomy", "regression_tests_path", "simulation"];

/// Reads the metadata of a document
pub(super) fn read(reader: &mut Reader<'_>, document: &Node) -> Metadata {
    let title = match document.get("title") {
        Some(node) => reader.text(node, "`title`"),
        None if misspelt(document, "title") => None,
        None => {
            reader.missing_key(document.span, "the rule", "title");
            None
        }
    };
    let id = text(reader, document, "id");
    let has_id = id.is_some();
    let id = id.and_then(|id| uuid(reader, id));
    let mut metadata = Metadata {
        title: title.unwrap_or_else(|| Spanned::new("untitled".into(), document.span)),
        id_is_wrong: has_id && id.is_none(),
        id,
        name: text(reader, document, "name"),
        status: field(reader, document, "status", |r, t| word(r, t, Status::ALL, Status::as_str)),
        level: field(reader, document, "level", |r, t| word(r, t, Level::ALL, Level::as_str)),
        description: text(reader, document, "description"),
        author: texts(reader, document, "author"),
        date: field(reader, document, "date", date),
        modified: field(reader, document, "modified", date),
        references: texts(reader, document, "references"),
        attack: texts(reader, document, "attack"),
        tags: Vec::new(),
        falsepositives: texts(reader, document, "falsepositives"),
        investigation: text(reader, document, "investigation"),
        license: text(reader, document, "license"),
        fields: texts(reader, document, "fields"),
        related: document.get("related").map_or_else(Vec::new, |node| related(reader, node)),
        scope: texts(reader, document, "scope"),
        taxonomy: text(reader, document, "taxonomy"),
    };
    if let Some(taxonomy) = metadata.taxonomy.as_ref().filter(|one| one.value != "sigma") {
        let message = format!("the taxonomy `{}` is not known", taxonomy.value);
        let label = "its fields and log sources mean nothing here";
        let found = Diagnostic::new(Code::E0204, reader.source, taxonomy.span, message, label);
        reader.report(found.help("Write the rule in Sigma's own taxonomy, and leave the key out."));
    }
    for name in &mut metadata.attack {
        if let Some(plain) = name.value.strip_prefix("attack.") {
            name.value = plain.to_owned();
        }
    }
    for tag in texts(reader, document, "tags") {
        match tag.value.strip_prefix("attack.").filter(|name| !is_attack_object(name)) {
            Some(name) => metadata.attack.push(Spanned::new(name.to_owned(), tag.span)),
            None => metadata.tags.push(tag),
        }
    }
    metadata
}

fn related(reader: &mut Reader<'_>, node: &Node) -> Vec<Related> {
    const KEYS: &[&str] = &["id", "type"];
    let mut all = Vec::new();
    for item in reader.list(node, "`related`") {
        for (key, _) in reader.map(item, "a related rule") {
            reader.custom_key(key, "a related rule", KEYS);
        }
        let text = |reader: &mut Reader<'_>, key: &str| match item.get(key) {
            Some(node) => reader.text(node, &format!("`{key}`")),
            None => {
                reader.missing_key(item.span, "a related rule", key);
                None
            }
        };
        let id = text(reader, "id").and_then(|id| uuid(reader, id));
        let relation =
            text(reader, "type").and_then(|word_of| word(reader, word_of, RELATIONS, |one| one));
        all.extend(id.zip(relation).map(|(id, relation)| Related { id, relation }));
    }
    all
}

/// Whether a tag names a group, a software, a data source or the like of ATT&CK, which are neither
/// tactics nor techniques
///
/// Source: SigmaHQ sigma-specification, appendix tags.
fn is_attack_object(name: &str) -> bool {
    let number = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = &name[..name.len() - number.len()];
    let kind =
        ["g", "s", "c", "m", "ds", "dc"].iter().any(|kind| letters.eq_ignore_ascii_case(kind));
    kind && number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether another key was probably meant to be this one, which is reported by itself
fn misspelt(document: &Node, key: &str) -> bool {
    let super::yaml::Kind::Map(entries) = &document.kind else { return false };
    let unknown = entries.iter().filter_map(|(name, _)| name.text());
    let known = |name: &&str| KEYS.contains(name) || SIGMA_KEYS.contains(name);
    unknown.filter(|name| !known(name)).any(|name| nearest(name, [key]).is_some())
}

/// Reads a level in another place than the document's own
pub(super) fn level(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<Level>> {
    let text = reader.text(node, "`level`")?;
    word(reader, text, Level::ALL, Level::as_str)
}

fn field<T>(
    reader: &mut Reader<'_>,
    document: &Node,
    key: &str,
    check: impl Fn(&mut Reader<'_>, Spanned<String>) -> Option<Spanned<T>>,
) -> Option<Spanned<T>> {
    let text = text(reader, document, key)?;
    check(reader, text)
}

fn text(reader: &mut Reader<'_>, document: &Node, key: &str) -> Option<Spanned<String>> {
    reader.text(document.get(key)?, &format!("`{key}`"))
}

fn texts(reader: &mut Reader<'_>, document: &Node, key: &str) -> Vec<Spanned<String>> {
    match document.get(key) {
        Some(node) => reader.texts(node, &format!("`{key}`")),
        None => Vec::new(),
    }
}

/// One of the words of an enumeration, or a report with the nearest
pub(super) fn word<T: Copy>(
    reader: &mut Reader<'_>,
    text: Spanned<String>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Option<Spanned<T>> {
    if let Some(found) = all.iter().find(|one| name(**one) == text.value) {
        return Some(Spanned::new(*found, text.span));
    }
    let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let message = format!("`{}` is not one of {}", text.value, known.join(", "));
    let found = Diagnostic::new(Code::E0112, reader.source, text.span, message, "unknown word");
    reader.report(match nearest(&text.value, known.iter().copied()) {
        Some(near) => found.replace(text.span, near),
        None => found,
    });
    None
}

fn uuid(reader: &mut Reader<'_>, text: Spanned<String>) -> Option<Spanned<String>> {
    match uuid::Uuid::try_parse(&text.value) {
        Ok(id) => Some(Spanned::new(id.hyphenated().to_string(), text.span)),
        Err(_) => {
            let message = format!("`{}` is not a UUID", text.value);
            reader.error(Code::E0113, text.span, message, "expected 8-4-4-4-12 hex digits");
            None
        }
    }
}

/// Sigma's `2024-01-31`; the older `2024/01/31` is read as well
fn date(reader: &mut Reader<'_>, text: Spanned<String>) -> Option<Spanned<String>> {
    let day = text.value.replace('/', "-");
    match day.parse::<jiff::civil::Date>() {
        Ok(day) => Some(Spanned::new(day.to_string(), text.span)),
        Err(_) => {
            let message = format!("`{}` is not a date", text.value);
            reader.error(Code::E0114, text.span, message, "expected YYYY-MM-DD");
            None
        }
    }
}
