"""What duckdb-kql does not know of Kusto and rulecast emits, defined from Microsoft's documentation.

In: an emitted query. Out: rows of an in-memory DuckDB database that answer it as Kusto does.

`install` adds rows to the registries of duckdb-kql and functions to the connection; each is
tested in test_dialect.py with the examples of its page under
https://learn.microsoft.com/kusto/query/. `respelled` puts the few constructs that duckdb-kql's
parser lacks into other words of Kusto. Nothing here knows a rule or the native engine.
"""
import functools
import ipaddress
import json
import re
from pathlib import Path

import duckdb_kql
from duckdb_kql import translate
from duckdb_kql.translate import functions

# What `prev` looks back along: every query that asks for it sorts by these just before, the values that
# the events of a group share and the time.
SORTED = re.compile(
    r"\| sort by ((?:\w+ asc, )+)(TimeGenerated|Timestamp) asc\s+\| extend\s+StartTime = prev\(")
# Holds a value of its own in each row of SecurityAlert.
ROW_OF_ALERT = "RowOfAlert"
# Holds when a row arrived, which Kusto keeps beside its columns.
ARRIVED = "Arrived"

# The column that a parameter of a parser looks terms up in
FACTS = Path(__file__).resolve().parents[2] / "src/query/kusto/parameters.tsv"
PARAMETERS = {tuple(cells[:2]): cells[2] for cells in (
    line.split("\t") for line in FACTS.read_text(encoding="utf-8").splitlines())
    if len(cells) == 3 and not cells[0].startswith("#")}
# A parameter with its terms: a list or the name of one; and a parser with such arguments
ARGUMENT = r'(\w+)=(dynamic\(\[(?:"(?:\\.|[^"\\])*"|[^"\]])*\]\)|\w+)'
CALL = re.compile(rf"\b(_Im_\w+)\(\s*({ARGUMENT}(?:,\s*{ARGUMENT})*)\s*\)")

# A string with escapes; comments and verbatim strings, which have none, are left alone
TEXT = re.compile(r'//[^\n]*|@"(?:[^"]|"")*"|"(?:\\.|[^"\\])*"')

SCALARS = {
    # Text in JSON is empty too.
    "isempty": "kusto_is_empty({})",
    "isnotempty": "(NOT kusto_is_empty({}))",
    "ingestion_time": f'"{ARRIVED}"',
    "ipv4_is_in_any_range": "kusto_in_networks(4, CAST(json_array({}) AS VARCHAR))",
    "ipv6_is_in_any_range": "kusto_in_networks(6, CAST(json_array({}) AS VARCHAR))",
    "parse_command_line": "CAST(kusto_command_line({}) AS JSON)",
    "prev": "lag({}) OVER (ORDER BY \"Group\", \"Happened\")",
    "row_number": "row_number() OVER (ORDER BY \"TimeGenerated\")",
    "range": "to_json(generate_series({}))",
    "replace_strings": "kusto_replace_strings({})",
    "split": "kusto_split({})",
    # Known to duckdb-kql but for `summarize`, which asks the registry.
    "strcat_array": "",
    "tohex": "kusto_tohex({})",
}
AGGREGATES = {
    "count_distinct": "count(DISTINCT {0})",
    "count_distinctif": "count(DISTINCT {0}) FILTER (WHERE {1})",
    "make_list_if": "to_json(coalesce(list({0}) FILTER (WHERE {1} AND {0} IS NOT NULL), []))",
    "make_set_if":
        "to_json(coalesce(list_distinct(list({0}) FILTER (WHERE {1})), [])[1:CAST({2} AS BIGINT)])",
}
# Functions of the connection that need no Python, which would be slow on every value of a log
MACROS = {
    # Each match becomes a character that no text has, so that no later lookup sees it, and then its
    # rewrite. What is not a string is looked up nowhere and replaces nothing.
    "kusto_replace_strings": """(value, lookups, rewrites) AS list_reduce(list_concat(
        [list_reduce(list_concat([value], kusto_strings(lookups)),
            lambda text, one, n: replace(text, one, chr(983040 + CAST(n AS INTEGER))))],
        list_transform(kusto_strings(lookups),
            lambda one, n: coalesce(kusto_strings(rewrites)[n], one))),
        lambda text, one, n: replace(text, chr(983040 + CAST(n AS INTEGER)), one))""",
    "kusto_is_empty": """(value) AS (value IS NULL OR CASE typeof(value)
        WHEN 'JSON' THEN coalesce(value ->> '$', '') ELSE CAST(value AS VARCHAR) END = '')""",
    "kusto_split": """(value, mark) AS str_split(value, mark),
        (value, mark, nth) AS str_split(value, mark)[nth + 1:nth + 1]""",
    # A negative number is as long as its type.
    "kusto_tohex": """(number) AS kusto_hex(number),
        (number, least_length) AS lpad(kusto_hex(number),
            CAST(greatest(strlen(kusto_hex(number)), least(least_length, 16)) AS INTEGER), '0')""",
}
# What those are made of
PARTS = {
    "kusto_strings": """(items) AS list_transform(CAST(items AS JSON[]),
        lambda one: CASE json_type(one) WHEN 'VARCHAR' THEN one ->> '$' END)""",
    "kusto_hex": """(number) AS right(lower(hex(CAST(number AS BIGINT))),
        CASE typeof(number) WHEN 'INTEGER' THEN 8 ELSE 16 END)""",
}


