"""Answers for the corpus's referees of Kibana and Elasticsearch, a line of JSON each way.

In, one of:
  {"parse": text}                  Out: the syntax tree, or null
  {"rule": …, "events": […]}       Out: a digit for each document, 1 where the rule's query and
                                   filters match; or "e" when Elasticsearch would refuse the search,
                                   "u" when the referee of EQL does not know what it would do
  {"eql": text, "types": …, "events": […]}
                                   Out: the same for a query on an index with these types; of a
                                   sequence its documents' places, null for an absent one
  {"import": rule}                 Out: two lists of texts: what Kibana's import refuses or drops, and
                                   what the query may mean otherwise than its author thinks
  {"new_terms": rule, "events": …} Out: two lists of places: of the documents that alerts are about,
                                   and of those that lack a field of the terms
Takes the folder of the corpus.
"""
import atexit
import functools
import json
import math
import re
import sys
import tempfile
from pathlib import Path

CORPUS = Path(sys.argv[1])
sys.path.insert(0, str(CORPUS / "validators" / "elastic"))
import eql_ref  # noqa: E402
import import_check  # noqa: E402
import kuery_ref  # noqa: E402
import newterms_sim  # noqa: E402

kuery_ref._glob = functools.lru_cache(maxsize=None)(kuery_ref._glob)
eql_ref.glob = functools.lru_cache(maxsize=None)(eql_ref.glob)
eql_ref.lucene_regex = functools.lru_cache(maxsize=None)(eql_ref.lucene_regex)


def whole():
    """A file with the data sets of both schemas of the corpus"""
    read = lambda name: json.loads((CORPUS / "schemas" / name).read_text())
    schema, more = read("elastic-fields.json"), read("elastic-fields-more.json")["datasets"]
    # A name with a plus sign adds fields to the data set before it.
    for name, data_set in more.items():
        known = schema["datasets"].get(name.rstrip("+"))
        if known and name.endswith("+"):
            known["fields"] = {**known["fields"], **data_set["fields"]}
        else:
            schema["datasets"][name] = data_set
    file = tempfile.NamedTemporaryFile("w", suffix=".json", delete=False)
    with file:
        json.dump(schema, file)
    return Path(file.name)


FIELDS = whole()
atexit.register(FIELDS.unlink)
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
    strange = set(patterns) - {one for data_set in DATA_SETS.values() for one in data_set["index"]}
    if strange:
        raise ValueError(f"the schema has no index {', '.join(sorted(strange))}")
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


class Mapped(eql_ref.Index):
    """What a document is searched as by EQL; what its index does not map is missing"""

    def values(self, doc, name):
        return super().values(doc, name) if name in self.types else []


@functools.lru_cache(maxsize=None)
def mapped(patterns, data_set):
    """The index of a document's data set, or of any of those behind the patterns"""
    fields = index(patterns, data_set)
    return fields and Mapped(fields.map)


# A value of each type; of the others a text
SAMPLES = {"long": 1, "double": 1, "boolean": True, "ip": "192.0.2.1"}


def tests(tree):
    """The parts of a query's conditions that look at a field"""
    if tree[0] == "sequence":
        conditions = [step[2] for step in [*tree[1], tree[2]] if step]
    elif tree[0] == "event":
        conditions = tree[2:]
    elif tree[0] in ("and", "or", "not"):
        conditions = tree[1:]
    else:
        yield tree
        return
    for condition in conditions:
        yield from tests(condition)


def in_eql(text, whole, events, of_event):
    """Which events or sequences a query finds in an index, or in that of each event"""
    try:
        query = eql_ref.Query(text, whole)
        # The referee refuses a value of another type where it meets one, Elasticsearch before that.
        sample = {name: SAMPLES.get(kind["type"], "x") for name, kind in whole.types.items()}
        for test in tests(query.tree):
            test = eql_ref.boolean(eql_ref.fold(test, whole), whole)
            eql_ref.holds(test, sample, whole)
        if query.tree[0] == "sequence":
            return [chain for _, chain in query.sequences(events, lambda event: event["@timestamp"])]
        found = []
        for event in events:
            query.ix = of_event(event)
            found.append(bool(query.ix and query.events([event])))
        return "".join("01"[hit] for hit in found)
    except eql_ref.Refused:
        return "e"
    except eql_ref.Unknown:
        return "u"


def verdicts(rule, events):
    """Which events match"""
    patterns = tuple(rule["index"])
    if rule.get("language") == "eql":
        found = in_eql(rule["query"], mapped(patterns, None), events, lambda event: mapped(
            patterns, event.get("data_stream", {}).get("dataset")))
        kept = verdicts({**rule, "language": "kuery", "query": "*:*"}, events)
        refused = [answer for answer in (found, kept) if answer in ("e", "u")]
        return refused[0] if refused else "".join(map(min, found, kept))
    query = kuery_ref.rule_dsl(rule["query"], rule.get("filters"), view(patterns)[1])
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


def imported(rule):
    """What Kibana's import says of a rule, and the hazards of its query in Kibana's language"""
    if rule["language"] != "kuery":
        return sum(import_check.check(rule), []), []
    types = view(tuple(rule["index"]))[1]
    # A wildcard on analysed text is meant: the text is one word.
    hazards = [f"{kind}: {message}" for kind, message in kuery_ref.hazards(rule["query"], types)
               if kind != "text-wildcard"]
    return sum(import_check.check(rule), []), hazards


def new_terms(rule, events):
    """The places of documents that the runs of a rule's schedule alert about, and of those that lack
    a field of the terms

    Of all runs, only those are made whose interval holds a document that matches. How many alerts
    a run makes at most is left out.
    """
    maps, types = view(tuple(rule["index"]))
    default = next(iter(maps))
    hits = verdicts({**rule, "filters": rule.get("filters")}, events)
    matched = [at for at, hit in enumerate(hits) if hit == "1"]
    documents = [events[at] for at in matched]
    # Every document matches, so the simulator need not ask again.
    asked = {**rule, "query": "", "filters": [], "max_signals": 1 << 31}
    step = import_check.back("now-" + rule["interval"])
    span = import_check.back(rule["from"])
    times = [newterms_sim.ts(document, None) for document in documents]
    first = min(times, default=0)
    runs = {run for time in times for run in range(math.ceil((time - first) / step),
                                                   math.ceil((time - first + span) / step))}
    alerts = {matched[at] for run in runs for at, _ in newterms_sim.run(
        asked, documents, first + step * run, maps, types, default)}
    lacking = [at for at, document in enumerate(events) if not newterms_sim.combos(
        kuery_ref.Index(maps.get(document["event"]["dataset"]) or maps[default]), document,
        rule["new_terms_fields"])]
    return sorted(alerts), lacking


def answer(asked):
    """The answer to one line"""
    if "parse" in asked:
        return parse(asked["parse"])
    if "import" in asked:
        return imported(asked["import"])
    if "new_terms" in asked:
        return new_terms(asked["new_terms"], asked["events"])
    if "eql" in asked:
        types = Mapped(asked["types"])
        return in_eql(asked["eql"], types, asked["events"], lambda _: types)
    return verdicts(asked["rule"], asked["events"])


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
