"""Asks Microsoft's binder about every emitted query.

In: emitted queries. Out: what is wrong with them. Whether the packages around a query hold it, and
name columns that it returns, `rulecast verify` says, whose columns are held against the binder's in
tests/suite/kusto.rs.
"""
import json
import subprocess
from pathlib import Path

DRIVER = Path(__file__).with_name("bind.cjs")


def findings(queries, modules, schema_file):
    """Diagnostics of triples of a file, its platform and its query"""
    asked = "".join(json.dumps({"id": str(file), "platform": platform, "query": query}) + "\n"
                    for file, platform, query in queries)
    done = subprocess.run(["node", DRIVER, modules, schema_file], input=asked, check=True,
                          capture_output=True, text=True, encoding="utf-8")
    answers = [json.loads(line) for line in done.stdout.splitlines() if line]
    if len(answers) != len(queries):
        raise RuntimeError(f"{len(queries)} queries asked, {len(answers)} answered")
    return [f"{Path(answer['id']).name}:{diagnostic}" for answer in answers
            for diagnostic in answer["diagnostics"]]
