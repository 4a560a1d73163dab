"""How Microsoft Defender, and alerts, show what one column does not hold alone.

In: an event in Sigma's field names, and the text of a field that changed. Out: the columns that show
it. Written from Microsoft's documentation of the tables, not from the tables of the compiler.
"""
import json
import re

import registry

FILE_ACTIONS = {"created": "FileCreated", "modified": "FileModified", "renamed": "FileRenamed",
                "deleted": "FileDeleted"}
OUTCOMES = ("ConnectionSuccess", "ConnectionAttempt", "ConnectionFailed")
HASHES = ("MD5", "SHA1", "SHA256")


def base_name(path):
    return re.split(r"[\\/]", path)[-1]


def whole_path(path):
    """A path as sensors write one: it has a directory"""
    return path if not path or "\\" in path or "/" in path else f"C:\\{path}"


def host(event, _, name):
    """Defender writes names of hosts in lower case, which the event then holds too"""
    event["Computer"] = name.lower()
    return {"DeviceName": name.lower()}


def account(prefix, text):
    """Domain and name, in a letter case that is Defender's own"""
    domain, backslash, name = text.swapcase().partition("\\")
    return {f"{prefix}Domain": domain if backslash else "",
            f"{prefix}Name": name if backslash else domain}


def connection(event, *_):
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


def entities(event, *_):
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
    return {"Entities": json.dumps([*found, process])}


def apart(prefix, path):
    """A path in two columns, where the one of the folder lacks the name"""
    name = base_name(path)
    return {f"{prefix}FolderPath": path[:len(path) - len(name)][:-1], f"{prefix}FileName": name}


def earlier_file(event, field, text):
    """Where a file lay before it was renamed"""
    event[field] = whole_path(text)
    return apart("Previous", event[field])


def target_process(event, field, text):
    """Of a thread that was made in another process, the folder lacks the name"""
    event[field] = whole_path(text)
    return apart("", event[field])


def pipe(event, field, text):
    """Sysmon writes `\\name`, Defender the name of the object"""
    if not text.startswith("\\"):
        event[field] = text = f"\\{text}"
    return more(FileOperation="File created", PipeName=f"\\Device\\NamedPipe{text}", ThreadId=8124)


def access(_, __, text):
    """Rights as a decimal number"""
    number = int(text, 16) if re.fullmatch("0x[0-9a-fA-F]{1,8}", text) else None
    return more(DesiredAccess=number)


def more(**values):
    return {"AdditionalFields": values}


def hashes(_, __, text):
    """Sysmon writes all hashes in one text"""
    found = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    return {name: found[name].lower() for name in HASHES if name in found}


def logon(_, __, text):
    """Windows writes the id of a session in hexadecimal"""
    return {"LogonId": int(text, 16) if re.fullmatch("0x[0-9a-f]+", text) else None}


def apart_in_log(event, about):
    """A web server logs the path of a request and its query apart"""
    whole = event.pop("cs-uri", None)
    if whole is None and about != "cs-uri":
        return
    stem, _, query = (whole or "").partition("?")
    for field, text in (("cs-uri-stem", stem), ("cs-uri-query", query)):
        event.pop(field, None)
        if text:
            event[field] = text


# What columns hold together: of the event, and of the name and the text of a field that changed
TOGETHER = {
    "access": access,
    "account": lambda _, __, text: account("Account", text),
    "account of actor": lambda _, __, text: account("InitiatingProcessAccount", text),
    "action on file": lambda _, __, text: {"ActionType": FILE_ACTIONS[text]},
    "actor": lambda _, __, text: {"InitiatingProcessFileName": base_name(text),
                                  "InitiatingProcessFolderPath": text.lower()},
    "connection": connection,
    "earlier file": earlier_file,
    "entities": entities,
    "file": lambda _, __, text: {"FolderPath": text, "FileName": base_name(text)},
    "hashes": hashes,
    "host": host,
    "logon": logon,
    "parent of actor": lambda _, __, text: {"InitiatingProcessParentFileName": base_name(text)},
    "pipe": pipe,
    "query": lambda _, __, text: more(DnsQueryString=text),
    "registry": lambda event, *_: registry.columns(event),
    "target process": target_process,
    "uri": lambda *_: {},
    "threat": lambda _, __, text: more(ThreatName=text, WasRemediated=True),
}
