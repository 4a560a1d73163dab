"""The tables and functions that emitted queries ask, with the columns that they name.

In: tests/conformance/schema.json, and with RULECAST_CORPUS the schemas of the corpus, which cover
every table. Out: the compact schema, made anew with `--write` from the emitted queries, and what
of it differs from the corpus.

Facts from Microsoft's reference of Azure Monitor Logs tables, of the advanced hunting schema and
of the ASIM schemas (CC BY 4.0); the notice stands in the file.
"""
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import native

FILE = Path(__file__).with_name("schema.json")
CORPUS = os.environ.get("RULECAST_CORPUS")
TARGETS = {"sentinel": "sentinel", "asim": "sentinel", "xdr": "xdr"}
PARTS = ("tables", "functions")
NOTICE = ("Names and types of columns: Azure Monitor Logs table reference, advanced hunting schema "
          "reference and ASIM schema reference, Microsoft, CC BY 4.0 "
          "(https://creativecommons.org/licenses/by/4.0/); cut down to what is in use.")


def read():
    return json.loads(FILE.read_text(encoding="utf-8"))


def corpus():
    """Every table and function of the corpus, in the same form"""
    schemas = Path(CORPUS) / "schemas"
    load = lambda name: json.loads((schemas / name).read_text(encoding="utf-8"))
    described = load("kusto-functions.json")
    functions = {
        name: described["results"][one["returns"]]["columns"]
        for name, one in described["functions"].items() if name.startswith("_Im_")}
    return {"sentinel": {"tables": load("kusto-tables.json"), "functions": functions},
            "xdr": {"tables": load("kusto-tables-xdr.json"), "functions": {}}}


def differing():
    """What the compact schema says that the corpus does not"""
    ours, theirs = read(), corpus()
    for platform in theirs:
        for part in PARTS:
            for table, columns in ours[platform][part].items():
                known = theirs[platform][part].get(table, {})
                for name, kind in columns.items():
                    if known.get(name) != kind:
                        yield f"{platform}: {table}.{name}: {kind}, corpus {known.get(name)}"


def physical(schema):
    """Tables as one database holds them: both platforms' columns, and those the proof needs"""
    found = {}
    for platform in ("sentinel", "xdr"):
        for part in PARTS:
            for table, columns in schema[platform][part].items():
                found.setdefault(table, {}).update(columns)
    return {table: one_spelling(columns) for table, columns in found.items()}


def one_spelling(columns):
    """Columns without those that differ from another in letter case only"""
    return {name: kind for name, kind in columns.items()
            if name == min(one for one in columns if one.lower() == name.lower())}


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


def main():
    rules = [native.ROOT / "rules", *sorted((native.ROOT / "tests/operators").rglob("*.yml"))]
    queries = []
    with tempfile.TemporaryDirectory() as folder:
        for target, platform in TARGETS.items():
            native.convert(rules, [target], Path(folder))
            queries += [(platform, file.read_text(encoding="utf-8"))
                        for file in sorted((Path(folder) / target).rglob("*.kql"))]
    compact = {"notice": NOTICE, **cut(corpus(), queries)}
    FILE.write_text(json.dumps(compact, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
