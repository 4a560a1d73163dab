"""Proves on the corpus what tests/conformance does not: Elastic, packages, verdicts and labels.

1. Elastic: Kibana's import takes every line, no query has a hazard. That the rule for
   detection-rules says the same as the line, tests/suite/trials.rs proves.
2. Agreement: on every recorded event the native engine and the Elastic rule on its ECS document
   agree, or the document holds something else (differences.py).
3. New terms: a rule alerts about what the native engine calls new.
4. Verdicts: of Sigma's rules the native engine says what pySigma with SQLite says.
5. Labels: the rules of this project find every recorded web shell and nothing else.
6. Kusto: a linter finds nothing in a query, and every package around one is complete.

`rules/` and `tests/operators/` must be spotless, and the operators use every key and modifier.
Of the corpus's Sigma rules, which have a style of their own, warnings are counted. The golden
definition is reported.

Needs RULECAST_CORPUS, the release binary, node and npm. Exits 1 on any failure.
"""
import argparse
import re
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import agreement
import labels
import novelty
import packages
import verdicts
from corpus import CORPUS, read_events
from project import ROOT, Report, RuleSet, listed

OPERATORS = ROOT / "tests" / "operators"
REFUSED = OPERATORS / "refused"
# Advice against what a definition asks for in so many words: whole command lines, cased names.
ASKED_FOR = frozenset({"KX103", "KX115"})


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
    keys = re.findall(r"([\w|-]+):", written)
    used = {part for key in keys for part in key.split("|")}
    missing = sorted((listed("fields") | listed("modifiers")) - used)
    if missing:
        report.fail(f"no operator uses {', '.join(missing)}")


# -------------------------------------------------------------------------------------------- all

def run(work, report):
    sets = rule_sets(work)
    report.step("Conversion")
    for rules in sets:
        rules.convert(report)
    check_operators(sets, report)
    # The validators take a core of their own meanwhile.
    with ThreadPoolExecutor(1) as pool:
        validators = packages.install_validators(work)
        validated = [(rules, target, pool.submit(packages.validate, rules, target, validators))
                     for rules in sets for target in packages.PACKAGES]
        check_events(sets, work, report)
    report.step("Kusto")
    for rules, target, found in validated:
        packages.check_kusto(rules, target, found.result(), report)


def check_events(sets, work, report):
    """Everything that is judged with the recorded events"""
    report.step("Elastic")
    for rules in sets:
        packages.check_elastic(rules, report)
    report.step("Agreement")
    events = read_events()
    recorded = agreement.Recorded(events, work)
    for rules in sets:
        agreement.compare(rules, recorded, report)
    report.step("New terms")
    for rules in sets:
        novelty.compare(rules, recorded, work, report)
    report.step("Verdicts")
    verdicts.check(report)
    report.step("Labels")
    labels.check(sets[0], events, work, report)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="keep what is emitted in this new folder")
    arguments = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.keep or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        run(work, report)
    print(f"Conformance: {len(report.failures)} failures, {report.seconds():.0f} seconds")
    for failure in report.failures:
        print(f"  {failure}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
