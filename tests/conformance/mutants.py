"""Whether the events of the proof would notice a mistake in a query.

In: a query whose rows are those of the engine, and the database with its events. Out: single
mutations of it, and which of them return the same rows: nobody would have noticed those. A
mutation swaps an operator, counts or ignores letter case, drops a value of a list, takes a `not`
away, or moves a number by one.

survivors.tsv lists mutations that none notices, with the reason.
"""
import collections
import re
from pathlib import Path

from emitted import union
from engine import BEGINNING, moment

LISTED = Path(__file__).with_name("survivors.tsv")
# Of each kind of mutation so many a statement, evenly spread
MOST = 4
SWAPS = {
    "=~": ["!~", "=="], "!~": ["=~"], "==": ["!="], "!=": ["=="], "in~": ["!in~", "in"],
    "!in~": ["in~"], "in": ["!in"], "!in": ["in"], "and": ["or"], "or": ["and"],
    "contains": ["startswith", "contains_cs"], "contains_cs": ["contains"],
    "startswith": ["contains", "startswith_cs"], "startswith_cs": ["startswith"],
    "endswith": ["contains", "endswith_cs"], "endswith_cs": ["endswith"],
    "has": ["startswith", "has_cs"], "between": ["!between"], ">=": [">", "<"], "<=": ["<", ">"],
    ">": [">="], "<": ["<="], "isempty": ["isnotempty"], "isnotempty": ["isempty"],
    "isnotnull": ["isnull"], "isnull": ["isnotnull"], "true": ["false"], "false": ["true"],
}
TOKEN = re.compile(r'//[^\n]*|@"(?:[^"]|"")*"|"(?:\\.|[^"\\])*"|!?[A-Za-z_]\w*~?|\d+\w*'
                   r"|=~|!~|[=!<>]=|\s+|.")


def mutations(statement):
    """Kinds of mutation, what they change, and the changed statements"""
    found = TOKEN.findall(statement)
    inside = conditions(found)
    text = lambda at, new: "".join([*found[:at], new, *found[at + 1:]])
    for at in inside:
        token = found[at]
        for new in SWAPS.get(token, ()):
            kind = "letter case" if (token + new).endswith(("_cs", "=~==", "in~in")) else "operator"
            if kind == "letter case" and not lettered(found, at):
                continue
            if token != "in" or found[at + 1] == " ":
                yield kind, f"{around(found, at)} → {new}", text(at, new)
        if token == "not" and found[at + 1] == "(":
            yield "not", f"{around(found, at)} taken away", text(at, "")
        if re.fullmatch(r"\d+", token):
            yield "number", f"{around(found, at)} + 1", text(at, str(int(token) + 1))
        if token.startswith(('"', '@"')):
            before, after = beside(found, at, -1), beside(found, at, 1)
            if (before, after) in ((",", ","), ("(", ","), ("[", ",")):
                end = next(there for there in range(at, len(found)) if found[there] == ",")
                yield "value", f"{token} dropped", "".join([*found[:at], *found[end + 1:]])
            elif before == "," and after in (")", "]"):
                start = next(there for there in range(at, 0, -1) if found[there] == ",")
                yield "value", f"{token} dropped", "".join([*found[:start], *found[at + 1:]])
            elif "(?i" in token and re.search("[A-Za-z]", re.sub(r"\(\?[a-z-]+|\\x\w\w|\\.", "", token)):
                yield "letter case", f"{token} counts it", text(at, re.sub(
                    r"\(\?i-u:", "(?:", token).replace("(?is)", "(?s)").replace("(?i)", ""))


def conditions(found):
    """The places of tokens that stand in a `where`, a `case`, an `iff`, or a list"""
    stage, places = "", []
    for at, token in enumerate(found):
        if token == "|":
            stage = next((one for one in found[at + 1:] if not one.isspace()), "")
        elif at == 0 and any(one == "dynamic" for one in found[:12]):
            stage = "where"
        if stage == "where" or stage == "extend" and "Level" in found[max(0, at - 80):at]:
            places.append(at)
    return places


