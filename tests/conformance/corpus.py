"""The proof on a corpus: its rules and this project's on every event that it holds.

In: the folder that RULECAST_CORPUS names. Out: lines of the report. Each event has a row that was
recorded or made with it, so nothing of the corpus is made from the tables of the compiler. The
queries are asked of one database, by as many processes as there are cores. Of the many rules of others
each is bound, and `verify` executes it near its literals; one of so many is asked here. Of the operators
each is asked near its literals; one file of so many is asked of the corpus.
"""
import multiprocessing
import os
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import events
import judge
import native
import schema
from engine import Kusto
from trial import TARGETS, Trial

# Of the rules of others one of so many is asked, and one of so many files of operators is tried
SAMPLED = {"Sigma": 12}
OPERATORS = 3
# A corpus whose rules are hardly converted proves nothing.
FEWEST = {"Sigma": 50}
# Those whose packages `verify` has not judged with the rule of each file
NOT_JUDGED = ("golden", "Sigma")


def prove(work, report, bind):
    """Executes every query while one thread waits for the binder; `bind` gives a line of the report"""
    folder = Path(schema.CORPUS)
    recorded = events.pack(folder / "data")
    trials = [Trial(name, paths, recorded, work / name, SAMPLED.get(name, 1))
              for name, paths in sets(folder, work)]
    queries = [one for trial in trials for one in trial.texts()]
    with ThreadPoolExecutor(1) as beside:
        bound = beside.submit(bind, queries, schema.corpus(),
                              [one.packages for one in trials if one.name in NOT_JUDGED])
        tables = schema.cut(schema.corpus(), [one[1:] for one in queries])
        report.head("Rules on the corpus")
        execute(trials, tables, work / "together.duckdb", report, judge.of_everything)
        report.head("Correlations at recorded times")
        apart = [correlations(trials, folder, work / "correlations")]
        execute(apart, tables, work / "apart.duckdb", report, judge.of_groups)
        report.check(*bound.result())


def correlations(trials, folder, work):
    """The rules of all trials, and all operators, that have correlations, with the recorded time between
    events"""
    paths = dict.fromkeys([*(path for trial in trials for path in trial.paths), *operators()])
    files = [file for path in paths for file in written(path)
             if re.search("^correlations:", file.read_text(encoding="utf-8"), re.M)]
    recorded = events.pack(folder / "data", as_recorded=True)
    return Trial("correlations", files, recorded, work)


def sets(folder, work):
    """The sets of rules, each with a folder for what it becomes"""
    found = {
        "rules": [native.ROOT / "rules"],
        "operators": operators()[::OPERATORS],
        "golden": sorted((folder / "golden").glob("*.yml")),
        "Sigma": [folder / "data" / "sigma" / "rules"],
    }
    for name in (*found, "correlations"):
        (work / name).mkdir()
    return found.items()


def operators():
    return sorted((native.ROOT / "tests" / "operators").rglob("*.yml"))


def written(path):
    return sorted(path.rglob("*.yml")) if path.is_dir() else [path]


def execute(trials, tables, file, report, questions):
    """Asks every query of trials that have the same events"""
    physical = schema.physical(tables)
    # Loaded here and closed before another process opens the file.
    kusto = Kusto(physical, file)
    kusto.load(events.tables(trials[0].examples))
    kusto.connection.close()
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"), opened,
                             (physical, file)) as pool:
        for trial in trials:
            emitted = dict.fromkeys(TARGETS, 0)
            for target, tally in judge.run(trial, lambda asked: pool.map(known, asked), questions):
                report.line(trial.name, target, tally)
                emitted[target] = tally.queries
            few = [f"{target}: {number} queries" for target, number in emitted.items()
                   if number < FEWEST.get(trial.name, 1)]
            report.check(None, few)


def opened(physical, file):
    """Opens the database in a process of its own"""
    global KUSTO  # pylint: disable=global-statement
    KUSTO = Kusto(physical, file, filled=True)


KUSTO = None


def known(questions):
    return next(KUSTO.known([questions]))
