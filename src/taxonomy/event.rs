//! Log sources: what kind of event a signal looks at, and how a recorded event is known.
//!
//! In: a name from a rule, or the channel, provider and id that a recorded event carries. Out:
//! an [`EventKind`] with its [`Product`]. An event that nothing identifies stays unknown; the
//! matcher then tries it against every signal.

use std::fmt;

/// A kind of event that signals can look at
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// A process in an alert of a security product; an alert of several processes is several
    SecurityAlert,
}

impl EventKind {
    /// Every kind, in the order lists show them
    pub const ALL: &[EventKind] = &[
        EventKind::ProcessCreation,
        EventKind::FileEvent,
        EventKind::NetworkConnection,
        EventKind::RegistryEvent,
        EventKind::Webserver,
        EventKind::SecurityAlert,
    ];

    /// Sigma's name of the category
    pub fn name(self) -> &'static str {
        match self {
            EventKind::ProcessCreation => "process_creation",
            EventKind::FileEvent => "file_event",
            EventKind::NetworkConnection => "network_connection",
            EventKind::RegistryEvent => "registry_event",
            EventKind::Webserver => "webserver",
            EventKind::SecurityAlert => "security_alert",
        }
    }

    /// The letter that stands for it in the field tables
    pub fn letter(self) -> char {
        match self {
            EventKind::ProcessCreation => 'p',
            EventKind::FileEvent => 'f',
            EventKind::NetworkConnection => 'n',
            EventKind::RegistryEvent => 'r',
            EventKind::Webserver => 'w',
            EventKind::SecurityAlert => 'a',
        }
    }

    /// The kinds whose letters stand in a cell of a field table
    pub fn lettered(cell: &str) -> impl Iterator<Item = EventKind> {
        Self::ALL.iter().copied().filter(move |kind| cell.contains(kind.letter()))
    }

    /// What such an event says, for `list events`
    pub fn describe(self) -> &'static str {
        match self {
            EventKind::ProcessCreation => "a process starts",
            EventKind::FileEvent => "a file is created, modified, renamed or deleted",
            EventKind::NetworkConnection => {
                "a process opens a network connection; incoming ones only for Sigma rules"
            }
            EventKind::RegistryEvent => "a registry key is made, or a value set; deleted, renamed",
            EventKind::Webserver => "a web server answers a request",
            EventKind::SecurityAlert => "a process in an alert of a security product",
        }
    }

    /// The kind with this name
    pub fn named(name: &str) -> Option<EventKind> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The kind that a Sigma category is about, and what has happened in it, when it says so
    ///
    /// Source: SigmaHQ sigma-specification, appendix taxonomy.
    pub fn category(name: &str) -> Option<(EventKind, Option<&'static str>)> {
        let (_, kind, action) = CATEGORIES.iter().find(|(category, ..)| *category == name)?;
        Some((*kind, *action))
    }

    /// The category of Sigma that says just this
    pub fn category_name(self, action: Option<&'static str>) -> &'static str {
        let says = |category: &&Category| (category.1, category.2) == (self, action);
        CATEGORIES.iter().find(says).map_or(self.name(), |(name, ..)| name)
    }
}

/// A category of Sigma: its name, the kind of event, what has happened in it
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

/// What channel, provider and event id tell about a recorded event
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognized {
    /// An event of this kind, from this product; of a file or a registry key, what happened to it
    As(EventKind, Product, Option<&'static str>),
    /// A known log that holds other kinds of events
    Other,
    /// Nothing in the table
    Unknown,
}

/// The logs an event id is looked up in: channel or provider in lower case, its product
const LOGS: &[(&str, Log, Product)] = &[
    ("microsoft-windows-sysmon/operational", Log::Sysmon, Product::Windows),
    ("microsoft-windows-sysmon", Log::Sysmon, Product::Windows),
    ("linux-sysmon/operational", Log::Sysmon, Product::Linux),
    ("linux-sysmon", Log::Sysmon, Product::Linux),
    ("security", Log::Security, Product::Windows),
    ("microsoft-windows-security-auditing", Log::Security, Product::Windows),
];

#[derive(Clone, Copy)]
enum Log {
    Sysmon,
    Security,
}

/// Says what kind of event `id` is in the log that `channel` or `provider` names
///
/// The provider decides where both are there: Sysmon for Linux writes to a channel of the same
/// name as Sysmon for Windows. Event ids 1, 3 and 11 also occur in other logs, so an id alone
/// says nothing. Ids are those of the Sysmon schema and of Windows security auditing.
pub fn recognize(channel: Option<&str>, provider: Option<&str>, id: i64) -> Recognized {
    let log = |name: &str| LOGS.iter().find(|(known, ..)| name.eq_ignore_ascii_case(known));
    let Some((_, log, product)) = provider.and_then(log).or_else(|| channel.and_then(log)) else {
        return Recognized::Unknown;
    };
    let (kind, action) = match (log, id) {
        (Log::Sysmon, 1) | (Log::Security, 4688) => (EventKind::ProcessCreation, None),
        (Log::Sysmon, 3) => (EventKind::NetworkConnection, None),
        (Log::Sysmon, 2) => (EventKind::FileEvent, Some("modified")),
        (Log::Sysmon, 11) => (EventKind::FileEvent, Some("created")),
        (Log::Sysmon, 23 | 26) => (EventKind::FileEvent, Some("deleted")),
        // Id 12 is of keys made and deleted and of values deleted; the event's type tells.
        (Log::Sysmon, 12) => (EventKind::RegistryEvent, None),
        (Log::Sysmon, 13) => (EventKind::RegistryEvent, Some("modified")),
        (Log::Sysmon, 14) => (EventKind::RegistryEvent, Some("renamed")),
        (Log::Sysmon | Log::Security, _) => return Recognized::Other,
    };
    Recognized::As(kind, *product, action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_something_only_in_its_log() {
        let sysmon = recognize(Some("Microsoft-Windows-Sysmon/Operational"), None, 11);
        let kind = EventKind::FileEvent;
        assert_eq!(sysmon, Recognized::As(kind, Product::Windows, Some("created")));
        assert_eq!(recognize(Some("MSExchange Management"), None, 1), Recognized::Unknown);
        assert_eq!(recognize(Some("Security"), None, 4624), Recognized::Other);
    }

    #[test]
    fn the_provider_tells_linux_from_windows() {
        let channel = Some("Linux-Sysmon/Operational");
        let kind = EventKind::ProcessCreation;
        assert_eq!(
            recognize(channel, Some("Linux-Sysmon"), 1),
            Recognized::As(kind, Product::Linux, None)
        );
    }
}
