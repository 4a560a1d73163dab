"""The project under test: its sets of rules, and what a run reports."""
import functools
import json
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "conformance"))
import native  # noqa: E402

SHOWN = 5
# Targets that a rule has when it asks for them
OPTIONAL = ("asim", "xdr")


def listed(what):
    """The names that `rulecast list` shows"""
    lines = native.rulecast("list", what).stdout.splitlines()
    indented = any(line.startswith(" ") for line in lines)
    return {line.split()[0] for line in lines if line.startswith(" ") == indented}


def derived_id(hit, output):
    """The id of an output of the rule that a hit belongs to: UUID 5 of the rule's own"""
    return id_of(hit["id"], hit["rule"], output)


@functools.lru_cache(maxsize=None)
def id_of(rule_id, title, output):
    try:
        namespace = uuid.UUID(rule_id)
    except (TypeError, ValueError):
        namespace = uuid.uuid5(uuid.NAMESPACE_OID, title)
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
        """Emits the rules for the targets that every rule has, then for the others"""
        self.convert_for([], self.exits, report)
        self.convert_for(OPTIONAL, (0, 1), report)

    def convert_for(self, targets, exits, report):
        done = native.convert(self.paths, targets, self.output)
        found = done.stderr.splitlines()
        said = next(line for line in found if " files written to " in line)
        name = " and ".join([self.name, *targets])
        report.say(f"{name}: {said}")
        errors = [line for line in found if ": error[" in line]
        if done.returncode not in exits:
            report.fail(f"{name}: convert exits {done.returncode}", errors or found)
        elif errors and self.strict and exits == self.exits and 0 in exits:
            report.examples(errors)

    def files(self, target, suffix):
        """What was emitted for a target"""
        return sorted((self.output / target).rglob(f"*{suffix}"))

    def queries(self, target="sentinel"):
        """Each emitted Kusto query with its file"""
        for file in self.files(target, ".kql"):
            yield file, file.read_text(encoding="utf-8")

    def elastic_rules(self):
        """Each emitted Elastic rule with its file"""
        for file in self.files("elastic", ".ndjson"):
            for line in file.read_text(encoding="utf-8").splitlines():
                yield file, json.loads(line)


class Report:
    """What failed, and what was counted"""

    def __init__(self):
        self.failures = []
        self.started = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.started

    def step(self, title):
        print(f"{title} ({self.seconds():.0f} s)", flush=True)

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
