"""How an event looks in the tables of Microsoft Defender, of a web server, of alerts, and of ASIM.

In: an event in Sigma's field names, and the row that it has so far. Out: the row after a change of
one field. Written from Microsoft's documentation of the tables and of the ASIM parsers, not from
the tables of the compiler, which are what is to be proven.
"""
import json
import re
from pathlib import Path


def read(name):
    """The lines of a table beside this file, `.` as nothing"""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return [["" if cell == "." else cell for cell in line.split("\t")]
            for line in text.splitlines() if not line.startswith("#")]


# By family: the table that holds events of its kinds, what all rows are, and the function of ASIM
TABLES = {of: rest for of, _, *rest in read("tables.tsv")}
FAMILIES = {kind: of for of, kinds, *_ in read("tables.tsv") for kind in kinds.split()}
FILE_ACTIONS = {"created": "FileCreated", "modified": "FileModified", "renamed": "FileRenamed",
                "deleted": "FileDeleted"}
REGISTRY_ACTIONS = {"created": "RegistryKeyCreated", "modified": "RegistryValueSet",
                    "renamed": "RegistryKeyRenamed", "deleted": "RegistryKeyDeleted"}
OUTCOMES = ("ConnectionSuccess", "ConnectionAttempt", "ConnectionFailed")
# Family, field, column or how columns are filled, column of ASIM, what is written for nothing
SHOWN = read("rows.tsv")
# The columns of a field by family
COLUMNS = {of: {field: column for family, field, column, _, _ in SHOWN if family == of and field}
           for of in TABLES}
# What a web server writes as `-` when it is not there
DASHED = {field for _, field, _, _, nothing in SHOWN if nothing == "-"}
# Fields whose absence a row says in its own way, or that an event says in another field
SAID_OTHERWISE = {"web": DASHED, "registry": {"RegistryValue", "RegistryData"}}
# Fields that some row shows
KNOWN = {of: set(columns) for of, columns in COLUMNS.items()}
WHOLE_NUMBERS = {"InitiatingProcessId", "LocalPort", "ProcessId", "RemotePort", "scBytes"}


def family(kind):
    """Which of the tables holds events of a kind; None where none does"""
    return FAMILIES.get(kind)


def blank(kind):
    """The row of an event of which nothing is known"""
    table, action, _ = TABLES[family(kind)]
    return {"$table": table, **({"ActionType": action} if action else {})}


def base_name(path):
    return re.split(r"[\\/]", path)[-1]


def put(kind, event, row, field, value):
    """Gives a field another value, None for none, in the event and in its row"""
    if value is None:
        event.pop(field, None)
    else:
        event[field] = value
    text, column = "" if value is None else str(value), COLUMNS[family(kind)].get(field, "")
    if column.startswith("("):
        row.update(TOGETHER[column.strip("()")](event, text))
    elif column:
        number = text if re.fullmatch(r"-?\d+", text) else None
        row[column] = number if column in WHOLE_NUMBERS else text
        if value is None and field in DASHED:
            row[column] = "-"


def host(event, name):
    """Defender writes names of hosts in lower case, which the event then holds too"""
    event["Computer"] = name.lower()
    return {"DeviceName": name.lower()}


def account(prefix, text):
    """Domain and name, in a letter case that is Defender's own"""
    domain, backslash, name = text.swapcase().partition("\\")
    return {f"{prefix}Domain": domain if backslash else "",
            f"{prefix}Name": name if backslash else domain}


def registry(event, _):
    """A deleted value is known by its previous name and key; a key's own value has no name"""
    action, value = event.get("Action", "created"), event.get("RegistryValue") or ""
    key = event.get("RegistryKey") or ""
    if action == "modified" and not value:
        # A value that is set has a name.
        action = event["Action"] = "created"
    row = {"ActionType": REGISTRY_ACTIONS[action], "RegistryKey": key, "PreviousRegistryKey": "",
           "RegistryValueName": "" if value == "(Default)" and action == "modified" else value,
           "PreviousRegistryValueName": ""}
    if action == "renamed":
        row.update(RegistryKey=f"{key}2", PreviousRegistryKey=key)
    elif action == "deleted" and value:
        row.update(ActionType="RegistryValueDeleted", RegistryKey="", RegistryValueName="",
                   PreviousRegistryKey=key, PreviousRegistryValueName=value)
    return row


def connection(event, _):
    """Local and remote ends: the source opened the connection, but of UDP it is the local end"""
    opened = event.get("Initiated") != "false"
    source = event.get("SourceIp"), event.get("SourcePort")
    destination = event.get("DestinationIp"), event.get("DestinationPort")
    here = opened or event.get("Protocol") == "udp"
    local, remote = (source, destination) if here else (destination, source)
    outcome = OUTCOMES[(whole(local[1]) or 0) % len(OUTCOMES)]
    return {"ActionType": outcome if opened else "InboundConnectionAccepted",
            "LocalIP": local[0] or "", "RemoteIP": remote[0] or "",
            "LocalPort": whole(local[1]), "RemotePort": whole(remote[1]),
            "Protocol": (event.get("Protocol") or "").capitalize()}


