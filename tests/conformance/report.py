"""The table that a run prints, and how many of its proofs hold.

In: tallies, one of each rule file or set for each target. Out: lines on standard output, a few
examples of what differs under each, and at the end how many passed and failed.
"""
import collections
from dataclasses import dataclass, field

from trial import TARGETS

SHOWN = 3


@dataclass
class Tally:
    """What one rule file comes to for one target"""
    queries: int = 0
    events: int = 0
    matches: int = 0
    judged: collections.Counter = field(default_factory=collections.Counter)
    disagreements: list = field(default_factory=list)
    untried: list = field(default_factory=list)


class Report:
    """The table, and how many of its lines hold"""

    def __init__(self):
        self.passed = self.failed = 0
        self.totals = collections.Counter()
        self.judged = collections.Counter()

    def head(self, title):
        print(f"\n{title:<34}{'target':<10}{'queries':>8}{'events':>13}{'matches':>11}{'differ':>8}")

    def line(self, name, target, tally):
        numbers = tally.queries, tally.events, tally.matches, len(tally.disagreements)
        print("{:<34}{:<10}{:>8}{:>13,}{:>11,}{:>8}".format(name, target, *numbers), flush=True)
        self.judged.update(tally.judged)
        for key, number in zip(("queries", "events", "matches"), numbers):
            self.totals[target, key] += number
        self.check(None, tally.disagreements)

    def check(self, title, wrong):
        """One proof that holds when nothing is wrong"""
        self.passed += not wrong
        self.failed += bool(wrong)
        if title:
            print(f"{title}{': FAILED' if wrong else ''}", flush=True)
        for line in wrong[:SHOWN]:
            print(f"    {line[:700]}")

    def close(self):
        for target in TARGETS:
            queries, pairs, matches = (self.totals[target, key]
                                       for key in ("queries", "events", "matches"))
            print(f"{'all together':<34}{target:<10}{queries:>8}{pairs:>13,}{matches:>11,}")
        print("\nVerdicts that a row of a table cannot repeat, each as it is documented:")
        for why, number in sorted(self.judged.items()):
            print(f"{number:>8} × {why}")
