"""Whether emitted correlations report the groups of events that the native engine reports."""
import collections
import datetime

import tabular
from kusto import tokens
from project import derived_id, scan
from shapes import query_id


def compare(rules, shapes, report):
    """Each correlation of a set: its groups, and when the first event completes each of them"""
    queries = [(file, text, correlations(text)) for file, text in rules.queries()]
    queries = [query for query in queries if query[-1]]
    if not queries:
        return
    native, rows = reported(rules, shapes), tabular.recorded(shapes.rows.rows)
    compared = groups = 0
    for file, text, names in queries:
        rule_id = query_id(file)
        try:
            found = executed(text, rows)
        except NotImplementedError as error:
            report.fail(f"{rules.name}, Sentinel: {file.name}: {error}")
            continue
        for name in names:
            wanted = native[rule_id, name]
            compared += 1
            groups += len(wanted)
            if wanted != found[name]:
                title = f"{rules.name}, Sentinel: {file.name}: correlation {name}"
                report.fail(title, differing(wanted, found[name]))
    report.say(f"{rules.name}, Sentinel: {compared} correlations executed, "
               f"{groups} groups complete them")


def correlations(text):
    """The names of the correlations that a query reports"""
    found = tokens(text)
    heads = [found[at - 3:at] for at in range(3, len(found))]
    marked = [("word", "extend"), ("word", "Signal"), ("sign", "=")]
    return [found[at][1] for at, head in enumerate(heads, 3) if head == marked]


def reported(rules, shapes):
    """By rule and correlation: each group with the time when it is first complete"""
    found = collections.defaultdict(dict)
    for one in scan(rules.paths, shapes.whole):
        if "correlation" in one:
            # Defender writes accounts in lower case.
            group = "\x1f".join(value.lower() if name == "user" else value
                                for name, value in one["group"].items())
            groups = found[derived_id(one, "sentinel"), one["correlation"]]
            at = datetime.datetime.fromisoformat(one["time"]).replace(tzinfo=None)
            groups[group] = min(at, groups.get(group, at))
    return found


def executed(text, rows):
    """The same as the query says"""
    found = collections.defaultdict(dict)
    for row in tabular.Query(text, rows).result.rows:
        found[row["Signal"]][row.get("Group")] = row["TimeGenerated"]
    return found


def differing(wanted, found):
    """Groups that only one side reports, or at another time"""
    for group in sorted(wanted.keys() | found.keys()):
        if wanted.get(group) != found.get(group):
            shown = group.replace("\x1f", " | ")
            yield f"{shown}: native {wanted.get(group)}, Kusto {found.get(group)}"
