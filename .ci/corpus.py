"""Where the corpus is: recorded events, schemas, and the referee of Kibana's query language."""
import gzip
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(os.environ["RULECAST_CORPUS"])
EVENTS = CORPUS / "data" / "events"
ECS_FIELDS = CORPUS / "schemas" / "elastic-fields.json"
KUSTO_TABLES = json.loads((CORPUS / "schemas" / "kusto-tables.json").read_text())
KINDS = ("process_creation", "file_event", "file_delete", "network_connection")

sys.path.insert(0, str(CORPUS / "validators" / "elastic"))
import import_check  # noqa: E402,F401
import kuery_ref  # noqa: E402,F401

sys.path.insert(0, str(EVENTS / "tools"))
from normalize import argv_windows  # noqa: E402,F401

# The Sysmon integration for Linux is no data set of the schema; Winlogbeat's is plain ECS.
STAND_INS = {"sysmon_linux.log": "winlogbeat-*"}


@dataclass
class Event:
    """A recorded event: where it stands, what it is, and its three shapes"""
    id: str
    file: str
    line: int
    kind: str
    product: str
    label: str
    sigma: dict
    mde: dict
    ecs: dict

    @property
    def data_set(self):
        """The data set of the schema that maps its ECS document"""
        name = self.ecs["event"]["dataset"]
        return STAND_INS.get(name, name)


def event_files(kinds=None):
    """Files of recorded events, of these kinds or all"""
    files = sorted(EVENTS.glob("*/*.jsonl.gz"))
    return [file for file in files if kinds is None or file.name.split(".")[0] in kinds]


def read_events(files):
    """The events of the files, in their order"""
    events = []
    for file in files:
        kind = file.name.split(".")[0]
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                e = json.loads(line)
                events.append(Event(e["id"], str(file), number, kind, e["product"], e["label"],
                                    e["sigma"], e["mde"], e["ecs"]))
    return events


def data_sets(patterns):
    """The data sets of the schema that these index patterns search"""
    known = json.loads(ECS_FIELDS.read_text())["datasets"]
    strange = set(patterns) - {one for data_set in known.values() for one in data_set["index"]}
    if strange:
        raise ValueError(f"the schema has no index {', '.join(sorted(strange))}")
    return [name for name, data_set in known.items() if set(data_set["index"]) & set(patterns)]
