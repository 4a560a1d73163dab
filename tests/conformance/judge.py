"""Compares what emitted queries return with what the native engine says, event by event.

In: a trial and a database that answers. Out: a tally for each target: pairs compared, matches, what
differs, and what differs because a row of a table holds less than its event.

A query is asked up to three times: for its signals, also those that it does not report; for what it
reports; and, where it looks for new terms, as half of the events are its baseline.
"""
import collections
import re

import events
from dialect import TEXT
from engine import moment
from report import Tally
from trial import TARGETS

SIGNALS, REPORTED, LATER, GROUPS = "signals", "reported", "later", "groups"


def of_everything(emitted, examples):
    """What to ask of the database: why, the query, and at what time"""
    start, signals = emitted.seen_from(beginning(examples)), emitted.of_signals()
    yield SIGNALS, signals, start
    if signals != emitted.text:
        yield REPORTED, emitted.text, start
    if emitted.asks_for_new:
        yield LATER, emitted.text, emitted.seen_from(half(examples))


def of_groups(emitted, examples):
    """The same, where only correlations are judged"""
    yield GROUPS, emitted.text, emitted.seen_from(beginning(examples))


def beginning(examples):
    """When a run begins that sees every event as a new one"""
    return examples[0].time


def half(examples):
    return examples[len(examples) // 2].time


def run(trial, answers, questions=of_everything):
    """Each target with what a trial comes to; `answers` gives the rows of lists of questions"""
    places = {one.time: at for at, one in enumerate(trial.examples)}
    heard = {}
    for target in TARGETS:
        tally, queries = Tally(), trial.asked(target)
        asked = [list(questions(emitted, trial.examples)) for emitted in queries]
        new = [(emitted.keys, some) for emitted, some in zip(queries, asked)
               if known_by(some) not in heard]
        told = answers([[(query, at, keys) for _, query, at in some] for keys, some in new])
        heard.update((known_by(some), answer) for (_, some), answer in zip(new, told))
        for emitted, some in zip(queries, asked):
            answer = heard[known_by(some)]
            tally.queries += 1
            tally.events += len(trial.examples)
            judge = Judge(trial, emitted, tally, f"{target}: {emitted.file.name}", places)
            for (what, *_), rows in zip(some, answer):
                judge.hear(what, rows)
        if tally.queries:
            yield target, tally


def known_by(questions):
    """What tells questions apart: two targets may ask the same, but for what they call the time"""
    plain = lambda query: re.sub(r"(?m)^//.*\n", "", query).replace("Timestamp", "TimeGenerated")
    return tuple((what, plain(query), at) for what, query, at in questions)


class Judge:
    """Compares what a query returns with what the engine says"""

    def __init__(self, trial, emitted, tally, place, places):
        self.trial, self.emitted, self.tally = trial, emitted, tally
        self.place, self.places = place, places
        self.title = emitted.title
        # The words of a query outside its strings and comments, among them the tables that it asks
        self.asked = set(re.findall(r"\w+", TEXT.sub("", emitted.text)))

    def hear(self, what, rows):
        if what == SIGNALS:
            self.signals(rows)
        elif what == GROUPS:
            self.groups(rows)
        else:
            self.reported(rows, half(self.trial.examples) if what == LATER else None)

    def signals(self, rows):
        """Every signal that the query defines, whether it reports it or not"""
        found = levels(rows, self)
        for name in self.emitted.signals:
            self.compare("signals", name, found.get(name, {}))
            if not found.get(name):
                self.tally.untried.append(f"{self.place}: {name} is matched by no event")

    def reported(self, rows, since):
        """What the query reports: signals, those of new terms when new, and correlations"""
        whole = self.trial.verdicts["whole"]
        found = levels([row for row in rows if row["Signal"] in self.emitted.names], self)
        for title, name in sorted(whole.reported.keys() | {(self.title, one) for one in found}):
            if title == self.title and name in self.emitted.signals:
                self.compare("reported", name, found.get(name, {}), since)
        if since is None:
            self.groups(rows)

    def compare(self, what, name, found, since=None):
        wanted = getattr(self.trial.verdicts["whole"], what).get((self.title, name), {})
        if since:
            wanted = {at: level for at, level in wanted.items()
                      if self.trial.examples[at].time >= since}
        self.tally.matches += len(wanted)
        for at in sorted(wanted.keys() | found.keys()):
            if wanted.get(at) != found.get(at):
                self.differing(what, name, at, wanted.get(at), found.get(at))

    def differing(self, what, name, at, wanted, found):
        """A difference is none when the row holds less than the event, or the manifest names it"""
        verdicts = {version: getattr(one, what).get((self.title, name), {}).get(at)
                    for version, one in self.trial.verdicts.items()}
        example = self.trial.examples[at]
        way = {"narrower"} if found is None else {"wider"} if wanted is None else \
            {"narrower", "wider"}
        # An empty term is a term to the engine and none to Kusto, which no loss says yet.
        told = self.loses("empty", name, way) or what == REPORTED or not holds_empty(example)
        if found is None and not self.asked & example.tables:
            why = "no row: the table of the query is not the one of the log"
        elif verdicts["cut"] == found and told:
            why = "a row holds no empty value and no `-`"
        elif self.loses("empty", name, way) and verdicts["filled"] == found:
            why = "named: an empty value is a missing one"
        elif found and self.loses("product", name, {"wider"}) \
                and example.product not in ("", self.emitted.signals[name]["product"]):
            why = "named: events of every operating system"
        elif self.place.startswith("asim") and re.search(
                r"://|[?#]", str(example.event.get("cs-uri-stem"))):
            why = "ASIM has one column for a URL: a path may look like an origin or a query"
        else:
            self.tally.disagreements.append(
                f"{self.place}: {name}: engine {wanted}, Kusto {found}: {example.name}: "
                f"{example.event}")
            return
        self.tally.judged[why] += 1

    def loses(self, loss, signal, ways):
        """Whether the manifest names a loss of a signal, in one of these directions"""
        return any((loss, signal, way) in self.emitted.losses for way in ways)

    def groups(self, rows):
        """Correlations: the groups, when each is first complete, and the level"""
        found = collections.defaultdict(dict)
        for row in (row for row in rows if row["Signal"] in self.emitted.correlations):
            known, group = found[row["Signal"]], self.emitted.group(row)
            given = moment(row), row["Level"]
            known[group] = min(known.get(group, given), given)
        versions = [{name: groups for (title, name), groups in one.groups.items()
                     if title == self.title} for one in self.trial.verdicts.values()]
        for name in sorted(versions[0].keys() | found.keys()):
            wanted = [one.get(name, {}) for one in versions]
            if self.loses("keys", name, {"wider"}):
                # Its groups are others.
                continue
            self.tally.matches += len(wanted[0])
            for group in sorted(wanted[0].keys() | found[name].keys()):
                given = found[name].get(group)
                if wanted[0].get(group) == given:
                    continue
                if given == wanted[1].get(group):
                    self.tally.judged["a row holds no empty value and no `-`"] += 1
                    continue
                self.tally.disagreements.append(
                    f"{self.place}: correlation {name}: {group!r}: engine {wanted[0].get(group)}, "
                    f"Kusto {given}")


def holds_empty(example):
    """Whether a field of text is empty or null: a rule that tells it from a missing one has a loss"""
    return any(value in ("", None) for field, value in example.event.items()
               if field not in events.NEVER_EMPTY | events.typed("number", "address", "key"))


def levels(rows, judge):
    """By signal: the places of the events that rows are of, with the level"""
    found = collections.defaultdict(dict)
    for row in rows:
        level = row["Level"]
        if row.get("Severity", SEVERITIES.get(level)) != SEVERITIES.get(level):
            level = f"{level}, severity {row['Severity']}"
        found[judge.emitted.names[row["Signal"]]][judge.places[moment(row)]] = level
    return found


SEVERITIES = {"critical": "High", "high": "High", "medium": "Medium", "low": "Low",
              "informational": "Informational"}
