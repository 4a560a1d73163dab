"""How an event looks in the tables of Microsoft Defender, of a web server, of alerts, and of ASIM.

In: an event in Sigma's field names, and the row that it has so far. Out: the row after a change of
one field. Written from Microsoft's documentation of the tables and of the ASIM parsers, not from
the tables of the compiler, which are what is to be proven.
"""
import json
import re
from pathlib import Path

DEVICE_TABLES = {
    "process": "DeviceProcessEvents", "file": "DeviceFileEvents",
    "network": "DeviceNetworkEvents", "registry": "DeviceRegistryEvents",
}
FILE_ACTIONS = {"created": "FileCreated", "modified": "FileModified", "renamed": "FileRenamed",
                "deleted": "FileDeleted"}
REGISTRY_ACTIONS = {"created": "RegistryKeyCreated", "modified": "RegistryValueSet",
                    "renamed": "RegistryKeyRenamed", "deleted": "RegistryKeyDeleted"}
OUTCOMES = ("ConnectionSuccess", "ConnectionAttempt", "ConnectionFailed")
# What one column holds as it is: kind, field, column, column of ASIM, what is written for nothing
SHOWN = [line.split("\t") for line in
         Path(__file__).with_name("rows.tsv").read_text(encoding="utf-8").splitlines()
         if not line.startswith("#")]
# Fields that are put together of several columns, or several of one
TOGETHER = {
    "process": {"Image", "ParentImage", "GrandparentImage", "User", "ParentUser", "Computer"},
    "file": {"Action", "TargetFilename", "Image", "User", "Computer"},
    "network": {"Initiated", "Protocol", "SourceIp", "SourcePort", "DestinationIp",
                "DestinationPort", "Image", "User", "Computer"},
    "registry": {"Action", "Image", "RegistryKey", "RegistryValue", "User", "Computer"},
    "web": set(),
    "alert": {"AlertFiles", "Image", "CommandLine", "Computer"},
}
PLAIN = {of: {field: column for kind, field, column, _, _ in SHOWN if (kind, field) != (of, ".")
              and kind == of} for of in TOGETHER}
# What a web server writes as `-` when it is not there
DASHED = {field for _, field, _, _, nothing in SHOWN if nothing == "-"}
# Fields whose absence a row says in its own way, or that an event says in another field
SAID_OTHERWISE = {"web": DASHED, "registry": {"RegistryValue", "RegistryData"}}
# Fields that some row shows
KNOWN = {of: fields | PLAIN[of].keys() for of, fields in TOGETHER.items()}
WHOLE_NUMBERS = {"InitiatingProcessId", "LocalPort", "ProcessId", "RemotePort", "scBytes"}


def family(kind):
    """Which of the tables holds events of a kind"""
    return {"webserver": "web", "security_alert": "alert"}.get(kind, kind.split("_")[0])


def blank(kind):
    """The row of an event of which nothing is known"""
    of = family(kind)
    table = DEVICE_TABLES.get(of) or {"web": "W3CIISLog", "alert": "SecurityAlert"}[of]
    return {"$table": table, **({"ActionType": "ProcessCreated"} if of == "process" else {})}


def base_name(path):
    return re.split(r"[\\/]", path)[-1]


def put(kind, event, row, field, value):
    """Gives a field another value, None for none, in the event and in its row"""
    if value is None:
        event.pop(field, None)
    else:
        event[field] = value
    of, text = family(kind), "" if value is None else str(value)
    if field in PLAIN[of]:
        column = PLAIN[of][field]
        number = text if re.fullmatch(r"-?\d+", text) else None
        row[column] = number if column in WHOLE_NUMBERS else text
        if value is None and field in DASHED:
            row[column] = "-"
    elif of == "alert":
        row["Entities"] = entities(event)
    elif field == "Computer":
        # Defender writes names of hosts in lower case, which the event then holds too.
        event[field] = row["DeviceName"] = text.lower()
    elif of == "registry" and field in ("Action", "RegistryKey", "RegistryValue"):
        registry(event, row)
    elif field == "Action":
        row["ActionType"] = FILE_ACTIONS[text]
    elif field == "GrandparentImage":
        row["InitiatingProcessParentFileName"] = base_name(text)
    elif field in ("TargetFilename", "Image") and (field == "TargetFilename") == (of == "file"):
        row.update(FolderPath=text, FileName=base_name(text))
        if of not in ("file", "process"):
            actor(row, text)
    elif field in ("Image", "ParentImage"):
        actor(row, text)
    elif field in ("User", "ParentUser"):
        account(row, "Account" if (of, field) == ("process", "User") else
                "InitiatingProcessAccount", text)
    elif of == "network":
        connection(event, row)


def actor(row, path):
    row.update(InitiatingProcessFileName=base_name(path), InitiatingProcessFolderPath=path.lower())


def account(row, prefix, text):
    """Domain and name, in a letter case that is Defender's own"""
    domain, backslash, name = text.swapcase().partition("\\")
    row[f"{prefix}Domain"] = domain if backslash else ""
    row[f"{prefix}Name"] = name if backslash else domain


def registry(event, row):
    """A deleted value is known by its previous name and key; a key's own value has no name"""
    action, value = event.get("Action", "created"), event.get("RegistryValue") or ""
    key = event.get("RegistryKey") or ""
    if action == "modified" and not value:
        # A value that is set has a name.
        action = event["Action"] = "created"
    row.update(ActionType=REGISTRY_ACTIONS[action], RegistryKey=key, PreviousRegistryKey="",
               RegistryValueName="" if value == "(Default)" and action == "modified" else value,
               PreviousRegistryValueName="")
    if action == "renamed":
        row.update(RegistryKey=f"{key}2", PreviousRegistryKey=key)
    elif action == "deleted" and value:
        row.update(ActionType="RegistryValueDeleted", RegistryKey="", RegistryValueName="",
                   PreviousRegistryKey=key, PreviousRegistryValueName=value)


def connection(event, row):
    """Local and remote ends: the source opened the connection, but of UDP it is the local end"""
    opened = event.get("Initiated") != "false"
    source = event.get("SourceIp"), event.get("SourcePort")
    destination = event.get("DestinationIp"), event.get("DestinationPort")
    here = opened or event.get("Protocol") == "udp"
    local, remote = (source, destination) if here else (destination, source)
    outcome = OUTCOMES[(whole(local[1]) or 0) % len(OUTCOMES)]
    row.update(ActionType=outcome if opened else "InboundConnectionAccepted",
               LocalIP=local[0] or "", RemoteIP=remote[0] or "",
               LocalPort=whole(local[1]), RemotePort=whole(remote[1]),
               Protocol=(event.get("Protocol") or "").capitalize())


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


# --------------------------------------------------------------------------------------------- ASIM

ASIM_TABLES = {
    "process": "_Im_ProcessCreate", "file": "_Im_FileEvent", "network": "_Im_NetworkSession",
    "registry": "_Im_RegistryEvent", "web": "_Im_WebSession",
}


def asim(kind, event, row):
    """The row of the ASIM parser, from that of the table it reads; None where there is none"""
    of = family(kind)
    if of not in ASIM_TABLES:
        return None
    get = lambda column: row.get(column) or ""
    user = lambda prefix: "\\".join(filter(None, (get(f"{prefix}Domain"), get(f"{prefix}Name"))))
    made = {"$table": ASIM_TABLES[of], "TimeGenerated": row.get("TimeGenerated"),
            "Dvc": get("DeviceName") or get("Computer")}
    made.update({name: get(column) for kind, _, column, name, _ in SHOWN
                 if kind == of and name != "."})
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
