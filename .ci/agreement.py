"""Whether the native engine and the queries of each target say the same of recorded events."""
import collections
import json
import re
from dataclasses import replace

import differences
import kusto
from corpus import KINDS, write_events
from elastic import Documents, members, rule_query
from project import derived_id, hits

# What an example shows of an event
SHOWN_FIELDS = {
    "DestinationIp", "DestinationPort", "Details", "EventType", "Initiated", "TargetObject", "User",
    "cs-method", "cs-uri", "sc-status", *differences.PLACES,
}


class Shapes:
    """The recorded events as the three targets see them"""

    def __init__(self, recorded, work):
        self.events = [event for event in recorded if event.kind in KINDS]
        self.documents = Documents([(event.data_set, event.ecs) for event in self.events])
        self.rows = kusto.Rows([event.mde for event in self.events])
        self.grandparents = differences.grandparents(self.events)
        self.whole, self.cut = work / "events.jsonl", work / "cut.jsonl"
        write_events(self.whole, self.events)
        cut = [replace(event, sigma=differences.without_empty(event)) for event in self.events]
        write_events(self.cut, cut)

    def native(self, rules):
        """The events that each signal matches, by the ids of what the signal becomes"""
        found = collections.Counter()
        for hit in hits(rules.paths, self.whole):
            event = 1 << (hit["line"] - 1)
            found[derived_id(hit, f"elastic/{hit['signal']}")] |= event
            found[f"{derived_id(hit, 'sentinel')}/{hit['signal']}"] |= event
        return found

    def native_without_empty(self, rules):
        """The same when the events lack what Sentinel's rows lack"""
        found = collections.Counter()
        for hit in hits(rules.paths, self.cut):
            found[f"{derived_id(hit, 'sentinel')}/{hit['signal']}"] |= 1 << (hit["line"] - 1)
        return found


class Tally:
    """What a comparison of one set with one shape comes to"""

    def __init__(self, rules, shape):
        self.title = f"{rules.name}, {shape}"
        self.rules = self.matches = 0
        self.reasons = collections.Counter()

    def add(self, place, wanted, judged, report):
        """Takes a rule's native verdicts, and the events that differ with why they may"""
        self.rules += 1
        self.matches += wanted.bit_count()
        self.reasons.update(why for _, _, why in judged if why)
        bugs = [shown(event, native) for event, native, why in judged if not why]
        if bugs:
            report.fail(f"{self.title}: {place}: {len(bugs)} verdicts differ", bugs)

    def tell(self, events, report):
        report.say(f"{self.title}: {self.rules * events:,} pairs of event and rule compared, "
                   f"{self.matches:,} match")
        for why, number in sorted(self.reasons.items()):
            report.say(f"    {number:>5} × {why}")


def compare(rules, shapes, report):
    """Every signal of a set on every event, by both targets"""
    native = shapes.native(rules)
    compare_elastic(rules, shapes, native, report)
    compare_sentinel(rules, shapes, native, report)
    compare_xdr(rules, report)


def compare_elastic(rules, shapes, native, report):
    """Each emitted Elastic rule on each event's ECS document"""
    tally = Tally(rules, "Elastic")
    for file, rule in rules.elastic_rules():
        wanted = native[rule["rule_id"]]
        differing = list(members(shapes.documents.matching(rule_query(rule)) ^ wanted))
        events = [shapes.events[at] for at in differing]
        natives = [bool(wanted >> at & 1) for at in differing]
        whys = differences.explain_elastic(rule, events, natives) if events else []
        judged = list(zip(events, natives, whys))
        tally.add(f"{file.name}: {rule['name']} [{rule['rule_id']}]", wanted, judged, report)
    tally.tell(len(shapes.events), report)


def compare_sentinel(rules, shapes, native, report):
    """Each signal of each Kusto query on each event's row"""
    tally, cut, unrecorded = Tally(rules, "Sentinel"), shapes.native_without_empty(rules), 0
    for file, query in rules.queries():
        rule_id = query_id(file)
        try:
            signals = kusto.signals(query)
            found = {signal.name: shapes.rows.matching(signal)
                     for signal in signals if signal.recorded}
        except NotImplementedError as error:
            report.fail(f"{tally.title}: {file.name}: {error}")
            continue
        unrecorded += len(signals) - len(found)
        for signal in (signal for signal in signals if signal.recorded):
            key = f"{rule_id}/{signal.name}"
            wanted, judged = native[key], []
            for at in members(found[signal.name] ^ wanted):
                event, verdict = shapes.events[at], bool(wanted >> at & 1)
                without = bool(cut[key] >> at & 1)
                why = differences.explain_sentinel(
                    query, signal, event, verdict, without, shapes.grandparents)
                judged.append((event, verdict, why))
            tally.add(f"{file.name}: {signal.name} [{key}]", wanted, judged, report)
    tally.tell(len(shapes.events), report)
    if unrecorded:
        report.say(f"    {unrecorded} signals look at tables of which no row is recorded")


def compare_xdr(rules, report):
    """Each advanced hunting query with the one of Sentinel, whose signals ask the same"""
    sentinel = {file.relative_to(rules.output / "sentinel"): query
                for file, query in rules.queries()}
    compared = 0
    for file, query in rules.queries("xdr"):
        other = sentinel.get(file.relative_to(rules.output / "xdr"))
        if other is None:
            continue
        compared += 1
        if asked(query) != asked(other):
            report.fail(f"{rules.name}, xdr: {file.name}: its signals ask for something else")
    report.say(f"{rules.name}, xdr: {compared} queries ask what those of Sentinel ask")


def asked(query):
    """What each reading of a query asks for, as it is written; the projection is left out"""
    read = kusto.readings(*kusto.statements(query))
    return [(one.name, one.table, one.lists, one.stages[:-1]) for one in read if one]


def query_id(file):
    """The id of the analytic rule that a query belongs to"""
    package = file.with_suffix(".analytic.yaml").read_text(encoding="utf-8")
    return re.search(r"^id: (\S+)", package, re.M)[1]


def shown(event, native):
    """An event and what the native engine says of it, short"""
    fields = {key: value for key, value in event.sigma.items() if key in SHOWN_FIELDS}
    return f"{event.id} native {native}: {json.dumps(fields)[:400]}"
