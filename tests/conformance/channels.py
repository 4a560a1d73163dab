"""Recorded events of Windows logs, as their readers write them, in Sigma's field names.

In: the folder of a corpus with `*.nested.jsonl.gz`, which have `Event` with `System` and `EventData` or
`UserData`, and `*.flat.jsonl.gz`, which have all names at the top. Out: events of those kinds that the
recordings with rows of Defender do not have.
"""
import gzip
import json
from dataclasses import dataclass, field

import windows

# What recordings with rows of Defender have
ELSEWHERE = windows.VOCABULARY | {"image_load"}
UNTIMED = "2020-01-01T00:00:00"


@dataclass
class Recorded:
    """An event; `beside` has data whose names its log takes, `element` is that of `UserData`"""
    kind: str
    name: str
    time: str
    event: dict
    beside: list = field(default_factory=list)
    element: str = ""


def records(folder):
    """Every event of a folder, none where there is no such folder"""
    for file in sorted(folder.glob("*.jsonl.gz")):
        read = nested if ".nested." in file.name else flat
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = read(json.loads(line), f"{file.name}:{number}")
                if record and record.kind not in ELSEWHERE:
                    yield record


def kind_of(event):
    """The log source with this channel and id, else the one with this channel, else another name"""
    channel = windows.channel_of(event)
    if channel == windows.SECURITY and event["EventID"] == 4688:
        return "process_creation"
    found = [(not source.ids, name) for name, source in windows.SOURCES.items()
             if channel in source.channels and event["EventID"] in (source.ids or [event["EventID"]])]
    return min(found)[1] if found else "other"


def flat(line, name):
    """Every value at the top; events of other systems are left out"""
    if line["Channel"].startswith("Linux"):
        return None
    event = {key: value for key, value in line.items() if value is not None}
    return Recorded(kind_of(event), name, event.pop("UtcTime", UNTIMED)[:23], event)


def nested(line, name):
    """An event as `evtx_dump` writes it: attributes under `#attributes`, text under `#text`"""
    found, system = line["Event"], line["Event"]["System"]
    if not system.get("Channel"):
        return None
    number = system["EventID"]
    event = {
        "Channel": system["Channel"], "Computer": system["Computer"],
        "EventID": int(number["#text"] if isinstance(number, dict) else number),
        "Provider_Name": system["Provider"]["#attributes"]["Name"]}
    time = system["TimeCreated"]["#attributes"]["SystemTime"][:23]
    element, data = "", found.get("EventData") or {}
    if found.get("UserData"):
        (element, data), = found["UserData"].items()
    beside = []
    for key, value in (data or {}).items():
        value = value["#text"] if isinstance(value, dict) and "#text" in value else value
        if key.startswith("#") or key == "Binary" or isinstance(value, dict):
            continue
        if key in windows.SYSTEM:
            beside.append((key, value))
        else:
            event[key] = value
    return Recorded(kind_of(event), name, time, event, beside, element)
