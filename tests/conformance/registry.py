"""Registry events: what Sysmon writes and what Defender shows, of one and the same event.

In: an event in Sysmon's fields (`TargetObject`, `Details`, `EventType`, `NewName`) or in those that
rulecast has beside them (`Action`, `RegistryKey`, …). Out: the event as a sensor would have written
it, and the columns of Defender. Written from Microsoft's documentation of both.
"""
import re

# Sysmon's words, each with the action that it is
WORDS = {"CreateKey": "created", "SetValue": "modified", "DeleteKey": "deleted",
         "DeleteValue": "deleted", "RenameKey": "renamed"}
ACTIONS = {"created": "RegistryKeyCreated", "modified": "RegistryValueSet",
           "renamed": "RegistryKeyRenamed", "deleted": "RegistryKeyDeleted"}
IDS = {"CreateKey": 12, "DeleteKey": 12, "DeleteValue": 12, "SetValue": 13, "RenameKey": 14}
OF_VALUES = ("SetValue", "DeleteValue")
HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS", "HKCU": "HKEY_CURRENT_USER",
         "HKCR": "HKEY_CLASSES_ROOT", "HKCC": "HKEY_CURRENT_CONFIG"}
UNNAMED = "(Default)"
# The fields that say together what a row shows
FIELDS = ("Action", "Details", "EventType", "NewName", "RegistryData", "RegistryKey",
          "RegistryValue", "TargetObject")


def possible(event):
    """Whether a sensor writes such an event: its word is one of Sysmon's, the action is one"""
    word = event.get("EventType")
    return (word is None or word in WORDS) and event.get("Action") in (None, *ACTIONS)


def complete(event, before):
    """Adds what a sensor writes beside what a rule asks for, and takes away what it never writes

    `before` is the recorded event that this one was made from: its data was of some type.
    """
    word = event.get("EventType") or implied(event)
    if word == "SetValue" and event.get("TargetObject") is None and not event.get("RegistryValue"):
        # A value that is set has a name.
        word = "CreateKey"
    event.update(EventType=word, Action=WORDS[word])
    if event.get("TargetObject") is not None:
        event["TargetObject"] = recorded_path(event["TargetObject"])
        if word != "SetValue":
            event.pop("Details", None)
        elif not event.get("Details"):
            event["Details"] = "(Empty)"
    elif event.get("RegistryKey"):
        named = event.get("RegistryValue") and word != "RenameKey"
        path = event["RegistryKey"] + (f"\\{event['RegistryValue']}" if named else "")
        event["TargetObject"] = with_hives(path, short=True)
        # The engine would take the data out of `(Empty)`, which an empty value is written as.
        if word == "SetValue" and not event.get("Details") and event.get("RegistryData") != "":
            event["Details"] = details(event.get("RegistryData"), before.get("Details"))
    if word == "RenameKey":
        name = event.get("NewName")
        event["NewName"] = recorded_path(name) if name else f"{event.get('TargetObject') or ''}2"
    if event.get("EventID") is not None:
        event["EventID"] = IDS[word]


def implied(event):
    """Sysmon's word for an action"""
    action = event.get("Action") or "created"
    about_value = event.get("RegistryValue") or event.get("Details")
    if action == "deleted":
        return "DeleteValue" if about_value else "DeleteKey"
    return next(word for word, known in WORDS.items() if known == action)


def recorded_path(path):
    """A path as Sysmon writes one: it begins with a hive and ends in a name"""
    path = str(path)
    if path.endswith("\\"):
        path += "a"
    if path.partition("\\")[0] not in HIVES:
        path = "HKLM\\SOFTWARE" + ("" if path.startswith("\\") else "\\") + path
    return path


def with_hives(path, short=False):
    """A path with its hive spelled out, or cut short"""
    spellings = {long: hive for hive, long in HIVES.items()} if short else HIVES
    hive, backslash, rest = path.partition("\\")
    return f"{spellings.get(hive, hive)}{backslash}{rest}"


def details(data, before):
    """Sysmon's text for data; what was recorded stays where it says the same"""
    if before and typed(before)[0] == (data or ""):
        return before
    return "Binary Data" if data is None else str(data)


def typed(text):
    """Data and type of the registry, of Sysmon's text for both"""
    number = re.fullmatch(r"DWORD \(0x([0-9a-f]{8})\)", text)
    if number:
        return str(int(number[1], 16)), "Dword"
    number = re.fullmatch(r"QWORD \(0x([0-9a-f]{8})-0x([0-9a-f]{8})\)", text)
    if number:
        return str(int(number[1] + number[2], 16)), "QWord"
    return {"Binary Data": ("", "Binary"), "(Empty)": ("", "String")}.get(text, (text, "String"))


def columns(event):
    """The columns of Defender: a deleted value is known by its previous name and key

    A key's own value has no name.
    """
    word, action = event["EventType"], event["Action"]
    if event.get("RegistryKey") is not None or event.get("TargetObject") is None:
        key, value = event.get("RegistryKey") or "", event.get("RegistryValue") or ""
    else:
        key, value = with_hives(event["TargetObject"]), ""
        if word in OF_VALUES:
            key, _, value = key.rpartition("\\")
    name = "" if value == UNNAMED and word == "SetValue" else value
    row = {"ActionType": ACTIONS[action], "RegistryKey": key, "PreviousRegistryKey": "",
           "RegistryValueName": name, "PreviousRegistryValueName": ""}
    if action == "renamed":
        row.update(RegistryKey=with_hives(event["NewName"]), PreviousRegistryKey=key)
    elif action == "deleted" and value:
        row.update(ActionType="RegistryValueDeleted", RegistryKey="", RegistryValueName="",
                   PreviousRegistryKey=key, PreviousRegistryValueName=value)
    data, kind = typed(event["Details"]) if event.get("Details") else ("", "")
    if event.get("RegistryData") is not None:
        data = str(event["RegistryData"])
    return {**row, "RegistryValueData": data, "RegistryValueType": kind}
