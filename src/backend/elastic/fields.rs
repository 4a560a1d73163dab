//! The ECS field of each field, and the indices that hold the events.
//!
//! In: a kind of event, a field and a part. Out: an [`EcsField`], or `None` when ECS has no such
//! field. The indices of a rule are chosen so that each field it uses has one type in all of them.

use std::sync::LazyLock;

use crate::ir::{Op, Part, Test};
use crate::taxonomy::{EventKind, Field, Product};

/// The text of the mapping
const TABLE: &str = include_str!("fields.tsv");

/// The type of an ECS field's values
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Compares whole values, with their case
    Keyword,
    /// Like a keyword, for long values; Kibana's query language splits its wildcards at blanks
    Wildcard,
    Ip,
    Long,
    /// `event.type` of a file event
    Action,
    /// A field that exists only in events that set a registry value
    Change,
    /// `network.direction`
    Direction,
}

/// An ECS field
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EcsField {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// Whether every index has the sub-field `<name>.text`
    pub(super) text: bool,
    /// Whether values longer than `limit` occur
    pub(super) long: bool,
    /// The longest value that a keyword field indexes, in characters
    pub(super) limit: usize,
    /// Whether the pipeline decodes values before they are compared
    pub(super) decoded: bool,
    /// Whether it is an extension after the last dot of the whole path, even a dot in a directory
    pub(super) path_dot: bool,
    /// Whether events about a registry key fill the field too
    pub(super) of_keys: bool,
}

/// The longest value that a keyword field indexes, unless ECS sets another `ignore_above`
const LIMIT: usize = 1_024;

/// The suffix of the analysed sub-field, which indexes the words of a text
const WORDS: &str = ".text";

impl EcsField {
    /// The name of the analysed sub-field; it exists only when `text` is true
    pub(super) fn analysed(&self) -> String {
        [self.name, WORDS].concat()
    }

    /// Whether `name` is that of its analysed sub-field
    fn is_analysed(&self, name: &str) -> bool {
        self.text && name.strip_suffix(WORDS) == Some(self.name)
    }
}

struct Row {
    event: EventKind,
    field: Field,
    part: &'static str,
    ecs: Option<EcsField>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Row> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [event, field, part, name, kind, text, traits] = cells[..] else { return None };
    let event = EventKind::lettered(event).next()?;
    let kind = match kind {
        "keyword" => Some(Type::Keyword),
        "wildcard" => Some(Type::Wildcard),
        "ip" => Some(Type::Ip),
        "long" => Some(Type::Long),
        "action" => Some(Type::Action),
        "change" => Some(Type::Change),
        "direction" => Some(Type::Direction),
        _ => None,
    };
    let has = |word: &str| traits.split(' ').any(|one| one == word);
    let ecs = kind.map(|kind| EcsField {
        name,
        kind,
        text: text == "yes",
        long: has("long"),
        limit: traits.split(' ').find_map(|word| word.parse().ok()).unwrap_or(LIMIT),
        decoded: has("decoded"),
        path_dot: has("path-dot"),
        of_keys: has("of-keys"),
    });
    Some(Row { event, field: Field::named(field)?, part, ecs })
}

fn find(event: &EventKind, field: &Field, part: &str) -> Option<EcsField> {
    let fits = |row: &&Row| row.event == *event && row.field == *field && row.part == part;
    ROWS.iter().find(fits)?.ecs
}

/// The ECS field that holds this part of a field
pub(super) fn ecs(event: &EventKind, field: &Field, part: Part) -> Option<EcsField> {
    let part = match part {
        Part::Whole => "whole",
        Part::Key => "key",
        Part::Name => "name",
        Part::Extension => "extension",
        Part::Argument(_) => "argument",
        Part::Time(_) => return None,
    };
    find(event, field, part)
}

/// The ECS field that a test looks at
///
/// ECS may have no field for a registry key alone; then the path, which begins with the key, shows
/// whether the key is present.
pub(super) fn of_test(event: &EventKind, test: &Test) -> Option<EcsField> {
    let field = &test.subject.field;
    let presence = matches!(test.op, Op::Exists | Op::Null);
    let key = || find(event, field, "key").filter(|_| presence);
    ecs(event, field, test.subject.part).or_else(key)
}

/// The fields of an account: domain and name
pub(super) fn account(event: &EventKind, field: &Field) -> Option<(EcsField, EcsField)> {
    Some((find(event, field, "domain")?, find(event, field, "name")?))
}

/// The Elasticsearch type of an ECS field, as `required_fields` names it
pub(super) fn type_of(name: &str) -> &'static str {
    let mut fields = ROWS.iter().filter_map(|row| row.ecs);
    if fields.clone().any(|ecs| ecs.is_analysed(name)) {
        return "match_only_text";
    }
    let known = fields.find(|ecs| ecs.name == name);
    match known.map(|ecs| ecs.kind) {
        Some(Type::Wildcard) => "wildcard",
        Some(Type::Ip) => "ip",
        Some(Type::Long) => "long",
        Some(Type::Keyword | Type::Action | Type::Change | Type::Direction) | None => "keyword",
    }
}

/// The ECS fields whose values together form a new term
///
/// A host is identified by `host.id`: host names are reused, ids are not.
pub(super) fn terms(event: &EventKind, field: &Field) -> Vec<&'static str> {
    let parts: Vec<EcsField> = match account(event, field) {
        Some((domain, name)) => vec![domain, name],
        None => {
            let term = find(event, field, "term");
            term.or_else(|| find(event, field, "whole")).into_iter().collect()
        }
    };
    parts.iter().map(|field| field.name).collect()
}

