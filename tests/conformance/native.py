"""The program under test: what it emits, what its engine says of events, what it takes a rule for.

In: rule files and events. Out: parsed output of `rulecast convert`, `scan` and `show`.
"""
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = TARGET / "release" / "rulecast"


def rulecast(*arguments, exits=(0,)):
    """Runs the release binary; findings are expected where `exits` holds 1"""
    command = [BINARY, *arguments, "--format", "concise", "--color", "never"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in exits:
        raise RuntimeError(f"rulecast {arguments[0]} exits {done.returncode}: {done.stderr[:2000]}")
    return done.stdout


def convert(paths, targets, output):
    """Emits rules for targets into a folder; what a target refuses is left out"""
    chosen = [part for target in targets for part in ("-t", target)]
    rulecast("convert", *paths, *chosen, "-o", output, exits=(0, 1))


def scan(paths, events, *options):
    """What the engine reports of a file of events, one object a line"""
    said = rulecast("scan", *paths, "-q", "--event-field", "category", *options, "-e", events,
                    exits=(0, 1))
    return [json.loads(line) for line in said.splitlines()]


def show(path):
    """A rule as meant, as text"""
    return rulecast("show", path, "--stage", "ir", exits=(0, 1))
