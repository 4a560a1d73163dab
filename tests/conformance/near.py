"""Events near each literal of a rule, in both shapes.

In: the signals of a rule as meant, and recorded events that have both shapes. Out: for each test
of a signal, events that fulfil what stands around it, with the value of the test and values beside
it: letter case flipped, an end cut or grown, a border moved, empty, missing, beyond ASCII, another
address family. Whether an event matches is for the engine and the query to say.

Without chance: the same rule gives the same events.
"""
import copy
import ipaddress
import re

import rows
from fields import KNOWN, MADE, NULL, PRESENT, WORDS, assign

# Letters that fold across the border of ASCII in some engines are left out: limits.tsv.
BEYOND_ASCII = "éÄσ日"
# Literals of a test that get every variant; the others get the first few
THOROUGH, FEW = 3, 5
ADDRESSES = (
    "8.8.8.8", "10.0.0.0", "11.0.0.0", "172.15.255.255", "172.16.0.0", "172.32.0.0", "192.167.255.1",
    "192.168.0.1", "100.63.255.255", "100.64.0.1", "126.255.255.255", "127.0.0.1", "169.254.1.1",
    "192.0.2.1", "198.18.0.0", "203.0.113.9", "223.255.255.255", "224.0.0.1", "255.255.255.255",
    "0.0.0.0", "192.0.0.8", "198.51.100.9", "240.0.0.1", "3fff::1", "5f00::1", "100::1",
    "::ffff:0.1.2.3", "::ffff:169.254.1.1", "::ffff:192.0.0.8", "::ffff:198.18.1.1", "::", "::1", "fe80::1", "fec0::1", "fbff::1", "fc00::1", "ff02::1", "2001:db8::1",
    "2606:4700::1111", "64:ff9b:1::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:7f00:1",
    "2001:0DB8:0:0::1", "localhost", "10.0.0", "010.0.0.1", "10.0.0.1 ",
)
HOSTS = ("web01.contoso.example", "web02.contoso.example", "10.9.8.7")


class Example:
    """An event with its row"""

    def __init__(self, kind, product="", event=None, row=None, name="made"):
        self.kind, self.product, self.name = kind, product, name
        self.event, self.row = event or {}, row or {}

    def put(self, field, value):
        rows.put(self.kind, self.event, self.row, field, value)

    def copy(self, name):
        return Example(self.kind, self.product, copy.deepcopy(self.event), dict(self.row), name)


def made(kind, number):
    """An event that no rule is about"""
    of = rows.family(kind)
    table = rows.DEVICE_TABLES.get(of) or {"web": "W3CIISLog", "alert": "SecurityAlert"}[of]
    example = Example(kind, row={"$table": table})
    if of == "process":
        example.row["ActionType"] = "ProcessCreated"
    example.put("Computer", HOSTS[number % len(HOSTS)])
    for field, value in MADE[of].items():
        example.put(field, value)
    if of == "web":
        example.put("c-ip", f"198.51.100.{number % 4}")
    return example


# ------------------------------------------------------------------------------------------- events

def near(signals, matched):
    """The events of a rule; `matched` holds recorded examples of each signal by rule and name"""
    found, seen = [], set()
    for signal in signals:
        for clause in (*signal.requires, *signal.excludes, *signal.levels):
            for one in clause.tests():
                for example in examples(signal, clause, one, matched.get((signal.rule, signal.name), ())):
                    key = (example.kind, repr(example.event))
                    if key not in seen:
                        seen.add(key)
                        found.append(example)
        found += unsaid(signal)
    return found


def unsaid(signal):
    """What a rule need not say: that something happened to a file, or how a connection ended"""
    of = rows.family(signal.kind)
    others = {"file": ("Action", WORDS["Action"]), "registry": ("Action", WORDS["Action"]),
              "network": ("SourcePort", (0, 1, 2))}
    field, values = others.get(of, ("", ()))
    for number, value in enumerate(values):
        example = made(signal.kind, number)
        assign(example, [pair for clause in signal.requires for pair in fulfil(clause, None)])
        if of == "network":
            value = max(int(example.event.get(field) or 0) - value, 0)
        example.put(field, value)
        yield example.copy(f"{signal.name}: {field} {value}")


