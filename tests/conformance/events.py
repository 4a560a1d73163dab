"""The events that a rule is tried on: recorded ones and those near its literals, on one timeline.

In: tests/events/recorded.jsonl, or the corpus, and the signals of a rule. Out: examples with both
shapes and a time of their own, the files that the engine reads, the rows that the queries ask.

The engine reads three versions of an event: as it is; without its empty values and `-`, which no
row of Defender holds; and with empty text where a row has no value, which Kusto cannot tell apart.
"""
import datetime
import gzip
import json
from pathlib import Path

import fields
import native
import near
import rows
from engine import BEGINNING
from near import Example

RECORDED = native.ROOT / "tests" / "events" / "recorded.jsonl"
KINDS = ("file_delete", "file_event", "network_connection", "process_creation", "registry_add",
         "registry_delete", "registry_rename", "registry_set", "webserver")
EMPTY = ("", "-", "-\\-", None)
VERSIONS = ("whole", "cut", "filled")
# What a log calls the time of an event; the one of the timeline takes its place.
OWN_TIMES = ("CreationUtcTime", "UtcTime", "date-time")
# The most that all events may span: less than any window of new terms.
SPAN = datetime.timedelta(hours=6)
# Gaps between made events, which correlations are tried with
GAPS = (1, 1, 2, 1, 7, 1, 1, 25, 1, 1, 1, 40)
REGISTRY_WORDS = {word: action for action, word in rows.REGISTRY_ACTIONS.items()}


def recorded():
    with RECORDED.open(encoding="utf-8") as lines:
        return [from_record(json.loads(line)) for line in lines]


def pack(folder, as_recorded=False):
    """Every recorded event of a corpus in the order of their time

    On one timeline of some hours, within which no new term is forgotten, or at the time that was
    recorded, but for events of one instant, which become known by times of their own.
    """
    found = []
    for file in sorted(folder.glob("*/*.jsonl.gz")):
        kind = file.name.split(".")[0]
        if kind in KINDS:
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                for record in map(json.loads, lines):
                    found.append(from_record({**record, "kind": kind, "event": record["sigma"],
                                              "row": record["mde"]}))
    found.sort(key=lambda example: example.time)
    times = [one.time for one in found]
    return recorded_times(found, times) if as_recorded else timed(found, times)


def from_record(record):
    example = Example(record["kind"], record["product"], record["event"], record["row"],
                      record["id"])
    example.time = datetime.datetime.fromisoformat(record["time"]).replace(tzinfo=None)
    event, row = example.event, example.row
    if "DeviceName" in row:
        event["Computer"] = row["DeviceName"]
    return example


def explicit(example):
    """A recorded example whose fields of rulecast's own are written out, to be changed one by one"""
    example = example.copy(example.name)
    event, row = example.event, example.row
    if rows.family(example.kind) == "registry":
        action = REGISTRY_WORDS.get(row["ActionType"], "deleted")
        event.update(Action=action, RegistryKey=row.get("PreviousRegistryKey") or row["RegistryKey"])
        for field, column in (("RegistryValue", "RegistryValueName"),
                              ("RegistryData", "RegistryValueData")):
            if row.get(column):
                event[field] = row[column]
        for field in ("TargetObject", "Details", "EventType"):
            event.pop(field, None)
    elif rows.family(example.kind) == "file":
        event["Action"] = "deleted" if row["ActionType"] == "FileDeleted" else "created"
    return example


def of_rule(signals, known, hits):
    """The recorded examples, then those near the literals of a rule's signals"""
    matched = {}
    for hit in hits:
        matched.setdefault((hit["rule"], hit["signal"]), []).append(
            explicit(known[hit["line"] - 1]))
    return [*(one.copy(one.name) for one in known), *near.near(signals, matched)]


def of_correlations(examples, signals, times, spans):
    """On one timeline: the examples, then series of events that complete correlations"""
    after = list(near.series(signals, spans))
    timed(examples, times)
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
    example.time, row = now, example.row
    for field in OWN_TIMES:
        example.event.pop(field, None)
    example.event["time"] = text
    row["TimeGenerated"] = row["Timestamp"] = text
    if row["$table"] == "SecurityAlert":
        row["Entities"] = rows.entities(example.event)
        row["TimeGenerated"] = (now + datetime.timedelta(minutes=10)).isoformat()
        row["RowOfAlert"] = str(at)


# ------------------------------------------------------------------------------------------ shapes

def write(examples, folder):
    """The files that the engine reads, one a version"""
    files = {version: Path(folder) / f"{version}.jsonl" for version in VERSIONS}
    for version, file in files.items():
        with file.open("w", encoding="utf-8") as out:
            for example in examples:
                out.write(json.dumps(SHAPES[version](example)) + "\n")
    return files


def whole(example):
    """An event with what names its kind; a parent's parent is what it says or nothing"""
    above = {"GrandparentImage": None} if example.kind == "process_creation" else {}
    return {**above, **example.event, "category": example.kind}


def without_empty(example):
    event = whole(example)
    return {field: value for field, value in event.items()
            if value not in EMPTY or field == "GrandparentImage"}


def with_empty(example):
    of = rows.family(example.kind)
    texts = {*fields.MADE[of], *fields.KNOWN[of]} - NUMBERS
    if of == "registry" and "TargetObject" in example.event:
        texts -= {"Action", "RegistryKey", "RegistryValue", "RegistryData"}
    event = without_empty(example)
    return {**dict.fromkeys(texts - {"Action", "AlertFiles", "Initiated"}, ""), **event}


NUMBERS = {"ProcessId", "ParentProcessId", "SourcePort", "DestinationPort", "sc-status", "sc-bytes"}
SHAPES = {"whole": whole, "cut": without_empty, "filled": with_empty}


def tables(examples):
    """Every row: those of Defender, of web servers and of alerts, and those of ASIM"""
    for example in examples:
        yield example.row
        row = rows.asim(example.kind, example.event, example.row)
        if row:
            yield row
