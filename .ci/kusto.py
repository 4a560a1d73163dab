"""What the signals of an emitted Kusto query ask for, and which recorded rows they take.

No Kusto engine: it knows the operators that rulecast emits (functions are in scalars.py), and
raises at any other. Each comparison is judged once for each distinct value of its columns; a
finding is two sets of rows, those where it is true and those where it is null.
"""
import json
import re
from dataclasses import dataclass

import scalars
from corpus import KUSTO_TABLES, UNRECORDED
from elastic import held_by

TOKEN = re.compile(r"""
    (?P<skip>\s+|//[^\n]*) |
    (?P<text>@"(?:[^"]|"")*" | "(?:\\.|[^"\\])*") |
    (?P<number>-?\d+[a-z]*) |
    (?P<word>!?[A-Za-z_]\w*~?) |
    (?P<sign>=~|!~|==|!=|<=|>=|\.\.|.)
""", re.VERBOSE | re.DOTALL)


def tokens(query):
    """Pairs of a token's kind and its value"""
    found = []
    for match in TOKEN.finditer(query):
        kind, value = match.lastgroup, match.group()
        if kind == "text" and value.startswith("@"):
            value = value[2:-1].replace('""', '"')
        elif kind == "text":
            value = json.loads(re.sub(r"\\x(..)", r"\\u00\1", value))
        elif kind == "number":
            whole = value.lstrip("-").isdigit()
            value = int(value) if whole else scalars.timespan(value)
        if kind != "skip":
            found.append((kind, value))
    return found


def split(found, separator):
    """Runs of tokens between separators that stand outside every bracket"""
    depth, runs = 0, [[]]
    for kind, value in found:
        if kind == "sign" and value in "()[]":
            depth += 1 if value in "([" else -1
        if (kind, value, depth) == ("sign", separator, 0):
            runs.append([])
        else:
            runs[-1].append((kind, value))
    return runs


@dataclass
class Reading:
    """A statement that reads a table: the table, and every step up to what it returns

    It is a signal when it names itself one; what is shared by signals has no name.
    """
    name: str
    table: str
    stages: list
    lists: dict

    @property
    def recorded(self):
        """Whether rows of its table are recorded"""
        return self.table not in UNRECORDED

    def conditions(self):
        """What stands behind each `where`, parsed"""
        columns = KUSTO_TABLES[self.table]
        return [Parser(stage[1:], columns, self.lists).condition()
                for stage in self.stages if stage[0] == ("word", "where")]


def statements(query):
    """The lists of a query, and every other statement with its name; the last one has none"""
    lists, found = {}, []
    for statement in split(tokens(query), ";"):
        name = None
        if statement[:1] == [("word", "let")]:
            name, statement = statement[1][1], statement[3:]
        if statement[:1] == [("word", "dynamic")]:
            lists[name] = tuple(value for kind, value in statement if kind == "text")
            continue
        if statement[:1] == [("word", "materialize")]:
            statement = statement[2:-1]
        if statement:
            found.append((name, statement))
    return lists, found


def readings(lists, found):
    """For each statement what it reads; None for one that joins others"""
    read, named = [], {}
    for name, statement in found:
        head, *stages = split(statement, "|")
        source = head[0][1]
        signal = next((stage[at + 2][1] for stage in stages for at, token in enumerate(stage)
                       if stage[0] == ("word", "project") and token == ("word", "Signal")), None)
        if source in KUSTO_TABLES:
            read.append(Reading(signal, source, stages, lists))
        elif source in named and not named[source].name:
            shared = named[source]
            read.append(Reading(signal, shared.table, shared.stages + stages, lists))
        else:
            read.append(None)
            continue
        named[name] = read[-1]
    return read


def signals(query):
    """The signals of a query"""
    lists, found = statements(query)
    read = [reading for reading in readings(lists, found) if reading]
    tables = [value for _, statement in found for kind, value in statement
              if kind == "word" and value in KUSTO_TABLES]
    if len(tables) > len(read):
        raise NotImplementedError("Kusto: a signal in another form")
    return [reading for reading in read if reading.name]


# ---------------------------------------------------------------------------------------- parser