def series(signals, spans):
    """Pairs of a matching event and the seconds before it: what correlations count and order

    Of each signal bursts from one client, bursts of different values, and events as far apart as
    each timespan and a little more; then all signals one after another, forwards and backwards, at
    three speeds, on pages that were asked for before and on pages of their own.
    """
    bases = []
    for signal in signals:
        if rows.family(signal.kind) in MADE:
            base = made(signal.kind, 0)
            assign(base, [pair for clause in signal.requires for pair in fulfil(clause, None)])
            bases.append(base.copy(f"{signal.name}: series"))
    networks = sorted({base.event.get("c-ip", "198.51.100.0").rpartition(".")[0] for base in bases})
    own = networks[0]
    for base in bases:
        for _ in range(4):
            for number in range(25):
                yield varied(base, {"c-ip": f"{own}.77"}), 0.04 if number else 5
        for number in range(20):
            gap = 5 if not number else 0.28 if number == 1 else 0.04
            yield varied(base, {"c-ip": f"{own}.76"}), gap
        for clients in range(1, 6):
            for number in range(clients):
                yield varied(base, {"c-ip": f"{own}.{210 + number}",
                                    "cs-uri-stem": page(base, f"c{clients}")}), 0.5
        for number in range(60):
            yield varied(base, {"c-ip": f"{own}.{number + 80}", "User": f"CONTOSO\\n{number}",
                                "cs-username": f"n{number}"}), 0.5
        for number in range(60):
            yield varied(base, {"c-ip": f"{own}.78", "cs-uri-stem": page(base, number)}), 0.5
    pairs = [(base, other) for base, other in zip(bases, [*bases[1:], *bases])]
    pairs += [(base, base) for base in bases]
    for number, (span, (base, other)) in enumerate(
            (span, pair) for span in spans for pair in pairs):
        for apart in (0, 0.001):
            values = {"c-ip": f"{own}.{150 + number % 50}",
                      "cs-uri-stem": page(other, f"p{number}x{int(apart * 1000)}")}
            yield varied(base, values), 2 * span
            yield varied(other, values), span + apart
    for round_, speed in enumerate((0.2, 10, 50)):
        for turn, order in enumerate((bases, bases[::-1], bases)):
            for base in order:
                yield varied(base, {"c-ip": f"{own}.200"}), speed
            for base in order:
                yield varied(base, {"c-ip": f"{own}.201",
                                    "cs-uri-stem": page(base, f"r{round_}t{turn}")}), speed


def page(base, mark):
    """The page of an event under another name with the same extension"""
    before, dot, after = base.event.get("cs-uri-stem", "").rpartition(".")
    return f"{before}{mark}{dot}{after}" if dot else after


def varied(base, values):
    example = base.copy(base.name)
    for field, value in values.items():
        if field in example.event:
            example.put(field, value)
    return example


def examples(signal, clause, one, recorded):
    """Events about one test of a signal"""
    kind = signal.kind
    # Of a log without a table there is no row to try.
    if one.subject not in KNOWN.get(rows.family(kind), ()):
        return
    required = [part for other in signal.requires if other is not clause
                for part in fulfil(other, one)]
    around = [part for part in fulfil(clause, one) if part[0] is not one]
    for number, (literal, values) in enumerate(variants(one)):
        for at, value in enumerate(values):
            example = made(kind, number + at)
            assign(example, [*required, *around, (one, value)])
            yield example.copy(f"{signal.name}: {one.subject} near {literal!r}")
            if number < THOROUGH:
                for base in recorded[:1]:
                    other = base.copy(f"{base.name}, {one.subject} near {literal!r}")
                    assign(other, [*around, (one, value)])
                    yield other


def fulfil(node, through):
    """Pairs of a test and a value that make a tree true, by way of one test if it is in there"""
    if node.subject:
        values = next(iter(variants(node)), ("", [None]))[1]
        # Any text has an empty part.
        return [] if values[0] == "" and node.relation != "equals" else [(node, values[0])]
    if node.joint == "all":
        return [pair for part in node.parts for pair in fulfil(part, through)]
    way = next((part for part in node.parts if through in part.tests()), None)
    if node.joint == "any":
        way = way or node.parts[0]
        denied = [part for part in node.parts if part.joint == "not" and part is not way]
        return [*(pair for part in denied for pair in fulfil(part.parts[0], through)),
                *fulfil(way, through)]
    if way:
        return fulfil(way, through)
    return [(one, None) for one in node.tests() if one.relation == "exists"]


# ------------------------------------------------------------------------------------------- values

