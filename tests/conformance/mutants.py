"""Whether the events of the proof would notice a mistake in a query.

In: a query whose rows are those of the engine, and the database with its events. Out: single
mutations of it, and which of them return the same rows: nobody would have noticed those. A
mutation swaps an operator, counts or ignores letter case, drops a value of a list, takes a `not`
away, or moves a number by one; or it says of the table what the mapping might say by mistake:
another column or name of data, every row of the table, another type.

survivors.tsv lists mutations that none notices, with the reason.
"""
import collections
import functools
import os
import re
from pathlib import Path

import schema
from emitted import union
from engine import BEGINNING, known_by

LISTED = Path(__file__).with_name("survivors.tsv")
# Of each kind of mutation so many a statement, evenly spread. `verify` tries the queries on events
# near every literal as well, so a sample is enough here; RULECAST_MUTANTS asks for more.
ALL = "RULECAST_MUTANTS" in os.environ
MOST = 4 if ALL else 2
# Kinds of what a mapping says
MAPPED = ("column", "rows", "type")
# Columns that say which rows are those of a log
OF_LOGS = {"ActionType", "Channel", "DeviceProduct", "DeviceVendor", "EventID", "EventLog",
           "Facility", "IdApplicationName", "OfficeWorkload", "ProcessName", "Provider", "Source"}
# The name of data in a regular expression over XML, and in a bag
NAMED = re.compile(r'(?<=<Data Name="")[^"]+|(?<=<\(\?:Data Name=""\)\?)\w+')
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


def of_mapping(found):
    """The same for what a mapping says of a table, whose rows the statement reads"""
    table = source(found)
    if table is None:
        return
    columns, in_stage, own = tables()[table], stages(found), set()
    text = lambda start, end, new: "".join([*found[:start], new, *found[end:]])
    start, end = rows_of_log(found, in_stage)
    if end:
        what = " ".join("".join(found[start:end]).split())
        yield "rows", f"{what} taken away", text(start, end, "")
    names = sorted({one for token in found for one in data_names(token)})
    for at, token in enumerate(found):
        if in_stage[at] not in ("where", "extend"):
            continue
        before, after = beside(found, at, -1), beside(found, at, 1)
        if in_stage[at] == "extend" and after == "=":
            own.add(token)
        elif token in columns and token not in own | TIMES and before != "." and after != "(":
            yield from of_column(found, at, columns, text)
        for name in data_names(token):
            new = following(names, name) if len(names) > 1 else "RuleName"
            yield "column", f"{name} → {new}", text(at, at + 1, token.replace(name, new))
        if token in ("tolong", "toint") and after == "(":
            close = closing(found, at)
            column = "".join(found[at + 2:close])
            if columns.get(column) == "string" and beside(found, close, 1) in ("in", "!in"):
                yield "type", f"{token}({column}) taken away", text(at, close + 1, column)


def of_column(found, at, columns, text):
    """Another column in the place of one, and the column as another type where the binder takes it"""
    token, kind = found[at], columns[found[at]]
    alike = [name for name, one in columns.items() if one == kind and name not in TIMES]
    new = following(alike, token)
    if new != token:
        yield "column", f"{around(found, at)} → {new}", text(at, at + 1, new)
    if kind == "string" and beside(found, at, 1) in TEXTUAL:
        yield "type", f"{around(found, at)} as a number", text(
            at, at + 1, f"tostring(tolong({token}))")


TIMES = {"TimeGenerated", "Timestamp"}
TEXTUAL = {"=~", "!~", "in~", "!in~", "contains", "startswith", "endswith", "has"}


def data_names(token):
    """Names of data in a regular expression over the XML of an event, or in brackets after a bag"""
    return NAMED.findall(token) if token.startswith('@"') else []


def following(names, name):
    """The name after another one, the first one after the last"""
    return names[(names.index(name) + 1) % len(names)]


def closing(found, at):
    """The place of the bracket that closes the one after a function"""
    depth = 0
    for place in range(at, len(found)):
        depth += (found[place] == "(") - (found[place] == ")")
        if found[place] == ")" and not depth:
            return place
    return len(found)


def rows_of_log(found, in_stage):
    """Where the condition stands that leaves the rows of a log, which comes before the rule's own"""
    bars = [at for at, token in enumerate(found) if token == "|" and not asks_arrival(found, at)]
    where = [at for at in bars if in_stage[at + 2] == "where"]
    if len(where) < 2 or where[0] != bars[0]:
        return 0, 0
    end = bars[1]
    words = {one for one in found[where[0] + 3:end] if re.fullmatch("[A-Z]\\w+", one)}
    return (where[0], end) if words and words <= OF_LOGS else (0, 0)


def source(found):
    """The table whose rows a statement reads"""
    words = [one for one in found[:12] if re.fullmatch(r"\w+", one)]
    first = words[2:3] if words[:1] == ["let"] else words[:1]
    return first[0] if first and first[0] in tables() else None


@functools.lru_cache(maxsize=None)
def tables():
    return schema.physical(schema.read())


def stages(found):
    """The operator in whose stage each token stands"""
    stage, all_stages = "", []
    for at, token in enumerate(found):
        if token == "|":
            stage = next((one for one in found[at + 1:] if not one.isspace()), "")
        elif at == 0 and any(one == "dynamic" for one in found[:12]):
            stage = "where"
        all_stages.append(stage)
    return all_stages


def asks_arrival(found, bar):
    """Whether the stage after a bar asks when a row arrived, which late.py tries"""
    return "ingestion_time" in found[bar:bar + 6]


def conditions(found):
    """The places of tokens that stand in a `where`, a `case`, an `iff`, or a list"""
    bars = [at for at, token in enumerate(found) if token == "|"]
    ends = [*bars[1:], len(found)]
    arrival = {at for bar, end in zip(bars, ends) if asks_arrival(found, bar) for at in range(bar, end)}
    return [at for at, stage in enumerate(stages(found))
            if at not in arrival
            and (stage == "where" or stage == "extend" and "Level" in found[max(0, at - 80):at])]


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


def chosen(statement, about_mappings):
    """The mutations to try: of each kind some, evenly spread"""
    kinds = collections.defaultdict(list)
    for kind, what, text in of_mapping(TOKEN.findall(statement)) if about_mappings \
            else mutations(statement):
        if text != statement:
            kinds[kind].append((kind, what, text))
    for kind in sorted(kinds):
        found = kinds[kind]
        yield from found[::max(1, -(-len(found) // MOST))]


# ------------------------------------------------------------------------------------------- asking

def survivors(emitted, kusto, about_mappings):
    """How many mutations of a query were tried by kind, and those that return the same rows

    Of what mappings say, where the rule is there to try those, or of what a rule says.
    """
    parts, now = emitted.statements(), emitted.seen_from(BEGINNING)
    names = [name(part) for part in parts]
    tried, unnoticed = collections.Counter(), []
    for at, part in enumerate(parts):
        users = [other for other, text in zip(names, parts) if other != names[at]
                 and other and re.search(rf"\b{names[at]}\b", text)]
        is_list = names[at] and "dynamic(" in part
        # The rows of a rule with one signal have no name.
        wanted = (users or [None]) if is_list else [names[at]]
        before = answers(reduced(parts, names, wanted), now, kusto)
        if isinstance(before, str):
            raise RuntimeError(f"{emitted.file.name}: {names[at]}: {before}")
        for kind, what, changed in chosen(part, about_mappings):
            tried[kind] += 1
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
            # A column of an entity that is not what its name says shows in the level.
            kusto.answered[query, now] = frozenset(
                frozenset(known_by(row).items()) for row in rows)
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
