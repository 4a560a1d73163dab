"""Proves that every emitted Kusto query returns the events that the engine matches.

1. Bind: no query has a diagnostic of Microsoft's binder, every package around one holds it and
   maps columns of its result.
2. Execute: over recorded events and events near each literal, the rows of a query are the events
   that the engine matches, signal by signal, with their levels, new terms and correlations.
3. Late: runs one after another report each event once, and answer the same, though rows arrive late.
   `verify` does all of this for every rule; here are the rules under rules/, and a sample of the others.
4. Answers: DuckDB gives to queries made by chance the answers of the evaluator that `verify` runs.
5. Read: Elastic's own package takes every rule in EQL, and finds what the judge of EQL finds where
   it answers as Elasticsearch does.

In: the rules under rules/ and tests/operators/, with RULECAST_CORPUS also its rules and events.
Prints a table and ends `N passed, N failed`.
"""
import argparse
import functools
import json
import re
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import binding
import corpus
import eql_reader
import events
import judge
import kusto_answers
import late
import native
import schema
from engine import Kusto
from report import Report
from trial import Made, near_trial

# Of the rules that are not under rules/, one of so many is asked, with one of so many events near its literals,
# and one of so many is run late
ASKED = 2
NEAR = 2
LATE = 6


def rule_files():
    return sorted([*(native.ROOT / "rules").rglob("*.yml"), *corpus.operators()])


def bind(queries, modules, tables, work, packages):
    """What the binder says of queries, and what is said of the packages around them, for the report"""
    file = work / "schema.json"
    file.write_text(json.dumps(tables), encoding="utf-8")
    wrong = binding.findings(queries, modules, file)
    held = sum(number for _, number in packages)
    return (f"{len(queries)} queries bound without a diagnostic, the packages of {held} hold them",
            [*wrong, *(line for lines, _ in packages for line in lines)])


def prove_rule(path, folder, number):
    """One rule file: its targets, its queries, and its runs; the number decides about what is sampled"""
    is_whole = native.ROOT / "rules" in path.resolve().parents
    if not is_whole and number % ASKED:
        made = Made(path.stem, [path], folder)
        return made.name, [], made.texts(), made.packages, (0, [])
    kusto, known = database(), events.recorded()
    trial = near_trial(path, known, folder, 1 if is_whole else NEAR)
    asked = set(re.findall(r"\w+", " ".join(text for *_, text in trial.texts())))
    kusto.load(row for row in events.tables(trial.examples) if row["$table"] in asked)
    tallies = list(judge.run(trial, kusto.known))
    return trial.name, tallies, trial.texts(), trial.packages, \
        late.prove(trial) if is_whole or not number % LATE else (0, [])


@functools.lru_cache(maxsize=None)
def database():
    return Kusto(schema.physical(schema.read()))


def prove(paths, modules, work, report):
    """The rules of the project, on events near their literals; a process a core"""
    report.head("Rules on recorded and near events")
    queries, packages, untried = [], [], []
    runs, lost, silent = 0, [], []
    with ProcessPoolExecutor() as pool:
        folders = [work / str(number) for number in range(len(paths))]
        proved = pool.map(prove_rule, paths, folders, range(len(paths)))
        for path, (name, tallies, asked, held, (made, wrong)) in zip(paths, proved):
            if not asked and "refused" not in path.parts and not native.reads(path):
                silent.append(f"{path}: it has errors")
            for target, tally in tallies:
                report.line(name, target, tally)
                untried += tally.untried
            queries += asked
            packages.append(held)
            runs += made
            lost += wrong
    report.check("Every rule without a query is whole", silent)
    report.check(f"{runs} runs report each event once, however late it arrives", lost)
    report.check("Every signal is matched by some event", untried)
    report.check(*bind(queries, modules, schema.read(), work, packages))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", required=True, help="where npm has installed the binder")
    parser.add_argument("rules", nargs="*", type=Path, help="these rule files only")
    arguments = parser.parse_args()
    report, started = Report(), time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        prove(arguments.rules or rule_files(), arguments.modules, Path(work), report)
        if schema.CORPUS and not arguments.rules:
            corpus.prove(Path(work), report, lambda queries, tables, packages: bind(
                queries, arguments.modules, tables, Path(work), packages))
        if not arguments.rules:
            kusto_answers.prove(report)
            eql_reader.prove(Path(work), report)
    report.close()
    print(f"{time.monotonic() - started:.0f} seconds")
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
