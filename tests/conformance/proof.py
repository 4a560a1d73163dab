"""Proves that every emitted Kusto query returns the events that the engine matches.

1. Bind: no query has a diagnostic of Microsoft's binder, every column that a package maps is in
   the result of its query.
2. Execute: over recorded events and events near each literal, the rows of a query are the events
   that the engine matches, signal by signal, with their levels, new terms and correlations.

In: the rules under rules/ and tests/operators/, with RULECAST_CORPUS also its rules and events. Prints a table and ends `N passed, N failed`.
"""
import argparse
import collections
import datetime
import functools
import json
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import binding
import events
import meaning
import mutants
import native
import schema
import statements
from engine import BEGINNING, Kusto, lookback, moment

TARGETS = ("sentinel", "asim", "xdr")
SHOWN = 3
# The part of all mutants that have to be noticed
NOTICED = 0.98


@dataclass
class Tally:
    """What one rule file comes to for one target"""
    queries: int = 0
    events: int = 0
    matches: int = 0
    judged: collections.Counter = field(default_factory=collections.Counter)
    disagreements: list = field(default_factory=list)
    untried: list = field(default_factory=list)


class Trial:
    """Rules, what they become, and events with the engine's verdicts on them"""

    def __init__(self, name, paths, examples, folder):
        self.name, self.paths, self.examples, self.folder = name, paths, examples, folder
        native.convert(paths, TARGETS, folder)
        files = events.write(examples, folder)
        self.verdicts = {version: Verdicts(paths, file) for version, file in files.items()}

    def queries(self, target):
        for file in sorted((self.folder / target).rglob("*.kql")):
            yield file, file.read_text(encoding="utf-8")


def near_trial(path, known, folder):
    """A rule file on recorded events and on those near its literals"""
    folder.mkdir()
    hits = signal_hits([path], events.write(known, folder)["whole"])
    meant, times = native.show(path), [one.time for one in known]
    signals = meaning.signals(meant)
    examples = events.of_rule(signals, known, hits)
    spans = sorted(map(int, set(re.findall(r"^  within (\d+) seconds", meant, re.M))))
    if spans:
        examples = events.of_correlations(examples, signals, times, spans)
    else:
        events.timed(examples, times)
    return Trial(path.stem, [path], examples, folder)


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

def execute(trial, target, kusto, tally):
    """Each query of a trial for a target, over all of its events"""
    places = {one.time: at for at, one in enumerate(trial.examples)}
    for file, query in trial.queries(target):
        title = query.split("\n", 1)[0].removeprefix("// ")
        tally.queries += 1
        tally.events += len(trial.examples)
        start = BEGINNING + lookback(query)
        judge = Judge(trial, title, query, tally, f"{target}: {file.name}")
        text, names = statements.of_signals(query)
        rows = kusto.ask(text, start)
        judge.signals(names, rows, places)
        if text != query or "ago(" in query:
            rows = kusto.ask(query, start)
            judge.reported(rows, places)
        if "leftanti" in query:
            half = trial.examples[len(trial.examples) // 2].time
            judge.reported(kusto.ask(query, half + lookback(query)), places, half)


class Judge:
    """Compares what a query returns with what the engine says, event by event"""

    def __init__(self, trial, title, query, tally, place):
        self.trial, self.title, self.query, self.tally = trial, title, query, tally
        self.place = place

    def signals(self, names, rows, places):
        """Every signal that the query defines, whether it reports it or not"""
        found = levels(rows, places)
        for name in names:
            self.compare("signals", name, found.get(name, {}))
            if not found.get(name):
                self.tally.untried.append(f"{self.place}: {name} is matched by no event")

    def reported(self, rows, places, since=None):
        """What the query reports: signals, those of new terms when new, and correlations"""
        whole = self.trial.verdicts["whole"]
        found = levels([row for row in rows if not row.get("Group")], places)
        for title, name in sorted(whole.reported.keys() | {(self.title, one) for one in found}):
            if title == self.title:
                self.compare("reported", name, found.get(name, {}), since)
        if since is None:
            self.groups([row for row in rows if row.get("Group")])

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
        """A difference is none when the row holds less than the event, or the query names it"""
        verdicts = {version: getattr(one, what).get((self.title, name), {}).get(at)
                    for version, one in self.trial.verdicts.items()}
        example = self.trial.examples[at]
        if verdicts["cut"] == found:
            why = "a row holds no empty value and no `-`"
        elif self.named("empty value cannot be told") and verdicts["filled"] == found:
            why = "named: an empty value is a missing one"
        elif found and self.named("do not say which rows are", "does not say which rows are") \
                and example.product not in ("", self.product()):
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
                     if title == self.title} for one in self.trial.verdicts.values()]
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
        level = row["Level"]
        if row.get("Severity", SEVERITIES.get(level)) != SEVERITIES.get(level):
            level = f"{level}, severity {row['Severity']}"
        found[row["Signal"]][places[moment(row)]] = level
    return found


SEVERITIES = {"critical": "High", "high": "High", "medium": "Medium", "low": "Low",
              "informational": "Informational"}


# ------------------------------------------------------------------------------------------- report

