"""Proves that every emitted Kusto query returns the events that the engine matches.

1. Bind: no query has a diagnostic of Microsoft's binder, every column that a package maps is in
   the result of its query.
2. Execute: over recorded events and events near each literal, the rows of a query are the events
   that the engine matches, signal by signal, with their levels, new terms and correlations.

In: the rules under rules/ and tests/operators/. Prints a table and ends `N passed, N failed`.
"""
import argparse
import collections
import datetime
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import events
import meaning
import native
import schema
import statements
from engine import BEGINNING, Kusto, lookback, moment

TARGETS = ("sentinel", "asim", "xdr")
SHOWN = 3


@dataclass
class Tally:
    """What one rule file comes to for one target"""
    queries: int = 0
    events: int = 0
    matches: int = 0
    judged: collections.Counter = field(default_factory=collections.Counter)
    disagreements: list = field(default_factory=list)


class Rule:
    """A rule file, what it becomes, and the events it is tried on with the engine's verdicts"""

    def __init__(self, path, known, folder):
        self.path, self.folder = path, Path(folder)
        self.folder.mkdir()
        native.convert([path], TARGETS, self.folder)
        self.signals = meaning.signals(native.show(path))
        plain = [one.copy(one.name) for one in known]
        hits = signal_hits([path], events.write(plain, folder)["whole"])
        self.examples = events.of_rule(self.signals, known, hits)
        events.timed(self.examples, [one.time for one in known])
        self.files = events.write(self.examples, folder)
        self.verdicts = {version: Verdicts([path], file) for version, file in self.files.items()}

    def queries(self, target):
        for file in sorted((self.folder / target).rglob("*.kql")):
            yield file, file.read_text(encoding="utf-8")


def signal_hits(paths, file):
    return [hit for hit in native.scan(paths, file, "--signals") if "signal" in hit]


class Verdicts:
    """What the engine says of a version of the events"""

    def __init__(self, paths, file):
        self.signals, self.reported, self.groups = {}, {}, {}
        for hit in signal_hits(paths, file):
            self.signals.setdefault((hit["rule"], hit["signal"]), {})[hit["line"] - 1] = hit["level"]
        for hit in native.scan(paths, file):
            if "signal" in hit:
                if hit.get("new", True):
                    known = self.reported.setdefault((hit["rule"], hit["signal"]), {})
                    known[hit["line"] - 1] = hit["level"]
            else:
                self.group(hit)

    def group(self, hit):
        """The first completion of a correlation's group; Defender writes accounts in lower case"""
        key = "\x1f".join(value.lower() if name == "user" else value
                          for name, value in hit["group"].items())
        at = datetime.datetime.fromisoformat(hit["time"]).replace(tzinfo=None)
        known = self.groups.setdefault((hit["rule"], hit["correlation"]), {})
        known[key] = min(known.get(key, (at, hit["level"])), (at, hit["level"]))


# ---------------------------------------------------------------------------------------- execution

