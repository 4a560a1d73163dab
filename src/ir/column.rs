//! What every match of a rule shows.

use super::Signal;
use crate::taxonomy::EventKind;

/// A column of a result
///
/// The subject is what the event is about: the started program or the file; a connection has
/// none. The actor is the process that did it: the parent, the writer, the one that connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// When
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
    /// Name of the actor's own parent, where a rule asks for it
    Grandparent,
    /// Key, name and data of a registry value
    Registry,
    /// The remote address and port
    Remote,
    /// What a client asked a web server for, and the client
    Request,
    /// Name and id of an alert
    Alert,
    /// What the sensor calls the event
    Report,
}

impl Column {
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
        let mut tests = signals.iter().flat_map(Signal::tests);
        if tests.any(|test| test.subject.field.name() == "GrandparentImage") {
            columns.push(Column::Grandparent);
        }
        let mut of = |kind, column| {
            if signals.iter().any(|signal| signal.kind == kind) {
                columns.push(column);
            }
        };
        of(EventKind::RegistryEvent, Column::Registry);
        of(EventKind::NetworkConnection, Column::Remote);
        of(EventKind::Webserver, Column::Request);
        of(EventKind::SecurityAlert, Column::Alert);
        columns.push(Column::Report);
        columns
    }
}
