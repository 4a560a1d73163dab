"""How an event of Windows looks in the tables SecurityEvent, Event and WindowsEvent.

In: an event in the names that the event itself has, which are Sigma's. Out: its rows: `EventData` as
XML text or as JSON, and typed columns of SecurityEvent. Written from Microsoft's references of the
tables and from recorded events, not from the tables of the compiler.

An event with a `Channel` was written to that log and has rows of it. One without may have been written
by any sensor that writes its kind, so it has a row of each.
"""
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import escape

import process
import registry
import schema

# Where the judge of `verify` has its tables of facts
TABLES = Path(__file__).resolve().parents[2] / "src" / "verify" / "sentinel"
EVENTS = "http://schemas.microsoft.com/win/2004/08/events/event"
SYSMON = "Microsoft-Windows-Sysmon"
SECURITY = "Security"
ESCAPES = {'"': "&quot;", "'": "&apos;"}
# What an event says beside its data
SYSTEM = {"*", "Channel", "Computer", "EventID", "Keywords", "Level", "Message", "Opcode",
          "Provider_Name", "Security_UserID", "Task", "category", "time"}
# Columns that every table has, which hold no data of an event
OF_TABLE = {"Type"}
# Fields that rulecast has beside those of Sysmon
OWN = {"Action", "GrandparentImage", "RegistryData", "RegistryKey", "RegistryValue",
       *process.HASHES.values()}
# Data whose name is written with blanks, which rules do not have
BLANKS = {"windows/windefend": {"Feature_Name": "Feature Name", "NewValue": "New Value",
                                "OldValue": "Old Value", "ProcessName": "Process Name"}}
# Kinds that no event has to name by its log: their rows say it
VOCABULARY = {"file_change", "file_delete", "file_event", "network_connection", "process_creation",
              "registry_add", "registry_delete", "registry_event", "registry_rename", "registry_set"}
FILES = ("file_event", "file_delete")
FILE_IDS = {"created": 11, "modified": 2, "deleted": 23}
# Numbers that a column of type int holds
INT = range(-2 ** 31, 2 ** 31)


@dataclass
class Source:
    """The log of a log source: its channels and providers, and its ids where it is a part of one"""
    channels: list
    providers: list
    ids: list
    element: str