class Report:
    """The table, and how many of its lines hold"""

    def __init__(self):
        self.passed = self.failed = 0
        self.totals = collections.Counter()
        self.judged = collections.Counter()

    def head(self, title):
        print(f"\n{title:<34}{'target':<10}{'queries':>8}{'events':>11}{'matches':>10}{'differ':>8}")

    def line(self, name, target, tally):
        numbers = tally.queries, tally.events, tally.matches, len(tally.disagreements)
        print("{:<34}{:<10}{:>8}{:>11,}{:>10,}{:>8}".format(name, target, *numbers), flush=True)
        self.judged.update(tally.judged)
        for key, number in zip(("queries", "events", "matches"), numbers):
            self.totals[target, key] += number
        self.check(None, tally.disagreements)

    def check(self, title, wrong):
        """One proof that holds when nothing is wrong"""
        self.passed += not wrong
        self.failed += bool(wrong)
        if title:
            print(f"{title}{': FAILED' if wrong else ''}")
        for line in wrong[:SHOWN]:
            print(f"    {line[:700]}")

    def close(self):
        for target in TARGETS:
            queries, pairs, matches = (self.totals[target, key]
                                       for key in ("queries", "events", "matches"))
            print(f"{target:<44}{queries:>8}{pairs:>11,}{matches:>10,}")
        print("\nVerdicts that a row of a table cannot repeat, each as it is documented:")
        for why, number in sorted(self.judged.items()):
            print(f"{number:>8} × {why}")


def rule_files():
    return sorted([*(native.ROOT / "rules").rglob("*.yml"),
                   *(native.ROOT / "tests" / "operators").rglob("*.yml")])


def bind(queries, modules, tables, work, report):
    """Queries with their files and platforms, and the packages around them"""
    file = work / "schema.json"
    file.write_text(json.dumps(tables), encoding="utf-8")
    wrong, mapped = binding.findings(queries, modules, file)
    report.check(f"{len(queries)} queries bound without a diagnostic, {mapped} mapped columns "
                 "returned", wrong)


def emitted(trial):
    """The queries of a trial, each with its file and its platform"""
    return [(path, schema.TARGETS[target], query)
            for target in TARGETS for path, query in trial.queries(target)]


def run(trial, kusto):
    """Each target with what a trial comes to"""
    kusto.load(events.tables(trial.examples))
    for target in TARGETS:
        tally = Tally()
        execute(trial, target, kusto, tally)
        if tally.queries:
            yield target, tally


def prove_rule(path, folder, with_mutants):
    """One rule file: its targets, its queries, and what its mutants come to"""
    kusto, known = database(), events.recorded()
    trial = near_trial(path, known, folder)
    tallies = list(run(trial, kusto))
    survived = []
    tried = 0
    for file, query in trial.queries("sentinel") if with_mutants else ():
        number, found = mutants.survivors(file, query, kusto)
        tried += number
        survived += found
    return trial.name, tallies, emitted(trial), tried, survived


@functools.lru_cache(maxsize=None)
def database():
    return Kusto(schema.physical(schema.read()), threads=1)


def prove(paths, modules, work, report, with_mutants):
    """The rules of the project, on events near their literals; a process a core"""
    report.head("Rules on recorded and near events")
    queries, untried, survived, tried = [], [], [], 0
    with ProcessPoolExecutor() as pool:
        folders = [work / str(number) for number in range(len(paths))]
        for name, tallies, asked, number, found in pool.map(
                prove_rule, paths, folders, [with_mutants] * len(paths)):
            for target, tally in tallies:
                report.line(name, target, tally)
                untried += tally.untried
            queries += asked
            tried += number
            survived += found
    report.check("Every signal is matched by some event", untried)
    bind(queries, modules, schema.read(), work, report)
    if with_mutants:
        judge_mutants(tried, survived, report)


def judge_mutants(tried, survived, report):
    """At least 98 of 100 mutants that are not equivalent are noticed"""
    patterns = mutants.explained()
    kinds = {one: mutants.listed(one, patterns) for one in survived}
    missed = [one for one, kind in kinds.items() if kind != "equal"]
    caught, equal = tried - len(survived), len(survived) - len(missed)
    print(f"\n{tried} mutants: {caught} caught, {equal} equivalent, {len(missed)} missed")
    new = ["not in survivors.tsv: " + " | ".join(one) for one in missed if not kinds[one]]
    few = caught < NOTICED * (tried - equal)
    report.check(f"Of the others {caught / (tried - equal):.1%} are caught", new if few else [])


def prove_corpus(modules, work, report):
    """The same rules, and Sigma's, on every recorded event of the corpus"""
    report.check("The schema is that of the corpus", list(schema.differing()))
    tables = schema.corpus()
    pack = events.pack(Path(schema.CORPUS) / "data" / "events")
    sets = {
        "rules": [native.ROOT / "rules"],
        "operators": sorted((native.ROOT / "tests" / "operators").rglob("*.yml")),
        "Sigma": [Path(schema.CORPUS) / "data" / "sigma" / "rules"],
    }
    report.head("Rules on the corpus")
    trials = []
    for name, paths in sets.items():
        (work / name).mkdir()
        trials.append(Trial(name, paths, pack, work / name))
    queries = [one for trial in trials for one in emitted(trial)]
    kusto = Kusto(schema.physical(schema.cut(tables, [one[1:] for one in queries])))
    for trial in trials:
        for target, tally in run(trial, kusto):
            report.line(trial.name, target, tally)
    bind(queries, modules, tables, work, report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", required=True, help="where npm has installed the binder")
    parser.add_argument("--no-mutants", action="store_true", help="leave the mutants out")
    parser.add_argument("rules", nargs="*", type=Path, help="these rule files only")
    arguments = parser.parse_args()
    report, started = Report(), time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        prove(arguments.rules or rule_files(), arguments.modules, Path(work), report,
              not arguments.no_mutants)
        if schema.CORPUS and not arguments.rules:
            prove_corpus(arguments.modules, Path(work), report)
    report.close()
    print(f"{time.monotonic() - started:.0f} seconds")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
