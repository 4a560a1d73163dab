"""Proves on the corpus that what rulecast emits is what its rules mean.

1. Kusto: every query binds against the real table schemas, every analytic rule is complete.
2. Elastic: Kibana's import takes every line, no query has a hazard, and the rule for
   detection-rules says the same as the line.
3. Shapes: on every recorded event the native engine and the emitted Elastic rule agree, or the
   event itself says different things in its two shapes (differences.py).
4. Labels: the rules of this project find every recorded web shell and nothing else.

Four sets of rules: `rules/` and `tests/operators/` must be spotless; of the Sigma rules of the
corpus, which have a style of their own, warnings are counted; the golden definition is reported.

Needs RULECAST_CORPUS, the release binary, node and npm. Exits 1 on any failure.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path

import differences
from corpus import CORPUS, KINDS, event_files, import_check, kuery_ref, read_events
from shapes import Documents, data_view, members, rule_query

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# Advice against what a definition asks for in so many words: whole command lines, cased names.
ASKED_FOR = {"KX103", "KX115"}
SHOWN = 5


class Report:
    """What failed, and what was counted"""

    def __init__(self):
        self.failures = []

    def say(self, text):
        print(f"  {text}", flush=True)

    def fail(self, what, examples=()):
        """One failure with a few examples of it"""
        self.failures.append(what)
        self.say(f"FAILED {what}")
        for example in list(examples)[:SHOWN]:
            self.say(f"    {example}")

    def step(self, title):
        print(title, flush=True)


@dataclass
class RuleSet:
    """Rules that are treated alike"""
    name: str
    paths: list
    # exit codes of `convert` that are right
    exits: tuple
    # whether a warning is a failure
    strict: bool
    # advice that such rules ask for
    allowed: frozenset = frozenset()
    # where they are converted to
    output: Path = None

    def files(self, target, suffix):
        return sorted((self.output / target).rglob(f"*{suffix}"))


def rule_sets(work):
    """The four sets, and the operators that one target refuses"""
    golden = work / "golden"
    golden.mkdir()
    for file in (CORPUS / "golden").glob("*.yml"):
        shutil.copy(file, golden)
    operators = ROOT / "tests" / "operators"
    sets = [RuleSet("rules", [ROOT / "rules"], (0,), True)]
    if operators.is_dir():
        asked = frozenset(ASKED_FOR)
        sets.append(RuleSet("operators", sorted(operators.glob("*.yml")), (0,), True, asked))
        sets.append(RuleSet("refused operators", [operators / "refused"], (1,), True, asked))
    sets.append(RuleSet("golden", [golden], (0, 1), True))
    sets.append(RuleSet("sigma", [CORPUS / "data" / "sigma" / "rules"], (0, 1), False))
    for number, rules in enumerate(sets):
        rules.output = work / f"out{number}"
    return sets


def rulecast(*arguments):
    command = [TARGET / "release" / "rulecast", *arguments, "--format", "json", "--color", "never"]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


# ------------------------------------------------------------------------------------- conversion

def convert(rules, report):
    """Emits a set for every target"""
    done = rulecast("convert", *rules.paths, "-o", rules.output)
    said = done.stderr.strip().splitlines()[-1:] or [""]
    report.say(f"{rules.name}: {said[0]}")
    if done.returncode not in rules.exits:
        report.fail(f"{rules.name}: convert exits {done.returncode}", done.stderr.splitlines())


# ------------------------------------------------------------------------------------------ Kusto

def install_validators(work):
    """A writable copy of the Kusto validators with the packages their lock file names"""
    folder = work / "corpus" / "validators" / "kusto"
    shutil.copytree(CORPUS / "validators" / "kusto", folder)
    shutil.copytree(CORPUS / "schemas", work / "corpus" / "schemas")
    subprocess.run(["chmod", "-R", "u+w", work / "corpus"], check=True)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                   cwd=folder, check=True)
    return folder


def check_kusto(rules, validators, report):
    """Queries against the schema, rules against the packaging"""
    folder = rules.output / "sentinel"
    queries, packages = rules.files("sentinel", ".kql"), rules.files("sentinel", ".yaml")
    if len(queries) != len(packages):
        report.fail(f"{rules.name}: {len(queries)} queries, {len(packages)} analytic rules")
    if not queries:
        report.say(f"{rules.name}: no query")
        return
    run = ["node", validators / "kusto-check.cjs", "--lint", "--rule", "--format", "ndjson", folder]
    answers = [json.loads(line) for line in node(run).splitlines()]
    found = [(Path(answer["id"]).name, d["severity"], d["code"], d["message"])
             for answer in answers for d in answer["diagnostics"]]
    run = ["node", validators / "sentinel-rule-check.cjs", "--format", "json", folder]
    reports = json.loads(node(run))
    # What it says of a rule's query has been said of the query's own file.
    found += [(Path(one["file"]).name, d["severity"], d["where"] or "rule", d["message"])
              for one in reports for d in one["items"] if not d["where"].startswith("query")]
    if (len(answers), len(reports)) != (len(queries), len(packages)):
        report.fail(f"{rules.name}: a validator has not seen every file")
    judge_findings(rules, found, report)
    report.say(f"{rules.name}: {len(queries)} queries and analytic rules bound")


def node(command):
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[1].name}: {done.stderr}")
    return done.stdout


def judge_findings(rules, found, report):
    """Errors fail, warnings in a strict set too, the rest is counted"""
    counts = collections.Counter((severity, code) for _, severity, code, _ in found)
    for (severity, code), number in sorted(counts.items()):
        fatal = severity == "error" or (
            severity == "warning" and rules.strict and code not in rules.allowed)
        if fatal or severity == "warning":
            say = report.fail if fatal else report.say
            say(f"{rules.name}: {number} × {severity} {code}")
            same = [f for f in found if f[1:3] == (severity, code)]
            for file, _, _, message in same[:SHOWN]:
                report.say(f"    {file}: {message}")


# ---------------------------------------------------------------------------------------- Elastic

def check_elastic(rules, report):
    """Import, hazards, and the same rule in both formats"""
    emitted = list(elastic_rules(rules))
    hazards = collections.Counter()
    for file, rule in emitted:
        errors, warnings = import_check.check(rule)
        place = f"{file.name}: {rule['name']}"
        for problem in errors + warnings:
            report.fail(f"{place}: {problem}")
        for kind, message in kuery_ref.hazards(rule["query"], data_view(tuple(rule["index"]))):
            if kind == "text-wildcard":
                continue
            hazards[kind] += 1
            if rules.strict:
                report.fail(f"{place}: {kind}: {message}")
    for kind, number in sorted(hazards.items()):
        report.say(f"{rules.name}: {number} × hazard {kind}")
    compare_formats(rules, dict((rule["rule_id"], rule) for _, rule in emitted), report)
    report.say(f"{rules.name}: {len(emitted)} rules taken by the import check")


def elastic_rules(rules):
    """Each emitted rule with its file"""
    for file in rules.files("elastic", ".ndjson"):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield file, json.loads(line)


def compare_formats(rules, lines, report):
    """The TOML of detection-rules against the import line"""
    tables = {}
    for file in rules.files("elastic", ".toml"):
        rule = tomllib.loads(file.read_text(encoding="utf-8"))["rule"]
        terms = rule.pop("new_terms", None)
        if terms:
            history, = terms["history_window_start"]
            rule["new_terms_fields"] = terms["value"]
            rule[history["field"]] = history["value"]
        rule["query"] = rule["query"].strip()
        tables[rule["rule_id"]] = rule
    differing = [rule_id for rule_id in lines.keys() | tables.keys()
                 if without_empty(lines.get(rule_id)) != without_empty(tables.get(rule_id))]
    if differing:
        report.fail(f"{rules.name}: {len(differing)} rules differ in TOML and NDJSON", differing)


def without_empty(value):
    """The same without empty lists, which only one format writes"""
    if isinstance(value, dict):
        return {key: without_empty(part) for key, part in value.items() if part != []}
    return [without_empty(part) for part in value] if isinstance(value, list) else value


# ----------------------------------------------------------------------------------------- shapes

def scan(paths, files):
    """What the native engine finds in these files of events"""
    events = [part for file in files for part in ("-e", file)]
    done = rulecast("scan", *paths, "-q", "--field", "sigma", *events)
    return [json.loads(line) for line in done.stdout.splitlines()]


def elastic_id(hit):
    """The id of the Elastic rule that a hit's signal becomes: UUID 5 of the rule's own"""
    try:
        namespace = uuid.UUID(hit["id"])
    except (TypeError, ValueError):
        namespace = uuid.uuid5(uuid.NAMESPACE_OID, hit["rule"])
    return str(uuid.uuid5(namespace, f"elastic/{hit['signal']}"))


def compare_shapes(rules, files, events, documents, report):
    """Each emitted rule on each event, natively and as Elastic would"""
    place = {(event.file, event.line): at for at, event in enumerate(events)}
    native = collections.Counter()
    for hit in scan(rules.paths, files):
        native[elastic_id(hit)] |= 1 << place[hit["file"], hit["line"]]
    reasons, pairs, matches = collections.Counter(), 0, 0
    for file, rule in elastic_rules(rules):
        found, wanted = documents.matching(rule_query(rule)), native[rule["rule_id"]]
        pairs += len(events)
        matches += wanted.bit_count()
        differing = [events[at] for at in members(found ^ wanted)]
        if not differing:
            continue
        verdicts = [bool(wanted >> place[e.file, e.line] & 1) for e in differing]
        whys = differences.explain(rule, differing, verdicts)
        reasons.update(why for why in whys if why)
        bugs = [(event, verdict) for event, verdict, why in zip(differing, verdicts, whys)
                if not why]
        if bugs:
            report.fail(f"{file.name}: {rule['name']} [{rule['rule_id']}]: "
                        f"{len(bugs)} verdicts differ", [shown(*bug) for bug in bugs])
    report.say(f"{rules.name}: {pairs:,} pairs of event and rule compared, {matches:,} match")
    for why, number in sorted(reasons.items()):
        report.say(f"    {number} differ as the shapes do: {why}")


def shown(event, verdict):
    """An event and what the native engine says of it, short"""
    fields = {key: value for key, value in event.sigma.items() if "Guid" not in key}
    return f"{event.id} native {verdict}: {json.dumps(fields)[:600]}"


# ----------------------------------------------------------------------------------------- labels

def check_labels(rules, report):
    """Every recorded web shell is found, and no event that has nothing to do with one"""
    files = event_files()
    events = {(event.file, event.line): event for event in read_events(files)}
    hits = [(hit["signal"], events[hit["file"], hit["line"]])
            for hit in scan(rules.paths, files)]
    table = collections.Counter((signal, event.label) for signal, event in hits)
    for (signal, label), number in sorted(table.items()):
        report.say(f"{signal:<16} {label:<16} {number:>4}")
    found = {event.id for _, event in hits}
    missed = [event for event in events.values() if event.label == "webshell"
              and event.kind in ("process_creation", "file_event") and event.id not in found]
    wrong = [event for _, event in hits if event.label == "other"]
    if missed:
        report.fail(f"{len(missed)} web shells are missed", [shown(e, False) for e in missed])
    if wrong:
        report.fail(f"{len(wrong)} other events match", [shown(e, True) for e in wrong])
    if not hits:
        report.fail("the rules find nothing")


# -------------------------------------------------------------------------------------------- all

def run(work, report):
    sets = rule_sets(work)
    report.step("Conversion")
    for rules in sets:
        convert(rules, report)
    report.step("Kusto")
    validators = install_validators(work)
    for rules in sets:
        check_kusto(rules, validators, report)
    report.step("Elastic")
    for rules in sets:
        check_elastic(rules, report)
    report.step("Shapes")
    files = event_files(KINDS)
    events = read_events(files)
    documents = Documents([(event.data_set, event.ecs) for event in events])
    for rules in sets:
        compare_shapes(rules, files, events, documents, report)
    report.step("Labels")
    check_labels(sets[0], report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="keep what is emitted in this new folder")
    arguments = parser.parse_args()
    report, started = Report(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        run(work, report)
    seconds = time.monotonic() - started
    print(f"Conformance: {len(report.failures)} failures, {seconds:.0f} seconds")
    for failure in report.failures:
        print(f"  {failure}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
