"""The events that a rule is tried on: recorded ones and those near its literals, on one timeline.

In: tests/events/recorded.jsonl, or the corpus, and the events that `rulecast near` makes of a rule.
Out: examples with both shapes, the event and the rows that show it, and a time of their own; the
files that the engine reads, the rows that the queries ask.

The engine reads three versions of an event: as it is; without its empty values and `-`, which no
row of Defender holds; and with empty text where a row has no value, which Kusto cannot tell apart.
"""
import collections
import copy
import datetime
import functools
import json
import zlib
from pathlib import Path

import channels
import defender
import native
import rows
from engine import BEGINNING

RECORDED = native.ROOT / "tests" / "events" / "recorded.jsonl"
EMPTY = ("", "-", "-\\-", None)
VERSIONS = ("whole", "cut", "filled")
# Fields of which no event is empty
NEVER_EMPTY = {"*", "Action", "AlertFiles", "Channel", "EventID", "EventType", "Initiated",
               "Provider_Name", "time"}
# What a log calls the time of an event; the one of the timeline takes its place.
OWN_TIMES = ("CreationUtcTime", "UtcTime", "date-time")
# The most that all events may span: less than any window of new terms.
SPAN = datetime.timedelta(hours=6)
# Gaps between made events, which correlations are tried with
GAPS = (1, 1, 2, 1, 7, 1, 1, 25, 1, 1, 1, 40)


class Example:
    """An event with the rows of its family, by table

    `beside` has data that the event names as something else, and `element` is what holds its data
    in `UserData`: `None` for what events of its kind have, nothing for `EventData`.
    """

    def __init__(self, kind, product="", event=None, rows=None, name="made", beside=(), element=None):
        self.kind, self.product, self.name = kind, product, name
        self.event, self.rows = event or {}, rows or {}
        self.beside, self.element = beside, element

    def copy(self, name):
        return Example(self.kind, self.product, copy.deepcopy(self.event),
                       copy.deepcopy(self.rows), name, self.beside, self.element)

    @property
    def tables(self):
        """The tables and functions that have a row of it"""
        return {row["$table"] for row in rows.every(self)}


def recorded():
    with RECORDED.open(encoding="utf-8") as lines:
        return [from_record(json.loads(line)) for line in lines]


def pack(folder, as_recorded=False):
    """Every recorded event of a corpus in the order of their time

    On one timeline of some hours, within which no new term is forgotten, or at the time that was
    recorded, but for events of one instant, which become known by times of their own.
    """
    found = [from_record({**record, "kind": kind, "event": record["sigma"], "row": record["mde"]})
             for kind, record in native.records(folder / "events") if rows.family(kind)]
    found += [from_channel(record) for record in channels.records(folder / "events-channels")]
    found.sort(key=lambda example: example.time)
    times = [one.time for one in found]
    return recorded_times(found, times) if as_recorded else timed(found, times)


def from_record(record):
    row = record["row"]
    example = Example(record["kind"], record["product"], record["event"], {row["$table"]: row},
                      record["id"])
    example.time = moment(record["time"])
    event = example.event
    if "DeviceName" in row:
        event["Computer"] = row["DeviceName"]
    if row.get("RegistryValueType") == "Qword":
        row["RegistryValueType"] = "QWord"
    sid = rows.COLUMNS[rows.family(example.kind)].get("UserSid")
    if row.get(sid):
        # Windows' own auditing has the SID under other names, and Sysmon does not have it.
        event["UserSid"] = row[sid]
    if event.get("TargetUserName", "-") not in ("", "-") and example.kind == "process_creation":
        # Windows' own auditing writes whose the new process is apart from who started it.
        account = f"{event['TargetDomainName']}\\{event['TargetUserName']}"
        rows.put(example.kind, event, example.rows, "User", account)
        rows.put(example.kind, event, example.rows, "LogonId", event["TargetLogonId"])
    return example


def from_channel(record):
    """An event of any other log, with a row of its family where it has one"""
    example = Example(record.kind, "windows", record.event, rows.blank(record.kind), record.name,
                      record.beside, record.element)
    example.time = moment(record.time)
    for field, value in record.event.copy().items():
        rows.put(example.kind, example.event, example.rows, field, value)
    return example


def moment(text):
    """A time that was recorded, in universal time"""
    time = datetime.datetime.fromisoformat(text)
    return time.astimezone(datetime.timezone.utc).replace(tzinfo=None) if time.tzinfo else time


def of_rule(path, known, folder, sampled):
    """The recorded examples and one of so many near the literals of a rule; then pairs of an example and
    the seconds since the one before, which correlations count and order"""
    near, after = [], []
    for line in native.near(path, write(known, folder)["whole"]):
        if "after" in line:
            after.append((made(line, known), line["after"]))
        elif has_row(line) and is_taken(line, sampled):
            near.append(made(line, known))
    return [*(one.copy(one.name) for one in known), *near], after


def is_taken(line, sampled):
    """Whether a made event is one of those taken, by its values: neighbours differ in one alone"""
    return not zlib.crc32(repr(sorted(line["event"].items())).encode()) % sampled


def has_row(line):
    """Whether a table shows such an event, and the field that it is about"""
    return rows.shows(line["kind"], line["field"]) and rows.possible(line["kind"], line["event"])


