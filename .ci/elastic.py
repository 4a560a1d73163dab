"""Which recorded documents an emitted Elastic rule matches.

`Documents` holds ECS documents as columns of distinct values. The referee of Kibana's query
language judges each leaf of a query once for each distinct value of its field; this module only
joins the findings by the `bool` parts. A set of documents is an integer with a bit for each.
"""
import functools
import json

from corpus import ECS_FIELDS, data_sets, kuery_ref

kuery_ref._glob = functools.lru_cache(maxsize=None)(kuery_ref._glob)


@functools.lru_cache(maxsize=None)
def data_view(patterns):
    """Field types that Kibana sees behind these index patterns"""
    return kuery_ref.load_view(ECS_FIELDS, data_sets(patterns))[1]


def rule_query(rule):
    """The query of Elasticsearch that Kibana makes of a rule's query and filters"""
    view = data_view(tuple(rule["index"]))
    return kuery_ref.rule_dsl(rule["query"], rule.get("filters"), view)


def members(documents):
    """The places in a set of documents"""
    while documents:
        lowest = documents & -documents
        yield lowest.bit_length() - 1
        documents ^= lowest


class Mapping(kuery_ref.Index):
    """The referee's index over documents cut down to the indexed values of one field"""

    def values(self, document, field):
        return document

    def raw(self, document, field):
        """The values of a field as recorded; those of a multi-field are its parent's"""
        values = list(kuery_ref._leaves(document, field))
        above = field.rpartition(".")[0]
        parent = self.info(above)
        if not values and parent and parent["type"] not in ("object", "nested"):
            values = list(kuery_ref._leaves(document, above))
        return values

    def indexed(self, raw, field):
        """What Elasticsearch indexes of these values"""
        return super().values({field: raw}, field)


class Documents:
    """Recorded documents, asked by query"""

    def __init__(self, documents, index_long_values=False):
        """Takes pairs of a data set's name and a document"""
        self.documents = documents
        self.all = (1 << len(documents)) - 1
        maps, _ = kuery_ref.load_view(ECS_FIELDS, sorted({name for name, _ in documents}))
        if index_long_values:
            for field in (field for fields in maps.values() for field in fields.values()):
                field["ignore_above"] = 1 << 31
        self.mappings = {name: Mapping(fields) for name, fields in maps.items()}
        self.columns = {}
        self.leaves = {}

    def matching(self, query, within=None):
        """The documents that a query of Elasticsearch matches, all or among some"""
        within = self.all if within is None else within
        (kind, body), = query.items()
        if kind == "bool":
            return self.joined(body, within)
        if kind == "match_all":
            return within
        return self.leaf(query, field_of(kind, body), within)

    def joined(self, body, within):
        """The parts of a `bool` query, by Elasticsearch's rules"""
        parts = {}
        for occur in ("must", "filter", "must_not", "should"):
            part = body.get(occur, [])
            parts[occur] = part if isinstance(part, list) else [part]
        required = parts["must"] + parts["filter"]
        wanted = body.get("minimum_should_match", 1 if parts["should"] and not required else 0)
        if wanted not in (0, 1):
            raise NotImplementedError(f"minimum_should_match {wanted}")
        for part in sorted(required, key=self.cost):
            within = self.matching(part, within)
        for part in parts["must_not"]:
            within &= ~self.matching(part, within)
        if not wanted:
            return within
        found = 0
        for part in parts["should"]:
            found |= self.matching(part, within & ~found)
        return found

    def cost(self, query):
        """How many values a query looks at"""
        (kind, body), = query.items()
        if kind == "match_all":
            return 0
        if kind != "bool":
            return len(self.column(field_of(kind, body))[0])
        parts = (part if isinstance(part, list) else [part] for part in body.values()
                 if isinstance(part, (dict, list)))
        return sum(self.cost(one) for part in parts for one in part)

    def leaf(self, query, field, within):
        """Each value is judged when a document that has it is asked for"""
        verdicts = self.leaves.setdefault(json.dumps(query, sort_keys=True), {})
        column, owners = self.column(field)
        found = 0
        for at in held_by(within, column, owners):
            mapping, values, documents = column[at]
            if at not in verdicts:
                verdicts[at] = kuery_ref.matches(mapping, values, query)
            if verdicts[at]:
                found |= documents
        return found & within

    def column(self, field):
        """Each distinct value of a field in each mapping, with the documents that have it

        And of each document the place of its value.
        """
        if field not in self.columns:
            places = {}
            for at, (name, document) in enumerate(self.documents):
                raw = json.dumps(self.mappings[name].raw(document, field))
                places.setdefault((name, raw), []).append(at)
            column = []
            owners = [0] * len(self.documents)
            for (name, raw), found in places.items():
                for at in found:
                    owners[at] = len(column)
                mapping = self.mappings[name]
                values = mapping.indexed(json.loads(raw), field)
                column.append((mapping, values, sum(1 << at for at in found)))
            self.columns[field] = column, owners
        return self.columns[field]


def held_by(within, column, owners):
    """The places in a column of the values that some documents have"""
    if within.bit_count() < len(column):
        return {owners[at] for at in members(within)}
    return [at for at, (*_, documents) in enumerate(column) if documents & within]


def field_of(kind, body):
    """The one field that a leaf of a query looks at"""
    if kind == "exists":
        return body["field"]
    if kind == "query_string":
        field, = body["fields"]
        return field
    field, = (name for name in body if name != "boost")
    return field
