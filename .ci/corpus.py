"""Where the corpus is: recorded events, schemas, and the referee of Kibana's query language."""
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from project import native

CORPUS = Path(os.environ["RULECAST_CORPUS"])
EVENTS = CORPUS / "data" / "events"
ECS_FIELDS = CORPUS / "schemas" / "elastic-fields.json"

sys.path.insert(0, str(CORPUS / "validators" / "elastic"))
import import_check  # noqa: E402,F401
import kuery_ref  # noqa: E402,F401
import newterms_sim  # noqa: E402,F401

# The Sysmon integration for Linux is no data set of the schema; Winlogbeat's is plain ECS.
STAND_INS = {"sysmon_linux.log": "winlogbeat-*"}


@dataclass
class Event:
    """A recorded event: what it is, as Sigma names its fields, and as Elastic holds it"""
    id: str
    kind: str
    product: str
    label: str
    time: str
    sigma: dict
    ecs: dict

    @property
    def data_set(self):
        """The data set of the schema that maps its ECS document"""
        name = self.ecs["event"]["dataset"]
        return STAND_INS.get(name, name)


def read_events():
    """The recorded events, by source and kind"""
    return [Event(e["id"], kind, e["product"], e["label"], e["time"], e["sigma"], e["ecs"])
            for kind, e in native.records(EVENTS)]


def write_events(path, events):
    """The events in Sigma's fields, a line each, with their time and what Sigma calls them"""
    with path.open("w", encoding="utf-8") as file:
        for event in events:
            fields = {**event.sigma, "category": event.kind, "time": event.time}
            file.write(json.dumps(fields) + "\n")


def data_sets(patterns):
    """The data sets of the schema that these index patterns search"""
    known = json.loads(ECS_FIELDS.read_text())["datasets"]
    strange = set(patterns) - {one for data_set in known.values() for one in data_set["index"]}
    if strange:
        raise ValueError(f"the schema has no index {', '.join(sorted(strange))}")
    return [name for name, data_set in known.items() if set(data_set["index"]) & set(patterns)]
