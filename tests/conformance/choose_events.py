"""Chooses the recorded events that tests/events/recorded.jsonl holds.

In: the corpus that RULECAST_CORPUS names, of which only the sources that may be copied, and the
rules under rules/ and tests/operators/. Out: for each signal the first events that it matches, for
each correlation the events that complete a group of it, and of each kind some more, evenly spaced.
An event has its fields in Sigma's names and its row in Microsoft Defender's tables, both without
what no rule can name. Run by hand when a rule needs an event that is not there.
"""
import collections
import json
import os
import re
import tempfile
from pathlib import Path

import native

CORPUS = Path(os.environ["RULECAST_CORPUS"])
SOURCES = ("evtx-to-mitre", "otrf-security-datasets")
KINDS = tuple(kind for kind in native.KINDS if kind != "webserver")
RULES = [native.ROOT / "rules", native.ROOT / "tests" / "operators"]
CHOSEN = native.ROOT / "tests" / "events" / "recorded.jsonl"
# Events of a signal, of a kind beside them, groups of a correlation
OF_SIGNAL, OF_KIND, OF_CORRELATION = 3, 16, 2
LOG = ("Channel", "EventID", "Provider_Name")
COLUMNS = re.compile(r"\$table|Time|Action|Account(Domain|Name)|Device|File|Folder|Initiating|IP$"
                     r"|Local|Port|Process(CommandLine|Id|Integrity|Version)|Protocol|Registry"
                     r"|Remote")


def recorded():
    """The events that may be copied, in the order of their time"""
    events = [{**record, "kind": kind} for kind, record in
              native.records(CORPUS / "data" / "events")
              if kind in KINDS and record["src"] in SOURCES]
    return sorted(events, key=lambda event: event["time"])


def chosen(events):
    """The places of the events to keep"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        file.write_text("".join(
            json.dumps({**event["sigma"], "category": event["kind"], "time": event["time"]}) + "\n"
            for event in events), encoding="utf-8")
        reports = native.scan(RULES, file, "--signals")
    kept, found = set(), collections.Counter()
    for report in reports:
        name = report["rule"], report.get("signal") or report["correlation"]
        lines = [one["line"] for one in report.get("events", [report])]
        found[name] += 1
        if found[name] <= (OF_CORRELATION if "correlation" in report else OF_SIGNAL):
            kept.update(line - 1 for line in lines)
    for kind in KINDS:
        places = [at for at, event in enumerate(events) if event["kind"] == kind]
        kept.update(places[::max(1, len(places) // OF_KIND)])
    return sorted(kept)


def cut(event, fields):
    """An event without what no rule can name"""
    sigma = {name: value for name, value in event["sigma"].items() if name in fields}
    row = {name: value for name, value in event["mde"].items() if COLUMNS.search(name)}
    return {"id": event["id"], "source": event["src"], "kind": event["kind"],
            "product": event["product"], "time": event["time"], "event": sigma, "row": row}


def main():
    table = (native.ROOT / "src" / "taxonomy" / "fields.tsv").read_text(encoding="utf-8")
    fields = {*LOG, *(line.split("\t")[0] for line in table.splitlines() if line[:1] != "#")}
    events = recorded()
    lines = [json.dumps(cut(events[at], fields), ensure_ascii=False) for at in chosen(events)]
    CHOSEN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} of {len(events)} events kept")


if __name__ == "__main__":
    main()