/// An index pattern and the metadata that detection-rules requires for it
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) pattern: &'static str,
    /// The integration package; empty for a Beat
    pub(super) package: &'static str,
    pub(super) data_source: &'static str,
    products: &'static [Product],
    /// Whether names and paths in the index have an analysed sub-field
    pub(super) text: bool,
}

const ENDPOINT: &[Product] = &[Product::Windows, Product::Linux, Product::Macos];
const SYSMON: Index = Index {
    pattern: "logs-windows.sysmon_operational-*",
    package: "windows",
    data_source: "Sysmon",
    products: &[Product::Windows],
    text: true,
};
const WINLOGBEAT: Index = Index {
    pattern: "winlogbeat-*",
    package: "",
    data_source: "",
    products: &[Product::Windows],
    text: true,
};

const fn endpoint(pattern: &'static str) -> Index {
    Index {
        pattern,
        package: "endpoint",
        data_source: "Elastic Defend",
        products: ENDPOINT,
        text: true,
    }
}

/// The indices of process events, sorted by pattern; those of other kinds follow
const PROCESS: &[Index] = &[
    Index {
        pattern: "auditbeat-*",
        package: "",
        data_source: "",
        products: &[Product::Linux],
        text: true,
    },
    Index {
        pattern: "logs-auditd_manager.auditd-*",
        package: "auditd_manager",
        data_source: "Auditd Manager",
        products: &[Product::Linux],
        text: true,
    },
    endpoint("logs-endpoint.events.process-*"),
    Index {
        pattern: "logs-system.security*",
        package: "system",
        data_source: "Windows Security Event Logs",
        products: &[Product::Windows],
        text: true,
    },
    SYSMON,
    WINLOGBEAT,
];
const FILE: &[Index] = &[endpoint("logs-endpoint.events.file-*"), SYSMON, WINLOGBEAT];
const NETWORK: &[Index] = &[endpoint("logs-endpoint.events.network-*"), SYSMON, WINLOGBEAT];
const REGISTRY: &[Index] = &[endpoint("logs-endpoint.events.registry-*"), SYSMON, WINLOGBEAT];

const fn access_log(
    pattern: &'static str,
    package: &'static str,
    data_source: &'static str,
) -> Index {
    Index { pattern, package, data_source, products: ENDPOINT, text: true }
}

const WEB: &[Index] = &[
    access_log("filebeat-*", "", ""),
    access_log("logs-apache.access-*", "apache", "Apache"),
    access_log("logs-iis.access-*", "iis", "IIS"),
    access_log("logs-nginx.access-*", "nginx", "Nginx"),
];

/// Patterns that only a definition's settings can select
const OTHERS: &[Index] = &[
    // Endgame's own mapping has no analysed sub-fields.
    Index {
        pattern: "endgame-*",
        package: "",
        data_source: "Elastic Endgame",
        products: &[],
        text: false,
    },
    Index {
        pattern: "logs-crowdstrike.fdr*",
        package: "crowdstrike",
        data_source: "Crowdstrike",
        products: &[],
        text: true,
    },
    Index {
        pattern: "logs-m365_defender.event-*",
        package: "m365_defender",
        data_source: "Microsoft Defender XDR",
        products: &[],
        text: true,
    },
    Index {
        pattern: "logs-sentinel_one_cloud_funnel.*",
        package: "sentinel_one_cloud_funnel",
        data_source: "SentinelOne",
        products: &[],
        text: true,
    },
];

/// The index with this pattern; `None` for an unknown pattern
pub(super) fn known_index(pattern: &str) -> Option<Index> {
    let usual = [PROCESS, FILE, NETWORK, REGISTRY, WEB].into_iter().flatten();
    usual.chain(OTHERS).find(|index| index.pattern == pattern).copied()
}

/// The default indices of a kind of event
fn usual(kind: &EventKind) -> &'static [Index] {
    match kind {
        EventKind::ProcessCreation => PROCESS,
        EventKind::FileEvent => FILE,
        EventKind::NetworkConnection => NETWORK,
        EventKind::RegistryEvent => REGISTRY,
        EventKind::Webserver => WEB,
        // No index holds the alerts of other products with their processes in ECS.
        EventKind::SecurityAlert | EventKind::Log(_) => &[],
    }
}

/// The indices for a kind and product: those of `asked`, or the default ones if it is empty
pub(super) fn indices(kind: &EventKind, product: Option<Product>, asked: &[Index]) -> Vec<Index> {
    if asked.is_empty() {
        let holds =
            |index: &&Index| product.is_none_or(|product| index.products.contains(&product));
        return usual(kind).iter().filter(holds).copied().collect();
    }
    let endpoint =
        !matches!(kind, EventKind::Webserver | EventKind::SecurityAlert | EventKind::Log(_));
    let of_product = |index: &Index| {
        let any = index.products.is_empty();
        any || product.is_none_or(|product| index.products.contains(&product))
    };
    let holds = |index: &&Index| {
        let of_kind = usual(kind).contains(index) || endpoint && OTHERS.contains(index);
        of_kind && of_product(index)
    };
    asked.iter().filter(holds).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_every_event_is_mapped_or_named_as_absent() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(ROWS.len(), lines, "a line of the table cannot be read");
        for kind in EventKind::ALL {
            for field in Field::of(kind) {
                assert!(
                    ROWS.iter().any(|r| r.event == *kind && r.field == field),
                    "{kind} {field}"
                );
            }
        }
    }
}
