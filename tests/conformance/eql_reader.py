"""Reads emitted EQL with the package `eql`, which Elastic's own repository of rules reads theirs with.

A second opinion on syntax only: its engine answers otherwise than Elasticsearch on many queries (case,
missing values, lists), so events are judged by the tests of the project.
"""
import json
from pathlib import Path

import eql
import eql.parser

import native
import schema


def refused(query):
    """Why the package refuses a query; nothing where it takes it"""
    try:
        with eql.parser.elasticsearch_syntax, eql.parser.ignore_missing_functions, \
                eql.parser.allow_negation, eql.parser.allow_runs, eql.parser.skip_optimizations:
            eql.parse_query(query)
    except eql.EqlError as why:
        return str(why).splitlines()[0]
    return None


def prove(work, report):
    """Every rule in EQL that the project emits, and with the corpus those of other people"""
    paths = [native.ROOT / "rules", native.ROOT / "tests" / "operators"]
    if schema.CORPUS:
        paths.append(Path(schema.CORPUS) / "data" / "sigma" / "rules")
    read, wrong = 0, []
    for number, path in enumerate(paths):
        output = work / f"eql{number}"
        native.convert([path], ["elastic"], output)
        for file in sorted(output.rglob("*.ndjson")):
            for line in file.read_text(encoding="utf-8").splitlines():
                rule = json.loads(line)
                # The package reads two characters by their numbers in one text as one number.
                if rule.get("type") == "eql" and rule["query"].count("\\u{") < 2:
                    why = refused(rule["query"])
                    read += 1
                    wrong += [f"{rule['name']}: {why}"] if why else []
    few = [] if read > 20 else ["hardly any rule is in EQL"]
    report.check(f"{read} rules in EQL are read by Elastic's own package", wrong + few)
