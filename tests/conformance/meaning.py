"""A rule as meant: its signals with their tests, read from what `rulecast show` prints.

In: the text of `--stage ir`. Out: signals with their clauses as trees of tests.
"""
import json
import re
from dataclasses import dataclass, field

RELATIONS = {
    "equals field": "same", "starts with field": "same", "ends with field": "same",
    "contains field": "same", "has a match of": "regex", "lies under": "segments",
    "is a public address": "public", "is missing or null": "null", "is in": "networks",
    "starts with": "starts", "ends with": "ends", "contains": "contains", "equals": "equals",
    "fits": "fits", "exists": "exists", "is": "numbers",
}
TEST = re.compile(rf"(?P<subject>[\w-]+)(?:\.(?P<part>[\w()]+))? (?P<relation>{'|'.join(RELATIONS)})"
                  r"(?:, case counts,)?(?: (?P<values>.*?))?(?: from \$\w+)?$")
VALUE = re.compile(r'"(?:\\.|[^"\\])*"|\S+')


@dataclass(eq=False)
class Node:
    """A test, or a joint (`all`, `any`, `not`) with its parts"""
    joint: str = None
    parts: list = field(default_factory=list)
    subject: str = None
    part: str = None
    relation: str = None
    values: list = field(default_factory=list)

    def tests(self):
        return [self] if self.subject else [one for part in self.parts for one in part.tests()]


@dataclass
class Signal:
    """The kind of event that a signal looks at, what it needs, excludes, and its levels"""
    rule: str
    name: str
    kind: str
    requires: list
    excludes: list
    levels: list


def signals(text):
    """Every signal of every rule of a text"""
    found, above, rule = [], [], ""
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        words = line.strip()
        if depth == 0:
            rule = unquoted(words[5:]) if words.startswith("rule ") else rule
            if words.startswith("signal "):
                name, kind = re.match(r"signal (\S+): (\w+)", words).groups()
                found.append(Signal(rule, name, kind, [], [], []))
            above = []
        elif depth == 1:
            role = words.split(" ")[0]
            into = {"require": "requires", "exclude": "excludes"}.get(role)
            into = "levels" if words.startswith("level ") and words.endswith(" when") else into
            above = []
            if into and found:
                above = [Node("all")]
                getattr(found[-1], into).append(above[0])
        elif above:
            del above[depth - 1:]
            node = Node(words) if words in ("all", "any", "not") else test(words)
            above[-1].parts.append(node)
            above.append(node)
    return found


def test(words):
    match = TEST.match(words)
    if not match:
        raise ValueError(f"no test of a rule: {words}")
    values = [unquoted(value) for value in VALUE.findall(match["values"] or "")]
    return Node(subject=match["subject"], part=match["part"], relation=RELATIONS[match["relation"]],
                values=values)


def unquoted(value):
    """A value out of the quotes of Rust"""
    if not value.startswith('"'):
        return value
    value = re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: f"\\u{code[1]:>04}"[:6], value)
    return json.loads(value.replace("\\'", "'").replace("\\0", "\\u0000"))
