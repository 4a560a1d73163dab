//! The web-shell vocabulary: keys in the words of a detection engineer.
//!
//! In: a key such as `parents`. Out: the field it stands for on each kind of event and how its
//! values are read. A word is never a second spelling of a field: it brings its own default
//! comparison, which Sigma modifiers change.

use crate::taxonomy::{EventKind, Field};

/// The default comparison of a word's values, which a modifier may replace
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A whole base name; a value with a slash is the whole path
    Program,
    /// The whole value
    Whole,
    /// One whole argument of a command line
    Argument,
    /// A whole account name; a value with a backslash is domain and name
    Account,
    /// A run of whole directory segments
    Directories,
    /// The last extension, with or without its dot
    Extension,
    /// An action on a file or a registry key
    Action,
    /// A run of whole segments of a registry key
    Key,
    /// `public`, `private`, `loopback` or networks
    Remote,
    /// Numbers and ranges of numbers
    Numbers,
}

/// A word of the vocabulary
#[derive(Debug)]
pub struct Word {
    /// The word as written in a key
    pub name: &'static str,
    /// The default comparison of its values
    pub reading: Reading,
    /// Its meaning in one line, as `list fields` shows it
    pub says: &'static str,
    fields: &'static [(EventKind, &'static str)],
}

impl Word {
    /// The word with this name
    pub fn named(name: &str) -> Option<&'static Word> {
        WORDS.iter().find(|word| word.name == name)
    }

    /// The field that the word stands for on this kind of event; `None` if it has no meaning there
    pub fn field(&self, kind: &EventKind) -> Option<Field> {
        let (_, field) = self.fields.iter().find(|(on, _)| on == kind)?;
        Field::named(field)
    }

    /// The kinds of event on which the word stands for a field
    pub fn events(&self) -> impl Iterator<Item = &'static EventKind> + use<> {
        self.fields.iter().map(|(kind, _)| kind)
    }
}

use EventKind::{
    FileEvent as File, NetworkConnection as Net, ProcessCreation as Start,
    RegistryEvent as Registry, SecurityAlert as Alert, Webserver as Web,
};

/// The command line of the process that starts, acts, or stands in an alert
const OF_COMMAND_LINES: &[(EventKind, &str)] = &[
    (Start, "CommandLine"),
    (File, "CommandLine"),
    (Net, "CommandLine"),
    (Registry, "CommandLine"),
    (Alert, "CommandLine"),
];

/// The command line of that process's parent
const OF_PARENT_COMMAND_LINES: &[(EventKind, &str)] = &[
    (Start, "ParentCommandLine"),
    (File, "ParentCommandLine"),
    (Net, "ParentCommandLine"),
    (Registry, "ParentCommandLine"),
];