def whole(value):
    return int(value) if re.fullmatch(r"-?\d+", str(value)) else None


def entities(event):
    """The entities of an alert as Defender for Endpoint writes them: files by reference"""
    names = event.get("AlertFiles") or []
    found = [{"$id": "1", "Type": "host", "HostName": event.get("Computer") or ""}]
    for at, name in enumerate(names if isinstance(names, list) else [names], 2):
        found.append({"$id": str(at), "Type": "file", "Name": name})
    process = {"$id": "99", "Type": "process", "CommandLine": event.get("CommandLine") or "",
               "CreationTimeUtc": event.get("time")}
    image = base_name(event.get("Image") or "")
    at = next((one["$id"] for one in found if one.get("Name") == image), None)
    process["ImageFile"] = {"$ref": at} if at else {"$id": "98", "Type": "file", "Name": image}
    return json.dumps([*found, process])


# What columns hold together, from the event and the text of a field that changed
TOGETHER = {
    "account": lambda _, text: account("Account", text),
    "account of actor": lambda _, text: account("InitiatingProcessAccount", text),
    "action on file": lambda _, text: {"ActionType": FILE_ACTIONS[text]},
    "actor": lambda _, text: {"InitiatingProcessFileName": base_name(text),
                              "InitiatingProcessFolderPath": text.lower()},
    "connection": connection,
    "entities": lambda event, _: {"Entities": entities(event)},
    "file": lambda _, text: {"FolderPath": text, "FileName": base_name(text)},
    "host": host,
    "parent of actor": lambda _, text: {"InitiatingProcessParentFileName": base_name(text)},
    "registry": registry,
}


# --------------------------------------------------------------------------------------------- ASIM

def asim(kind, event, row):
    """The row of the ASIM parser, from that of the table it reads; None where there is none"""
    of = family(kind)
    *_, function = TABLES[of]
    if not function:
        return None
    get = lambda column: row.get(column) or ""
    user = lambda prefix: "\\".join(filter(None, (get(f"{prefix}Domain"), get(f"{prefix}Name"))))
    made = {"$table": function, "TimeGenerated": row.get("TimeGenerated"),
            "Dvc": get("DeviceName") or get("Computer")}
    made.update({name: get(column) for owner, _, column, name, _ in SHOWN if owner == of and name})
    # Parsers of other sources than Defender keep the letter case of a path.
    actor_path = event.get("ParentImage" if of == "process" else "Image") or ""
    if of in ("process", "file", "registry"):
        made.update(ActingProcessName=actor_path, ActorUsername=user("InitiatingProcessAccount"))
    if of == "process":
        made.update(
            EventType="ProcessCreated", TargetUsername=user("Account"),
            TargetProcessIMPHASH=import_hash(event),
            TargetProcessCurrentDirectory=event.get("CurrentDirectory") or "",
            TargetProcessGuid=event.get("ProcessGuid") or "",
            ActingProcessGuid=event.get("ParentProcessGuid") or "")
    elif of == "network":
        made.update(network_session(event, row, user))
    elif of == "web":
        query = row.get("csUriQuery", "-")
        made["Url"] = get("csUriStem") + ("" if query in ("-", "") else f"?{query}")
    return made


def import_hash(event):
    """Defender has none; the parser of Sysmon takes it out of the text of all hashes"""
    found = re.search(r"IMPHASH=(\w+)", event.get("Hashes") or "")
    return event.get("Imphash") or (found[1] if found else "")


def network_session(event, row, user):
    """The source of a session is who opened it"""
    opened = event.get("Initiated") != "false"
    ends = [(row.get(f"{side}IP") or "", row.get(f"{side}Port")) for side in ("Local", "Remote")]
    source, destination = ends if opened else reversed(ends)
    side = "Src" if opened else "Dst"
    return {
        "NetworkDirection": "Outbound" if opened else "Inbound", "EventType": "EndpointNetworkSession",
        "NetworkProtocol": (row.get("Protocol") or "").upper(),
        "SrcIpAddr": source[0], "SrcPortNumber": source[1],
        "DstIpAddr": destination[0], "DstPortNumber": destination[1],
        "DstHostname": event.get("DestinationHostname") or "",
        f"{side}ProcessName": event.get("Image") or "",
        f"{side}ProcessId": str(row.get("InitiatingProcessId") or ""),
        f"{side}Username": user("InitiatingProcessAccount"),
    }
