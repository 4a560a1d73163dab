//! The columns of a rule's matches.
//!
//! In: the signals of a rule. Out: the [`Column`]s that each match shows.

use super::Signal;
use crate::taxonomy::EventKind;

/// A column of a result
///
/// The subject of an event is the program that starts or the file that changes; a connection has
/// none. The actor is the process that acts: the parent, the writer, or the process that connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Time of the event
    Time,
    /// The signal's name
    Signal,
    /// The match's level
    Level,
    /// The host
    Host,
    /// The account
    Account,
    /// Name and path of the subject
    Subject,
    /// The subject's command line
    CommandLine,
    /// Name and command line of the actor
    Actor,
    /// Name of the actor's parent; only when a signal tests it
    Grandparent,
    /// Key, name and data of a registry value
    Registry,
    /// The remote address and port
    Remote,
    /// The request to a web server, and its client
    Request,
    /// Name and id of an alert
    Alert,
    /// What else an event of a log says
    Event,
    /// The sensor's name for the event
    Report,
}

impl Column {
    /// The column of this name, in the words of mappings
    pub(crate) fn named(name: &str) -> Option<Column> {
        Some(match name {
            "Host" => Column::Host,
            "Account" => Column::Account,
            "Subject" => Column::Subject,
            "CommandLine" => Column::CommandLine,
            "Actor" => Column::Actor,
            "Grandparent" => Column::Grandparent,
            "Registry" => Column::Registry,
            "Remote" => Column::Remote,
            "Request" => Column::Request,
            "Alert" => Column::Alert,
            "Event" => Column::Event,
            "Report" => Column::Report,
            _ => return None,
        })
    }

    /// The columns of a rule with these signals: the same for every signal
    pub(crate) fn of(signals: &[Signal]) -> Vec<Column> {
        let mut columns = vec![
            Column::Time,
            Column::Signal,
            Column::Level,
            Column::Host,
            Column::Account,
            Column::Subject,
            Column::CommandLine,
            Column::Actor,
        ];
        if signals.iter().any(asks_for_the_parent_of_the_actor) {
            columns.push(Column::Grandparent);
        }
        // An event of a log may have any part; its table says which.
        let is_log = |signal: &Signal| matches!(signal.kind, EventKind::Log(_));
        let mut of = |kind, column| {
            if signals.iter().any(|signal| signal.kind == kind || is_log(signal)) {
                columns.push(column);
            }
        };
        of(EventKind::RegistryEvent, Column::Registry);
        of(EventKind::NetworkConnection, Column::Remote);
        of(EventKind::Webserver, Column::Request);
        of(EventKind::SecurityAlert, Column::Alert);
        if signals.iter().any(is_log) {
            columns.push(Column::Event);
        }
        columns.push(Column::Report);
        columns
    }
}

/// The actor of a start is the parent, and so its parent is the grandparent
fn asks_for_the_parent_of_the_actor(signal: &Signal) -> bool {
    let field = match signal.kind {
        EventKind::ProcessCreation => "GrandparentImage",
        EventKind::FileEvent | EventKind::NetworkConnection | EventKind::RegistryEvent => {
            "ParentImage"
        }
        EventKind::Webserver | EventKind::SecurityAlert | EventKind::Log(_) => return false,
    };
    signal.fields().any(|read| read.name() == field)
}
