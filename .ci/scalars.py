"""What the scalar operators and functions of Kusto that rulecast emits give.

As Microsoft documents them (facts/sentinel.md of the corpus). Text is never null; of a comparison
of other types None is the third truth value.
"""
import datetime
import functools
import ipaddress
import re

from corpus import argv_windows

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
BEGINNING = datetime.datetime.min


def timespan(text):
    """A length of time as Kusto writes it: `90s`, `5m`"""
    return datetime.timedelta(**{UNITS[text[-1]]: int(text[:-1])})


@functools.lru_cache(maxsize=None)
def lower(text):
    """ASCII only, as Kusto's operators are documented"""
    return re.sub("[A-Z]+", lambda letters: letters[0].lower(), text)


@functools.lru_cache(maxsize=None)
def expression(text):
    """A regular expression of Rust's syntax in Python's"""
    text = re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: re.escape(chr(int(m[1], 16))), text)
    return re.compile(text.replace("(?i-u:", "(?ai:"))


def matches_regex(text, written):
    return bool(expression(written).search(text))


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


def between(value, low, high):
    return None if value is None else low <= value <= high


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
    return lambda left, right: None if None in (left, right) else function(left, right)


def found_group(match, group):
    return match[group] if match else ""


def case(*parts):
    """The value behind the first condition that is true, or the last one"""
    *pairs, other = parts
    chosen = (value for true, value in zip(pairs[::2], pairs[1::2]) if true is True)
    return next(chosen, other)


def number(text):
    return int(text) if re.fullmatch(r"\s*-?\d+\s*", text) else None


def binned(time, span):
    """The time rounded down to a multiple of the span"""
    return time - (time - BEGINNING) % span


def steps(low, high, step):
    """From the lowest by steps up to the highest, itself included"""
    return tuple(low + step * at for at in range((high - low) // step + 1))


SENSITIVE = {
    "contains": lambda left, right: right in left,
    "endswith": str.endswith,
    "has": has,
    "startswith": str.startswith,
}
BINARY = {
    "=~": insensitive(equal),
    "!~": insensitive(unequal),
    "==": equal,
    "!=": unequal,
    "<": compared(lambda left, right: left < right),
    "<=": compared(lambda left, right: left <= right),
    ">": compared(lambda left, right: left > right),
    ">=": compared(lambda left, right: left >= right),
    **{name: insensitive(function) for name, function in SENSITIVE.items()},
    **{name + "_cs": function for name, function in SENSITIVE.items()},
}
SUMS = {
    "+": compared(lambda left, right: left + right),
    "-": compared(lambda left, right: left - right),
}
LISTS = {
    "in": lambda left, values: left in values,
    "!in": lambda left, values: left not in values,
    "in~": lambda left, values: lower(left) in map(lower, values),
    "!in~": lambda left, values: lower(left) not in map(lower, values),
    "has_any": lambda left, values: any(has(lower(left), lower(value)) for value in values),
}
FUNCTIONS = {
    # Every query is asked after the last event, about all that was recorded.
    "ago": lambda span: BEGINNING,
    "array_length": len,
    "bin": binned,
    "case": case,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "extract": lambda text, group, left: found_group(expression(text).search(left), group),
    "iff": lambda true, value, other: value if true is True else other,
    "ipv4_is_in_any_range": in_networks(4),
    "ipv6_is_in_any_range": in_networks(6),
    "isempty": lambda value: value in ("", None),
    "isnotempty": lambda value: value not in ("", None),
    "isnotnull": lambda value: value is not None,
    "isnull": lambda value: value is None,
    "parse_command_line": lambda text, _: tuple(argv_windows(text)),
    "range": steps,
    "strcat": lambda *values: "".join(values),
    "strcat_array": lambda values, delimiter: delimiter.join(values),
    "toint": number,
    "tolower": str.lower,
    "tostring": lambda value: "" if value is None else str(value),
}
