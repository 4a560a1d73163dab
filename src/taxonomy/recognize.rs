//! How recorded events are recognized.
//!
//! In: the channel, provider and id of an event. Out: its [`EventKind`]s with its [`Product`]. An event that
//! nothing identifies stays unknown; the matcher then tries it against every signal.

use std::cell::RefCell;
use std::sync::Arc;

use super::{EventKind, Log, Product};

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

impl EventKind {
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
    fn an_event_may_be_in_a_log_unless_another_log_is_known() {
        let kinds = |channel| recognize(Some(channel), None, Some(1)).map(|known| known.kinds);
        let sysmon = Log::named("windows/sysmon").unwrap();
        let in_sysmon = |kinds: &[EventKind]| EventKind::may_be_in(kinds, &sysmon);
        assert!(in_sysmon(&kinds("Microsoft-Windows-Sysmon/Operational").unwrap()));
        assert!(in_sysmon(&[EventKind::ProcessCreation]));
        assert!(!in_sysmon(&kinds("Security").unwrap()));
    }
}
