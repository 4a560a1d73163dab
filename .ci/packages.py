"""What is wrong with what was emitted, as the validators of the corpus see it."""
import collections
import json
import shutil
import subprocess
from pathlib import Path

from corpus import CORPUS, import_check, kuery_ref
from elastic import data_view

# The files that belong to a query, and the schema it is bound against
PACKAGES = {
    "sentinel": ("sentinel", (".analytic.yaml", ".hunting.yaml", ".arm.json")),
    "asim": ("sentinel", (".analytic.yaml", ".hunting.yaml", ".arm.json")),
    "xdr": ("xdr", (".detection.json",)),
}


def install_validators(work):
    """A writable copy of the Kusto validators with the packages that their lock file names"""
    folder = work / "corpus" / "validators" / "kusto"
    shutil.copytree(CORPUS / "validators" / "kusto", folder)
    shutil.copytree(CORPUS / "schemas", work / "corpus" / "schemas")
    subprocess.run(["chmod", "-R", "u+w", work / "corpus"], check=True)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
                   cwd=folder, check=True)
    return folder


def validate(rules, target, validators):
    """What the validators say of a set's queries, and of the packages around them

    Of Sigma's rules, which are many, only the packages for Sentinel.
    """
    folder, (profile, _) = rules.output / target, PACKAGES[target]
    if not folder.is_dir():
        return [], []
    answers = node(validators / "kusto-check.cjs", "--lint", "--rule", "--profile", profile,
                   "--format", "ndjson", folder)
    packages = None
    if rules.strict or target == "sentinel":
        packages = json.loads(node(
            validators / "sentinel-rule-check.cjs", "--format", "json", folder))
    return [json.loads(line) for line in answers.splitlines()], packages


def check_kusto(rules, target, validated, report):
    """Queries against the schema, and every query with its packages"""
    answers, packages = validated
    queries, (_, suffixes) = rules.files(target, ".kql"), PACKAGES[target]
    expected = sorted(query.with_suffix(suffix) for query in queries for suffix in suffixes)
    if expected != sorted(rules.files(target, ".yaml") + rules.files(target, ".json")):
        report.fail(f"{rules.name}, {target}: a query lacks a package, or a package its query")
    looked_at = expected if packages is None else packages
    if (len(answers), len(looked_at)) != (len(queries), len(expected)):
        report.fail(f"{rules.name}, {target}: a validator has not seen every file")
    found = [(Path(answer["id"]).name, d["severity"], d["code"], d["message"])
             for answer in answers for d in answer["diagnostics"]]
    # What it advises of a package's query has been said of the query's own file.
    found += [(Path(package["file"]).name, d["severity"], d["where"] or "rule", d["message"])
              for package in packages or () for d in package["items"]
              if d["severity"] == "error" or "query" not in d["where"]]
    judge_findings(rules, found, report)
    report.say(f"{rules.name}, {target}: {len(queries)} queries bound, "
               f"{len(packages or ())} packages taken")


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


def check_elastic(rules, report):
    """Import and hazards"""
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
    report.say(f"{rules.name}: {len(emitted)} rules taken by the import check")
