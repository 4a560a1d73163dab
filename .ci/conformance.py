"""Proves on the corpus that what rulecast emits is what its rules mean.

1. Kusto: every query binds against the real table schemas, every analytic rule is complete.
2. Elastic: Kibana's import takes every line, no query has a hazard, and the rule for
   detection-rules says the same as the line.
3. Shapes: on every recorded event the native engine, the Elastic rule on its ECS document and
   the Kusto query on its Defender row agree, or the shapes hold different things (differences.py).
4. Labels: the rules of this project find every recorded web shell and nothing else.

`rules/` and `tests/operators/` must be spotless, and the operators use every key and modifier.
Of the corpus's Sigma rules, which have a style of their own, warnings are counted. The golden
definition is reported.

Needs RULECAST_CORPUS, the release binary, node and npm. Exits 1 on any failure.
"""
import argparse
import collections
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import differences
import kusto
from corpus import CORPUS, KINDS, event_files, import_check, kuery_ref, read_events
from elastic import Documents, data_view, members, rule_query
from project import ROOT, Report, RuleSet, derived_id, hits, listed

OPERATORS = ROOT / "tests" / "operators"
REFUSED = OPERATORS / "refused"
# Advice against what a definition asks for in so many words: whole command lines, cased names.
ASKED_FOR = frozenset({"KX103", "KX115"})
# What an example shows of an event
SHOWN_FIELDS = {"DestinationIp", "DestinationPort", "Initiated", "User", *differences.PLACES}


def rule_sets(work):
    """Our rules, the operators with those that one target refuses, golden, and Sigma's"""
    golden = work / "golden"
    golden.mkdir()
    for file in (CORPUS / "golden").glob("*.yml"):
        shutil.copy(file, golden)
    sets = [RuleSet("rules", [ROOT / "rules"], (0,), True)]
    if OPERATORS.is_dir():
        whole = sorted(OPERATORS.glob("*.yml"))
        sets.append(RuleSet("operators", whole, (0,), True, ASKED_FOR))
        sets.append(RuleSet("refused operators", [REFUSED], (1,), True, ASKED_FOR))
    sets.append(RuleSet("golden", [golden], (0, 1), True))
    sets.append(RuleSet("sigma", [CORPUS / "data" / "sigma" / "rules"], (0, 1), False))
    for number, rules in enumerate(sets):
        rules.output = work / f"out{number}"
    return sets


def check_operators(sets, report):
    """Every key and modifier stands in some operator, and what one target refuses another takes"""
    for rules in sets:
        if rules.paths == [REFUSED] and not (rules.files("sentinel", ".kql")
                                             and rules.files("elastic", ".ndjson")):
            report.fail("both targets refuse an operator that one of them should take")
    written = "\n".join(file.read_text() for file in OPERATORS.rglob("*.yml"))
    keys = re.findall(r"([\w|]+):", written)
    used = {part for key in keys for part in key.split("|")}
    missing = sorted((listed("fields") | listed("modifiers")) - used)
    if missing:
        report.fail(f"no operator uses {', '.join(missing)}")


# ------------------------------------------------------------------------------------------ Kusto

def install_validators(work):
    """A writable copy of the Kusto validators with the packages that their lock file names"""
    folder = work / "corpus" / "validators" / "kusto"
    shutil.copytree(CORPUS / "validators" / "kusto", folder)
    shutil.copytree(CORPUS / "schemas", work / "corpus" / "schemas")
    subprocess.run(["chmod", "-R", "u+w", work / "corpus"], check=True)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                   cwd=folder, check=True)
    return folder


