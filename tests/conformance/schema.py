"""The tables and functions that emitted queries ask, with all their columns.

In: src/query/kusto/columns.tsv, which the judge of emitted Kusto reads too, and with RULECAST_CORPUS the
schemas of the corpus, which cover every table (tests/suite/kusto.rs holds ours against them). Out:
tables and functions of each platform.
"""
import functools
import json
import os
import re
from pathlib import Path

import native

FILE = native.ROOT / "src/query/kusto/columns.tsv"
CORPUS = os.environ.get("RULECAST_CORPUS")
TARGETS = {"sentinel": "sentinel", "asim": "sentinel", "xdr": "xdr"}
PARTS = ("tables", "functions")


def read():
    """Types of columns by platform, part, table and name"""
    found = {platform: {part: {} for part in PARTS} for platform in ("sentinel", "xdr")}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        table, column, kind, where = line.split("\t")
        part = "functions" if table.startswith("_Im_") else "tables"
        for platform in found if where == "both" else [where]:
            found[platform][part].setdefault(table, {})[column] = kind
    return found


def corpus():
    """Every table and function of the corpus, in the same form"""
    schemas = Path(CORPUS) / "schemas"
    load = lambda name: json.loads((schemas / name).read_text(encoding="utf-8"))
    more = schemas / "kusto-tables-more.json"
    described = load("kusto-functions.json")
    functions = {
        name: described["results"][one["returns"]]["columns"]
        for name, one in described["functions"].items() if name.startswith("_Im_")}
    tables = {**load("kusto-tables.json"), **(load(more.name) if more.exists() else {})}
    # The corpus lacks some parsers, whose columns are those of the table that they are modelled on.
    functions = {**read()["sentinel"]["functions"], **functions}
    return {"sentinel": {"tables": tables, "functions": functions},
            "xdr": {"tables": load("kusto-tables-xdr.json"), "functions": {}}}


@functools.lru_cache(maxsize=None)
def everything():
    """The columns of every table and function that is known"""
    return physical(corpus() if CORPUS else read())


def physical(schema):
    """Tables as one database holds them: both platforms' columns, and those the proof needs"""
    found = {}
    for platform in ("sentinel", "xdr"):
        for part in PARTS:
            for table, columns in schema[platform][part].items():
                found.setdefault(table, {}).update(columns)
    return {table: one_spelling(columns) for table, columns in found.items()}


def one_spelling(columns):
    """Columns without those that differ from an earlier one in letter case only"""
    spelled = {}
    for name in columns:
        spelled.setdefault(name.lower(), name)
    return {name: columns[name] for name in spelled.values()}


def cut(schema, queries):
    """A schema cut down to what these queries name; pairs of a platform and a query"""
    found = {platform: {part: {} for part in PARTS} for platform in ("sentinel", "xdr")}
    for platform, query in queries:
        words = set(re.findall(r"\w+", query))
        for part in PARTS:
            for table in schema[platform][part].keys() & words:
                found[platform][part].setdefault(table, set()).update(words)
    return {platform: {part: {
        table: {name: kind for name, kind in sorted(schema[platform][part][table].items())
                if name in found[platform][part][table]}
        for table in sorted(found[platform][part])} for part in PARTS} for platform in found}
