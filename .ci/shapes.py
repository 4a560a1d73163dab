"""Native verdicts against the referee's, on every recorded event.

The corpus holds each event in Sigma's shape, which `rulecast scan` reads, and as the ECS document
that an emitted Elastic rule sees. `Recordings` holds the documents as columns of distinct values,
and `Query` turns a rule into a set of documents: the referee of Kibana's query language judges
each leaf of the query once for each distinct value, this module only joins the sets by the
`bool` parts. Sets are Python integers with a bit for each document.

Where the verdicts differ, `explain` gives the document back what its shape has lost (a name
without a path, a value `-`, an account without a domain) and asks again. A difference that
vanishes is one of the shapes and is counted under the loss; any other is a bug.
"""
import functools
import gzip
import json
import multiprocessing
import re
import uuid
from dataclasses import dataclass

KINDS = ("process_creation", "file_event", "file_delete", "network_connection")
# The Sysmon integration for Linux is no data set of the schema; Winlogbeat's is plain ECS.
DATA_SETS = {"sysmon_linux.log": "winlogbeat-*"}


# ---------------------------------------------------------------------------------------- events

@dataclass
class Event:
    """One recorded event: where it stands, its label and two of its shapes"""
    id: str
    file: str
    line: int
    kind: str
    label: str
    sigma: dict
    ecs: dict

    @property
    def data_set(self):
        name = self.ecs["event"]["dataset"]
        return DATA_SETS.get(name, name)


def read_events(folder, kinds=None):
    """The recorded events of these kinds, in the order of their files"""
    events = []
    for path in sorted(folder.glob("*/*.jsonl.gz")):
        kind = path.name.split(".")[0]
        if kinds and kind not in kinds:
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                e = json.loads(line)
                events.append(Event(e["id"], str(path), number, kind, e["label"], e["sigma"], e["ecs"]))
    return events


class Recordings:
    """ECS documents as columns: for a field, each distinct value with the set of its documents"""

    def __init__(self, referee, schema, documents):
        """`documents` are pairs of data set and ECS document"""
        self.referee = referee
        self.documents = documents
        self.all = (1 << len(documents)) - 1
        names = sorted({data_set for data_set, _ in documents})
        maps, _ = referee.load_view(schema, names)
        self.mappings = {name: OneField(maps[name]) for name in names}
        self.columns = {}

    def column(self, field):
        """Pairs of a mapping, the indexed values of a field and the documents that hold them"""
        if field not in self.columns:
            found = {}
            for at, (data_set, document) in enumerate(self.documents):
                mapping = self.mappings[data_set]
                key = (data_set, json.dumps(mapping.read(document, field)))
                found[key] = found.get(key, 0) | 1 << at
            self.columns[field] = [
                (self.mappings[data_set], self.index(data_set, field, values), documents)
                for (data_set, values), documents in found.items()
            ]
        return self.columns[field]

    def index(self, data_set, field, values):
        """Indexed form of raw values, as the referee makes it"""
        return self.referee.Index.values(self.mappings[data_set], {field: json.loads(values)}, field)


def one_field(referee):
    """The referee's index, made to take the indexed values of one field for a document"""

    class OneField(referee.Index):
        def values(self, document, field):
            return document

        def read(self, document, field):
            """Raw values of a field; a multi-field has its parent's"""
            values = list(referee._leaves(document, field))
            parent = field.rpartition(".")[0]
            if not values and self.info(parent) and self.info(parent)["type"] not in ("object", "nested"):
                values = list(referee._leaves(document, parent))
            return values

    return OneField
