"""Reads emitted EQL with the package `eql`, which Elastic's own repository of rules reads theirs with,
and asks its engine for the verdicts that the project's judge of EQL gives.

The engine answers otherwise than Elasticsearch on many queries (case, missing values, lists), so it is
asked only about those of `eql_verdicts.jsonl`, which have nothing of the kind. A test of the suite
writes them, with what the judge finds.
"""
import json
import re
from pathlib import Path

import eql
import eql.parser
from eql.events import Event

import native
import schema

VERDICTS = Path(__file__).with_name("eql_verdicts.jsonl")
# An event in a line of that file: its category, host, user, milliseconds and word
EVENT = re.compile(r"(.)(.)(.)(\d+)(\D+)")


def parsed(query):
    """A query as the package reads it; its optimizer takes `a in ("x") or a != "y"` for `a in ("x")`"""
    with eql.parser.elasticsearch_syntax, eql.parser.ignore_missing_functions, \
            eql.parser.allow_negation, eql.parser.allow_runs, eql.parser.skip_optimizations:
        return eql.parse_query(query)


def refused(query):
    """Why the package refuses a query; nothing where it takes it"""
    try:
        parsed(query)
    except eql.EqlError as why:
        return str(why).splitlines()[0]
    return None


def found(query, words):
    """The places of the events that the package finds, those of one sequence joined by commas"""
    engine, chains = eql.PythonEngine({"time_unit": 1000}), []
    engine.add_query(parsed(query))
    engine.add_output_hook(lambda output: chains.append(output.events))
    for at, word in enumerate(words.split()):
        category, host, user, time, said = EVENT.fullmatch(word).groups()
        data = {"host": host, "user": user, "word": said, "at": str(at)}
        engine.stream_event(Event(category, int(time), data))
    engine.finalize()
    return " ".join(",".join(event.data["at"] for event in chain) for chain in chains)


def prove_verdicts(report):
    """What the package finds is what the judge finds"""
    cases = [json.loads(line) for line in VERDICTS.read_text(encoding="utf-8").splitlines()]
    wrong = []
    for case in cases:
        theirs = found(case["query"], case["events"])
        if theirs != case["found"]:
            wrong.append(f"{case['query']} on {case['events']}: {case['found']}, the package {theirs}")
    few = [] if len(cases) > 100 else ["there are hardly any queries"]
    report.check(f"Of {len(cases)} queries in EQL the package finds what the judge finds", wrong + few)


def prove(work, report):
    """Every rule in EQL that the project emits, and with the corpus those of other people; the judge"""
    prove_verdicts(report)
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
