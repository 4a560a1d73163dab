//! The shapes of events, as data: how each is recognised, and where its fields and its log lie.
//!
//! Sources: evtx_dump (omerbenamram/evtx), EvtxECmd, chainsaw's `dump` and `hunt`, the exported fields
//! of Winlogbeat 6 to 8, Splunk's `search/jobs/export`, nxlog's `im_msvistalog`, AWS' CloudTrail record
//! contents. The first row whose marks are there is the shape. Rows and documents of the targets have
//! names of their own, which the mappings tell.

/// A shape of events
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its name for `--shape`
    pub(super) name: &'static str,
    /// Its name in talk
    pub(super) title: &'static str,
    /// Paths: all of one list are there
    pub(super) marks: &'static [&'static [&'static str]],
    /// The path of the object that all other paths start from
    pub(super) root: &'static str,
    /// Where its fields are
    pub(super) fields: &'static [Inside],
    /// Sigma's names for what stands beside the fields, each with the paths where it may stand
    pub(super) says: &'static [(&'static str, &'static [&'static str])],
    /// What stands before the name of a channel
    pub(super) cut: &'static [&'static str],
    /// The log source of its events, where that is one
    pub(super) events: Option<&'static str>,
    /// Where the record keeps fields of the event that are moved out of its data
    pub(super) moved_to: &'static [&'static str],
    /// The mappings that tell what its own names mean
    pub(super) through: Option<Through>,
}

/// The side of the mappings that events are read through
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Through {
    /// The data streams of Elastic
    Streams,
    /// The tables of Sentinel and Defender
    Tables,
}

