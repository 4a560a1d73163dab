"""The statements of an emitted query, and the query of its signals alone.

In: a query as emitted. Out: its statements, which of them are signals, and a query that returns
the rows of every signal, also of those that only a correlation or new terms report.
"""
import re

TOKEN = re.compile(r'//[^\n]*|@"(?:[^"]|"")*"|"(?:\\.|[^"\\])*"|[()\[\];]|\w+|[^\w\s]|\s+')


def tokens(query):
    return TOKEN.findall(query)


def statements(query):
    """Texts between the semicolons that stand outside brackets, strings and comments"""
    found, depth = [""], 0
    for token in tokens(query):
        depth += (token in "([") - (token in ")]") if len(token) == 1 else 0
        if token == ";" and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return [text for text in (text.strip() for text in found) if text]


def bare(statement):
    """A statement without its comments"""
    return "".join(token for token in tokens(statement) if not token.startswith("//")).strip()


def signal(statement):
    """The name of the signal that a statement defines; correlations `extend` theirs"""
    match = re.search(r"\| project\s[^|]*?\bSignal = \"(\w+)\"", statement)
    return match[1] if match else None


def name(statement):
    match = re.match(r"let (\w+) =", bare(statement))
    return match[1] if match else None


def of_signals(query):
    """The query of all signals, and their names"""
    parts = statements(query)
    found = [(signal(part), name(part)) for part in parts]
    named = [(one, let) for one, let in found if one and let]
    if not named:
        return query, [one for one, _ in found if one]
    last = max(at for at, (one, let) in enumerate(found) if one and let)
    asked = ", ".join(f"({let})" for _, let in named)
    union = f"union {asked}" if len(named) > 1 else named[0][1]
    return ";\n".join([*parts[:last + 1], union]), [one for one, _ in named]
