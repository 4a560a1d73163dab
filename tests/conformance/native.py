"""The program under test: what it emits, what its engine says of events, which events are near.

In: rule files and events. Out: parsed output of `rulecast convert`, `scan` and `near`.
"""
import gzip
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = TARGET / "debug" / "rulecast"


def rulecast(*arguments, exits=(0,), format="concise"):
    """Runs the binary that the tests build; findings are expected where `exits` holds 1"""
    command = [BINARY, *arguments, "--format", format, "--color", "never"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in exits:
        raise RuntimeError(f"rulecast {arguments[0]} exits {done.returncode}: {done.stderr[:2000]}")
    return done


def convert(paths, targets, output, *options):
    """Emits rules for targets into a folder; what a target refuses is left out"""
    chosen = [part for target in targets for part in ("-t", target)]
    return rulecast("convert", *paths, *chosen, *options, "-o", output, exits=(0, 1))


def reads(path):
    """Whether a rule file has no errors"""
    return rulecast("check", path, exits=(0, 1)).returncode == 0


def verify(paths, targets, output):
    """What is wrong with the packages that stand around emitted queries, and of how many rules"""
    chosen = [part for target in targets for part in ("-t", target)]
    done = rulecast("verify", *paths, *chosen, "--artifacts", output, format="json", exits=(0, 1))
    said = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [f"{one['file']}: {one['target']}: {one['detail']}" for one in said
             if one["verdict"] in ("broken", "different")]
    return wrong, sum(one["verdict"] in ("binds", "same") for one in said)


def scan(paths, events, *options):
    """What the engine reports of a file of events, one object a line"""
    done = rulecast("scan", *paths, "-q", "--event-field", "category", *options, "-e", events,
                    exits=(0, 1))
    return [json.loads(line) for line in done.stdout.splitlines()]


def hits(paths, events):
    """Every event that fits a signal"""
    return [hit for hit in scan(paths, events, "--signals", "--known") if "signal" in hit]


def near(path, events):
    """Events near the literals of a rule, one object a line, also made from those of a file"""
    return map(json.loads, rulecast("near", path, "-e", events).stdout.splitlines())


def records(folder):
    """Every recorded event of a corpus with its kind, by source and kind"""
    for file in sorted(folder.glob("*/*.jsonl.gz")):
        kind = file.name.split(".")[0]
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield kind, json.loads(line)
