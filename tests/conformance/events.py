"""The events that a rule is tried on: recorded ones and those near its literals, on one timeline.

In: tests/events/recorded.jsonl, or the corpus, and the events that `rulecast near` makes of a rule.
Out: examples with both shapes, the event and the row that shows it, and a time of their own; the
files that the engine reads, the rows that the queries ask.

The engine reads three versions of an event: as it is; without its empty values and `-`, which no
row of Defender holds; and with empty text where a row has no value, which Kusto cannot tell apart.
"""
import copy
import datetime
import json
import re
from pathlib import Path

import native
import rows
from engine import BEGINNING

RECORDED = native.ROOT / "tests" / "events" / "recorded.jsonl"
EMPTY = ("", "-", "-\\-", None)
VERSIONS = ("whole", "cut", "filled")
# What a log calls the time of an event; the one of the timeline takes its place.
OWN_TIMES = ("CreationUtcTime", "UtcTime", "date-time")
# The most that all events may span: less than any window of new terms.
SPAN = datetime.timedelta(hours=6)
# Gaps between made events, which correlations are tried with
GAPS = (1, 1, 2, 1, 7, 1, 1, 25, 1, 1, 1, 40)


class Example:
    """An event with its row"""

    def __init__(self, kind, product="", event=None, row=None, name="made"):
        self.kind, self.product, self.name = kind, product, name
        self.event, self.row = event or {}, row or {}

    def copy(self, name):
        return Example(self.kind, self.product, copy.deepcopy(self.event), dict(self.row), name)


def recorded():
    with RECORDED.open(encoding="utf-8") as lines:
        return [from_record(json.loads(line)) for line in lines]


def pack(folder, as_recorded=False):
    """Every recorded event of a corpus in the order of their time

    On one timeline of some hours, within which no new term is forgotten, or at the time that was
    recorded, but for events of one instant, which become known by times of their own.
    """
    found = [from_record({**record, "kind": kind, "event": record["sigma"], "row": record["mde"]})
             for kind, record in native.records(folder) if rows.family(kind)]
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


def of_rule(path, known, folder):
    """The recorded examples and those near the literals of a rule; then pairs of an example and the
    seconds since the one before, which correlations count and order"""
    near, after = [], []
    for line in native.near(path, write(known, folder)["whole"]):
        if "after" in line:
            after.append((made(line, known), line["after"]))
        elif has_row(line):
            near.append(made(line, known))
    return [*(one.copy(one.name) for one in known), *near], after


def has_row(line):
    """Whether a table shows such an event (limits.tsv), and the field that it is about"""
    event, of = line["event"], rows.family(line["kind"])
    accounts = (str(event.get(field)) for field in ("User", "ParentUser"))
    return (line["field"] in rows.KNOWN.get(of, ())
            and all(re.fullmatch(r"[^\\]*(\\[^\\]+)?", account, re.S) for account in accounts)
            and not str(event.get("TargetFilename")).endswith(".")
            and (of not in ("file", "registry") or event.get("Action") in rows.FILE_ACTIONS)
            and (of != "network" or event.get("Initiated") in ("true", "false")))


def made(line, known):
    """A made event with its row, which is that of the recorded event it was made from, changed"""
    base, event = line.get("base"), line["event"]
    name = f"{line['signal']}: near {line.get('field', 'the one before')}"
    example = Example(line["kind"], row=rows.blank(line["kind"])) if base is None \
        else known[base].copy(f"{known[base].name}, {name}")
    example.name = name if base is None else example.name
    before, example.event = example.event, event
    gone = before.keys() | rows.SAID_OTHERWISE.get(rows.family(example.kind), set())
    changed = {**dict.fromkeys(sorted(gone - event.keys())),
               **{field: value for field, value in event.items()
                  if before.get(field) != value or value is None and field in gone}}
    for field, value in changed.items():
        rows.put(example.kind, event, example.row, field, value)
        if value is None and field in line["event"]:
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
    texts = rows.KNOWN[of] - NUMBERS
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