def sources():
    found = {}
    for line in (TABLES / "channels.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, channels, providers, ids, element = line.split("\t")
            found[name] = Source(channels.split(";"), providers.split(";"),
                                 [int(one) for one in ids.split(",") if one != "."],
                                 "" if element == "." else element)
    return found


SOURCES = sources()
# Collectors may write the name of a channel in lower case, the tables have Microsoft's
CHANNELS = {name.lower(): name for source in SOURCES.values() for name in source.channels}


@dataclass
class Record:
    """An event as Windows has it: names, or none, and texts of its data"""
    channel: str
    provider: str
    number: object
    computer: str
    data: list
    element: str = ""
    description: str = ""
    words: str = None


def holds(kind):
    """Whether events of a kind are written to a Windows log"""
    return kind in SOURCES


def possible(kind, event):
    """Whether an event says of its log what is so of its kind"""
    source = SOURCES.get(kind)
    if source is None or "Channel" in event and channel_of(event) == SECURITY:
        return True
    number, provider = event.get("EventID"), event.get("Provider_Name")
    lists = any(isinstance(value, list) for name, value in event.items() if name != "Data")
    return (not lists and process.hashes_alone(event)
            and (event.get("Channel") is None or channel_of(event) in source.channels)
            and (provider is None or not source.ids or provider in source.providers)
            and (number is None or str(number).isdecimal() and int(number) in INT
                 and (not source.ids or int(number) in source.ids)))


def complete(kind, event):
    """Adds the log, the provider and the id, which no event lacks"""
    source = SOURCES.get(kind)
    if source is None:
        return
    process.complete(event)
    if kind in FILES and event.get("EventID") is not None and event.get("Action") in FILE_IDS:
        event["EventID"] = FILE_IDS[event["Action"]]
    if kind in VOCABULARY:
        return
    at = zlib.crc32(repr(sorted(event.items())).encode()) % len(source.channels)
    added = {"Channel": source.channels[at], "EventID": (source.ids or [1])[0],
             "Provider_Name": source.providers[at % len(source.providers)]}
    event.update({name: value for name, value in added.items() if event.get(name) in (None, "")})


def rows(example):
    """The rows of an event in the tables of Windows logs"""
    for record in records(example):
        for row in (security, log)[record.channel != SECURITY](record), forwarded(record):
            yield {**row, "Computer": record.computer, "EventID": record.number,
                   "TimeGenerated": example.event.get("time")}


def records(example):
    """The event as it was written, once for each sensor that may have written it"""
    event, source = example.event, SOURCES.get(example.kind)
    channel = channel_of(event) if event.get("Channel") else None
    if example.product == "linux" or source is None and channel is None:
        return
    if example.kind == "process_creation" and channel in (None, SECURITY):
        if process.well_known_account(event):
            yield written(example, SECURITY, "Microsoft-Windows-Security-Auditing", 4688,
                          process.created(event))
        if channel:
            return
    if event.get("Action") == "renamed" and example.kind in FILES:
        # Sysmon does not write that a file is renamed.
        return
    names = BLANKS.get(example.kind, {})
    own = OWN if (channel or source.channels[0]).startswith(SYSMON) else set()
    data = [(names.get(name, name), value) for name, value in event.items()
            if name not in SYSTEM | own]
    provider = event.get("Provider_Name") or (source.providers[0] if source else "")
    yield written(example, channel or source.channels[0], provider,
                  event.get("EventID") or number_of(example.kind, event, source), data)


def written(example, channel, provider, number, data):
    event, words = example.event, example.event.get("*")
    data = [*data, *example.beside, *([] if words is None else [("Data", words)])]
    pairs = [(None if name == "Data" else name, text(one)) for name, value in data
             for one in (value if isinstance(value, list) else [value])]
    element = example.element
    if element is None:
        element = SOURCES[example.kind].element if example.kind in SOURCES else ""
    return Record(channel, provider, number, event.get("Computer") or "", pairs, element,
                  text(event.get("Message") or words), words)


def channel_of(event):
    name = str(event["Channel"])
    return CHANNELS.get(name.lower(), name)


def number_of(kind, event, source):
    """The id of an event that does not say it"""
    if event.get("EventType") in registry.IDS:
        return registry.IDS[event["EventType"]]
    if kind == "file_event":
        return FILE_IDS.get(event.get("Action"), 11)
    return source.ids[0] if source and source.ids else None


def text(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


# -------------------------------------------------------------------------------------------- tables

def log(record):
    """Event: the data as XML in one text; words stand there or in what the event says, by turns"""
    data, description = record.data, record.description
    if record.words is not None:
        if zlib.crc32(str(record.words).encode()) % 2:
            data = data[:-1]
        elif description == record.words:
            description = ""
    return {"$table": "Event", "EventLog": record.channel, "Source": record.provider,
            "EventData": f'<DataItem Type="System.XmlData" time="2024-01-08T00:00:00.0000000Z" '
                         'sourceHealthServiceId="1cc3bd45-c9c2-4588-8db8-f6295de382d4">'
                         f"{xml(replace(record, data=data))}</DataItem>",
            "RenderedDescription": description}


def forwarded(record):
    """WindowsEvent: the data as JSON, where a number is a text too"""
    data = {}
    for name, value in record.data:
        data.setdefault(name or "Data", []).append(value)
    return {"$table": "WindowsEvent", "Channel": record.channel, "Provider": record.provider,
            "EventData": {name: values[0] if len(values) == 1 else values
                          for name, values in data.items()}}


def security(record):
    """SecurityEvent: a column for most of the data; `EventData` where there is none for some"""
    known = {name: value for name, value in record.data if name and name not in SYSTEM | OF_TABLE}
    row = {"$table": "SecurityEvent", "Channel": SECURITY, "EventSourceName": record.provider,
           **known}
    made = known.get("NewProcessName") or known.get("ProcessName")
    if made:
        row["Process"] = made.rpartition("\\")[2]
    if record.number == 4688:
        row["Account"] = f"{known.get('SubjectDomainName')}\\{known.get('SubjectUserName')}"
    columns = schema.everything().get("SecurityEvent", {})
    if any(name not in columns or name in OF_TABLE for name, _ in record.data):
        row["EventData"] = xml(record, "\r\n  ")
    return row


def xml(record, between=""):
    """The data as Windows renders it, with what parts its elements"""
    if record.element:
        inside = "".join(f"{between}<{name}>{quoted(value)}</{name}>" if name else quoted(value)
                         for name, value in record.data)
        return (f'<UserData xmlns="{EVENTS}">{between}<{record.element} xmlns="Event_NS">{inside}'
                f"{between}</{record.element}>{between}</UserData>")
    inside = "".join(f'{between}<Data Name="{quoted(name)}">{quoted(value)}</Data>' if name
                     else f"{between}<Data>{quoted(value)}</Data>" for name, value in record.data)
    return f'<EventData xmlns="{EVENTS}">{inside}{between}</EventData>'


def quoted(value):
    return escape(value, ESCAPES)
