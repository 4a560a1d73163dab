"""Rules with what they become, events to try them on, and what the native engine says of those.

In: rule files and examples, recorded or near a rule's literals. Out: emitted queries by target, and
the engine's verdicts by signal: which events it matches, which it reports, at which level, and when
the groups of correlations are first complete.
"""
import datetime
import functools
import zlib
from concurrent.futures import ThreadPoolExecutor

import events
import native
import schema
from emitted import Emitted

TARGETS = tuple(schema.TARGETS)


class Made:
    """Rules, and what they become"""

    def __init__(self, name, paths, folder):
        self.name, self.paths, self.folder = name, paths, folder
        native.convert(paths, TARGETS, folder, "--manifest")

    @functools.cached_property
    def packages(self):
        """What `verify` says of the packages around the queries"""
        return native.verify(self.paths, TARGETS, self.folder)

    def queries(self, target):
        """What was emitted for a target"""
        return [Emitted(file) for file in sorted((self.folder / target).rglob("*.kql"))]

    def texts(self):
        """Every query with its file and the platform that it is for"""
        return [(one.file, schema.TARGETS[target], one.text)
                for target in TARGETS for one in self.queries(target)]


class Trial(Made):
    """Rules, what they become, and events with the engine's verdicts on them"""

    def __init__(self, name, paths, examples, folder, sampled=1):
        super().__init__(name, paths, folder)
        self.examples, self.sampled = examples, sampled
        files = events.write(examples, folder)
        with ThreadPoolExecutor(len(files)) as pool:
            read = {version: pool.submit(Verdicts, paths, file) for version, file in files.items()}
        self.verdicts = {version: one.result() for version, one in read.items()}

    def asked(self, target):
        """Of the queries for a target, those that are asked: one of so many rules, the same for each target"""
        return [one for one in self.queries(target)
                if not zlib.crc32(one.file.stem.encode()) % self.sampled]


def near_trial(path, known, folder, sampled):
    """A rule file on recorded events and on those near its literals, of which one of so many is taken"""
    folder.mkdir()
    examples, after = events.of_rule(path, known, folder, sampled)
    events.timed(examples, [one.time for one in known])
    return Trial(path.stem, [path], events.follow(examples, after), folder)


class Verdicts:
    """What the engine says of a version of the events"""

    def __init__(self, paths, file):
        self.paths, self.file = paths, file
        self.signals = {}
        for hit in native.hits(paths, file):
            self.signals.setdefault((hit["rule"], hit["signal"]), {})[hit["line"] - 1] = hit["level"]

    @functools.cached_property
    def hits(self):
        """What a run reports; rules of signals alone report those, and need not be run twice"""
        return native.scan(self.paths, self.file)

    @functools.cached_property
    def reported(self):
        """Signals, those of new terms where they are new"""
        found = {}
        for hit in self.hits:
            if "signal" in hit and hit.get("new", True):
                known = found.setdefault((hit["rule"], hit["signal"]), {})
                known[hit["line"] - 1] = hit["level"]
        return found

    @functools.cached_property
    def groups(self):
        """When each correlation is first complete; accounts in lower case"""
        found = {}
        for hit in self.hits:
            if "signal" not in hit:
                key = "\x1f".join(value.lower() if name == "user" else value
                                  for name, value in hit["group"].items())
                at = datetime.datetime.fromisoformat(hit["time"]).replace(tzinfo=None)
                known = found.setdefault((hit["rule"], hit["correlation"]), {})
                known[key] = min(known.get(key, (at, hit["level"])), (at, hit["level"]))
        return found
