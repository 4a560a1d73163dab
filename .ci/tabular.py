"""What the rows of an emitted Kusto query are, for its statements that join signals.

Knows the tabular operators that correlations are emitted with and raises at any other. A table is
its columns with their types, and its rows. The query is asked after the last recorded event, so
`ago` holds everything.
"""
import datetime
import itertools
import operator
from dataclasses import dataclass, field

from corpus import KUSTO_TABLES
from kusto import Parser, joined, readings, split, statements

# What functions return; others are asked for within conditions only
TYPES = {
    "ago": "datetime",
    "bin": "datetime",
    "range": "dynamic",
}


@dataclass
class Table:
    """Rows, and the types of their columns"""
    columns: dict
    rows: list = field(default_factory=list)


def missing(kind):
    return "" if kind == "string" else None


def recorded(rows):
    """Recorded rows with times that can be reckoned with"""
    held = []
    for row in rows:
        at = datetime.datetime.fromisoformat(row["TimeGenerated"]).replace(tzinfo=None)
        held.append({**row, "TimeGenerated": at, "Timestamp": at})
    return held


class Query:
    """A query over recorded rows"""

    def __init__(self, text, recorded_rows):
        self.lists, found = statements(text)
        self.sources = recorded_rows
        self.tables = {}
        self.result = None
        for (name, statement), reading in zip(found, readings(self.lists, found)):
            if reading and not reading.recorded:
                self.tables[name] = self.unrecorded(reading)
            else:
                self.result = self.tables[name] = self.tabular(statement)

    def unrecorded(self, reading):
        """No row, with the columns of the projection"""
        anything = Table(Anything())
        return self.project(reading.stages[-1][1:], anything) if reading.name else anything

    def tabular(self, tokens):
        """The table that a pipeline gives"""
        head, *stages = split(tokens, "|")
        table = self.source(head)
        for stage in stages:
            name, rest = operation(stage)
            if name not in OPERATORS:
                raise NotImplementedError(f"Kusto: {name}")
            table = OPERATORS[name](self, rest, table)
        return table

    def source(self, head):
        """What stands before the first operator"""
        if head[0] == ("word", "union"):
            return union([self.tabular(inner(part)) for part in split(head[1:], ",")])
        (_, name), = head
        if name in self.tables:
            return self.tables[name]
        columns = KUSTO_TABLES[name]
        empty = {column: missing(kind) for column, kind in columns.items()}
        return Table(columns, [{**empty, **row} for row in self.sources if row["$table"] == name])

    # ------------------------------------------------------------------------------ expressions

    def expression(self, tokens, table):
        """A function of a row"""
        if len(tokens) == 1 and tokens[0][0] == "word" and tokens[0][1] in table.columns:
            return operator.itemgetter(tokens[0][1])
        parser = Parser(list(tokens), table.columns, self.lists)
        _, columns, value = joined(parser.condition())
        if parser.left:
            raise NotImplementedError(f"Kusto: {parser.left[:4]}")
        return lambda row: value(*(row[column] for column in columns))

    def kind(self, tokens, table):
        """The type of an expression's value"""
        (kind, first), *rest = tokens
        if kind == "word" and not rest:
            return table.columns[first]
        if kind == "number":
            return "long"
        return TYPES.get(first, "string") if kind == "word" else "string"

    # -------------------------------------------------------------------------------- operators

    def where(self, tokens, table):
        test = self.expression(tokens, table)
        return Table(table.columns, [row for row in table.rows if test(row) is True])

    def extend(self, tokens, table):
        columns, rows = dict(table.columns), [dict(row) for row in table.rows]
        for name, written in assignments(tokens):
            columns[name] = self.kind(written, table)
            for row, value in zip(rows, self.column(written, table)):
                row[name] = value
        return Table(columns, rows)

    def column(self, written, table):
        """The values of an expression for every row, in their order"""
        if written[0] == ("word", "row_number"):
            return list(range(1, len(table.rows) + 1))
        if written[0] != ("word", "prev"):
            value = self.expression(written, table)
            return [value(row) for row in table.rows]
        (_, name), _, (_, before) = written[2:-1]
        held = [row[name] for row in table.rows]
        return [missing(table.columns[name])] * before + held

    def project(self, tokens, table):
        pairs = list(assignments(tokens))
        columns = {name: self.kind(written, table) for name, written in pairs}
        values = [self.column(written, table) if table.rows else [] for _, written in pairs]
        return Table(columns, [dict(zip(columns, held)) for held in zip(*values)])

    def project_away(self, tokens, table):
        away = names(tokens)
        if not away <= table.columns.keys():
            raise NotImplementedError(f"Kusto: no column {away - table.columns.keys()}")
        return self.only([name for name in table.columns if name not in away], table)

    def project_rename(self, tokens, table):
        new = {old: name for name, ((_, old),) in assignments(tokens)}
        renamed = {new.get(name, name): kind for name, kind in table.columns.items()}
        return Table(renamed, [{new.get(name, name): value for name, value in row.items()}
                               for row in table.rows])

    def only(self, kept, table):
        return Table({name: table.columns[name] for name in kept},
                     [{name: row[name] for name in kept} for row in table.rows])

    def distinct(self, tokens, table):
        kept = [value for kind, value in tokens if kind == "word"]
        table = self.only(kept, table)
        different = {tuple(row.values()): row for row in table.rows}
        return Table(table.columns, list(different.values()))

    def sort(self, tokens, table):
        rows = list(table.rows)
        for (_, name), (_, order) in reversed([part[-2:] for part in split(tokens[1:], ",")]):
            if order != "asc":
                raise NotImplementedError(f"Kusto: sort {order}")
            rows.sort(key=lambda row: row[name])
        return Table(table.columns, rows)

    def mv_expand(self, tokens, table):
        (_, name), *typed = tokens
        columns = {**table.columns, name: typed[-2][1]}
        return Table(columns, [{**row, name: one} for row in table.rows for one in row[name]])

    def join(self, tokens, table):
        """`kind=… ( … ) on …`; a name on the right that is taken gets a number"""
        kind = tokens[2][1]
        at = max(at for at, token in enumerate(tokens) if token == ("word", "on"))
        right = self.tabular(tokens[4:at - 1])
        keys = sorted(names(tokens[at + 1:]))
        found = {}
        for row in right.rows:
            found.setdefault(tuple(row[key] for key in keys), []).append(row)
        pairs = [(row, found.get(tuple(row[key] for key in keys), [])) for row in table.rows]
        if kind == "leftanti":
            return Table(table.columns, [row for row, others in pairs if not others])
        if kind != "inner":
            raise NotImplementedError(f"Kusto: join {kind}")
        new = {name: f"{name}1" if name in table.columns else name for name in right.columns}
        columns = {**table.columns, **{new[name]: kind for name, kind in right.columns.items()}}
        return Table(columns, [{**row, **{new[name]: value for name, value in other.items()}}
                               for row, others in pairs for other in others])

    def summarize(self, tokens, table):
        at = max(at for at, token in enumerate(tokens) if token == ("word", "by"))
        by = [value for kind, value in tokens[at + 1:] if kind == "word"]
        groups = {}
        for row in table.rows:
            groups.setdefault(tuple(row[name] for name in by), []).append(row)
        columns = {name: table.columns[name] for name in by}
        rows = [dict(zip(by, key)) for key in groups]
        for part in split(tokens[:at], ","):
            name = part[0][1] if part[1] == ("sign", "=") else None
            kinds, values = self.aggregate(name, part[2:] if name else part, table)
            columns.update({new: kind for new, kind in kinds.items() if new not in columns})
            for row, held in zip(rows, groups.values()):
                row.update({new: value for new, value in values(held).items() if new not in by})
        return Table(columns, rows)

    def aggregate(self, name, tokens, table):
        """The columns that an aggregation adds, and their values for the rows of a group"""
        (_, function), _, *inside = tokens
        arguments = split(inside[:-1], ",")
        if function in ("arg_max", "arg_min"):
            (_, column), = arguments[0]
            best = max if function == "arg_max" else min
            return table.columns, lambda rows: best(rows, key=lambda row: row[column])
        if function == "strcat_array":
            _, values = self.aggregate(name, arguments[0], table)
            delimiter = arguments[1][0][1]
            return {name: "string"}, lambda rows: {name: delimiter.join(values(rows)[name])}
        if function not in AGGREGATES:
            raise NotImplementedError(f"Kusto: {function}")
        kind, result = AGGREGATES[function]
        parts = [self.expression(part, table) for part in arguments if part]
        kind = kind or self.kind(arguments[0], table)
        return {name: kind}, lambda rows: {
            name: result([tuple(part(row) for part in parts) for row in rows])}


