"""Whether a rule of new terms alerts about what the native engine calls new.

No recorded document has `host.id`, so the host's name stands in for it. The simulator of the
corpus makes the runs of Kibana's schedule; of the runs it makes those whose interval holds an
event that the rule matches, since no other run can alert.
"""
import collections
import functools
import math

from corpus import ECS_FIELDS, data_sets, import_check, kuery_ref, newterms_sim, write_events
from elastic import members, rule_query
from project import derived_id, native

UNLIMITED = 1 << 31


def compare(rules, recorded, work, report):
    """Each rule of new terms of a set: its combinations, and the time of each alert"""
    emitted = [(file, rule) for file, rule in rules.elastic_rules() if rule["type"] == "new_terms"]
    if not emitted:
        return
    in_order = sorted(recorded.events, key=lambda event: event.time)
    write_events(work / "in_order.jsonl", in_order)
    new = collections.defaultdict(list)
    for hit in native.hits(rules.paths, work / "in_order.jsonl"):
        if hit.get("new"):
            rule_id = derived_id(hit, f"elastic/{hit['signal']}")
            new[rule_id].append(in_order[hit["line"] - 1])
    for file, rule in emitted:
        wanted = {(terms, event.time) for event in new[rule["rule_id"]]
                  for terms in combinations(rule, event)}
        found, made = alerts(rule, recorded)
        title = f"{rules.name}, Elastic: {file.name}: {rule['name']}"
        if wanted != found:
            report.fail(f"{title}: new terms differ", differing(wanted, found))
        report.say(f"{title}: {len(wanted)} alerts about new terms")
        beyond = len(found - made)
        if beyond:
            report.say(f"    {beyond:>5} × Kibana: a run makes so many alerts at most")


def combinations(rule, event):
    """The combinations of new terms in an event's document"""
    index = mapping(tuple(rule["index"]), event.data_set)
    return newterms_sim.combos(index, with_host_id(event.ecs), rule["new_terms_fields"])


def with_host_id(document):
    host = document["host"]
    return {**document, "host": {**host, "id": host["name"]}}


@functools.lru_cache(maxsize=None)
def mapping(patterns, name):
    """How a data set's documents are indexed, or those of the first that the patterns search"""
    names = data_sets(patterns)
    maps, _ = kuery_ref.load_view(ECS_FIELDS, [name if name in names else names[0]])
    return kuery_ref.Index(next(iter(maps.values())))


def alerts(rule, recorded):
    """The combinations and times that Kibana finds, and those that it makes alerts of"""
    names = data_sets(rule["index"])
    maps, view = kuery_ref.load_view(ECS_FIELDS, names)
    matched = recorded.documents.matching(rule_query(rule))
    documents = [with_host_id(recorded.events[at].ecs) for at in members(matched)]
    # Every one of them matches, so the simulator need not ask again.
    unlimited = {**rule, "query": "", "filters": [], "max_signals": UNLIMITED}
    found, made = set(), set()
    for now in runs(rule, documents):
        run = [(terms, documents[at]["@timestamp"]) for at, terms
               in newterms_sim.run(unlimited, documents, now, maps, view, names[0])]
        found.update(run)
        made.update(run[:rule.get("max_signals", 100)])
    return found, made


def runs(rule, documents):
    """The runs of the schedule whose interval holds one of these documents"""
    step = import_check.back("now-" + rule["interval"])
    span = import_check.back(rule["from"])
    times = [newterms_sim.ts(document, None) for document in documents]
    first = min(times, default=0)
    ticks = {tick for since in (time - first for time in times)
             for tick in range(math.ceil(since / step), math.ceil((since + span) / step))}
    return [first + step * tick for tick in sorted(ticks)]


def differing(wanted, found):
    """Alerts that only one side makes"""
    for terms, time in sorted(wanted ^ found, key=str):
        side = "native" if (terms, time) in wanted else "Elastic"
        yield f"{side} only, {time}: {' | '.join(map(str, terms))}"
