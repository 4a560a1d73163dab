//! Title, id, level and the other metadata of a rule, spelled as in Sigma.
//!
//! In: the metadata keys of a document. Out: [`Metadata`] with checked values; a wrong value is
//! reported and left out. ATT&CK tags and the short form `attack:` become one list here.

use std::fmt;

use super::keys;
use super::spelling::{self, date, word};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Spanned;
use crate::yaml::{Kind, Node, Reader, nearest};

/// The metadata of a rule
#[derive(Debug, Clone)]
pub struct Metadata {
    /// The title, in one line; `untitled` after an error
    pub title: Spanned<String>,
    /// A UUID in lower case
    pub id: Option<Spanned<String>>,
    /// Whether `id:` holds no valid UUID; that error is already reported
    pub(super) id_is_wrong: bool,
    /// The id that several rules of a file share by `action:` of Sigma 1
    pub family: Option<Spanned<String>>,
    /// A name by which other rules can refer to this rule
    pub name: Option<Spanned<String>>,
    /// The maturity of the rule
    pub status: Option<Spanned<Status>>,
    /// The severity of a match
    pub level: Option<Spanned<Level>>,
    /// The events that the rule finds, and why they matter
    pub description: Option<Spanned<String>>,
    /// The authors of the rule
    pub author: Vec<Spanned<String>>,
    /// The date of the first version, `YYYY-MM-DD`
    pub date: Option<Spanned<String>>,
    /// The date of the last change, `YYYY-MM-DD`
    pub modified: Option<Spanned<String>>,
    /// The number of its meaning, from 1; only a definition has one
    pub version: Option<Spanned<u32>>,
    /// Addresses of further reading
    pub references: Vec<Spanned<String>>,
    /// ATT&CK techniques (`T1505.003`) and tactics (`persistence`), as named by the author
    pub attack: Vec<Spanned<String>>,
    /// Tags of other namespaces
    pub tags: Vec<Spanned<String>>,
    /// Known false positives, in prose
    pub falsepositives: Vec<Spanned<String>>,
    /// The triage guide for an alert, in Markdown
    pub investigation: Option<Spanned<String>>,
    /// The licence of the rule as an SPDX expression
    pub license: Option<Spanned<String>>,
    /// Fields that an analyst wants to see in an alert
    pub fields: Vec<Spanned<String>>,
    /// Relations to other rules
    pub related: Vec<Related>,
    /// The machines for which the rule is meant
    pub scope: Vec<Spanned<String>>,
    /// The naming scheme of fields and log sources, when the rule does not use Sigma's
    pub taxonomy: Option<Spanned<String>>,
}

/// Another rule, and this rule's relation to it
#[derive(Debug, Clone)]
pub struct Related {
    /// The id of the other rule
    pub id: Spanned<String>,
    /// Sigma's word for the relation, such as `derived`
    pub relation: Spanned<&'static str>,
}

/// The relations between two rules; `obsoletes` is how Sigma 1 spells `obsolete`
pub(crate) const RELATIONS: &[&str] =
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
    /// The severity of a match
    Level {
        /// Context for other findings; no alert by itself
        Informational "informational",
        /// A notable event, rarely an incident
        Low "low",
        /// A relevant event, to review from time to time
        Medium "medium",
        /// An alert to review promptly
        High "high",
        /// A probable incident, to review at once
        Critical "critical",
    }
}

words! {
    /// The maturity of a rule
    Status {
        /// Kept for reference only
        Unsupported "unsupported",
        /// Replaced by another rule
        Deprecated "deprecated",
        /// New; may be noisy or give false positives
        Experimental "experimental",
        /// Mostly stable; may need small changes
        Test "test",
        /// Ready for production
        Stable "stable",
    }
}

/// The highest number of a version
const MOST_VERSIONS: u32 = 1_000_000;

/// The metadata keys of every kind of document
fn all_keys() -> impl Iterator<Item = &'static str> {
    keys::names("metadata").iter().chain(keys::names("sigma metadata")).copied()
}

