"""Asks Microsoft's binder about every emitted query, and the packages for the columns they map.

In: emitted files of a target. Out: what is wrong, and which columns each query returns.
"""
import json
import re
import subprocess
from pathlib import Path

DRIVER = Path(__file__).with_name("bind.cjs")


def bind(queries, modules, schema_file):
    """Diagnostics and columns by file, for triples of a file, its platform and its query"""
    asked = "".join(json.dumps({"id": str(file), "platform": platform, "query": query}) + "\n"
                    for file, platform, query in queries)
    done = subprocess.run(["node", DRIVER, modules, schema_file], input=asked, check=True,
                          capture_output=True, text=True, encoding="utf-8")
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    if len(answers) != len(queries):
        raise RuntimeError(f"{len(queries)} queries asked, {len(answers)} answered")
    return {answer["id"]: answer for answer in answers}


def findings(queries, modules, schema_file):
    """What the binder says of queries, and mapped columns that a query does not return"""
    found = []
    answers = bind(queries, modules, schema_file)
    mapped = 0
    for file, _, query in queries:
        answer = answers[str(file)]
        found += [f"{file.name}:{diagnostic}" for diagnostic in answer["diagnostics"]]
        for place, column in sorted(columns(file, query)):
            mapped += 1
            if column not in answer["columns"]:
                found.append(f"{file.name}: {place} maps `{column}`, which the query lacks")
    return found, mapped


def columns(file, query):
    """Places of the packages around a query with the columns that they map"""
    found = set()
    for package in sorted(file.parent.glob(f"{file.stem}.*")):
        if package.suffix == ".kql":
            continue
        text = package.read_text(encoding="utf-8")
        if package.suffix == ".json":
            names = list(mapped(json.loads(text)))
            if not any(query.strip() == part.strip() for part in texts(json.loads(text))):
                found.add((package.name, "a query other than the one that was bound"))
        else:
            names = re.findall(r"(?:columnName|\w+ColumnName): (\w+)$", text, re.M)
            for line in re.findall(r"^ +alert\w+Format: .*$", text, re.M):
                names += re.findall(r"\{\{(\w+)\}\}", line)
            details = re.search(r"^customDetails:\n((?:  \w+: \w+\n)+)", text, re.M)
            names += re.findall(r": (\w+)$", details[1], re.M) if details else []
        found.update((package.name, name) for name in names)
    return found


def mapped(part, key=""):
    """Columns that a package names, wherever it may"""
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "customDetails" and isinstance(value, dict):
                yield from value.values()
            else:
                yield from mapped(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from mapped(value, key)
    elif isinstance(part, str):
        if re.search(r"[cC]olumn(Name)?$", key):
            yield part
        if key.startswith("alert") and key.endswith("Format"):
            yield from re.findall(r"\{\{(\w+)\}\}", part)


def texts(part):
    """Every text in a package"""
    if isinstance(part, str):
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from texts(value)
