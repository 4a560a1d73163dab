"""Runs emitted queries one after another while rows still arrive.

In: a trial, with a rule's emitted queries, its examples and the engine's verdicts. Out: how many runs
were made, and what is wrong: an event that no run reports or more than one, and a run that answers
otherwise because rows came late.

Copies of what a rule matches stand about the ends of runs and of the time that a run waits, and arrive
up to as late as the schedule of the query allows.
"""
import collections
import datetime
import re
import tempfile

import events
import schema
from dialect import ARRIVED
from engine import BEGINNING, Kusto, known_by, moment
from trial import TARGETS, Verdicts

# Of each signal and correlation so many matches
MOST = 1
# So many events of a correlation stand together at most, from the first to the last
TOGETHER = 40
LONGEST = datetime.timedelta(hours=3)
TICK = datetime.timedelta(milliseconds=1)


def prove(trial):
    """The number of runs of all queries of a trial, and what is wrong with them"""
    number, wrong = 0, []
    for target in TARGETS:
        for emitted in trial.queries(target):
            if emitted.since is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                runs = Runs(trial, emitted, folder)
                found = runs.wrong()
            number += len(runs.times)
            wrong += [f"{target}: {emitted.file.name}: {one}" for one in found]
    return number, wrong


def matches(trial, title):
    """Lists of examples that are matched together: one of a signal, those of a correlation"""
    verdicts = trial.verdicts["whole"]
    for (of, _), places in sorted(verdicts.signals.items()):
        if of == title:
            yield from ([trial.examples[at]] for at in sorted(places)[:MOST])
    seen = collections.Counter()
    for hit in verdicts.hits if any("group" in hit for hit in verdicts.hits) else ():
        if hit["rule"] != title or "signal" in hit or len(hit["events"]) > TOGETHER:
            continue
        together = sorted((trial.examples[one["line"] - 1] for one in hit["events"]),
                          key=lambda example: example.time)
        if together[-1].time - together[0].time > LONGEST:
            continue
        seen[hit["correlation"]] += 1
        if seen[hit["correlation"]] <= MOST:
            yield together


class Runs:
    """The runs of a query over rows about their ends"""

    def __init__(self, trial, emitted, folder):
        self.emitted = emitted
        self.delay = emitted.delay or emitted.period - emitted.since
        self.examples, self.lags = self.timeline(list(matches(trial, emitted.title)))
        file = events.write(self.examples, folder)["whole"] if self.examples else None
        self.verdicts = Verdicts(trial.paths, file) if file else None
        last = self.examples[-1].time if self.examples else BEGINNING
        self.times = []
        now = BEGINNING + emitted.frequency
        while self.examples and now <= last + self.delay + 2 * emitted.frequency:
            self.times.append(now)
            now += emitted.frequency

    def timeline(self, found):
        """Copies about the ends of runs in the order of time, and how late each arrives"""
        wait = self.delay
        offsets = [datetime.timedelta(), -TICK, -wait, -wait - TICK, self.emitted.frequency / 2]
        placed = []
        longest = max((one[-1].time - one[0].time for one in found), default=wait)
        first = BEGINNING + (longest // self.emitted.frequency + 1) * self.emitted.frequency
        for number, offset in enumerate(offsets):
            end = first + number * self.emitted.frequency + offset
            # Each time another match stands at the very end.
            turn = number % max(len(found), 1)
            for after, one in enumerate([*found[turn:], *found[:turn]]):
                last = end + after * datetime.timedelta(seconds=5)
                placed += [(last - (one[-1].time - example.time), example.copy(example.name))
                           for example in one]
        placed.sort(key=lambda pair: pair[0])
        taken, lags = set(), {}
        for at, (time, example) in enumerate(placed):
            time = time.replace(microsecond=time.microsecond // 1000 * 1000)
            while time in taken:
                time += TICK
            taken.add(time)
            events.stamp(example, time, at)
            lags[time] = (TICK, wait / 2, wait - TICK, wait)[at % 4]
        return sorted((example for _, example in placed), key=lambda example: example.time), lags

    def wrong(self):
        """What is wrong with the runs"""
        if not self.examples:
            return []
        words = {"TimeGenerated", *re.findall(r"\w+", self.emitted.text)}
        tables = {table: {name: kind for name, kind in columns.items() if name in words}
                  for table, columns in schema.everything().items() if table in words}
        kusto = Kusto(tables)
        kusto.load(self.rows(tables))
        heard, wrong = [], []
        for now in self.times:
            late = self.run(kusto, tables, now, ARRIVED)
            heard += late
            if not self.emitted.delay or not self.emitted.correlations:
                continue
            in_time = self.run(kusto, tables, now, None)
            late, in_time = (listed(rows, self.emitted.keys) for rows in (late, in_time))
            if late != in_time:
                wrong.append(f"the run of {now} answers otherwise because rows came late: "
                             f"{late} in place of {in_time}")
        for table in tables:
            kusto.connection.execute(f'DROP VIEW temp."{table}"')
        names = self.emitted.names
        shown = {(names[row["Signal"]], moment(row)) for row in kusto.ask(
            self.emitted.of_signals(), self.emitted.seen_from(BEGINNING))}
        wanted = {(name, self.examples[at].time)
                  for (title, name), places in self.verdicts.reported.items()
                  if title == self.emitted.title for at in places} & shown
        found = collections.Counter((names[row["Signal"]], moment(row)) for row in heard
                                    if row["Signal"] in names)
        wrong += [f"{name} at {time}: reported {found[name, time]} times, not once"
                  for name, time in sorted(wanted | found.keys())
                  if found[name, time] != ((name, time) in wanted)]
        return wrong

    def rows(self, tables):
        for example in self.examples:
            for row in events.tables([example]):
                if row["$table"] in tables:
                    time = datetime.datetime.fromisoformat(row["TimeGenerated"]).replace(tzinfo=None)
                    yield {**row, ARRIVED: (time + self.lags[example.time]).isoformat()}

    def run(self, kusto, tables, now, seen):
        """What a run reports of the rows of its period that are there by then"""
        for table, columns in tables.items():
            time = "TimeGenerated" if "TimeGenerated" in columns else "Timestamp"
            kusto.connection.execute(
                f'CREATE OR REPLACE TEMP VIEW "{table}" AS SELECT * FROM memory.main."{table}" '
                f"WHERE \"{seen or time}\" <= '{now}' "
                f"AND \"{time}\" >= '{now - self.emitted.period}'")
        return kusto.ask(self.emitted.emitted, now)


def listed(rows, keys):
    """What rows are known by, in an order of their own"""
    return sorted(sorted((name, str(value)) for name, value in known_by(row, keys).items())
                  for row in rows)
