"""How tables of cloud services, of network devices and of Linux show what one column does not hold alone.

In: an event in Sigma's field names, and the text of a field that changed. Out: the columns that show
it. Written from the references of the tables and of the services' own logs (no recordings), not from
the tables of the compiler.
"""
import json

# What rules ask for where a call to AWS has no error
NO_ERROR = ("success", "none")
# Words of vendors, and whether a connection is said to be blocked, in the words of ASIM
VERDICTS = {"accept": "Allow", "forward": "Allow", "false": "Allow", "true": "Deny"}
# Facility and program of lines of Syslog
PROGRAMS = {"apache": ("daemon", "apache2"), "apache/error": ("daemon", "apache2"),
            "linux/auth": ("auth", "login"), "linux/clamav": ("local6", "clamd"),
            "linux/cron": ("cron", "CRON"), "linux/sshd": ("auth", "sshd"),
            "linux/sudo": ("authpriv", "sudo"), "linux/vsftpd": ("ftp", "vsftpd"),
            "linux/guacamole": ("daemon", "guacd")}


def targets(event, *_):
    """A list of objects, each with a list of properties, whose new value is JSON again"""
    text = lambda *names: next((str(event[name]) for name in names
                                if event.get(name) is not None), None)
    made = {"id": "1", "displayName": text("TargetResources", "properties.targetResources")}
    display = text("TargetResources.ModifiedProperties.DisplayName")
    new = text("TargetResources.ModifiedProperties.NewValue",
               "TargetResources.modifiedProperties.newValue")
    consent = event.get("ConsentContext.IsAdminConsent")
    properties = made["modifiedProperties"] = []
    if consent is not None:
        properties.append({"displayName": "ConsentContext.IsAdminConsent",
                           "newValue": json.dumps(consent, ensure_ascii=False)})
    if (display, new) != (None, None):
        quoted = None if new is None else json.dumps(new, ensure_ascii=False)
        properties.append({"displayName": display, "oldValue": "[]", "newValue": quoted})
    if not properties:
        del made["modifiedProperties"]
    return {"TargetResources": [made]}


def authorization(event, *_):
    """Which permissions were asked for, and whether they were given"""
    granted = event.get("data.protoPayload.authorizationInfo.granted")
    permission = event.get("data.protoPayload.authorizationInfo.permission")
    return {"AuthorizationInfo": [{
        "granted": {"true": True, "false": False}.get(str(granted).lower(), granted),
        "permission": permission}]}


def request(event, *_):
    """What a pod is asked to be, deep inside the object of the request"""
    container = {"securityContext": {"capabilities": {"add": [event.get("capabilities")]}}}
    volume = {"name": "v", "hostPath": {"path": event.get("hostPath")}}
    return {"RequestObject": {"kind": "Pod", "spec": {
        "containers": [container] if event.get("capabilities") is not None else [],
        "volumes": [volume] if event.get("hostPath") is not None else []}}}


def service(_, __, text):
    """The application that a report is of, in small letters: `admin` of admin.googleapis.com"""
    return {"IdApplicationName": text.lower().removesuffix(".googleapis.com")}


def extensions(_, __, text):
    """What CEF has no key for"""
    return {"AdditionalExtensions": f"cat=event;FTNTFGTcfgpath={text};FTNTFGTcfgattr=name"}


def url(event, *_):
    """The address of a request, of which an event may name parts alone"""
    host = event.get("cs-host") or "www.contoso.test"
    whole = event.get("c-uri") or event.get("cs-uri")
    if whole is None:
        extension, query = event.get("c-uri-extension"), event.get("c-uri-query")
        whole = (f"http://{host}/shop/index{f'.{extension}' if extension else ''}"
                 f"{f'?{query}' if query else ''}")
    return {"Url": whole, "HttpHost": event.get("cs-host") or ""}


def one_address(event):
    """Whether an event names an address whole, in one way, or in parts"""
    return (event.get("c-uri") is None or event.get("cs-uri") is None) and not (
        {"c-uri", "cs-uri"} & event.keys() and {"c-uri-extension", "c-uri-query"} & event.keys())


def one_result(event):
    """Whether a sign-in says one thing about its success, and how it was made in words of the portal"""
    code, said = event.get("ResultType"), event.get("Status")
    told = None in (code, said) or (str(code) == "0") == (str(said).lower() == "success")
    return told and str(event.get("properties.message")).lower() != "devicecode"


def verdict(event, *_):
    """What a firewall did, in the words of ASIM for those of vendors"""
    word = str(event.get("action") or event.get("blocked") or "")
    return {"DvcAction": VERDICTS.get(word.lower(), word)}


def program(kind):
    """The columns by which a line of Syslog is known to be of a log source"""
    facility, name = PROGRAMS.get(kind, ("daemon", "app"))
    return {"Facility": facility, "ProcessName": name, "SeverityLevel": "info"}


def sign_in(event, _, text):
    """Whether a sign-in succeeded, which the error code says"""
    succeeded = text.lower() == "success"
    code = {} if event.get("ResultType") is not None else {"ResultType": "0" if succeeded else "50126"}
    return code if succeeded else {**code, "Status": text}


def flow(_, __, text):
    """How somebody signed in, which the portal shows in words of its own"""
    return {"AuthenticationProtocol": "deviceCode" if text.lower() == "device code" else text}


# What every row of a family says
CONSTANT = {"fortigate": {"DeviceVendor": "Fortinet", "DeviceProduct": "Fortigate"},
            "proxy": {"EventType": "HTTPsession"}}
TOGETHER = {
    "answers": lambda _, __, text: {"answers_s": [text] if text else ""},
    "application": service,
    "authorization": authorization,
    "error": lambda _, __, text: {"ErrorCode": "" if text.lower() in NO_ERROR else text},
    "extensions": extensions,
    "flow": flow,
    "request": request,
    "sign-in": sign_in,
    "target": lambda _, __, text: {"OriginalTarget": [{"displayName": text, "type": "User"}]},
    "targets": targets,
    "types": lambda _, __, text: {"resp_mime_types_s": [text] if text else ""},
    "url": url,
    "verdict": verdict,
}
