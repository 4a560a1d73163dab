"""Why an Elastic rule can judge a recorded event otherwise than the engine without a mistake.

An ECS document holds less than the event, since Elastic's pipelines lose things. Each class here
makes up for one such thing and judges again; only a difference that vanishes then is one of the
documents. So no class can hide a mistake of the compiler. A loss that the artifact names in its own
text explains a difference too, in the direction that it names.
"""
import copy
import csv
from pathlib import Path

from elastic import Documents, rule_query

LISTED = Path(__file__).with_name("elastic_differences.tsv")

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
NO_GUID = "{00000000-0000-0000-0000-000000000000}"


def known():
    """Differences that are listed one by one: why, by rule and event"""
    with open(LISTED, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        return {(row[0], row[1]): row[2] for row in rows if row and not row[0].startswith("#")}


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


def give_back_binary(event, document):
    """ECS: binary registry data, of which Sysmon records nothing, is the text `Binary Data`"""
    if event.sigma.get("Details") == "Binary Data":
        put(document, "registry.data.strings", None)


def give_back_no_data(event, document):
    """ECS: registry data that is empty, or a GUID of zeros, is dropped with its type"""
    details = event.sigma.get("Details")
    if event.kind == "registry_set" and details in (*EMPTY, NO_GUID):
        put(document, "registry.data", {"type": "REG_SZ", "strings": [details]})


GIVE_BACK = [give_back_empty, give_back_names, give_back_account, give_back_extension,
             give_back_binary, give_back_no_data]
# What a rule says of itself that makes it match more events of these kinds
NAMED = {
    "ECS does not tell registry keys created, deleted and renamed apart":
        {"registry_add", "registry_delete", "registry_rename"},
}


def explain(rule, events, natives):
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
    return [why or named(rule, event, native)
            for why, event, native in zip(reasons, events, natives)]


def named(rule, event, native):
    """A loss that the rule names, for an event of which Elastic knows less"""
    for text, kinds in NAMED.items():
        if f"May match more than the definition: {text}" in rule["description"]:
            if not native and event.kind in kinds:
                return f"Elastic, named: {text}"
    return None


def restored(event, classes):
    """An event's document with back what these classes give"""
    document = copy.deepcopy(event.ecs)
    for give_back in classes:
        give_back(event, document)
    return event.data_set, document
