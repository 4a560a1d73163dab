"""Why a recorded event and its ECS document can be judged differently without a mistake.

The ECS documents are made as Elastic's pipelines make them, and these lose things. Each class
here gives a document back one thing that its event still has. A difference that vanishes when
the thing is back is one of the shapes; so no class can hide a mistake of the compiler.
"""
import copy
import csv
from pathlib import Path

from shapes import Documents, rule_query

LISTED = Path(__file__).with_name("shape_differences.tsv")
LONG_VALUE = "not indexed in Elastic"  # how a rule's description says the loss `long_value`

# Where the pipelines put a field of Sigma's taxonomy; names are made from paths.
PLACES = {
    "Company": "process.pe.company",
    "CommandLine": "process.command_line",
    "CurrentDirectory": "process.working_directory",
    "Description": "process.pe.description",
    "DestinationHostname": "destination.domain",
    "Image": "process.executable",
    "OriginalFileName": "process.pe.original_file_name",
    "ParentCommandLine": "process.parent.command_line",
    "ParentImage": "process.parent.executable",
    "Product": "process.pe.product",
    "TargetFilename": "file.path",
}
NAMES = {
    "Image": "process.name",
    "ParentImage": "process.parent.name",
    "TargetFilename": "file.name",
}
ARGUMENTS = {
    "CommandLine": "process.args",
    "ParentCommandLine": "process.parent.args",
}


def put(document, path, value):
    """Sets a field of a document; None takes it away"""
    *above, last = path.split(".")
    for name in above:
        document = document.setdefault(name, {})
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value


def base_name(path):
    return path.replace("\\", "/").rpartition("/")[2]


def give_back_dropped(event, document):
    """the pipelines drop the values `-` and empty text"""
    for field, place in PLACES.items():
        if event.sigma.get(field) in ("", "-"):
            put(document, place, event.sigma[field])
            if field in NAMES:
                put(document, NAMES[field], event.sigma[field])
            if field in ARGUMENTS:
                put(document, ARGUMENTS[field], event.sigma[field].split())


def give_back_names(event, document):
    """a path without a separator gives no name"""
    for field, place in NAMES.items():
        if event.sigma.get(field) not in (None, "", "-"):
            put(document, place, base_name(event.sigma[field]))


def give_back_account(event, document):
    """Windows accounts without a domain, and those named `-`, are dropped"""
    user = event.sigma.get("User")
    if user is not None:
        domain, backslash, _ = user.rpartition("\\")
        put(document, "user.domain", domain if backslash else None)
        put(document, "user.name", user.rpartition("\\")[2])


def give_back_extension(event, document):
    """the extension is made from the whole path, so a dot of a directory makes one"""
    name = base_name(event.sigma.get("TargetFilename", ""))
    _, dot, extension = name.rpartition(".")
    put(document, "file.extension", extension if dot else None)


CLASSES = [give_back_dropped, give_back_names, give_back_account, give_back_extension]
SEVERAL = "several of these at once"
LONG = "a value of more than 1,024 characters is not indexed, as the rule says of itself"


def listed():
    """Differences that are known one by one: why, by rule and event"""
    with open(LISTED, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        return {(row[0], row[1]): row[2] for row in rows if row and not row[0].startswith("#")}


def explain(rule, events, natives):
    """Why the verdicts on each event may differ; None where they may not"""
    known = listed()
    reasons = [known.get((rule["rule_id"], event.id)) for event in events]
    attempts = [(give_back.__doc__, [give_back], False) for give_back in CLASSES]
    attempts.append((SEVERAL, CLASSES, False))
    if LONG_VALUE in rule["description"]:
        attempts.append((LONG, CLASSES, True))
    for reason, classes, index_long_values in attempts:
        open_ones = [at for at, known in enumerate(reasons) if known is None]
        documents = [restored(events[at], classes) for at in open_ones]
        found = Documents(documents, index_long_values).matching(rule_query(rule))
        for bit, at in enumerate(open_ones):
            if bool(found >> bit & 1) == natives[at]:
                reasons[at] = reason
    return reasons


def restored(event, classes):
    """An event's document with back what these classes give"""
    document = copy.deepcopy(event.ecs)
    for give_back in classes:
        give_back(event, document)
    return event.data_set, document
