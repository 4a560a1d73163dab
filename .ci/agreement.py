"""Whether the native engine and the Elastic rules say the same of recorded events.

In: sets of emitted rules and every recorded event, in Sigma's fields and as an ECS document. Out: a
failure for each pair that only one of the two matches, unless differences.py explains it.
"""
import collections
import json

import differences
from corpus import write_events
from elastic import Documents, members, rule_query
from project import derived_id, native

# What an example shows of an event
SHOWN_FIELDS = {
    "DestinationIp", "DestinationPort", "Details", "EventType", "Initiated", "TargetObject", "User",
    "cs-method", "cs-uri", "sc-status", *differences.PLACES,
}


class Recorded:
    """The recorded events as the engine and Elastic see them"""

    def __init__(self, recorded, work):
        self.events = [event for event in recorded if event.kind in native.KINDS]
        self.documents = Documents([(event.data_set, event.ecs) for event in self.events])
        self.file = work / "events.jsonl"
        write_events(self.file, self.events)

    def native(self, rules):
        """The events that each signal matches, by the id of the Elastic rule that it becomes"""
        found = collections.Counter()
        for hit in native.hits(rules.paths, self.file):
            found[derived_id(hit, f"elastic/{hit['signal']}")] |= 1 << (hit["line"] - 1)
        return found


def compare(rules, recorded, report):
    """Each emitted Elastic rule of a set on each event's document"""
    wanted, emitted = recorded.native(rules), list(rules.elastic_rules())
    reasons, matches = collections.Counter(), 0
    for file, rule in emitted:
        matched = wanted[rule["rule_id"]]
        matches += matched.bit_count()
        judged = differing(rule, matched, recorded)
        reasons.update(why for _, _, why in judged if why)
        bugs = [shown(event, native) for event, native, why in judged if not why]
        if bugs:
            report.fail(f"{rules.name}, Elastic: {file.name}: {rule['name']} [{rule['rule_id']}]: "
                        f"{len(bugs)} verdicts differ", bugs)
    report.say(f"{rules.name}, Elastic: {len(emitted) * len(recorded.events):,} pairs of event and "
               f"rule compared, {matches:,} match")
    for why, number in sorted(reasons.items()):
        report.say(f"    {number:>5} × {why}")


def differing(rule, matched, recorded):
    """The events that only one side matches, with what the engine says and why they may differ"""
    places = list(members(recorded.documents.matching(rule_query(rule)) ^ matched))
    events = [recorded.events[at] for at in places]
    natives = [bool(matched >> at & 1) for at in places]
    whys = differences.explain(rule, events, natives) if events else []
    return list(zip(events, natives, whys))


def shown(event, native):
    """An event and what the native engine says of it, short"""
    fields = {key: value for key, value in event.sigma.items() if key in SHOWN_FIELDS}
    return f"{event.id} native {native}: {json.dumps(fields)[:400]}"