/// Every word, sorted by name
pub const WORDS: &[Word] = &[
    Word {
        name: "actions",
        reading: Reading::Action,
        says: "what happened: created, modified, renamed, deleted",
        fields: &[(File, "Action"), (Registry, "Action")],
    },
    Word {
        name: "alert_files",
        reading: Reading::Whole,
        says: "name of a file in the alert, whole",
        fields: &[(Alert, "AlertFiles")],
    },
    Word {
        name: "alert_names",
        reading: Reading::Whole,
        says: "name of the alert, whole",
        fields: &[(Alert, "AlertName")],
    },
    Word {
        name: "alert_providers",
        reading: Reading::Whole,
        says: "product that raised the alert, whole",
        fields: &[(Alert, "ProviderName")],
    },
    Word {
        name: "alert_severities",
        reading: Reading::Whole,
        says: "severity of the alert",
        fields: &[(Alert, "AlertSeverity")],
    },
    Word {
        name: "arguments",
        reading: Reading::Argument,
        says: "one argument of the command line, whole",
        fields: OF_COMMAND_LINES,
    },
    Word {
        name: "children",
        reading: Reading::Program,
        says: "name of the started program; with a slash, its whole path",
        fields: &[(Start, "Image")],
    },
    Word {
        name: "client_addresses",
        reading: Reading::Remote,
        says: "address of the client: public, private, loopback, or networks",
        fields: &[(Web, "c-ip")],
    },
    Word {
        name: "command_lines",
        reading: Reading::Whole,
        says: "the command line, whole",
        fields: OF_COMMAND_LINES,
    },
    Word {
        name: "extensions",
        reading: Reading::Extension,
        says: "the last extension of the file, or of the path of the request",
        fields: &[(File, "TargetFilename"), (Web, "cs-uri-stem")],
    },
    Word {
        name: "grandparents",
        reading: Reading::Program,
        says: "name of the parent's parent; with a slash, its whole path",
        fields: &[(Start, "GrandparentImage")],
    },
    Word {
        name: "methods",
        reading: Reading::Whole,
        says: "method of the request",
        fields: &[(Web, "cs-method")],
    },
    Word {
        name: "parent_arguments",
        reading: Reading::Argument,
        says: "one argument of the parent's command line, whole",
        fields: OF_PARENT_COMMAND_LINES,
    },
    Word {
        name: "parent_command_lines",
        reading: Reading::Whole,
        says: "the parent's command line, whole",
        fields: OF_PARENT_COMMAND_LINES,
    },
    Word {
        name: "parents",
        reading: Reading::Program,
        says: "name of the program that started it; with a slash, its whole path",
        fields: &[
            (Start, "ParentImage"),
            (File, "ParentImage"),
            (Net, "ParentImage"),
            (Registry, "ParentImage"),
        ],
    },
    Word {
        name: "paths",
        reading: Reading::Directories,
        says: "a run of whole directories anywhere in the path, never the file name",
        fields: &[(File, "TargetFilename"), (Start, "Image"), (Web, "cs-uri-stem")],
    },
    Word {
        name: "ports",
        reading: Reading::Numbers,
        says: "the remote port: numbers and ranges",
        fields: &[(Net, "DestinationPort")],
    },
    Word {
        name: "processes",
        reading: Reading::Program,
        says: "name of the program that acted; with a slash, its whole path",
        fields: &[(File, "Image"), (Net, "Image"), (Registry, "Image"), (Alert, "Image")],
    },
    Word {
        name: "query_strings",
        reading: Reading::Whole,
        says: "query of the request, whole, without its question mark",
        fields: &[(Web, "cs-uri-query")],
    },
    Word {
        name: "registry_data",
        reading: Reading::Whole,
        says: "data of the value, whole; numbers in decimal",
        fields: &[(Registry, "RegistryData")],
    },
    Word {
        name: "registry_keys",
        reading: Reading::Key,
        says: "a run of whole segments of the key; its hive in any spelling",
        fields: &[(Registry, "RegistryKey")],
    },
    Word {
        name: "registry_values",
        reading: Reading::Whole,
        says: "name of the value, whole",
        fields: &[(Registry, "RegistryValue")],
    },
    Word {
        name: "remote",
        reading: Reading::Remote,
        says: "the remote address: public, private, loopback, or networks",
        fields: &[(Net, "DestinationIp")],
    },
    Word {
        name: "statuses",
        reading: Reading::Numbers,
        says: "status of the answer: numbers and ranges",
        fields: &[(Web, "sc-status")],
    },
    Word {
        name: "url_paths",
        reading: Reading::Whole,
        says: "path of the request, whole",
        fields: &[(Web, "cs-uri-stem")],
    },
    Word {
        name: "user_agents",
        reading: Reading::Whole,
        says: "program of the client, whole",
        fields: &[(Web, "cs-user-agent")],
    },
    Word {
        name: "users",
        reading: Reading::Account,
        says: "the account's name; with a backslash, domain and name",
        fields: &[(Start, "User"), (File, "User"), (Net, "User"), (Registry, "User")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_stand_for_fields_that_their_events_have() {
        assert!(WORDS.iter().map(|word| word.name).is_sorted());
        for word in WORDS {
            for kind in word.events() {
                assert!(word.field(kind).is_some_and(|f| f.belongs_to(kind)), "{}", word.name);
            }
        }
    }
}