/// Where a shape keeps fields
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// In the object at the path; the path may be empty
    Object(&'static str),
    /// In every object inside the object at the path
    Children(&'static str),
    /// In a text that is JSON
    Text(&'static str),
    /// The object at the path is an event of some shape
    Event(&'static str),
}

const NONE: Row = Row {
    name: "",
    title: "",
    marks: &[],
    root: "",
    fields: &[Inside::Object("")],
    says: &[],
    cut: &[],
    events: None,
    moved_to: &[],
    through: None,
};

/// What the `System` part of an event of Windows says
const SYSTEM: &[(&str, &[&str])] = &[
    (
        "Provider_Name",
        &[
            "System.Provider.#attributes.Name",
            "System.Provider_attributes.Name",
            "System.Provider.@Name",
            "System.Provider.Name",
        ],
    ),
    ("EventID", &["System.EventID.#text", "System.EventID.Value", "System.EventID"]),
    ("Channel", &["System.Channel"]),
    ("Computer", &["System.Computer"]),
    (
        "TimeCreated",
        &[
            "System.TimeCreated.#attributes.SystemTime",
            "System.TimeCreated_attributes.SystemTime",
            "System.TimeCreated.@SystemTime",
            "System.TimeCreated.SystemTime",
        ],
    ),
    ("Level", &["System.Level"]),
    ("Task", &["System.Task"]),
    ("Opcode", &["System.Opcode"]),
    ("Keywords", &["System.Keywords"]),
    ("EventRecordID", &["System.EventRecordID"]),
    ("Message", &["RenderingInfo.Message", "Message"]),
];

/// The parts of an event of Windows that hold its fields
const DATA: &[Inside] = &[
    Inside::Object("EventData"),
    Inside::Children("UserData"),
    Inside::Object("SubscriptionBookmarkEvent"),
    Inside::Object("ProcessingErrorData"),
];

/// Every shape, in the order in which they are tried
pub(super) const ROWS: &[Row] = &[
    Row {
        name: "evtx",
        title: "Windows events",
        marks: &[&["Event.System"]],
        root: "Event",
        fields: DATA,
        says: SYSTEM,
        ..NONE
    },
    Row {
        name: "evtx",
        title: "Windows events",
        marks: &[&["System.Provider"], &["System.EventID"]],
        fields: DATA,
        says: SYSTEM,
        ..NONE
    },
    Row {
        name: "chainsaw",
        title: "chainsaw's findings",
        marks: &[&["document.data"]],
        fields: &[Inside::Event("document.data")],
        ..NONE
    },
    Row {
        name: "elasticsearch",
        title: "Elasticsearch hits",
        marks: &[&["_source"]],
        fields: &[Inside::Event("_source")],
        ..NONE
    },
    Row {
        name: "elasticsearch",
        title: "Elasticsearch hits",
        marks: &[&["_index", "fields"]],
        fields: &[Inside::Event("fields")],
        ..NONE
    },
    Row {
        name: "splunk",
        title: "Splunk export",
        marks: &[&["result", "preview"], &["result", "offset"], &["result", "lastrow"]],
        fields: &[Inside::Event("result")],
        ..NONE
    },
    Row {
        name: "splunk",
        title: "Splunk export",
        marks: &[&["_time", "sourcetype"], &["_raw", "_time"], &["EventCode", "_time"]],
        says: &[
            ("EventID", &["EventID", "EventCode"]),
            ("Channel", &["Channel", "source"]),
            ("Computer", &["Computer", "ComputerName", "host"]),
            ("Provider_Name", &["Provider_Name", "SourceName"]),
            ("time", &["_time"]),
        ],
        cut: &["XmlWinEventLog:", "WinEventLog:"],
        ..NONE
    },
    Row {
        name: "winlogbeat",
        title: "Winlogbeat",
        marks: &[
            &["winlog.channel"],
            &["winlog.event_id"],
            &["winlog.event_data"],
            &["winlog.provider_name"],
        ],
        fields: &[Inside::Object("winlog.event_data"), Inside::Object("winlog.user_data")],
        says: &[
            ("EventID", &["winlog.event_id", "event.code"]),
            ("Channel", &["winlog.channel"]),
            ("Provider_Name", &["winlog.provider_name", "event.provider"]),
            ("Computer", &["winlog.computer_name", "host.name"]),
            ("@timestamp", &["@timestamp"]),
            ("Message", &["message"]),
        ],
        moved_to: &["process.executable", "file.path", "registry.path", "dll.path"],
        through: Some(Through::Streams),
        ..NONE
    },
    Row {
        name: "winlogbeat",
        title: "Winlogbeat",
        marks: &[&["log_name", "event_id"], &["log_name", "event_data"]],
        fields: &[Inside::Object("event_data"), Inside::Object("user_data")],
        says: &[
            ("EventID", &["event_id"]),
            ("Channel", &["log_name"]),
            ("Provider_Name", &["source_name"]),
            ("Computer", &["computer_name"]),
            ("@timestamp", &["@timestamp"]),
            ("Message", &["message"]),
        ],
        ..NONE
    },
    Row {
        name: "evtxecmd",
        title: "EvtxECmd",
        marks: &[&["Payload", "EventId"], &["Payload", "MapDescription"]],
        fields: &[Inside::Text("Payload")],
        says: &[
            ("EventID", &["EventId"]),
            ("Channel", &["Channel"]),
            ("Provider_Name", &["Provider"]),
            ("Computer", &["Computer"]),
            ("TimeCreated", &["TimeCreated"]),
        ],
        ..NONE
    },
    Row {
        name: "nxlog",
        title: "nxlog",
        marks: &[&["SourceModuleName", "SourceName"], &["SourceModuleType", "SourceName"]],
        says: &[
            ("Provider_Name", &["SourceName"]),
            ("Computer", &["Hostname"]),
            ("time", &["EventTime"]),
        ],
        ..NONE
    },
    Row {
        name: "cloudtrail",
        title: "CloudTrail",
        marks: &[&["eventVersion", "eventSource", "eventName"]],
        says: &[("time", &["eventTime"])],
        events: Some("aws/cloudtrail"),
        ..NONE
    },
    Row {
        name: "ecs",
        title: "ECS documents",
        fields: &[],
        marks: &[&["ecs.version"], &["event.category", "event.type"], &["data_stream.dataset"]],
        says: &[("@timestamp", &["@timestamp"])],
        through: Some(Through::Streams),
        ..NONE
    },
    Row {
        name: "sentinel",
        title: "rows of Defender or Sentinel",
        fields: &[],
        marks: &[
            &["$table"],
            &["TableName", "TimeGenerated"],
            &["Type", "TimeGenerated"],
            &["TenantId", "TimeGenerated"],
            &["ActionType", "DeviceId"],
            &["ActionType", "DeviceName"],
            &["ActionType", "InitiatingProcessFileName"],
            &["TimeGenerated [UTC]"],
            &["Signal", "TimeGenerated"],
            &["Signal", "Timestamp"],
        ],
        through: Some(Through::Tables),
        ..NONE
    },
];
