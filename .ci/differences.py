"""Why the shapes of one recorded event can be judged differently without a mistake.

A shape holds less than the event, since Elastic's pipelines and Defender's tables lose things.
Each class here makes up for one such thing and judges again; only a difference that vanishes
then is one of the shapes. So no class can hide a mistake of the compiler. A loss that the
artifact names in its own text explains a difference too, in the direction that it names.
"""
import copy
import csv
from pathlib import Path

from elastic import Documents, rule_query

LISTED = Path(__file__).with_name("shape_differences.tsv")

# Where Elastic's pipelines put a field of Sigma's taxonomy, and what they make of paths and
# command lines.
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
EMPTY = ("", "-", "-\\-")


def known():
    """Differences that are listed one by one: why, by rule and event"""
    with open(LISTED, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        return {(row[0], row[1]): row[2] for row in rows if row and not row[0].startswith("#")}


# ---------------------------------------------------------------------------------------- Elastic

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


def give_back_empty(event, document):
    """ECS: the pipelines drop the values `-` and empty text"""
    for field, place in PLACES.items():
        value = event.sigma.get(field)
        if value in EMPTY:
            put(document, place, value)
            if field in NAMES:
                put(document, NAMES[field], value)
            if field in ARGUMENTS:
                put(document, ARGUMENTS[field], value.split())


def give_back_names(event, document):
    """ECS: a path without a separator gives no name"""
    for field, place in NAMES.items():
        if event.sigma.get(field) not in (None, *EMPTY):
            put(document, place, base_name(event.sigma[field]))


def give_back_account(event, document):
    """ECS: Windows accounts without a domain, and those named `-`, are dropped"""
    user = event.sigma.get("User")
    if user is not None:
        domain, backslash, name = user.rpartition("\\")
        put(document, "user.domain", domain if backslash else None)
        put(document, "user.name", name)


def give_back_extension(event, document):
    """ECS: the extension is made from the whole path, so a dot of a directory makes one"""
    _, dot, extension = base_name(event.sigma.get("TargetFilename", "")).rpartition(".")
    put(document, "file.extension", extension if dot else None)


GIVE_BACK = [give_back_empty, give_back_names, give_back_account, give_back_extension]


def explain_elastic(rule, events, natives):
    """Why the verdicts on each event may differ; None where they may not"""
    listed = known()
    reasons = [listed.get((rule["rule_id"], event.id)) for event in events]
    attempts = [(give_back.__doc__, [give_back], False) for give_back in GIVE_BACK]
    attempts.append(("ECS: several of these at once", GIVE_BACK, False))
    if "not indexed in Elastic" in rule["description"]:
        attempts.append(("Elastic, named: long values are not indexed", GIVE_BACK, True))
    for reason, classes, index_long_values in attempts:
        unclear = [at for at, why in enumerate(reasons) if why is None]
        documents = [restored(events[at], classes) for at in unclear]
        found = Documents(documents, index_long_values).matching(rule_query(rule))
        for bit, at in enumerate(unclear):
            if bool(found >> bit & 1) == natives[at]:
                reasons[at] = reason
    return reasons


def restored(event, classes):
    """An event's document with back what these classes give"""
    document = copy.deepcopy(event.ecs)
    for give_back in classes:
        give_back(event, document)
    return event.data_set, document


# --------------------------------------------------------------------------------------- Sentinel

def without_empty(sigma):
    """An event as Defender's rows know it: without empty text and `-`"""
    return {field: value for field, value in sigma.items() if value not in EMPTY}


def explain_sentinel(query, key, event, native, native_without_empty):
    """Why a query may say the contrary of the native verdict on an event; None when it may not"""
    if native_without_empty != native:
        return "Defender: its rows hold no `-`, and no empty text beside missing values"
    wider = "May match more than the definition: "
    if not native and wider + "the Defender tables do not say which rows are" in query:
        if event.product not in query.split("which rows are ", 1)[1].split(".", 1)[0]:
            return "Sentinel, named: events of every operating system are searched"
    named = "May miss events: " if native else wider
    if named + "an empty value cannot be told from a missing one" in query:
        return "Sentinel, named: an empty value is a missing one"
    return known().get((key, event.id))
