//! Log sources: the kind of event that a signal looks at, and how recorded events are recognized.
//!
//! In: a name from a rule, or the channel, provider and id of a recorded event. Out: an
//! [`EventKind`] with its [`Product`]. An event that nothing identifies stays unknown; the matcher
//! then tries it against every signal.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

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

    /// Whether the log is known to have events of this kind, or nothing tells which events it has
    pub fn occurs_in(&self, log: &Log) -> bool {
        if log.channels().next().is_none() {
            return true;
        }
        let mut channels = log.channels();
        if let EventKind::Log(own) = self {
            return own.channels().next().is_none()
                || channels.any(|channel| own.channels().any(|own| own == channel));
        }
        channels.any(|channel| {
            let of_channel = LOGS.iter().filter(|(known, ..)| *known == channel);
            let mut logs = of_channel.map(|(_, log, _)| *log);
            logs.any(|log| {
                let mut kinds = SHARED_IDS.filter_map(|id| shared_kind(log, id));
                kinds.any(|(kind, _)| kind == *self)
            })
        })
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognized {
    /// Its kinds: an event of the security log may be the start of a process as well
    pub kinds: Arc<[EventKind]>,
    /// The product that wrote it, when known
    pub product: Option<Product>,
    /// The action on a file or a registry key
    pub action: Option<&'static str>,
}

/// Channels and providers in lower case, each with its log and product
const LOGS: &[(&str, LogOf, Product)] = &[
    ("microsoft-windows-sysmon/operational", LogOf::Sysmon, Product::Windows),
    ("microsoft-windows-sysmon", LogOf::Sysmon, Product::Windows),
    ("linux-sysmon/operational", LogOf::Sysmon, Product::Linux),
    ("linux-sysmon", LogOf::Sysmon, Product::Linux),
    ("security", LogOf::Security, Product::Windows),
    ("microsoft-windows-security-auditing", LogOf::Security, Product::Windows),
];

#[derive(Clone, Copy)]
enum LogOf {
    Sysmon,
    Security,
}

/// The ids that [`shared_kind`] knows
const SHARED_IDS: std::ops::Range<i64> = 0..5_000;

/// Recognizes an event by its id in the log that `channel` or `provider` names; `None` without both
///
/// An event of a channel that no table lists is an event of Windows and of no other log. Without an
/// id the event may be any event of its log.
///
/// When both are given, the provider decides: Sysmon for Linux writes to a channel of the same name
/// as Sysmon for Windows. Event ids 1, 3 and 11 also occur in other logs, so an id alone identifies
/// nothing. Ids are those of the Sysmon schema and of Windows security auditing.
pub fn recognize(
    channel: Option<&str>,
    provider: Option<&str>,
    id: Option<i64>,
) -> Option<Recognized> {
    /// Limit on remembered lookups; a log has few ids
    const REMEMBERED: usize = 64;
    thread_local! {
        static KNOWN: RefCell<Vec<(Asked, Option<Recognized>)>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        let same = |(asked, _): &&(Asked, Option<Recognized>)| asked.is(channel, provider, id);
        if let Some((_, recognized)) = known.iter().find(same) {
            return recognized.clone();
        }
        let recognized = look_up(channel, provider, id);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let (channel, provider) = (channel.map(Into::into), provider.map(Into::into));
        known.push((Asked { channel, provider, id }, recognized.clone()));
        recognized
    })
}

/// The channel, provider and id of a remembered lookup
struct Asked {
    channel: Option<Box<str>>,
    provider: Option<Box<str>>,
    id: Option<i64>,
}

impl Asked {
    fn is(&self, channel: Option<&str>, provider: Option<&str>, id: Option<i64>) -> bool {
        self.id == id && self.channel.as_deref() == channel && self.provider.as_deref() == provider
    }
}