def variants(one):
    """For each literal of a test, the texts to try; the first is the literal itself"""
    if one.relation in ("exists", "null"):
        return [("", [PRESENT, None, NULL, "", "-"] if one.relation == "exists" else [None, NULL, "", PRESENT])]
    if one.relation == "public":
        return [("public", [*ADDRESSES, None, ""])]
    if one.relation == "same":
        return [("field", [("same", one.values[0]), ("flipped", one.values[0]), "other"])]
    make = {"networks": addresses, "numbers": numbers}.get(one.relation, texts)
    found = []
    for at, value in enumerate(one.values):
        made_values = make(one, value)
        few = 2 * FEW if one.relation == "segments" else FEW
        found.append((value, made_values if at < THOROUGH else made_values[:few]))
    # An event always says what happened, and who opened a connection.
    if found and make is texts and one.subject not in WORDS:
        found[0][1].extend([None, NULL, "", "-"])
    return found


def addresses(_, text):
    network = ipaddress.ip_network(text, strict=False)
    first, last = network[0], network[-1]
    found = [str(last), str(first)]
    found += [str(first - 1)] if int(first) else []
    found += [str(last + 1)] if int(last) + 1 < 1 << last.max_prefixlen else []
    if network.version == 4:
        found += [f"::ffff:{first}", f"::ffff:{last}"]
    else:
        found += [first.exploded.upper()]
    return [*found, "8.8.8.8", "2606:4700::1111", None, ""]


def numbers(_, text):
    low, high = limits(text)
    inside = min(max(low, 0) + 7, high)
    near_by = [inside, high, low, low - 1, high + 1, None]
    return [number for number in dict.fromkeys(near_by) if number is None or 0 <= number < 1 << 31]


def limits(text):
    """The smallest and the largest number of a range as it is printed: `5`, `5-9`, `>=5`"""
    sign, first, last = re.fullmatch(r"(>=|<=|>|<)?(-?\d+)(?:-(\d+))?", text).groups()
    low, high = int(first), int(last or first)
    return {">=": (low, 1 << 31), ">": (low + 1, 1 << 31), "<=": (0, high),
            "<": (0, high - 1)}.get(sign, (low, high))


def texts(one, value):
    """The value with what may stand around it, and texts that are nearly so"""
    text = sample(value) if one.relation == "regex" else filled(value)
    if one.subject in ("Action", "Initiated"):
        return [text, *(word for word in WORDS[one.subject] if word != text)]
    last, first = text[-1:], text[:1]
    found = [text, text.swapcase(), text[:-1], text[1:], text + "x", "x" + text]
    if one.relation == "segments":
        found = [part.replace("/", slash) for part in found[:4] for slash in ("/", "\\")]
    found += [text[:1].swapcase() + text[1:], text[:-1] + text[-1:].swapcase()]
    found += [text + border + "y" for border in "-. "] + ["y" + border + text for border in "_\\/"]
    found += [f"{text} {text}", f"({text})", f'"{text}"', text + BEYOND_ASCII[0], text + "\n",
              BEYOND_ASCII[1] + text, text.replace("\\", "/"), text.replace("/", "\\")]
    found += [text[:-1] + BEYOND_ASCII[2]] if last else []
    found += [BEYOND_ASCII[3] + text[1:]] if first else []
    if re.search(r"[^\x00-\x7f]", text):
        found += [text.upper(), text.lower()]
    if one.relation == "fits":
        found += [filled(value, "", "x"), filled(value, "\\a b", "."), filled(value, "", "")]
    if one.subject.endswith("User"):
        # The name of an account holds no backslash.
        found = [part for part in found if part.count("\\") <= (one.part is None)]
    return list(dict.fromkeys(found))


def filled(value, star="", mark="1"):
    """A value of Sigma with something for its wildcards"""
    parts = re.findall(r"\\[*?\\]|.", value, re.DOTALL)
    signs = {"*": star, "?": mark, "\\*": "*", "\\?": "?"}
    return "".join(signs.get(part, part) for part in parts)


def sample(pattern):
    """A text that a simple regular expression finds"""
    text = re.sub(r"\[\^[^]]*\]\*?", "z", pattern)
    text = re.sub(r"\(\?[a-z]+\)|[$^]|\\b", "", text)
    text = re.sub(r"\(([^|()]*)(?:\|[^()]*)*\)", r"\1", text)
    text = re.sub(r"\\[dw]", "1", re.sub(r"\\s", " ", text))
    text = re.sub(r"\[(.)[^]]*\](?:\{(\d)\})?", lambda m: m[1] * int(m[2] or 1), text)
    return re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)[+?]|\.\*", "", text))
