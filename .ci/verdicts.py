"""Whether the native engine says of Sigma's rules what another tool says of them.

In: the verdicts of pySigma and its SQLite backend on every recorded event, which come with the
corpus. Out: a failure for every pair of rule and event that only one of the two has, unless
verdict_differences.tsv explains the rule with a sentence of Sigma's specification.
"""
import gzip
import json
import re

from corpus import CORPUS, EVENTS
from project import ROOT, native

EXPLAINED = ROOT / ".ci" / "verdict_differences.tsv"


def check(report):
    """Compares the pairs of the engine with those of the reference"""
    reference = json.loads((CORPUS / "data" / "sigma-verdicts" / "verdicts.json").read_text())
    silent = reference.pop("_no_match")
    files = sorted(EVENTS.glob("*/*.jsonl.gz"))
    files.append(CORPUS / "data" / "sigma-regression" / "events.jsonl.gz")
    found = pairs(files)
    explained = {line.split("\t")[0] for line in EXPLAINED.read_text().splitlines()
                 if line and not line.startswith("#")}
    wanted = {(rule, event) for rule, events in reference.items() for event in events}
    judged = {*reference, *silent}
    missing = sorted(wanted - found)
    extra = sorted(pair for pair in found - wanted if pair[0] in judged)
    open_questions = [f"{rule} {event}: {who}" for who, differing in
                      (("only the reference", missing), ("only the engine", extra))
                      for rule, event in differing if rule not in explained]
    report.say(f"{len(judged)} rules, {len(wanted)} pairs of the reference: "
               f"{len(missing)} only there, {len(extra)} only here")
    if len(wanted) < 1000:
        report.fail("there are hardly any verdicts to compare with")
    if open_questions:
        report.fail(f"{len(open_questions)} verdicts differ", open_questions)


def pairs(files):
    """Rule and event of every match of the engine"""
    rules = CORPUS / "data" / "sigma" / "rules"
    events = [part for file in files for part in ("-e", file)]
    done = native.rulecast("scan", rules, *events, "--field", "sigma", "--event-field", "kind",
                           "--quiet", "--ignore", "W", exits=(0, 1))
    paths = {identity(file): str(file.relative_to(rules.parent)) for file in rules.rglob("*.yml")}
    names = {str(file): ids(file) for file in files}
    matches = map(json.loads, done.stdout.splitlines())
    return {(paths[one["id"]], names[one["file"]][one["line"] - 1]) for one in matches}


def identity(file):
    """The id of a rule"""
    return re.search(r"^id: (\S+)", file.read_text(encoding="utf-8"), re.M)[1]


def ids(file):
    """The ids of the events of a file, by line"""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["id"] for line in lines]
