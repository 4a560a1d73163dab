//! Log sources: the kind of event that a signal looks at.
//!
//! In: a name from a rule. Out: an [`EventKind`] with its [`Product`].

use std::fmt;

use super::{Field, FieldType, Log};

/// A kind of event that signals can look at
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// A process starts
    ProcessCreation,
    /// A file is created, modified, renamed or deleted
    FileEvent,
    /// A process opens a connection or takes one
    NetworkConnection,
    /// A registry key is made, deleted or renamed, or a value of it set, deleted or renamed
    RegistryEvent,
    /// A web server answers a request
    Webserver,
    /// A process in an alert of a security product; an alert about several processes is several
    /// events
    SecurityAlert,
    /// An event of another log source of Sigma's
    Log(Log),
}

impl EventKind {
    /// Every kind that has a vocabulary, in the order lists show them
    pub const ALL: &[EventKind] = &[
        EventKind::ProcessCreation,
        EventKind::FileEvent,
        EventKind::NetworkConnection,
        EventKind::RegistryEvent,
        EventKind::Webserver,
        EventKind::SecurityAlert,
    ];

    /// Sigma's name of the category
    pub fn name(&self) -> &str {
        match self {
            EventKind::ProcessCreation => "process_creation",
            EventKind::FileEvent => "file_event",
            EventKind::NetworkConnection => "network_connection",
            EventKind::RegistryEvent => "registry_event",
            EventKind::Webserver => "webserver",
            EventKind::SecurityAlert => "security_alert",
            EventKind::Log(log) => log.name(),
        }
    }

    /// Type of a field's values on events of this kind; `None` when they lack the field
    pub fn field_type(&self, field: &Field) -> Option<FieldType> {
        if let EventKind::Log(log) = self {
            return log.field_type(field);
        }
        field.belongs_to(self).then(|| field.kind())
    }

    /// The names of the fields that its events are known to have
    pub fn field_names(&self) -> Vec<&'static str> {
        if let EventKind::Log(log) = self {
            return log.fields();
        }
        Field::names_of(self).collect()
    }

    /// Whether a signal of this kind looks at events of the other
    pub fn takes(&self, event: &EventKind, product: Option<Product>) -> bool {
        if self == event {
            return true;
        }
        let EventKind::Log(whole) = self else { return false };
        if !whole.is_whole_product() {
            return false;
        }
        let of_log = if let EventKind::Log(log) = event { log.product() } else { None };
        // The product may be unknown; an event with a vocabulary then fits any product.
        let vocabulary = !matches!(event, EventKind::Log(_));
        let product = product.map(Product::name).or(of_log);
        product.map_or(vocabulary, |product| product == whole.name())
    }

    /// Whether events of these kinds may be in a log: one of the kinds is the log, or none is a log
    pub fn may_be_in(kinds: &[EventKind], log: &Log) -> bool {
        let is_log =
            |kind: &&EventKind| matches!(kind, EventKind::Log(known) if known.is_service());
        let mut known = kinds.iter().filter(is_log).peekable();
        known.peek().is_none()
            || known.any(|known| matches!(known, EventKind::Log(known) if known == log))
    }

    /// A few words on such an event, for `list events`
    pub fn describe(&self) -> &'static str {
        match self {
            EventKind::ProcessCreation => "a process starts",
            EventKind::FileEvent => "a file is created, modified, renamed or deleted",
            EventKind::NetworkConnection => {
                "a process opens a network connection; incoming ones only for Sigma rules"
            }
            EventKind::RegistryEvent => "a registry key is made, or a value set; deleted, renamed",
            EventKind::Webserver => "a web server answers a request",
            EventKind::SecurityAlert => "a process in an alert of a security product",
            EventKind::Log(log) => log.says(),
        }
    }

    /// The kind with this name
    pub fn named(name: &str) -> Option<EventKind> {
        let known = Self::ALL.iter().find(|kind| kind.name() == name).cloned();
        known.or_else(|| Log::named(name).map(EventKind::Log))
    }

    /// The kind of event of a Sigma category, and the action that the category implies, if any
    ///
    /// Source: SigmaHQ sigma-specification, appendix taxonomy.
    pub fn category(name: &str) -> Option<(EventKind, Option<&'static str>)> {
        let known = CATEGORIES.iter().find(|(category, ..)| *category == name);
        let log = || Log::named(name).map(|log| (EventKind::Log(log), None));
        known.map(|(_, kind, action)| (kind.clone(), *action)).or_else(log)
    }

    /// The names of Sigma's categories that have a vocabulary
    pub fn categories() -> impl Iterator<Item = &'static str> {
        CATEGORIES.iter().map(|(name, ..)| *name)
    }

    /// The Sigma category with exactly this kind and action; `None` when there is none
    pub fn category_name(&self, action: Option<&'static str>) -> Option<&'static str> {
        if let EventKind::Log(log) = self {
            return log.category_name();
        }
        let says = |category: &&Category| (&category.1, category.2) == (self, action);
        CATEGORIES.iter().find(says).map(|(name, ..)| *name)
    }
}

/// A category of Sigma: its name, its kind of event, and the action it implies
type Category = (&'static str, EventKind, Option<&'static str>);

const CATEGORIES: &[Category] = &[
    ("process_creation", EventKind::ProcessCreation, None),
    ("network_connection", EventKind::NetworkConnection, None),
    ("file_event", EventKind::FileEvent, Some("created")),
    ("file_change", EventKind::FileEvent, Some("modified")),
    ("file_rename", EventKind::FileEvent, Some("renamed")),
    ("file_delete", EventKind::FileEvent, Some("deleted")),
    ("registry_event", EventKind::RegistryEvent, None),
    ("registry_add", EventKind::RegistryEvent, Some("created")),
    ("registry_set", EventKind::RegistryEvent, Some("modified")),
    ("registry_rename", EventKind::RegistryEvent, Some("renamed")),
    ("registry_delete", EventKind::RegistryEvent, Some("deleted")),
    ("webserver", EventKind::Webserver, None),
    ("security_alert", EventKind::SecurityAlert, None),
];

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An operating system
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Product {
    /// Windows
    Windows,
    /// Linux
    Linux,
    /// macOS
    Macos,
}

/// The actions on a file or a registry key
pub const ACTIONS: &[&str] = &["created", "modified", "renamed", "deleted"];

/// The programs of Windows that are in no file; sensors write their names as paths without a folder
///
/// Source: recorded events of Sysmon.
pub const FOLDERLESS: &[&str] =
    &["System", "Registry", "MemCompression", "Memory Compression", "Secure System"];

impl Product {
    /// Every product
    pub const ALL: &[Product] = &[Product::Windows, Product::Linux, Product::Macos];

    /// Sigma's name
    pub fn name(self) -> &'static str {
        match self {
            Product::Windows => "windows",
            Product::Linux => "linux",
            Product::Macos => "macos",
        }
    }

    /// The product with this name
    pub fn named(name: &str) -> Option<Product> {
        Self::ALL.iter().copied().find(|product| product.name() == name)
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_takes_all_its_logs() {
        let windows = EventKind::named("windows").unwrap();
        let security = EventKind::named("windows/security").unwrap();
        assert!(windows.takes(&security, None));
        assert!(windows.takes(&EventKind::ProcessCreation, Some(Product::Windows)));
        assert!(!windows.takes(&EventKind::ProcessCreation, Some(Product::Linux)));
        assert!(!security.takes(&windows, None));
        // A category, although rules also write it as a product.
        let antivirus = EventKind::named("antivirus").unwrap();
        assert!(!antivirus.takes(&EventKind::ProcessCreation, None));
    }
}