/// Reads the metadata of a document
pub(super) fn read(reader: &mut Reader<'_>, document: &Node) -> Metadata {
    let title = match value(reader, document, "title") {
        Some(node) => reader.text(node, "`title`"),
        None if misspelt(document, "title") => None,
        None if reader.lenient => {
            let span = reader.first_line(document.span);
            reader.left_out(span, "the rule has no `title`".to_owned(), "add `title:`");
            None
        }
        None => {
            reader.missing_key(document.span, "the rule", "title");
            None
        }
    };
    let id = text(reader, document, "id");
    let has_id = document.get("id").is_some();
    // The specifications of filters and correlations only recommend UUIDs.
    let must = document.get("filter").is_none() && document.get("correlation").is_none();
    let id = id.and_then(|text| spelling::id(reader, text, must));
    let mut metadata = Metadata {
        title: title.unwrap_or_else(|| Spanned::new("untitled".into(), document.span)),
        id_is_wrong: has_id && id.is_none(),
        id,
        family: None,
        name: text(reader, document, "name"),
        status: field(reader, document, "status", |r, t| word(r, t, Status::ALL, Status::as_str)),
        level: field(reader, document, "level", |r, t| word(r, t, Level::ALL, Level::as_str)),
        description: text(reader, document, "description"),
        author: texts(reader, document, "author"),
        date: field(reader, document, "date", date),
        modified: field(reader, document, "modified", date),
        version: None,
        references: texts(reader, document, "references"),
        attack: texts(reader, document, "attack"),
        tags: Vec::new(),
        falsepositives: texts(reader, document, "falsepositives"),
        investigation: text(reader, document, "investigation"),
        license: text(reader, document, "license"),
        fields: texts(reader, document, "fields"),
        related: value(reader, document, "related")
            .map_or_else(Vec::new, |node| related(reader, node)),
        scope: texts(reader, document, "scope"),
        taxonomy: taxonomy(reader, document),
    };
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

/// Reads `version:`, which in a Sigma document is a key of the author's own
pub(super) fn version(reader: &mut Reader<'_>, document: &Node) -> Option<Spanned<u32>> {
    let text = text(reader, document, "version")?;
    let number = text.value.parse().ok().filter(|number| (1..=MOST_VERSIONS).contains(number));
    if number.is_none() {
        let message = format!("`{}` is not the number of a version", text.value);
        let label = format!("expected a whole number from 1 to {MOST_VERSIONS}");
        let diagnostic = Diagnostic::new(Code::E0108, reader.source, text.span, message, label);
        reader.report(diagnostic.help("Write `version: 2`; Sentinel's rule then has 1.0.1."));
    }
    number.map(|number| Spanned::new(number, text.span))
}

/// Reads `taxonomy:`; it decides what fields mean, so another one refuses the rule everywhere
fn taxonomy(reader: &mut Reader<'_>, document: &Node) -> Option<Spanned<String>> {
    let node = value(reader, document, "taxonomy")?;
    let lenient = reader.lenient;
    reader.lenient &= node.is_null();
    let taxonomy = reader.text(node, "`taxonomy`");
    reader.lenient = lenient;
    if let Some(taxonomy) = taxonomy.as_ref().filter(|one| one.value != "sigma") {
        let message = format!("the taxonomy `{}` is not known", taxonomy.value);
        let label = "its fields and log sources mean nothing here";
        let diagnostic = Diagnostic::new(Code::E0204, reader.source, taxonomy.span, message, label);
        reader.report(
            diagnostic.help("Write the rule in Sigma's own taxonomy, and leave the key out."),
        );
    }
    taxonomy
}

fn related(reader: &mut Reader<'_>, node: &Node) -> Vec<Related> {
    let mut all = Vec::new();
    for item in reader.list(node, "`related`") {
        for (key, _) in reader.map(item, "a related rule") {
            reader.custom_key(key, "a related rule", (keys::names("related"), &[]));
        }
        let text = |reader: &mut Reader<'_>, key: &str| match item.get(key) {
            Some(node) => reader.text(node, &format!("`{key}`")),
            None if reader.lenient => {
                let message = format!("a related rule has no `{key}`");
                reader.left_out(item.span, message, &format!("add `{key}:`"));
                None
            }
            None => {
                reader.missing_key(item.span, "a related rule", key);
                None
            }
        };
        let id = text(reader, "id").and_then(|text| spelling::id(reader, text, true));
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

/// Whether an unknown key is probably a misspelt `key`; the unknown key has a report of its own
fn misspelt(document: &Node, key: &str) -> bool {
    let Kind::Map(entries) = &document.kind else { return false };
    let unknown = entries.iter().filter_map(|(name, _)| name.text());
    let known = |name: &&str| all_keys().any(|known| known == *name);
    unknown.filter(|name| !known(name)).any(|name| nearest(name, [key]).is_some())
}

/// Reads the `level:` of a signal's case, a correlation or a test
pub(super) fn level(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<Level>> {
    let text = reader.text(node, "`level`")?;
    word(reader, text, Level::ALL, Level::as_str)
}

/// The value of a key; in a Sigma document also of the key in another spelling
fn value<'n>(reader: &Reader<'_>, document: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &document.kind else { return None };
    let other = || {
        let meant = |(name, _): &&(Node, Node)| spelt(document, name) == Some(key);
        entries.iter().find(meant).filter(|_| reader.lenient).map(|(_, value)| value)
    };
    document.get(key).or_else(other)
}

/// The metadata key that a key of a Sigma document means in another spelling, such as `reference`
fn spelt(document: &Node, key: &Node) -> Option<&'static str> {
    let written = key.text()?;
    if all_keys().any(|known| known == written) {
        return None;
    }
    let plain = |word: &str| {
        let letters = word.chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase().trim_end_matches('s').to_owned()
    };
    let meant = plain(written);
    all_keys().find(|known| plain(known) == meant && document.get(known).is_none())
}

/// Warns about a metadata key in another spelling, which is read all the same
pub(super) fn other_spelling(reader: &mut Reader<'_>, document: &Node, key: &Node) -> bool {
    let Some(meant) = spelt(document, key) else { return false };
    let message = format!("`{}` is written `{meant}`", key.text().unwrap_or_default());
    let label = "read as if it were";
    let diagnostic = Diagnostic::new(Code::W0136, reader.source, key.span, message, label);
    reader.report(diagnostic.replace(key.span, meant));
    true
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
    let node = value(reader, document, key)?;
    reader.text(node, &format!("`{key}`"))
}

fn texts(reader: &mut Reader<'_>, document: &Node, key: &str) -> Vec<Spanned<String>> {
    match value(reader, document, key) {
        Some(node) => reader.texts(node, &format!("`{key}`")),
        None => Vec::new(),
    }
}
