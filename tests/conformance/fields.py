"""Gives the fields of an event the values that tests ask for, several of a field put together.

In: an example and pairs of a test and a value. Out: the example, changed in both shapes.
"""
import re

import rows

PRESENT, NULL = "present", "null"
WORDS = {"Action": ("created", "modified", "renamed", "deleted"), "Initiated": ("true", "false")}
PATHS = {"GrandparentImage", "Image", "ParentImage", "TargetFilename", "cs-uri-stem"}
# An event that no rule is about
MADE = {
    "process": {"Image": "C:\\Tools\\agent.bin", "ParentImage": "C:\\Tools\\boss.bin",
                "CommandLine": "agent.bin 7", "ParentCommandLine": "boss.bin 8",
                "OriginalFileName": "agent.bin", "User": "CONTOSO\\anna", "ProcessId": 4100,
                "ParentProcessId": 4096, "IntegrityLevel": "Medium", "Company": "Contoso"},
    "file": {"Action": "created", "TargetFilename": "D:\\Data\\notes.bin", "ProcessId": 4100,
             "Image": "C:\\Tools\\agent.bin", "User": "CONTOSO\\anna"},
    "network": {"Initiated": "true", "Protocol": "tcp", "SourceIp": "10.1.2.3", "ProcessId": 4100,
                "SourcePort": 50000, "DestinationIp": "93.184.216.34", "DestinationPort": 4321,
                "Image": "C:\\Tools\\agent.bin", "User": "CONTOSO\\anna"},
    "registry": {"Action": "modified", "RegistryKey": "HKEY_LOCAL_MACHINE\\SOFTWARE\\Contoso",
                 "RegistryValue": "Colour", "RegistryData": "blue", "User": "CONTOSO\\anna",
                 "Image": "C:\\Tools\\agent.bin", "ProcessId": 4100},
    "web": {"cs-method": "OPTIONS", "cs-uri-stem": "/index.bin", "cs-uri-query": "a=1",
            "c-ip": "198.51.100.7", "sc-status": 200, "sc-bytes": 512, "cs-user-agent": "curl/8",
            "cs-username": "anna", "cs-referer": "https://www.contoso.test/", "s-sitename": "W3SVC1",
            "cs-host": "www.contoso.test"},
    "alert": {"ProviderName": "Contoso", "AlertName": "Something", "AlertSeverity": "Low",
              "AlertId": "a-1", "AlertFiles": ["agent.bin"], "Image": "C:\\Tools\\agent.bin",
              "CommandLine": "agent.bin 7"},
}


def assign(example, pairs):
    """Gives the fields of an event the values of these tests, several of a field put together"""
    by_field = {}
    for one, value in pairs:
        by_field.setdefault(one.subject, []).append((one, value))
    for field, tests in by_field.items():
        last = tests[-1][1]
        if last is NULL or last in ("", "-") or not isinstance(last, str):
            value = last
            if isinstance(last, tuple):
                value = example.event.get(last[1], "")
                value = value.swapcase() if last[0] == "flipped" else value
        elif tests[-1][0].relation in ("networks", "public", "numbers"):
            value = last
        elif last is PRESENT:
            value = example.event.get(field) or MADE[rows.family(example.kind)].get(field, PRESENT)
        else:
            value = together(field, tests, str(example.event.get(field) or ""))
        if field == "AlertFiles" and isinstance(value, str) and value is not NULL:
            value = [value, "other.dll"]
        if field == "Action" and value not in WORDS["Action"]:
            continue
        example.put(field, None if value is NULL else value)
        if value is NULL:
            example.event[field] = None


def together(field, tests, before):
    """One text that holds what each test asks of a part of it"""
    tests = [(one, value) for one, value in tests if isinstance(value, str) and value is not PRESENT]
    own = lambda *relations: [value for one, value in tests
                              if one.part is None and one.relation in relations]
    of_part = lambda part: [value for one, value in tests if (one.part or "").startswith(part)]
    whole = own("equals", "fits", "regex")
    if field == "AlertFiles":
        return (whole or own("starts", "ends", "contains"))[-1]
    if of_part("name") and field.endswith("User"):
        domain = before.rpartition("\\")[0]
        return f"{domain}\\{of_part('name')[-1]}" if domain else of_part("name")[-1]
    if of_part("key"):
        return key_path(of_part("key")[-1])
    if whole and not tests[-1][0].part:
        return whole[-1]
    before = whole[-1] if whole else before
    if of_part("argument"):
        before = "tool.bin " + " ".join(map(quoted, of_part("argument")))
    if field in PATHS:
        within = [text for text in own("contains") if re.search(r"[\\/]", text)]
        before = path(before, own("segments") + within, of_part("name"), of_part("extension"))
        middle = "".join(text for text in own("contains") if text not in within)
        if middle:
            directory, slash, name = re.match(r"(.*?)([\\/]?)([^\\/]*)$", before, re.DOTALL).groups()
            before = directory + slash + middle + name
        middle = ""
    else:
        middle = "".join(f" {text}" for text in own("contains"))
    kept = before if not own("starts") or of_part("name") else ""
    return "".join([*own("starts"), kept, middle, *own("ends")])


def path(before, segments, names, extensions):
    """A path with a directory, a name and an extension in place of its own"""
    slash = "/" if "/" in before else "\\"
    directory, _, name = before.rpartition(slash)
    directory += slash
    for at, segment in enumerate(segments):
        slash = "/" if "/" in segment else "\\"
        if at and segment.startswith(slash):
            directory = directory[:-1] + segment
        else:
            directory = segment if re.match(r"\w:", segment) or slash == "/" else f"C:{segment}"
        directory = directory if directory.endswith(slash) else directory + "z" + slash
    name = names[-1] if names else name
    if extensions and not (names and "." in name):
        name = f"{(name.rpartition('.')[0] or name)}.{extensions[-1]}"
    return directory + name


def quoted(argument):
    return f'"{argument}"' if re.search(r"\s", argument) or not argument else argument


def key_path(text):
    """A key that a test of a run of segments is about"""
    text = text.replace("/", "\\").removesuffix("\\")
    return text if text.upper().startswith("HKEY") else f"HKEY_LOCAL_MACHINE\\SOFTWARE{text}"


KNOWN = {
    "process": {*rows.PLAIN["process"], "Image", "ParentImage", "GrandparentImage", "User",
                "ParentUser", "Computer"},
    "file": {*rows.PLAIN["file"], "Action", "TargetFilename", "Image", "User", "Computer"},
    "network": {*rows.PLAIN["network"], "Initiated", "Protocol", "SourceIp", "SourcePort",
                "DestinationIp", "DestinationPort", "Image", "User", "Computer"},
    "registry": {*rows.PLAIN["registry"], "Action", "Image", "RegistryKey", "RegistryValue", "User",
                 "Computer"},
    "web": {*rows.PLAIN["web"], *rows.DASHED},
    "alert": {*rows.PLAIN["alert"], "AlertFiles", "Image", "CommandLine", "Computer"},
}