def install(file=":memory:", **settings):
    """A connection that knows everything that rulecast emits"""
    for name, template in SCALARS.items():
        functions.SCALAR_FUNCTIONS[name] = functions.FunctionSpec(name, "template", template)
    for name, template in AGGREGATES.items():
        functions.AGGREGATE_FUNCTIONS[name] = functions.AggregateSpec(name, template)
    translate.to_re2_named_groups = re2
    connection = duckdb_kql.connect(file, **settings)
    connection.create_function("kusto_in_networks", in_networks, ["INTEGER", "VARCHAR"],
                               "BOOLEAN", null_handling="special")
    connection.create_function("kusto_command_line", command_line, ["VARCHAR", "VARCHAR"],
                               "VARCHAR", null_handling="special")
    for name, definition in {**PARTS, **MACROS}.items():
        connection.execute(f"CREATE TEMP MACRO {name}{definition}")
    return connection


# ----------------------------------------------------------------------------------------- spelling

def respelled(query):
    r"""The same query in the words that duckdb-kql's parser knows

    A parser with arguments becomes its rows behind filters: each argument is one by its reference.
    `\x1f` in a string becomes the character itself. Bounds of `between` get brackets.
    `mv-apply … on (summarize …)` becomes `mv-expand` with a `summarize` by row, which is what it
    is defined as; rows have a column for it, or get a number.
    """
    if len(SORTED.findall(query)) != len(re.findall(r"StartTime = prev\(", query)):
        raise NotImplementedError("prev() after another order than the one that is known")
    query = CALL.sub(parsed, SORTED.sub(sorted_by_group, query))
    query = TEXT.sub(lambda text: text[0] if text[0][0] != '"' else
                     re.sub(r"\\\\|\\x(..)", code, text[0]), query)
    query = re.sub(r"between \(([^()]+?) \.\. ([^()]+?)\)", r"between ((\1) .. (\2))", query)
    query = re.sub(r"\| mv-apply (\w+ = \w+) on \(\s+summarize(.+?)\n\)",
                   rf"| mv-expand \1\n| summarize\2, arg_max(TimeGenerated, *) by {ROW_OF_ALERT}",
                   query, flags=re.DOTALL)
    return re.sub(r"\| mv-apply (\w+) = ([^\n]+) on \(\s+((?:mv-expand[^\n]+\s+\| )?summarize.+?)\n\)",
                  r"| extend RowOfApply = row_number(), \1 = \2\n| mv-expand \1\n"
                  r"| \3, arg_max(TimeGenerated, *) by RowOfApply", query, flags=re.DOTALL)


