"""Whether the rules of this project find every recorded web shell, and nothing else."""
import collections
import re

from corpus import write_events
from project import native
from agreement import shown

LABELS = ("webshell", "webshell_chain", "hard_negative", "sql_exec", "other")
# Kinds of events that rules look at and that no correlation needs to complete
JUDGED = ("process_creation", "file_event", "webserver")
TOGETHER = "all together"


def check(rules, events, work, report):
    """Counts events by the definition that reports them and by their label"""
    file = work / "labelled.jsonl"
    write_events(file, events)
    found = {name: set() for name in (*titles(rules), TOGETHER)}
    for one in native.scan(rules.paths, file):
        lines = [one["line"]] if "signal" in one else [event["line"] for event in one["events"]]
        for name in (one["rule"], TOGETHER):
            found[name].update(line - 1 for line in lines)
    table(found, events, report)
    missed = [shown(event, False) for at, event in enumerate(events) if event.label == "webshell"
              and event.kind in JUDGED and at not in found[TOGETHER]]
    wrong = [shown(events[at], True) for at in sorted(found[TOGETHER])
             if events[at].label == "other"]
    if missed:
        report.fail(f"{len(missed)} web shells are missed", missed)
    if wrong:
        report.fail(f"{len(wrong)} other events match", wrong)


def titles(rules):
    """The titles of the definitions of a set"""
    files = [file for path in rules.paths for file in path.rglob("*.yml")]
    written = [re.search(r"^title: (.+)$", file.read_text(encoding="utf-8"), re.M)
               for file in files]
    return [title[1].strip("'\"") for title in written]


def table(found, events, report):
    """A line for each definition with its events of each label, and one for all"""
    width = max(map(len, found))
    report.say(f"{'':<{width}} " + " ".join(f"{label:>14}" for label in LABELS))
    recorded = collections.Counter(event.label for event in events)
    lines = [(name, collections.Counter(events[at].label for at in found[name]))
             for name in sorted(found, key=lambda name: (name == TOGETHER, name))]
    for name, counted in [*lines, ("recorded", recorded)]:
        report.say(f"{name:<{width}} " + " ".join(f"{counted[label]:>14}" for label in LABELS))