def beside(found, at, step):
    at += step
    while 0 <= at < len(found) and found[at].isspace():
        at += step
    return found[at] if 0 <= at < len(found) else ""


def lettered(found, at):
    """Whether a text that an operator compares with has a letter, or is not written there"""
    after = "".join(found[at + 1:found.index(")", at) if ")" in found[at:] else None])
    texts = re.findall(r'"(?:[^"\\]|\\.|"")*"', after)
    return not texts or any(re.search("[A-Za-z]", text) for text in
                            (texts if found[at].startswith("in") else texts[:1]))


def around(found, at):
    """A few tokens about a place, on one line"""
    return re.sub(r"\s+", " ", "".join(found[max(0, at - 4):at + 5])).strip()


def chosen(statement):
    """The mutations to try: of each kind some, evenly spread"""
    kinds = collections.defaultdict(list)
    for kind, what, text in mutations(statement):
        if text != statement:
            kinds[kind].append((kind, what, text))
    for kind in sorted(kinds):
        found = kinds[kind]
        yield from found[::max(1, -(-len(found) // MOST))]


# ------------------------------------------------------------------------------------------- asking

def survivors(emitted, kusto):
    """How many mutations of a query were tried, and those that return the same rows"""
    parts, now = emitted.statements(), emitted.seen_from(BEGINNING)
    names = [name(part) for part in parts]
    tried, unnoticed = 0, []
    for at, part in enumerate(parts):
        users = [other for other, text in zip(names, parts) if other != names[at]
                 and other in emitted.rows and re.search(rf"\b{names[at]}\b", text)]
        is_list = names[at] and "dynamic(" in part
        wanted = users if is_list and users else [names[at]]
        before = answers(reduced(parts, names, wanted), now, kusto)
        if isinstance(before, str):
            raise RuntimeError(f"{emitted.file.name}: {names[at]}: {before}")
        for kind, what, changed in chosen(part):
            tried += 1
            after = reduced([*parts[:at], changed, *parts[at + 1:]], names, wanted)
            if before == answers(after, now, kusto):
                unnoticed.append((emitted.file.stem, names[at] or "", kind, what))
    return tried, unnoticed


def name(statement):
    """The name that a statement gives to its rows or its list; none of the last statement"""
    found = re.search(r"^let (\w+) =", statement, re.MULTILINE)
    return found[1] if found else None


def reduced(parts, names, wanted):
    """The query of these statements, with those that they need; the last one has no name"""
    if wanted == [None]:
        return ";\n".join(parts)
    needed, known = set(wanted), dict(zip(names, parts))
    queue = list(wanted)
    while queue:
        words = set(re.findall(r"\w+", known[queue.pop()]))
        new = (words & known.keys()) - needed
        needed |= new
        queue += new
    kept = [part for one, part in zip(names, parts) if one in needed]
    return ";\n".join([*kept, union(wanted)])


def answers(query, now, kusto):
    """What the rows of a query are known by at a time; an error is an answer too"""
    if (query, now) not in kusto.answered:
        try:
            rows = kusto.ask(query, now, keep=False)
            kusto.answered[query, now] = frozenset(
                (moment(row), row.get("Signal"), row.get("Level"), row.get("Group"),
                 row.get("Severity"))
                for row in rows)
        except Exception as error:  # pylint: disable=broad-except
            kusto.answered[query, now] = f"{type(error).__name__}: {error}"
    return kusto.answered[query, now]


def explained():
    """Pairs of a class and patterns: of the query, the statement, the kind, what is mutated"""
    lines = (line.split("\t") for line in LISTED.read_text(encoding="utf-8").splitlines())
    return [(line[0], [re.compile(re.escape(part).replace(r"\*", ".*")) for part in line[1:5]])
            for line in lines if not line[0].startswith("#")]


def listed(survivor, patterns):
    """The class of a survivor: `equal`, `missed`, or none that is listed"""
    return next((kind for kind, one in patterns
                 if all(pattern.fullmatch(part) for pattern, part in zip(one, survivor))), None)