def sorted_by_group(found):
    """The rows of a group with a column for all that its events share, and one for their time"""
    shared = ', "\\x1f", '.join(re.findall(r"\w+(?= asc)", found[1]))
    return (f"| extend Group = strcat({shared}), Happened = {found[2]}\n"
            "| sort by Group asc, Happened asc\n"
            "| extend StartTime = prev(")


def parsed(found):
    """The rows of a parser that have the terms which it is given"""
    parser, arguments = found[1], re.findall(ARGUMENT, found[2])
    filters = [f"{PARAMETERS[parser, parameter]} has_any ({terms})" for parameter, terms in arguments]
    return "\n| where ".join([parser, *filters])


def code(escape):
    return chr(int(escape[1], 16)) if escape[1] else escape[0]


def re2(pattern):
    """A regular expression of Kusto, which are those of Rust, for RE2

    RE2 does not know `(?i-u:…)`, ASCII letters without case: each becomes a class. Its `\\b` and
    `\\B` know ASCII only, as those in `(?-u:…)` do.
    """
    pattern = re.sub(r"\(\?-u:(\\[bB])\)", r"\1", pattern)

    def classes(group):
        return re.sub(r"\\x\{[0-9a-fA-F]+\}|\\.|[A-Za-z]", either_case, group[1])
    return re.sub(r"\(\?i-u:((?:\\.|[^\\)])*)\)", lambda group: f"(?:{classes(group)})", pattern,
                  flags=re.DOTALL)


def either_case(part):
    letter = part[0]
    return letter if letter.startswith("\\") else f"[{letter.lower()}{letter.upper()}]"


# ---------------------------------------------------------------------------------------- functions

@functools.lru_cache(maxsize=None)
def in_networks(version, arguments):
    """`ipv4_is_in_any_range`, `ipv6_is_in_any_range`: null for what is no address

    The arguments are a JSON list: the address, then networks or lists of them. For the second
    function an IPv4 address is one of `::ffff:0:0/96`.
    """
    text, *networks = json.loads(arguments)
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    if version == 6 and address.version == 4:
        address = ipaddress.ip_address(f"::ffff:{text}")
    if address.version != version:
        return None
    lists = [one if isinstance(one, list) else [one] for one in networks]
    return any(address in network(one) for some in lists for one in some)


@functools.lru_cache(maxsize=None)
def network(text):
    return ipaddress.ip_network(text, strict=False)


@functools.lru_cache(maxsize=None)
def command_line(text, parser):
    """`parse_command_line` for Windows: the arguments as a JSON list, null for no text

    Blanks part arguments outside quotes. 2n backslashes before a quote are n and the quote opens
    or closes; 2n+1 are n and a quote; two quotes inside quotes are one and close.
    """
    if parser != "windows":
        raise NotImplementedError(f"parse_command_line for {parser}")
    if not text:
        return None
    found, part, quoted, at = [], None, False, 0
    while at < len(text):
        run = BACKSLASHES.match(text, at)[0]
        at += len(run)
        sign = text[at:at + 1]
        at += 1
        if sign != '"' and run:
            part = (part or "") + run
        if sign == '"':
            part = (part or "") + "\\" * (len(run) // 2)
            if len(run) % 2:
                part += sign
            elif quoted and text[at:at + 1] == sign:
                part, quoted, at = part + sign, False, at + 1
            else:
                quoted = not quoted
        elif sign and (quoted or sign not in " \t"):
            part = (part or "") + sign
        elif part is not None:
            found.append(part)
            part = None
    return json.dumps(found if part is None else [*found, part])


BACKSLASHES = re.compile(r"\\*")