def made(line, known):
    """A made event with its rows, which are those of the recorded event it was made from, changed"""
    base, event = line.get("base"), line["event"]
    name = f"{line['signal']}: near {line.get('field', 'the one before')}"
    example = Example(line["kind"], rows=rows.blank(line["kind"])) if base is None \
        else known[base].copy(f"{known[base].name}, {name}")
    example.name = name if base is None else example.name
    before, example.event = example.event, event
    nulls = {field for field, value in event.items() if value is None}
    rows.complete(example.kind, event, before, line.get("field"))
    gone = before.keys() | rows.SAID_OTHERWISE.get(rows.family(example.kind), set())
    changed = {**dict.fromkeys(sorted(gone - event.keys())),
               **{field: value for field, value in event.items()
                  if before.get(field) != value or value is None and field in gone}}
    for field, value in changed.items():
        rows.put(example.kind, event, example.rows, field, value)
        if value is None and field in nulls:
            event[field] = None
    return example


def follow(examples, after):
    """Lets examples come after others, each so many seconds after the one before"""
    now = examples[-1].time
    for at, (example, gap) in enumerate(after, len(examples)):
        now += datetime.timedelta(seconds=gap)
        stamp(example, now, at)
    return [*examples, *(example for example, _ in after)]


# ----------------------------------------------------------------------------------------- timeline

def timed(examples, times=None):
    """Gives every example a time of its own, in order; recorded gaps are cut short"""
    gaps = [datetime.timedelta(seconds=GAPS[at % len(GAPS)]) for at in range(len(examples))]
    if times:
        gaps[1:len(times)] = [later - before for before, later in zip(times, times[1:])]
    longest = datetime.timedelta(seconds=60)
    while sum((min(gap, longest) for gap in gaps), datetime.timedelta()) > SPAN:
        longest *= 0.8
    now = BEGINNING
    for at, (example, gap) in enumerate(zip(examples, gaps)):
        now += max(min(gap, longest), datetime.timedelta(milliseconds=1))
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        stamp(example, now, at)
    return examples


def recorded_times(examples, times):
    """Gives every example its own time, or the next one that is free"""
    now = datetime.datetime.min
    for at, (example, time) in enumerate(zip(examples, times)):
        now = max(now + datetime.timedelta(milliseconds=1),
                  time.replace(microsecond=time.microsecond // 1000 * 1000))
        stamp(example, now, at)
    return examples


def stamp(example, now, at):
    """A time in both shapes; an alert is raised ten minutes after what it is about"""
    text = now.isoformat(timespec="milliseconds") + "Z"
    example.time = now
    for field in OWN_TIMES:
        example.event.pop(field, None)
    example.event["time"] = text
    for row in example.rows.values():
        row["TimeGenerated"] = row["Timestamp"] = text
        if row["$table"] == "SecurityAlert":
            row.update(defender.entities(example.event))
            row["TimeGenerated"] = (now + datetime.timedelta(minutes=10)).isoformat()
            row["RowOfAlert"] = str(at)


# ------------------------------------------------------------------------------------------ shapes

def write(examples, folder):
    """The files that the engine reads, one a version"""
    files = {version: Path(folder) / f"{version}.jsonl" for version in VERSIONS}
    fields = texts(examples)
    for version, file in files.items():
        with file.open("w", encoding="utf-8") as out:
            for example in examples:
                out.write(json.dumps(SHAPES[version](example, fields)) + "\n")
    return files


def texts(examples):
    """The fields of each kind that hold text and that events of it may lack"""
    found = collections.defaultdict(set)
    for example in examples:
        found[example.kind].update(rows.known(example.kind))
        if rows.shows(example.kind, ""):
            found[example.kind].update(example.event)
    return {kind: fields - NEVER_EMPTY - numbers() for kind, fields in found.items()}


@functools.lru_cache(maxsize=None)
def numbers():
    """Names of the fields of numbers: a column for one has no empty value"""
    return typed("number")


@functools.lru_cache(maxsize=None)
def typed(*types):
    """Names of the fields whose values are of one of these types"""
    taxonomy = native.ROOT / "src" / "taxonomy"
    lines = lambda name: (line.split("\t") for line in (taxonomy / name).read_text(
        encoding="utf-8").splitlines() if not line.startswith("#"))
    return {name for name, kind, *_ in lines("fields.tsv") if kind in types} | {
        name for _, kind, names in lines("log_fields.tsv") if kind in types
        for name in names.split()}


def whole(example, _=None):
    """An event with what names its kind; a parent's parent is what it says or nothing"""
    above = {"GrandparentImage": None} if example.kind == "process_creation" else {}
    return {**above, **example.event, "category": example.kind}


def without_empty(example, _=None):
    event = whole(example)
    return {field: value for field, value in event.items()
            if value not in EMPTY or field == "GrandparentImage"}


def with_empty(example, fields):
    event = without_empty(example)
    # These the engine takes from those that are there.
    taken = {"RegistryKey", "RegistryValue", "RegistryData"} if "TargetObject" in event else set()
    return {**dict.fromkeys(fields[example.kind] - taken, ""), **event}


SHAPES = {"whole": whole, "cut": without_empty, "filled": with_empty}


def tables(examples):
    """Every row of every table and every function"""
    for example in examples:
        yield from rows.every(example)
