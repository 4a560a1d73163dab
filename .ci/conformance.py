"""Holds emitted Kusto against validators that know nothing of rulecast.

One is a linter of queries, the other knows what Sentinel and Defender take as a package around a
query. Both come with the corpus that RULECAST_CORPUS names.

In: the rules of this project and of the corpus, as they are converted. Prints what is found in each
set of rules for each target. Exits 1 on an error, and on a warning unless the rules are Sigma's,
which have a style of their own. Needs the binary that the tests build, node and npm.
"""
import collections
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "conformance"))
import native  # noqa: E402
import schema  # noqa: E402

CORPUS = Path(schema.CORPUS)
# The packages around each query
SUFFIXES = {
    "sentinel": (".analytic.yaml", ".hunting.yaml", ".arm.json"),
    "asim": (".analytic.yaml", ".hunting.yaml", ".arm.json"),
    "xdr": (".detection.json",),
}
# Of the many rules of Sigma every so manieth is looked at: the proof binds them all, and one in four shows
# what the linter and the packages have to say.
SAMPLE = 4
# Advice against what the operators ask for in so many words: whole command lines, cased names
ASKED_FOR = ("KX103", "KX115")
SHOWN = 5


@dataclass
class RuleSet:
    """Rules that are treated alike"""
    name: str
    paths: list
    # Whether every target that they ask for takes all of them
    taken: bool = False
    # Whether a warning is a failure, and which warnings are none
    strict: bool = True
    allowed: tuple = ()


def rule_sets():
    operators = ROOT / "tests" / "operators"
    return [
        RuleSet("rules", [ROOT / "rules"], taken=True),
        RuleSet("operators", sorted(operators.glob("*.yml")), taken=True, allowed=ASKED_FOR),
        RuleSet("refused operators", [operators / "refused"], allowed=ASKED_FOR),
        RuleSet("golden", sorted((CORPUS / "golden").glob("*.yml"))),
        RuleSet("Sigma", [CORPUS / "data" / "sigma" / "rules"], strict=False),
    ]


def install(work):
    """A writable copy of the validators with the packages that their lock file names"""
    folder = work / "validators" / "kusto"
    shutil.copytree(CORPUS / "validators" / "kusto", folder)
    shutil.copytree(CORPUS / "schemas", work / "schemas")
    subprocess.run(["chmod", "-R", "u+w", work], check=True)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                   cwd=folder, check=True)
    return folder


def node(script, *arguments):
    done = subprocess.run(["node", script, *arguments], capture_output=True, text=True,
                          encoding="utf-8", check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{script.name}: {done.stderr}")
    return done.stdout


def check(rules, target, folder, validators):
    """What is wrong with a set's queries and packages for a target: failures, then lines to show

    Of Sigma's rules, which are many, only the packages for Sentinel are looked at.
    """
    if not folder.is_dir():
        return [], []
    queries = sorted(folder.rglob("*.kql"))
    packages = sorted(query.with_suffix(suffix) for query in queries for suffix in SUFFIXES[target])
    failures = []
    if packages != sorted([*folder.rglob("*.yaml"), *folder.rglob("*.json")]):
        failures.append(f"{rules.name}, {target}: a query lacks a package, or a package its query")
    answers = node(validators / "kusto-check.cjs", "--lint", "--rule", "--profile",
                   schema.TARGETS[target], "--format", "ndjson", folder).splitlines()
    found = [(Path(answer["id"]).name, one["severity"], one["code"], one["message"])
             for answer in map(json.loads, answers) for one in answer["diagnostics"]]
    judged = []
    if rules.strict or target == "sentinel":
        judged = json.loads(node(validators / "sentinel-rule-check.cjs", "--format", "json", folder))
        if len(judged) != len(packages):
            failures.append(f"{rules.name}, {target}: not every package was looked at")
    # What is advised about the query in a package has been said about the query's own file.
    found += [(Path(package["file"]).name, one["severity"], one["where"] or "rule", one["message"])
              for package in judged for one in package["items"]
              if one["severity"] == "error" or "query" not in one["where"]]
    # These validators know the tables of Microsoft's own rules; the proof binds the queries of others.
    if not rules.strict:
        unknown = {file.split(".")[0] for file, _, code, _ in found if code == "KS204"}
        found = [one for one in found if one[0].split(".")[0] not in unknown]
    if len(answers) != len(queries):
        failures.append(f"{rules.name}, {target}: not every query was looked at")
    shown = [f"{rules.name}, {target}: {len(queries)} queries, {len(judged)} packages"]
    if not rules.strict and unknown:
        shown.append(f"  {len(unknown)} of them over tables that the validators do not know")
    alike = collections.defaultdict(list)
    for file, severity, code, message in found:
        if severity in ("error", "warning"):
            alike[severity, code].append(f"    {file}: {message}")
    for (severity, code), lines in sorted(alike.items()):
        title = f"{rules.name}, {target}: {len(lines)} × {severity} {code}"
        if severity == "error" or rules.strict and code not in rules.allowed:
            failures.append(title)
        shown += [f"  {title}", *lines[:SHOWN]]
    return failures, shown


def thin_out(output):
    """Removes all but some of the rules in a folder of outputs, each with all its files"""
    for target in schema.TARGETS:
        queries = sorted((output / target).rglob("*.kql"))
        for number, query in enumerate(queries):
            if number % SAMPLE:
                for file in (query, *map(query.with_suffix, SUFFIXES[target])):
                    file.unlink()


def run(work):
    """Converts and checks every set of rules; the failures"""
    validators, failures, checks = install(work / "corpus"), [], []
    # Node needs a core for itself; two are kept busy.
    with ThreadPoolExecutor(2) as pool:
        for number, rules in enumerate(rule_sets()):
            output = work / str(number)
            if rules.taken and native.convert(rules.paths, [], output).returncode:
                failures.append(f"{rules.name}: a target refuses a rule")
            native.convert(rules.paths, schema.TARGETS, output)
            if not rules.strict:
                thin_out(output)
            checks += [pool.submit(check, rules, target, output / target, validators)
                       for target in schema.TARGETS]
        for one in checks:
            wrong, shown = one.result()
            failures += wrong
            for line in shown:
                print(line, flush=True)
    return failures


def main():
    with tempfile.TemporaryDirectory() as folder:
        failures = run(Path(folder))
    print(f"Conformance: {len(failures)} failures")
    for failure in failures:
        print(f"  FAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
