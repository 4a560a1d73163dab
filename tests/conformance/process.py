"""Started processes: what Sysmon and Windows' own auditing write of them, and hashes of files.

In: an event in Sigma's field names. Out: the event with what Sysmon writes beside, and the data of
event 4688. Written from Microsoft's documentation of both.
"""
import re

# Names in Sysmon's text of all hashes, with the fields of one hash
HASHES = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "IMPHASH": "Imphash"}
LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64, "Imphash": 32}
LEVELS = {"Untrusted": 0, "Low": 4096, "Medium": 8192, "MediumPlus": 8448, "High": 12288,
          "System": 16384}
# The names of the data of event 4688
OF_4688 = ("SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId",
           "NewProcessId", "NewProcessName", "TokenElevationType", "ProcessId", "CommandLine",
           "TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId",
           "ParentProcessName", "MandatoryLabel")


def complete(event):
    """Puts the hashes that an event says one by one into Sysmon's text of all"""
    said = {name: event[field] for name, field in HASHES.items() if event.get(field)}
    if said:
        known = dict(part.split("=", 1) for part in (event.get("Hashes") or "").split(",")
                     if "=" in part)
        event["Hashes"] = ",".join(f"{name}={value}" for name, value in {**known, **said}.items())


def hashes_alone(event):
    """Whether what an event calls a hash is not one with more around it, which no sensor writes"""
    said = ((str(event.get(field)), length) for field, length in LENGTHS.items())
    return not any(re.search(f"[0-9A-Fa-f]{{{length}}}", text) and len(text) > length
                   for text, length in said)


def well_known_account(event):
    """Whether accounts have a domain and a name, as Windows' own auditing writes them"""
    accounts = [event.get("User"), event.get("ParentUser") or event.get("User")]
    return all(re.fullmatch(r"[^\\]+\\[^\\]+", str(account)) for account in accounts)


def created(event):
    """The data of event 4688

    The account of the new process is that of the event where it is another one than that of its
    creator, and `-` where it is the same. Events that do not name the creator say so by turns.
    """
    domain, _, name = event["User"].partition("\\")
    account = {"UserName": name, "DomainName": domain, "LogonId": event.get("LogonId") or "0x3e7"}
    nobody = {"UserName": "-", "DomainName": "-", "LogonId": "0x0"}
    other = {"UserName": "HOST1$", "DomainName": "CONTOSO", "LogonId": "0x3e4"}
    apart = event.get("TargetUserName") not in (None, "-") if "TargetUserName" in event \
        else len(str(event.get("CommandLine"))) % 2
    if event.get("ParentUser"):
        other["DomainName"], _, other["UserName"] = event["ParentUser"].partition("\\")
        apart = event["ParentUser"].lower() != event["User"].lower()
    subject, target = (other, account) if apart else (account, nobody)
    data = {name: event.get(name) for name in OF_4688}
    data.update({f"Subject{name}": value for name, value in subject.items()
                 if not apart or not data.get(f"Subject{name}")})
    data.update({f"Target{name}": value for name, value in target.items()})
    level = event.get("IntegrityLevel")
    number = {name.lower(): number for name, number in LEVELS.items()}.get(str(level).lower())
    data.update(
        NewProcessName=event.get("Image"), ParentProcessName=event.get("ParentImage"),
        NewProcessId=hexadecimal(event.get("ProcessId")),
        ProcessId=hexadecimal(event.get("ParentProcessId")),
        MandatoryLabel=level if number is None else f"S-1-16-{number}")
    return list(data.items())


def hexadecimal(number):
    return hex(int(number)) if str(number).isdecimal() else number
