"""Asks DuckDB what the evaluator of Kusto that `verify` runs has answered.

In: `kusto_answers.jsonl`, which a test of the library writes: rows of a table, then queries that were made by
chance, each with its rows. Out: queries that DuckDB answers otherwise.
"""
import datetime
import json
from pathlib import Path

from engine import Kusto

ANSWERS = Path(__file__).with_name("kusto_answers.jsonl")
COLUMNS = {"Id": "long", "A": "string", "B": "string", "N": "long", "F": "bool",
           "TimeGenerated": "datetime"}
NOW = datetime.datetime(2024, 6, 1)


def prove(report):
    """Every query that was made by chance"""
    first, *lines = ANSWERS.read_text(encoding="utf-8").splitlines()
    kusto = Kusto({"T": COLUMNS})
    kusto.load({"$table": "T", **row} for row in json.loads(first)["rows"])
    wrong = []
    for line in lines:
        case = json.loads(line)
        rows = [list(row.values()) for row in kusto.ask(case["query"], NOW, keep=False)]
        if rows_of(rows) != rows_of(case["found"]):
            wrong.append(f"{case['query']}: {case['found']}, DuckDB {rows}")
    few = [] if len(lines) > 500 else ["there are hardly any queries"]
    report.check(f"Of {len(lines)} queries made by chance DuckDB finds what verify finds", wrong + few)


def rows_of(rows):
    return sorted(json.dumps(row) for row in rows)
