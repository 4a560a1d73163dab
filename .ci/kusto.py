"""Which rows the signals of an emitted Kusto query take.

No Kusto engine: it knows the operators and functions that rulecast emits, as Microsoft documents
them (facts/sentinel.md of the corpus), and raises at any other. Text is never null, other types
have three truth values. Each comparison is judged once for each distinct value of its columns;
a finding is two sets of rows, those where it is true and those where it is null.
"""
import functools
import ipaddress
import json
import re

from corpus import KUSTO_TABLES, argv_windows

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
        elif kind == "number" and value.lstrip("-").isdigit():
            value = int(value)
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


def signals(query):
    """Each signal's name with its table and the conditions of its `where` clauses"""
    lists, found = {}, {}
    for statement in split(tokens(query), ";"):
        if statement[:1] == [("word", "let")]:
            name, statement = statement[1][1], statement[3:]
            if statement[0] == ("word", "dynamic"):
                lists[name] = tuple(value for kind, value in statement if kind == "text")
                continue
        if statement[:1] == [("word", "materialize")]:
            statement = statement[2:-1]
        if not statement or not str(statement[0][1]).startswith("Device"):
            continue
        table, *stages = split(statement, "|")
        conditions = [Parser(stage[1:], table[0][1], lists).condition()
                      for stage in stages if stage[0] == ("word", "where")]
        flat = [token for stage in stages for token in stage]
        named = flat.index(("word", "Signal"))
        found[flat[named + 2][1]] = (table[0][1], conditions)
    whole = tokens(query)
    named = [pair for pair in zip(whole, whole[1:]) if pair == (("word", "Signal"), ("sign", "="))]
    if len(found) != len(named):
        raise NotImplementedError("Kusto: a signal in another form")
    return found


# ---------------------------------------------------------------------------------------- values

@functools.lru_cache(maxsize=None)
def lower(text):
    """ASCII only, as Kusto's operators are documented"""
    return re.sub("[A-Z]+", lambda letters: letters[0].lower(), text)


@functools.lru_cache(maxsize=None)
def expression(text):
    """A regular expression of Rust's syntax in Python's"""
    text = re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: re.escape(chr(int(m[1], 16))), text)
    return re.compile(text.replace("(?i-u:", "(?ai:"))


def has(text, needle):
    """An occurrence with a term's border at each end of the needle that is a letter or digit"""
    inner = str.isalnum
    at = text.find(needle)
    while at >= 0:
        end = at + len(needle)
        starts = at == 0 or not (inner(text[at - 1]) and inner(needle[0]))
        ends = end == len(text) or not (inner(text[end]) and inner(needle[-1]))
        if starts and ends:
            return True
        at = text.find(needle, at + 1)
    return False


def equal(left, right):
    if left is None and right is None:
        return None
    return left == right


def unequal(left, right):
    same = equal(left, right)
    return None if same is None else not same


def in_networks(version):
    """`ipv4_is_in_any_range` and its like; IPv4 counts as mapped for the IPv6 one"""
    def function(text, *networks):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return None
        if version == 6 and address.version == 4:
            address = ipaddress.ip_address(f"::ffff:{text}")
        if address.version != version:
            return None
        return any(address in network(part) for part in flat(networks))
    return function


network = functools.lru_cache(maxsize=None)(functools.partial(ipaddress.ip_network, strict=False))


def flat(values):
    return [one for value in values for one in (value if isinstance(value, tuple) else (value,))]


def insensitive(function):
    return lambda left, right: function(lower(left), lower(right))


def compared(function):
    return lambda left, right: None if left is None else function(left, right)