fn look_up(channel: Option<&str>, provider: Option<&str>, id: Option<i64>) -> Option<Recognized> {
    let given = |name: &&str| !name.trim().is_empty();
    let (channel, provider) = (channel.filter(given), provider.filter(given));
    channel.or(provider)?;
    let log = |name: &str| LOGS.iter().find(|(known, ..)| name.eq_ignore_ascii_case(known));
    let known = provider.and_then(log).or_else(|| channel.and_then(log));
    let (mut kinds, mut action) = (Vec::new(), None);
    if let Some((_, log, _)) = known {
        let shared: Vec<_> = match id {
            Some(id) => shared_kind(*log, id).into_iter().collect(),
            // Without an id the event may be any event of its log.
            None => SHARED_IDS.filter_map(|id| shared_kind(*log, id)).collect(),
        };
        action = id.and_then(|_| shared.first()?.1);
        kinds.extend(shared.into_iter().map(|(kind, _)| kind));
        kinds.dedup();
    }
    let product = known.map_or(Product::Windows, |(.., product)| *product);
    if product == Product::Windows {
        let logs = channel.and_then(|channel| Log::written_to(channel, id));
        let logs = logs.or_else(|| provider.and_then(|provider| Log::written_to(provider, id)));
        kinds.extend(logs.into_iter().flatten().map(EventKind::Log));
    }
    // Only Windows has channels: an event of a channel outside the tables is one of Windows.
    if kinds.is_empty() && product == Product::Windows {
        kinds.extend(Log::named(product.name()).map(EventKind::Log));
    }
    Some(Recognized { kinds: kinds.into(), product: Some(product), action })
}

/// The kind with a vocabulary that an id stands for in a log, and its action
fn shared_kind(log: LogOf, id: i64) -> Option<(EventKind, Option<&'static str>)> {
    Some(match (log, id) {
        (LogOf::Sysmon, 1) | (LogOf::Security, 4688) => (EventKind::ProcessCreation, None),
        (LogOf::Sysmon, 3) => (EventKind::NetworkConnection, None),
        (LogOf::Sysmon, 2) => (EventKind::FileEvent, Some("modified")),
        (LogOf::Sysmon, 11) => (EventKind::FileEvent, Some("created")),
        (LogOf::Sysmon, 23 | 26) => (EventKind::FileEvent, Some("deleted")),
        // Id 12 covers keys created or deleted, and values deleted; `EventType` tells which.
        (LogOf::Sysmon, 12) => (EventKind::RegistryEvent, None),
        (LogOf::Sysmon, 13) => (EventKind::RegistryEvent, Some("modified")),
        (LogOf::Sysmon, 14) => (EventKind::RegistryEvent, Some("renamed")),
        (LogOf::Sysmon | LogOf::Security, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(channel: &str, provider: Option<&str>, id: i64) -> Option<Vec<String>> {
        let recognized = recognize(Some(channel), provider, Some(id))?;
        Some(recognized.kinds.iter().map(ToString::to_string).collect())
    }

    fn said(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_id_means_something_only_in_its_log() {
        let sysmon = "Microsoft-Windows-Sysmon/Operational";
        assert_eq!(of(sysmon, None, 11), said(&["file_event", "windows/sysmon"]));
        assert_eq!(of(sysmon, None, 7), said(&["image_load", "windows/sysmon"]));
        assert_eq!(of("No such log", None, 1), said(&["windows"]), "no rule of Zeek's looks at it");
        assert_eq!(of("", Some(" "), 1), None);
        assert_eq!(of("Security", None, 4624), said(&["windows/security"]));
        assert_eq!(of("Security", None, 4688), said(&["process_creation", "windows/security"]));
    }

    #[test]
    fn without_an_id_an_event_may_be_any_event_of_its_log() {
        let sysmon = recognize(Some("Microsoft-Windows-Sysmon/Operational"), None, None).unwrap();
        for kind in ["process_creation", "file_event", "registry_event", "image_load"] {
            assert!(sysmon.kinds.contains(&EventKind::named(kind).unwrap()), "{kind}");
        }
        assert!(!sysmon.kinds.contains(&EventKind::Webserver));
        assert_eq!((sysmon.product, sysmon.action), (Some(Product::Windows), None));
    }

    #[test]
    fn the_provider_tells_linux_from_windows() {
        let provider = Some("Linux-Sysmon");
        let linux = recognize(Some("Linux-Sysmon/Operational"), provider, Some(1)).unwrap();
        assert_eq!(*linux.kinds, [EventKind::ProcessCreation]);
        assert_eq!(linux.product, Some(Product::Linux));
    }

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

    #[test]
    fn an_event_may_be_in_a_log_unless_another_log_is_known() {
        let kinds = |channel| recognize(Some(channel), None, Some(1)).map(|known| known.kinds);
        let sysmon = Log::named("windows/sysmon").unwrap();
        let in_sysmon = |kinds: &[EventKind]| EventKind::may_be_in(kinds, &sysmon);
        assert!(in_sysmon(&kinds("Microsoft-Windows-Sysmon/Operational").unwrap()));
        assert!(in_sysmon(&[EventKind::ProcessCreation]));
        assert!(!in_sysmon(&kinds("Security").unwrap()));
    }
}
