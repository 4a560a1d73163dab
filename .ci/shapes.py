"""Which recorded documents an emitted Elastic rule matches.

`Recordings` holds the ECS documents as columns of distinct values. The referee of Kibana's query
language judges each leaf of a query once for each distinct value; this module only joins the
sets by the `bool` parts. A set of documents is an integer with a bit for each.
"""
import functools
import json

from corpus import ECS_FIELDS, kuery_ref

kuery_ref._glob = functools.lru_cache(maxsize=None)(kuery_ref._glob)


class Mapping(kuery_ref.Index):
    """The referee's index with a document cut down to the indexed values of one field"""

    def values(self, document, field):
        return document

    def raw(self, document, field):
        """The values of a field as recorded; those of a multi-field are its parent's"""
        values = list(kuery_ref._leaves(document, field))
        parent = self.info(field.rpartition(".")[0])
        if not values and parent and parent["type"] not in ("object", "nested"):
            values = list(kuery_ref._leaves(document, field.rpartition(".")[0]))
        return values

    def indexed(self, raw, field):
        """What Elasticsearch indexes of these values"""
        return super().values({field: raw}, field)


class Recordings:
    """Recorded documents, asked by query"""

    def __init__(self, documents):
        """Documents with the name of their data set"""
        self.documents = documents
        self.all = (1 << len(documents)) - 1
        maps, _ = kuery_ref.load_view(ECS_FIELDS, sorted({name for name, _ in documents}))
        self.mappings = {name: Mapping(fields) for name, fields in maps.items()}
        self.columns = {}
        self.leaves = {}

    def matching(self, dsl):
        """The documents that a query of Elasticsearch matches"""
        (kind, body), = dsl.items()
        if kind == "bool":
            return self.joined(body)
        if kind == "match_all":
            return self.all
        text = json.dumps(dsl, sort_keys=True)
        if text not in self.leaves:
            self.leaves[text] = self.leaf(dsl, field_of(kind, body))
        return self.leaves[text]

    def joined(self, body):
        """The parts of a `bool` query, by Elasticsearch's rules"""
        parts = {}
        for occur in ("must", "filter", "must_not", "should"):
            part = body.get(occur, [])
            parts[occur] = [self.matching(q) for q in (part if isinstance(part, list) else [part])]
        found = functools.reduce(int.__and__, parts["must"] + parts["filter"], self.all)
        for excluded in parts["must_not"]:
            found &= ~excluded
        optional = bool(parts["must"] or parts["filter"] or not parts["should"])
        wanted = body.get("minimum_should_match", 0 if optional else 1)
        if wanted not in (0, 1):
            raise NotImplementedError(f"minimum_should_match {wanted}")
        return found & functools.reduce(int.__or__, parts["should"], 0) if wanted else found

    def leaf(self, dsl, field):
        found = 0
        for mapping, values, documents in self.column(field):
            if kuery_ref.matches(mapping, values, dsl):
                found |= documents
        return found

    def column(self, field):
        """Each mapping and distinct value of a field, with the documents that have it"""
        if field not in self.columns:
            found = {}
            for at, (name, document) in enumerate(self.documents):
                key = (name, json.dumps(self.mappings[name].raw(document, field)))
                found.setdefault(key, []).append(at)
            self.columns[field] = [
                (self.mappings[name], self.mappings[name].indexed(json.loads(raw), field),
                 sum(1 << at for at in places))
                for (name, raw), places in found.items()
            ]
        return self.columns[field]


def field_of(kind, body):
    """The one field that a leaf of a query looks at"""
    if kind == "exists":
        return body["field"]
    if kind == "query_string":
        field, = body["fields"]
        return field
    field, = (name for name in body if name != "boost")
    return field