def execute(rule, target, kusto, tally):
    """Each query of a rule for a target, over all of its events"""
    places = {one.time: at for at, one in enumerate(rule.examples)}
    for file, query in rule.queries(target):
        title = query.split("\n", 1)[0].removeprefix("// ")
        tally.queries += 1
        tally.events += len(rule.examples)
        start = BEGINNING + lookback(query)
        judge = Judge(rule, title, query, tally, f"{target}: {file.name}")
        text, names = statements.of_signals(query)
        rows = kusto.ask(text, start)
        judge.signals(names, rows, places)
        if text != query or "ago(" in query:
            rows = kusto.ask(query, start)
            judge.reported(rows, places)
        if "leftanti" in query:
            half = rule.examples[len(rule.examples) // 2].time
            judge.reported(kusto.ask(query, half + lookback(query)), places, half)


class Judge:
    """Compares what a query returns with what the engine says, event by event"""

    def __init__(self, rule, title, query, tally, place):
        self.rule, self.title, self.query, self.tally = rule, title, query, tally
        self.place = place

    def signals(self, names, rows, places):
        """Every signal that the query defines, whether it reports it or not"""
        found = levels(rows, places)
        for name in names:
            self.compare("signals", name, found.get(name, {}))

    def reported(self, rows, places, since=None):
        """What the query reports: signals, those of new terms when new, and correlations"""
        whole = self.rule.verdicts["whole"]
        found = levels([row for row in rows if not row.get("Group")], places)
        for title, name in sorted(whole.reported.keys() | {(self.title, one) for one in found}):
            if title == self.title:
                self.compare("reported", name, found.get(name, {}), since)
        if since is None:
            self.groups([row for row in rows if row.get("Group")])

    def compare(self, what, name, found, since=None):
        wanted = getattr(self.rule.verdicts["whole"], what).get((self.title, name), {})
        if since:
            wanted = {at: level for at, level in wanted.items()
                      if self.rule.examples[at].time >= since}
        self.tally.matches += len(wanted)
        for at in sorted(wanted.keys() | found.keys()):
            if wanted.get(at) != found.get(at):
                self.differing(what, name, at, wanted.get(at), found.get(at))

    def differing(self, what, name, at, wanted, found):
        """A difference is none when the row holds less than the event, or the query names it"""
        verdicts = {version: getattr(one, what).get((self.title, name), {}).get(at)
                    for version, one in self.rule.verdicts.items()}
        example = self.rule.examples[at]
        if verdicts["cut"] == found:
            why = "a row holds no empty value and no `-`"
        elif self.named("empty value cannot be told") and verdicts["filled"] == found:
            why = "named: an empty value is a missing one"
        elif found and self.named("do not say which rows are", "does not say which rows are") \
                and example.product not in ("", self.product()):
            why = "named: events of every operating system"
        else:
            self.tally.disagreements.append(
                f"{self.place}: {name}: engine {wanted}, Kusto {found}: {example.name}: "
                f"{example.event}")
            return
        self.tally.judged[why] += 1

    def named(self, *texts):
        return any(text in self.query for text in texts)

    def product(self):
        return self.query.split("which rows are ", 1)[1].split(".", 1)[0]

    def groups(self, rows):
        """Correlations: the groups, when each is first complete, and the level"""
        found = collections.defaultdict(dict)
        for row in rows:
            found[row["Signal"]][row["Group"]] = moment(row), row["Level"]
        versions = [{name: groups for (title, name), groups in one.groups.items()
                     if title == self.title} for one in self.rule.verdicts.values()]
        for name in sorted(versions[0].keys() | found.keys()):
            wanted = [one.get(name, {}) for one in versions]
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


def levels(rows, places):
    """By signal: the places of the events that rows are of, with the level"""
    found = collections.defaultdict(dict)
    for row in rows:
        found[row["Signal"]][places[moment(row)]] = row["Level"]
    return found


# ------------------------------------------------------------------------------------------- report

def rule_files():
    return sorted([*(native.ROOT / "rules").rglob("*.yml"),
                   *(native.ROOT / "tests" / "operators").rglob("*.yml")])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", default="node_modules", help="where npm installed the binder")
    parser.add_argument("rules", nargs="*", type=Path, help="these rule files only")
    arguments = parser.parse_args()
    tables = schema.read()
    kusto = Kusto(schema.physical(tables))
    known, failed, passed = events.recorded(), 0, 0
    bound = []
    print(f"{'rules':<32}{'target':<10}{'queries':>8}{'events':>9}{'matches':>9}{'disagree':>9}")
    with tempfile.TemporaryDirectory() as work:
        for number, path in enumerate(arguments.rules or rule_files()):
            rule = Rule(path, known, Path(work) / str(number))
            kusto.load(events.tables(rule.examples))
            for target in TARGETS:
                tally = Tally()
                execute(rule, target, kusto, tally)
                if not tally.queries:
                    continue
                failed += bool(tally.disagreements)
                passed += not tally.disagreements
                print(f"{path.stem:<32}{target:<10}{tally.queries:>8}{tally.events:>9}"
                      f"{tally.matches:>9}{len(tally.disagreements):>9}", flush=True)
                for line in tally.disagreements[:SHOWN]:
                    print(f"    {line[:600]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