class Anything(dict):
    """Columns of any name, all text"""

    def __missing__(self, name):
        return "string"

    def __contains__(self, name):
        return True


def union(tables):
    """Every row with the columns of all tables"""
    columns = {name: kind for table in tables for name, kind in table.columns.items()}
    empty = {name: missing(kind) for name, kind in columns.items()}
    return Table(columns, [{**empty, **row} for table in tables for row in table.rows])


def operation(stage):
    """An operator's name and what follows: `project-away` is three tokens"""
    at = 3 if stage[1:2] == [("sign", "-")] else 1
    return "".join(value for _, value in stage[:at]), stage[at:]


def inner(tokens):
    """Tokens without the brackets around all of them"""
    return tokens[1:-1] if tokens[0] == ("sign", "(") else tokens


def names(tokens):
    return {value for kind, value in tokens if kind == "word"}


def assignments(tokens):
    """Pairs of a column's name and its expression"""
    for part in split(tokens, ","):
        if part[1:2] == [("sign", "=")]:
            yield part[0][1], part[2:]
        else:
            (_, name), = part
            yield name, part


def largest(values):
    """Of what is there"""
    held = [value for value, in values if value is not None]
    return max(held, default=None)


def smallest(values):
    held = [value for value, in values if value is not None]
    return min(held, default=None)


def different(values):
    """Empty text is a value, null is none"""
    return len({value for value, in values if value is not None})


def different_if(values):
    """Of what the condition is true for"""
    return different([(value,) for value, true in values if true is True])


def chosen(values):
    """Of what the condition is true for"""
    return largest([(value,) for value, true in values if true is True])


def set_if(values):
    """Distinct values for which the condition is true, as many as are asked for"""
    most = next(iter(values))[2]
    held = dict.fromkeys(value for value, true, _ in values if true is True)
    return list(itertools.islice(held, most))


# Types of the results, None where it is the argument's, and what they are of a group's values
AGGREGATES = {
    "count": ("long", len),
    "count_distinct": ("long", different),
    "count_distinctif": ("long", different_if),
    "make_set_if": ("dynamic", set_if),
    "max": (None, largest),
    "maxif": (None, chosen),
    "min": (None, smallest),
}
OPERATORS = {
    "distinct": Query.distinct,
    "extend": Query.extend,
    "join": Query.join,
    "mv-expand": Query.mv_expand,
    "project": Query.project,
    "project-away": Query.project_away,
    "project-rename": Query.project_rename,
    "sort": Query.sort,
    "summarize": Query.summarize,
    "where": Query.where,
}
