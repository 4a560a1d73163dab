"""The project under test: its binary, its sets of rules, and what a run reports."""
import json
import os
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "rulecast"
SHOWN = 5


def rulecast(*arguments):
    """Runs the release binary"""
    command = [BINARY, *arguments, "--format", "concise", "--color", "never"]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def listed(what):
    """The names that `rulecast list` shows"""
    lines = rulecast("list", what).stdout.splitlines()
    indented = any(line.startswith(" ") for line in lines)
    return {line.split()[0] for line in lines if line.startswith(" ") == indented}


def hits(paths, files, *options):
    """What the native engine finds in files of events"""
    events = [part for file in files for part in ("-e", file)]
    done = rulecast("scan", *paths, "-q", *options, *events)
    return [json.loads(line) for line in done.stdout.splitlines()]


def derived_id(hit, output):
    """The id of an output of the rule that a hit belongs to: UUID 5 of the rule's own"""
    try:
        namespace = uuid.UUID(hit["id"])
    except (TypeError, ValueError):
        namespace = uuid.uuid5(uuid.NAMESPACE_OID, hit["rule"])
    return str(uuid.uuid5(namespace, output))


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

    def convert(self, report):
        """Emits the rules for every target"""
        done = rulecast("convert", *self.paths, "-o", self.output)
        *found, said = done.stderr.splitlines()
        report.say(f"{self.name}: {said}")
        errors = [line for line in found if ": error[" in line]
        if done.returncode not in self.exits:
            report.fail(f"{self.name}: convert exits {done.returncode}", errors or found)
        elif errors and self.strict and 0 in self.exits:
            report.examples(errors)

    def files(self, target, suffix):
        """What was emitted for a target"""
        return sorted((self.output / target).rglob(f"*{suffix}"))

    def queries(self):
        """Each emitted Kusto query with its analytic rule's file"""
        for file in self.files("sentinel", ".kql"):
            yield file, file.with_suffix(".analytic.yaml")

    def elastic_rules(self):
        """Each emitted Elastic rule with its file"""
        for file in self.files("elastic", ".ndjson"):
            for line in file.read_text(encoding="utf-8").splitlines():
                yield file, json.loads(line)


class Report:
    """What failed, and what was counted"""

    def __init__(self):
        self.failures = []

    def step(self, title):
        print(title, flush=True)

    def say(self, text):
        print(f"  {text}", flush=True)

    def examples(self, lines):
        for line in list(lines)[:SHOWN]:
            self.say(f"    {line}")

    def fail(self, what, examples=()):
        """One failure with a few examples of it"""
        self.failures.append(what)
        self.say(f"FAILED {what}")
        self.examples(examples)