class Parser:
    """A condition as nested tuples: and, or, not, and leaves of columns with a function"""

    def __init__(self, found, columns, lists):
        self.left = found
        self.columns = columns
        self.lists = lists

    def condition(self):
        parsed = self.chain("or", lambda: self.chain("and", self.comparison))
        if self.left and self.left[0][1] not in (")", ",", ".."):
            raise NotImplementedError(f"Kusto: {self.left[:4]}")
        return parsed

    def chain(self, word, part):
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else (word, parts)

    def take(self, *values):
        """The next token when it is one of these and no text"""
        if self.left and self.left[0][0] != "text" and self.left[0][1] in values:
            return self.left.pop(0)[1]
        return None

    def need(self, value):
        if not self.take(value):
            raise NotImplementedError(f"Kusto: {value!r} expected at {self.left[:4]}")

    def comparison(self):
        left = self.sum()
        if self.take("matches"):
            self.need("regex")
            return leaf(scalars.matches_regex, left, self.operand())
        if self.take("between"):
            self.need("(")
            low = self.sum()
            self.need("..")
            high = self.sum()
            self.need(")")
            return leaf(scalars.between, left, low, high)
        name = self.take(*scalars.LISTS)
        if name:
            member = scalars.LISTS[name]
            return leaf(lambda value, *values: member(value, scalars.flat(values)),
                        left, *self.arguments())
        name = self.take(*scalars.BINARY)
        return leaf(scalars.BINARY[name], left, self.sum()) if name else left

    def sum(self):
        left = self.operand()
        while name := self.take(*scalars.SUMS):
            left = leaf(scalars.SUMS[name], left, self.operand())
        return left

    def arguments(self):
        self.need("(")
        found = []
        while not self.take(")"):
            found.append(self.condition())
            self.take(",")
        return found

    def operand(self):
        if self.take("("):
            inner = self.condition()
            self.need(")")
            return inner
        if self.take("not"):
            inner, = self.arguments()
            return "not", [inner]
        kind, value = self.left.pop(0)
        if kind in ("text", "number") or value in ("true", "false"):
            constant = value == "true" if kind == "word" else value
            return "leaf", (), lambda: constant
        if value in self.lists:
            return "leaf", (), lambda: self.lists[value]
        if value in scalars.FUNCTIONS and self.left[:1] == [("sign", "(")]:
            return leaf(scalars.FUNCTIONS[value], *self.arguments())
        if value in self.columns:
            return "leaf", (value,), lambda held: held
        raise NotImplementedError(f"Kusto: {value!r}")


def leaf(function, *operands):
    """A function of operands as one leaf"""
    operands = [joined(operand) for operand in operands]
    columns = tuple(dict.fromkeys(name for _, names, _ in operands for name in names))
    places = [[columns.index(name) for name in names] for _, names, _ in operands]
    inner = [operand[2] for operand in operands]

    def value(*held):
        return function(*(part(*(held[at] for at in own)) for part, own in zip(inner, places)))
    return "leaf", columns, value


def joined(operand):
    """A condition as one leaf"""
    kind, *rest = operand
    return operand if kind == "leaf" else leaf(TRUTHS[kind], *rest[0])


def all_of(*truths):
    return False if False in truths else None if None in truths else True


def none_of(*truths):
    return None if None in truths else not any(truths)


TRUTHS = {
    "and": all_of,
    "not": none_of,
    "or": lambda *truths: True if True in truths else None if None in truths else False,
}


# ------------------------------------------------------------------------------------------ rows

class Rows:
    """Recorded rows, asked by signal"""

    def __init__(self, rows):
        self.rows = rows
        self.all = (1 << len(rows)) - 1
        self.distinct = {}

    def matching(self, signal):
        """The rows of a signal's table for which every condition is true"""
        found = sum(rows for _, rows in self.held(signal.table, ())[0])
        for condition in self.by_cost(signal.table, signal.conditions()):
            found, _ = self.judged(signal.table, condition, found)
        return found

    def by_cost(self, table, conditions):
        """The conditions in the order of how many values they look at"""
        def cost(condition):
            kind, *rest = condition
            return len(self.held(table, rest[0])[0]) if kind == "leaf" else sum(map(cost, rest[0]))
        return sorted(conditions, key=cost)

    def judged(self, table, condition, within):
        """Among some rows, where a condition is true and where it is null"""
        kind, *rest = condition
        if kind == "leaf":
            return self.leaf(table, *rest, within)
        if kind == "not":
            true, null = self.judged(table, *rest[0], within)
            return within & ~true & ~null, null
        null = 0
        if kind == "and":
            for part in self.by_cost(table, rest[0]):
                true, unknown = self.judged(table, part, within)
                within, null = true | unknown, (null | unknown) & (true | unknown)
            return within & ~null, null
        found = 0
        for part in rest[0]:
            true, unknown = self.judged(table, part, within & ~found)
            found, null = found | true, null | unknown
        return found, null & ~found

    def leaf(self, table, columns, value, within):
        """Each value is judged when a row that has it is asked for"""
        column, owners = self.held(table, columns)
        true = null = 0
        for at in held_by(within, column, owners):
            held, rows = column[at]
            verdict = value(*held)
            if verdict is None:
                null |= rows
            elif verdict is True:
                true |= rows
        return true & within, null & within

    def held(self, table, columns):
        """What the columns of a table hold together, with the rows that hold it

        And of each row the place of what it holds.
        """
        if (table, columns) not in self.distinct:
            missing = ["" if KUSTO_TABLES[table][name] == "string" else None for name in columns]
            places, owners = {}, {}
            for at, row in self.of_table(table):
                held = tuple(row.get(name, none) for name, none in zip(columns, missing))
                found = places.setdefault(held, [])
                found.append(at)
                owners[at] = len(places) - 1 if len(found) == 1 else owners[found[0]]
            self.distinct[table, columns] = [
                (held, sum(1 << at for at in found)) for held, found in places.items()], owners
        return self.distinct[table, columns]

    def of_table(self, table):
        return ((at, row) for at, row in enumerate(self.rows) if row["$table"] == table)