SENSITIVE = {
    "contains": lambda left, right: right in left,
    "endswith": str.endswith,
    "has": has,
    "startswith": str.startswith,
}
BINARY = {
    "=~": insensitive(equal),
    "==": equal,
    "!=": unequal,
    "<": compared(lambda left, right: left < right),
    "<=": compared(lambda left, right: left <= right),
    ">": compared(lambda left, right: left > right),
    ">=": compared(lambda left, right: left >= right),
    **{name: insensitive(function) for name, function in SENSITIVE.items()},
    **{name + "_cs": function for name, function in SENSITIVE.items()},
}
LISTS = {
    "in": lambda left, values: left in values,
    "!in": lambda left, values: left not in values,
    "in~": lambda left, values: lower(left) in map(lower, values),
    "has_any": lambda left, values: any(has(lower(left), lower(value)) for value in values),
}
FUNCTIONS = {
    "array_length": len,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "extract": lambda text, group, left: found_group(expression(text).search(left), group),
    "ipv4_is_in_any_range": in_networks(4),
    "ipv6_is_in_any_range": in_networks(6),
    "isempty": lambda value: value in ("", None),
    "isnotempty": lambda value: value not in ("", None),
    "isnotnull": lambda value: value is not None,
    "isnull": lambda value: value is None,
    "parse_command_line": lambda text, _: tuple(argv_windows(text)),
    "strcat_array": lambda values, delimiter: delimiter.join(values),
}


def found_group(match, group):
    return match[group] if match else ""


# ---------------------------------------------------------------------------------------- parser

class Parser:
    """A condition as nested tuples: and, or, not, and leaves of columns with a function"""

    def __init__(self, found, table, lists):
        self.left = found
        self.columns = KUSTO_TABLES[table]
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
        left = self.operand()
        if self.take("matches"):
            self.need("regex")
            return self.leaf(
                lambda text, written: bool(expression(written).search(text)), left, self.operand())
        if self.take("between"):
            self.need("(")
            low = self.operand()
            self.need("..")
            high = self.operand()
            self.need(")")
            return self.leaf(lambda value, low, high: None if value is None else low <= value <= high,
                             left, low, high)
        name = self.take(*LISTS)
        if name:
            return self.leaf(lambda value, *values: LISTS[name](value, flat(values)),
                             left, *self.arguments())
        name = self.take(*BINARY)
        return self.leaf(BINARY[name], left, self.operand()) if name else left

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
        if value in FUNCTIONS:
            return self.leaf(FUNCTIONS[value], *self.arguments())
        if value in self.columns:
            return "leaf", (value,), lambda held: held
        raise NotImplementedError(f"Kusto: {value!r}")

    @staticmethod
    def leaf(function, *operands):
        """A function of leaves as one leaf"""
        columns = tuple(dict.fromkeys(name for _, names, _ in operands for name in names))
        places = [[columns.index(name) for name in names] for _, names, _ in operands]
        inner = [operand[2] for operand in operands]

        def value(*held):
            return function(*(part(*(held[at] for at in own)) for part, own in zip(inner, places)))
        return "leaf", columns, value


# ------------------------------------------------------------------------------------------ rows

class Rows:
    """Recorded rows, asked by signal"""

    def __init__(self, rows):
        self.rows = rows
        self.all = (1 << len(rows)) - 1
        self.distinct = {}

    def matching(self, table, conditions):
        """The rows of a table for which every condition is true"""
        found = self.held(table, ())[()]
        for condition in conditions:
            found &= self.judged(table, condition)[0]
        return found

    def judged(self, table, condition):
        """Where a condition is true, and where it is null"""
        kind, *rest = condition
        if kind == "leaf":
            return self.leaf(table, *rest)
        parts = [self.judged(table, part) for part in rest[0]]
        if kind == "not":
            (true, null), = parts
            return self.all & ~true & ~null, null
        if kind == "and":
            true = functools.reduce(int.__and__, [true for true, _ in parts])
            maybe = functools.reduce(int.__and__, [true | null for true, null in parts])
        else:
            true = functools.reduce(int.__or__, [true for true, _ in parts])
            maybe = functools.reduce(int.__or__, [true | null for true, null in parts])
        return true, maybe & ~true

    def leaf(self, table, columns, value):
        true = null = 0
        for held, rows in self.held(table, columns).items():
            verdict = value(*held)
            if verdict is None:
                null |= rows
            elif verdict is True:
                true |= rows
        return true, null

    def held(self, table, columns):
        """What the columns of a table hold together, with the rows that hold it"""
        if (table, columns) not in self.distinct:
            missing = ["" if KUSTO_TABLES[table][name] == "string" else None for name in columns]
            places = {}
            for at, row in enumerate(self.rows):
                if row["$table"] == table:
                    held = tuple(row.get(name, none) for name, none in zip(columns, missing))
                    places.setdefault(held, []).append(at)
            self.distinct[table, columns] = {
                held: sum(1 << at for at in found) for held, found in places.items()}
        return self.distinct[table, columns]
