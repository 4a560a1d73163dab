"""An emitted query with the facts that its manifest tells.

In: a query's file, beside it the manifest of the same rule. Out: the rule's title, the signals that
the query holds, when it runs and which rows it keeps, what it loses; its statements, and a query of
its signals.
"""
import datetime
import json
import re

# Leaves rows to the next run whose events are too new for all of their time to have arrived
LATEST = re.compile(r"(?: and|\n\| where)"
                    r" (?:TimeGenerated|Timestamp|coalesce\(\w+, \w+\)|AlertTime) < ago\(\w+\)")


class Emitted:
    """A query as emitted: its `file` and `text`, and what its manifest says

    `signals` has by name the signals of the rule, each with the product whose events it looks for
    and the name of its rows in the query, none where the query is the signal; `names` has their names
    by the texts that results show for them. `losses` are a loss,
    the signal that it is about and its direction. `correlations` have by name the columns that the
    events of a group share. A run is `frequency` after the one before and looks
    back `period`. `since` is the span before a run whose rows the query keeps, by the time of their
    events or of their arrival, None where it keeps all rows of its period. `text` keeps rows up to the
    run, `emitted` those that a run has waited for long enough.
    """

    def __init__(self, file):
        self.file, self.emitted = file, file.read_text(encoding="utf-8")
        told = json.loads(file.with_suffix(".manifest.json").read_text(encoding="utf-8"))
        self.title = told["rule"]["title"]
        self.signals = {signal["name"]: signal for signal in told["signals"]}
        self.names = {signal["shown"]: signal["name"] for signal in told["signals"]}
        self.losses = {(loss["name"], loss["signal"], loss["direction"])
                       for loss in told["losses"]}
        self.correlations = {one["name"]: one["keys"] for one in told["correlations"]}
        schedule, keeps = told["schedule"], told["schedule"]["keeps"]
        self.frequency = datetime.timedelta(minutes=schedule["frequency"])
        self.period = datetime.timedelta(minutes=schedule["period"])
        kept = {} if keeps == "all" else next(iter(keeps.values()))
        self.since = datetime.timedelta(minutes=kept["since"]) if kept else None
        self.delay = datetime.timedelta(minutes=kept.get("until", 0))
        self.text = self.unbounded() if self.delay else self.emitted

    def unbounded(self):
        """The query with rows up to the run, so that one run sees every event as a new one"""
        text = LATEST.sub("", self.emitted)
        if text == self.emitted:
            raise ValueError(f"{self.file.name}: no row is too new, which the manifest says")
        return text

    @property
    def asks_for_new(self):
        """Whether a signal is reported only when its terms are new"""
        return any(signal["new_terms"] for signal in self.signals.values())

    @property
    def keys(self):
        """The columns of the values that the events of its correlations share"""
        return {key for keys in self.correlations.values() for key in keys}

    def group(self, row):
        """The values that the events of a correlation's row share, as one text

        Defender writes accounts in a letter case of its own.
        """
        return "\x1f".join(row[key].lower() if key == "UserKey" else row[key]
                           for key in self.correlations[row["Signal"]])

    @property
    def rows(self):
        """The names of the rows of signals; several may have one"""
        rows = (signal["rows"] for signal in self.signals.values() if signal["rows"])
        return list(dict.fromkeys(rows))

    def seen_from(self, moment):
        """The time of a run to which rows from this moment on are new"""
        return moment + (self.since or datetime.timedelta())

    def statements(self):
        """Its statements; the last one is what it returns"""
        return self.text.split(";\n")

    def of_signals(self):
        """A query of the rows of every signal, also of those that only others report"""
        return ";\n".join([*self.statements()[:-1], union(self.rows)]) if self.rows else self.text


def union(names):
    """The rows of all these names"""
    return names[0] if len(names) == 1 else f"union {', '.join(f'({name})' for name in names)}"
