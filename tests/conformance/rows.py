"""How an event looks in the tables of Microsoft: which rows it has, and what a field changes in them.

In: an event in Sigma's field names, and the rows that it has so far. Out: the rows after a change of
one field. Written from Microsoft's documentation of the tables, not from the tables of the compiler,
which are what is to be proven. The tables of Windows events are in windows.py.
"""
import re

import asim
import cloud
import defender
import registry
import windows


def read(name):
    """The lines of a table that the judge of `verify` reads too, `.` as nothing"""
    text = (windows.TABLES / name).read_text(encoding="utf-8")
    return [["" if cell == "." else cell for cell in line.split("\t")]
            for line in text.splitlines() if not line.startswith("#")]


# By family: the table that holds events of its kinds, what all rows are, and the function of ASIM
TABLES = {of: rest for of, _, *rest in read("tables.tsv")}
FAMILIES = {kind: of for of, kinds, *_ in read("tables.tsv") for kind in kinds.split()}
# Family, field, column or how columns are filled, column of ASIM, what is written for nothing
SHOWN = read("rows.tsv")
# The columns of a field by family
COLUMNS = {of: {field: column for family, field, column, _, _ in SHOWN if family == of and field}
           for of in TABLES}
# The columns by the name that the parser of ASIM gives them
PARSED = {of: {name: column for family, _, column, name, _ in SHOWN if family == of and name}
          for of in TABLES}
# What a web server writes as `-` when it is not there
DASHED = {field for _, field, _, _, nothing in SHOWN if nothing == "-"}
# Fields whose absence a row says in its own way, or that an event says in another field
SAID_OTHERWISE = {"web": DASHED, "registry": set(registry.FIELDS)}
TOGETHER = {**defender.TOGETHER, **cloud.TOGETHER}


def family(kind):
    """Which of the families holds events of a kind; None where none does"""
    return FAMILIES.get(kind)


def known(kind):
    """The fields of a kind that a column of its family shows"""
    return COLUMNS.get(family(kind), {}).keys()


def shows(kind, field):
    """Whether some table shows a field; a Windows event keeps every field"""
    return field in known(kind) or windows.holds(kind)


def blank(kind):
    """The row of its family of an event of which nothing is known, by its table"""
    if family(kind) is None:
        return {}
    table, action, _ = TABLES[family(kind)]
    row = {"$table": table, **({"ActionType": action} if action else {}),
           **cloud.CONSTANT.get(family(kind), {})}
    if table == "Syslog":
        row.update(cloud.program(kind))
    return {table: row}


def possible(kind, event):
    """Whether some sensor writes such an event (limits.tsv)"""
    of = family(kind)
    accounts = [event.get(field) for field in ("User", "ParentUser") if of in ACTORS]
    return (all(re.fullmatch(r"[^\\]*(\\[^\\]+)?", str(account), re.S) for account in accounts)
            and not str(event.get("TargetFilename")).endswith(".")
            and not any(str(event.get(field)).endswith(("\\", "/")) for field in NAMED.get(of, ()))
            and (of != "file" or event.get("Action") in defender.FILE_ACTIONS)
            and (of != "network" or event.get("Initiated") in ("true", "false"))
            and (of != "registry" or registry.possible(event))
            and (of != "process" or re.fullmatch("None|0x(0|[1-9a-f][0-9a-f]{0,7})",
                                                 str(event.get("LogonId"))))
            and (of != "proxy" or cloud.one_address(event))
            and (of != "signin" or cloud.one_result(event))
            and (of != "web" or not any("." in str(event.get(field)) for field in COUNTED))
            and windows.possible(kind, event))


# What a web server counts in whole numbers
COUNTED = ("cs-bytes", "s-port", "sc-bytes", "sc-status", "time-taken")
# Images of which a row has only the name
NAMED = {of: {field for field, column in columns.items() if column == "(parent of actor)"}
         for of, columns in COLUMNS.items()}
# Families whose rows show accounts in two columns
ACTORS = {of for of, columns in COLUMNS.items()
          if {"(account)", "(account of actor)"} & set(columns.values())}


def in_all_names(of, event, about):
    """Gives fields of one column, which an event may name in several ways, one value: that of the
    field that the event is about, or of the first one"""
    values, columns = {}, COLUMNS.get(of, {})
    for field in sorted(columns, key=lambda field: field != about):
        column = columns[field]
        if event.get(field) is not None and not column.startswith("("):
            event[field] = values.setdefault(column, event[field])


def complete(kind, event, before, about=None):
    """Adds what every sensor writes to an event; `before` is the one that it was made from, to change
    the field that it is `about`"""
    in_all_names(family(kind), event, about)
    if family(kind) == "registry":
        registry.complete(event, before)
    if family(kind) == "web":
        defender.apart_in_log(event, about)
    if family(kind) == "firewall" and event.get("blocked") is not None:
        # ASIM has one column for what was done, whichever field of a log says it.
        event.pop("action", None)
    windows.complete(kind, event)


def put(kind, event, rows, field, value):
    """Gives a field another value, None for none, in the event and in the row of its family"""
    if value is None:
        event.pop(field, None)
    else:
        event[field] = value
    of = family(kind)
    if of is None:
        return
    row = rows[TABLES[of][0]]
    text, column = "" if value is None else str(value), COLUMNS[of].get(field, "")
    if column.startswith("("):
        row.update(TOGETHER[column.strip("()")](event, field, text))
    elif "." in column:
        inside(row, column, value)
    elif column:
        row[column] = "-" if value is None and field in DASHED else text


def inside(row, path, value):
    """Puts a value into a column of JSON"""
    *above, name = path.split(".")
    for step in above:
        found = row.get(step)
        row[step] = row = dict(found) if isinstance(found, dict) else {}
    row.pop(name, None)
    if value is not None:
        row[name] = value


def every(example):
    """All rows of an event: of its family, of the parser of ASIM over it, and of Windows logs"""
    of = family(example.kind)
    for table, row in example.rows.items():
        yield row
        if of and table == TABLES[of][0] and TABLES[of][-1] and asim.has_row(of, example.event):
            yield asim.parsed(of, TABLES[of][-1], PARSED[of], example.event, row)
    yield from windows.rows(example)
