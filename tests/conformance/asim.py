"""How a row of Defender or of a web server looks as a parser of ASIM gives it.

In: an event in Sigma's field names and its row. Out: the row of the parser. Written from Microsoft's
documentation of the ASIM parsers, not from the tables of the compiler.
"""
import re


def has_row(of, event):
    """Whether a parser gives a row: a sensor on a host names the process of each connection"""
    return of != "network" or bool(event.get("Image"))


def parsed(of, function, columns, event, row):
    """The row of the function of a family, from that of the table it reads, and columns by name"""
    get = lambda column: row.get(column) or ""
    user = lambda prefix: "\\".join(filter(None, (get(f"{prefix}Domain"), get(f"{prefix}Name"))))
    made = {"$table": function, "TimeGenerated": row.get("TimeGenerated"),
            "Dvc": get("DeviceName") or get("Computer")}
    made.update({name: get(column) for name, column in columns.items()})
    # Parsers of other sources than Defender keep the letter case of a path.
    actor_path = event.get("ParentImage" if of == "process" else "Image") or ""
    if of in ("process", "file", "registry"):
        made.update(ActingProcessName=actor_path, ActorUsername=user("InitiatingProcessAccount"))
    # The parsers of Defender say that an account is known by its security identifier.
    if of == "registry":
        made.update(ActorUserIdType="SID")
    if of == "process":
        made.update(
            TargetUserIdType="SID",
            EventType="ProcessCreated", TargetUsername=user("Account"),
            TargetProcessIMPHASH=import_hash(event),
            TargetProcessCurrentDirectory=event.get("CurrentDirectory") or "",
            TargetProcessGuid=event.get("ProcessGuid") or "",
            ActingProcessGuid=event.get("ParentProcessGuid") or "")
    elif of == "registry" and get("ActionType").endswith("Deleted"):
        # What is deleted stands where any other key and value stand.
        made.update(RegistryKey=get("RegistryKey") or get("PreviousRegistryKey"),
                    RegistryValue=get("RegistryValueName") or get("PreviousRegistryValueName"))
    elif of == "network":
        made.update(network_session(event, row, user))
    elif of == "web":
        query = row.get("csUriQuery", "-")
        made["EventType"] = "WebServerSession"
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
        f"{side}UserId": row.get("InitiatingProcessAccountSid") or "",
        f"{side}UserIdType": "SID",
    }
