"""Answers for the referee of Kibana's query language, a line of JSON each way.

In: {"parse": text}, or {"rule": {query, filters, index}, "events": [document…]}. Out: the syntax
tree or null; for a rule a digit an event, or "e" when Elasticsearch would refuse the search.
Takes the folder of the corpus.
"""
import functools
import json
import re
import sys
from pathlib import Path

CORPUS = Path(sys.argv[1])
sys.path.insert(0, str(CORPUS / "validators" / "elastic"))
import kuery_ref  # noqa: E402

kuery_ref._glob = functools.lru_cache(maxsize=None)(kuery_ref._glob)
FIELDS = CORPUS / "schemas" / "elastic-fields.json"
DATA_SETS = json.loads(FIELDS.read_text())["datasets"]
# What stands for a star in a tree; two side by side are one.
STAR = "\ue000"


def literal(value):
    """A name or a value"""
    if isinstance(value, kuery_ref.Wild):
        return ["wild", re.sub(f"{STAR}+", STAR, STAR.join(value.parts))]
    words = {None: "null", True: "true", False: "false"}
    text = value.value if isinstance(value.value, str) else words[value.value]
    return ["quoted" if value.quoted else "plain", text]


def name(value):
    """A field, by its name: quotes do not matter"""
    kind, text = literal(value)
    return ["wild" if kind == "wild" else "plain", text]


def tree(node):
    """A syntax tree as JSON"""
    kind = node[0]
    if kind in ("and", "or"):
        return [kind, [tree(part) for part in node[1]]]
    if kind == "not":
        return [kind, tree(node[1])]
    if kind == "nested":
        return [kind, name(node[1]), tree(node[2])]
    if kind == "range":
        return [kind, name(node[1]), node[2], literal(node[3])]
    if isinstance(node[1], kuery_ref.Lit) and node[1].value is None and not node[1].quoted:
        return ["anywhere", literal(node[2])]
    return [kind, name(node[1]), literal(node[2])]


def parse(text):
    """The syntax tree, or nothing"""
    if not text.strip(kuery_ref.SPACE):
        return ["and", []]
    try:
        return tree(kuery_ref.parse(text))
    except kuery_ref.KuerySyntaxError:
        return None


@functools.lru_cache(maxsize=None)
def view(patterns):
    """The mapping of each data set behind index patterns, and the types that Kibana sees"""
    names = [name for name, one in DATA_SETS.items() if set(one["index"]) & set(patterns)]
    return kuery_ref.load_view(FIELDS, names)


@functools.lru_cache(maxsize=None)
def index(patterns, data_set):
    """What a document is searched as; one that names no data set may be of any"""
    maps, _ = view(patterns)
    if data_set is None:
        return kuery_ref.Index({field: kind for one in maps.values() for field, kind in one.items()})
    return kuery_ref.Index(maps[data_set]) if data_set in maps else None


def leaves(query):
    """The parts of a query that look at a field"""
    (kind, body), = query.items()
    if kind != "bool":
        yield query
        return
    for part in body.values():
        if isinstance(part, (dict, list)):
            for one in part if isinstance(part, list) else [part]:
                yield from leaves(one)


def verdicts(rule, events):
    """Which events match"""
    patterns = tuple(rule["index"])
    query = kuery_ref.rule_dsl(rule["query"], rule["filters"], view(patterns)[1])
    try:
        for leaf in leaves(query):
            kuery_ref.matches(index(patterns, None), {}, leaf)
    except kuery_ref.QueryError:
        return "e"
    found = []
    for event in events:
        data_set = event.get("data_stream", {}).get("dataset")
        fields = index(patterns, data_set)
        found.append(fields is not None and kuery_ref.matches(fields, event, query))
    return "".join("01"[hit] for hit in found)


for line in sys.stdin:
    asked = json.loads(line)
    answer = parse(asked["parse"]) if "parse" in asked else verdicts(asked["rule"], asked["events"])
    print(json.dumps(answer))