def check_kusto(rules, validators, report):
    """Queries against the schema, rules against the packaging"""
    folder, number = rules.output / "sentinel", len(list(rules.queries()))
    if not number:
        report.say(f"{rules.name}: no query")
        return
    answers = [json.loads(line) for line in node(
        validators / "kusto-check.cjs", "--lint", "--rule", "--format", "ndjson", folder
    ).splitlines()]
    packages = json.loads(node(
        validators / "sentinel-rule-check.cjs", "--format", "json", folder))
    if (len(answers), len(packages)) != (number, number):
        report.fail(f"{rules.name}: a validator has not seen every one of {number} rules")
    found = [(Path(answer["id"]).name, d["severity"], d["code"], d["message"])
             for answer in answers for d in answer["diagnostics"]]
    # What it says of a rule's query has been said of the query's own file.
    found += [(Path(package["file"]).name, d["severity"], d["where"] or "rule", d["message"])
              for package in packages for d in package["items"]
              if not d["where"].startswith("query")]
    judge_findings(rules, found, report)
    report.say(f"{rules.name}: {number} queries and analytic rules bound")


def node(script, *arguments):
    done = subprocess.run(["node", script, *arguments], capture_output=True, text=True,
                          encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{script.name}: {done.stderr}")
    return done.stdout


def judge_findings(rules, found, report):
    """Errors fail, warnings too in a strict set, advice is left alone"""
    for severity, code in sorted({(severity, code) for _, severity, code, _ in found}):
        if severity not in ("error", "warning"):
            continue
        same = [f"{file}: {message}" for file, *what, message in found
                if what == [severity, code]]
        title = f"{rules.name}: {len(same)} × {severity} {code}"
        if severity == "error" or rules.strict and code not in rules.allowed:
            report.fail(title, same)
        else:
            report.say(title)
            report.examples(same)


# ---------------------------------------------------------------------------------------- Elastic

def check_elastic(rules, report):
    """Import, hazards, and the same rule in both formats"""
    emitted = list(rules.elastic_rules())
    hazards = collections.Counter()
    for file, rule in emitted:
        place = f"{file.name}: {rule['name']}"
        for problem in sum(import_check.check(rule), []):
            report.fail(f"{place}: {problem}")
        for kind, message in kuery_ref.hazards(rule["query"], data_view(tuple(rule["index"]))):
            if kind == "text-wildcard":
                continue
            hazards[kind] += 1
            if rules.strict:
                report.fail(f"{place}: {kind}: {message}")
    for kind, number in sorted(hazards.items()):
        report.say(f"{rules.name}: {number} × hazard {kind}")
    compare_formats(rules, {rule["rule_id"]: rule for _, rule in emitted}, report)
    report.say(f"{rules.name}: {len(emitted)} rules taken by the import check")


def compare_formats(rules, lines, report):
    """The TOML of detection-rules against the import line"""
    tables = {}
    for file in rules.files("elastic", ".toml"):
        rule = tomllib.loads(file.read_text(encoding="utf-8"))["rule"]
        terms = rule.pop("new_terms", None)
        if terms:
            history, = terms["history_window_start"]
            rule[terms["field"]] = terms["value"]
            rule[history["field"]] = history["value"]
        rule["query"] = rule["query"].strip()
        tables[rule["rule_id"]] = rule
    differing = [rule_id for rule_id in sorted(lines.keys() | tables.keys())
                 if without_empty(lines.get(rule_id)) != without_empty(tables.get(rule_id))]
    if differing:
        report.fail(f"{rules.name}: {len(differing)} rules differ in TOML and NDJSON", differing)


def without_empty(value):
    """The same without empty lists, which only one format writes"""
    if isinstance(value, dict):
        return {key: without_empty(part) for key, part in value.items() if part != []}
    return [without_empty(part) for part in value] if isinstance(value, list) else value


# ----------------------------------------------------------------------------------------- shapes

class Shapes:
    """The recorded events as the three targets see them"""

    def __init__(self, work):
        self.files = event_files(KINDS)
        self.events = read_events(self.files)
        self.places = {(event.file, event.line): at for at, event in enumerate(self.events)}
        self.documents = Documents([(event.data_set, event.ecs) for event in self.events])
        self.rows = kusto.Rows([event.mde for event in self.events])
        self.cut = work / "events.jsonl"
        with self.cut.open("w", encoding="utf-8") as file:
            for event in self.events:
                file.write(json.dumps(differences.without_empty(event.sigma)) + "\n")

    def native(self, rules):
        """The events that each signal matches, by the ids of what the signal becomes"""
        found = collections.Counter()
        for hit in hits(rules.paths, self.files, "--field", "sigma"):
            event = 1 << self.places[hit["file"], hit["line"]]
            found[derived_id(hit, f"elastic/{hit['signal']}")] |= event
            found[f"{derived_id(hit, 'sentinel')}/{hit['signal']}"] |= event
        return found

    def native_without_empty(self, rules):
        """The same when the events lack what Defender's rows lack, for Sentinel"""
        found = collections.Counter()
        for hit in hits(rules.paths, [self.cut]):
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
    """Each signal of each Kusto query on each event's Defender row"""
    tally, cut = Tally(rules, "Sentinel"), shapes.native_without_empty(rules)
    for file, package in rules.queries():
        query = file.read_text(encoding="utf-8")
        rule_id = re.search(r"^id: (\S+)", package.read_text(encoding="utf-8"), re.M)[1]
        try:
            signals = kusto.signals(query)
        except NotImplementedError as error:
            report.fail(f"{tally.title}: {file.name}: {error}")
            continue
        for signal, (table, conditions) in signals.items():
            key = f"{rule_id}/{signal}"
            wanted = native[key]
            judged = []
            for at in members(shapes.rows.matching(table, conditions) ^ wanted):
                event, verdict = shapes.events[at], bool(wanted >> at & 1)
                without = bool(cut[key] >> at & 1)
                why = differences.explain_sentinel(query, key, event, verdict, without)
                judged.append((event, verdict, why))
            tally.add(f"{file.name}: {signal} [{key}]", wanted, judged, report)
    tally.tell(len(shapes.events), report)


def shown(event, native):
    """An event and what the native engine says of it, short"""
    fields = {key: value for key, value in event.sigma.items() if key in SHOWN_FIELDS}
    return f"{event.id} native {native}: {json.dumps(fields)[:400]}"


# ----------------------------------------------------------------------------------------- labels

def check_labels(rules, report):
    """Every recorded web shell is found, and no event that has nothing to do with one"""
    files = event_files()
    events = {(event.file, event.line): event for event in read_events(files)}
    found = [(hit["signal"], events[hit["file"], hit["line"]])
             for hit in hits(rules.paths, files, "--field", "sigma")]
    table = collections.Counter((signal, event.label) for signal, event in found)
    for (signal, label), number in sorted(table.items()):
        report.say(f"{signal:<16} {label:<16} {number:>4}")
    ids = {event.id for _, event in found}
    missed = [shown(event, False) for event in events.values() if event.label == "webshell"
              and event.kind in ("process_creation", "file_event") and event.id not in ids]
    wrong = [shown(event, True) for _, event in found if event.label == "other"]
    if missed:
        report.fail(f"{len(missed)} web shells are missed", missed)
    if wrong:
        report.fail(f"{len(wrong)} other events match", wrong)


# -------------------------------------------------------------------------------------------- all

def run(work, report):
    sets = rule_sets(work)
    report.step("Conversion")
    for rules in sets:
        rules.convert(report)
    check_operators(sets, report)
    report.step("Kusto")
    validators = install_validators(work)
    for rules in sets:
        check_kusto(rules, validators, report)
    report.step("Elastic")
    for rules in sets:
        check_elastic(rules, report)
    report.step("Shapes")
    shapes = Shapes(work)
    for rules in sets:
        native = shapes.native(rules)
        compare_elastic(rules, shapes, native, report)
        compare_sentinel(rules, shapes, native, report)
    report.step("Labels")
    check_labels(sets[0], report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="keep what is emitted in this new folder")
    arguments = parser.parse_args()
    report, started = Report(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.keep or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        run(work, report)
    seconds = time.monotonic() - started
    print(f"Conformance: {len(report.failures)} failures, {seconds:.0f} seconds")
    for failure in report.failures:
        print(f"  {failure}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
