"""Rows show the values of their events, and every column is one that its table has."""
import unittest

import channels
import registry
import rows
import schema
import windows
from engine import Kusto
from events import Example

# Texts that XML, JSON and paths write in their own way
TEXTS = ['a<b>&"c"\'d\'', "&lt;", r"C:\a\b", "two\r\nlines", "Ä \u212a", "</Data>", "-", "{x}"]
VALUE = """replace_strings(extract(@'<Data Name="{}">([^<]*)', 1, EventData),
    dynamic(["&lt;", "&gt;", "&quot;", "&apos;", "&amp;"]), dynamic(["<", ">", "\\"", "'", "&"]))"""
EVENT = {"TimeGenerated": "datetime", "EventLog": "string", "Source": "string", "EventID": "int",
         "EventData": "string", "RenderedDescription": "string", "Computer": "string"}
FORWARDED = {"TimeGenerated": "datetime", "Channel": "string", "Provider": "string",
             "EventID": "int", "EventData": "dynamic", "Computer": "string"}
TIME = "2024-01-08T00:00:00.000Z"


def of(kind, product="windows", **event):
    """The rows of an event by table, and the event with what every sensor says"""
    example = Example(kind, product, {}, rows.blank(kind))
    event = {"time": TIME, **event}
    rows.complete(kind, event, {})
    for field, value in event.copy().items():
        rows.put(kind, event, example.rows, field, value)
    example.event = event
    return {row["$table"]: row for row in rows.every(example)}, event


def asked(tables, rows_of, query):
    kusto = Kusto(tables)
    kusto.load(rows_of)
    return kusto.ask(query, None)


class Windows(unittest.TestCase):
    def test_text_comes_back_out_of_xml_and_json(self):
        found = [of("windows/application", EventID=7, Value=text)[0] for text in TEXTS]
        query = f'Event | where EventID == 7 | extend x = {VALUE.format("Value")} | project x'
        self.assertEqual([row["x"] for row in asked(
            {"Event": EVENT}, [row["Event"] for row in found], query)], TEXTS)
        query = 'WindowsEvent | extend x = tostring(EventData["Value"]) | project x'
        self.assertEqual([row["x"] for row in asked(
            {"WindowsEvent": FORWARDED}, [row["WindowsEvent"] for row in found], query)], TEXTS)

    def test_data_without_names_and_with_blanks(self):
        found, _ = of("windows/msexchange-management", Data=["a", "b<"], EventID=6)
        self.assertIn("<Data>a</Data><Data>b&lt;</Data>", found["Event"]["EventData"])
        self.assertEqual(found["WindowsEvent"]["EventData"], {"Data": ["a", "b<"]})
        found, _ = of("windows/windefend", NewValue="x", EventID=5007)
        self.assertIn('<Data Name="New Value">x</Data>', found["Event"]["EventData"])

    def test_words_stand_in_data_or_in_the_description(self):
        for words in ("New-Mailbox", "Get-Mailbox"):
            row = of("windows/msexchange-management", **{"*": words})[0]["Event"]
            self.assertNotEqual(f"<Data>{words}</Data>" in row["EventData"],
                                row["RenderedDescription"] == words)

    def test_user_data_has_elements(self):
        found, event = of("windows/applocker", FilePath="A", EventID=8004)
        self.assertIn("<FilePath>A</FilePath></RuleAndFileData></UserData>",
                      found["Event"]["EventData"])
        self.assertEqual(found["Event"]["EventLog"], event["Channel"])

    def test_what_is_a_word_of_rulecast_in_one_log_is_data_in_another(self):
        found, _ = of("windows/firewall-as", Action=3)
        self.assertIn('<Data Name="Action">3</Data>', found["Event"]["EventData"])
        found, _ = of("file_event", Action="created")
        self.assertNotIn("Action", found["Event"]["EventData"])

    def test_every_log_has_a_row_in_one_table_and_in_forwarded_events(self):
        for kind in windows.SOURCES:
            if kind not in ("process_creation", "file_change"):
                found, _ = of(kind, Action="created", Initiated="true")
                logs = found.keys() & {"Event", "SecurityEvent", "WindowsEvent"}
                self.assertEqual(len(logs), 2, kind)
        self.assertFalse(of("dns_query", product="linux")[0].keys() & {"Event", "WindowsEvent"})

    def test_a_process_is_seen_by_sysmon_and_by_auditing(self):
        for command in ("ab", "abc"):
            found, _ = of("process_creation", Image=r"C:\a\b.exe", CommandLine=command, User=r"D\n",
                          ProcessId=31, ParentProcessId=16, IntegrityLevel="High", Imphash="AB")
            audited, seen = found["SecurityEvent"], found["Event"]["EventData"]
            self.assertEqual((audited["NewProcessId"], audited["ProcessId"]), ("0x1f", "0x10"))
            self.assertEqual(audited["MandatoryLabel"], "S-1-16-12288")
            self.assertEqual(audited["Process"], "b.exe")
            account = audited["TargetUserName"]
            self.assertEqual(account if account != "-" else audited["SubjectUserName"], "n")
            self.assertIn('<Data Name="Hashes">IMPHASH=AB</Data>', seen)
            self.assertNotIn('"Imphash"', seen)
        # Whoever recorded it alone has a row.
        found, _ = of("process_creation", Channel="Microsoft-Windows-Sysmon/Operational",
                      EventID=1, User=r"D\n")
        self.assertNotIn("SecurityEvent", found)

    def test_an_event_that_contradicts_its_kind_is_none(self):
        for event, is_one in (({"EventID": 22}, True), ({"EventID": 1}, False), ({}, True),
                              ({"EventID": "22x"}, False), ({"Channel": "System"}, False),
                              ({"Channel": "microsoft-windows-sysmon/operational"}, True),
                              ({"Provider_Name": "x"}, False)):
            self.assertIs(rows.possible("dns_query", event), is_one, event)


class Registry(unittest.TestCase):
    def test_sysmon_and_defender_say_the_same(self):
        path = r"HKLM\SOFTWARE\Run\a"
        for said, shown in {
            ("SetValue", path, "DWORD (0x0000000a)"): ("Run", "a", "10", "Dword"),
            ("SetValue", path, "QWORD (0x00000001-0x00000002)"): ("Run", "a", "4294967298", "QWord"),
            ("SetValue", path, "Binary Data"): ("Run", "a", "", "Binary"),
            ("SetValue", path, "(Empty)"): ("Run", "a", "", "String"),
            ("SetValue", path, "DWORD (0xA)"): ("Run", "a", "DWORD (0xA)", "String"),
            ("SetValue", r"HKLM\SOFTWARE\Run\(Default)", "x"): ("Run", "", "x", "String"),
            ("CreateKey", r"HKLM\SOFTWARE\Run", None): ("Run", "", "", ""),
        }.items():
            word, target, details = said
            found, event = of("registry_event", EventType=word, TargetObject=target,
                              Details=details)
            row = found["DeviceRegistryEvents"]
            key = rf"HKEY_LOCAL_MACHINE\SOFTWARE\{shown[0]}"
            self.assertEqual([row[name] for name in (
                "RegistryKey", "RegistryValueName", "RegistryValueData", "RegistryValueType")],
                [key, *shown[1:]], said)
            self.assertEqual(event["Action"], registry.WORDS[word])

    def test_deletions_and_renamings_show_what_was(self):
        row = of("registry_event", EventType="DeleteValue", TargetObject=r"HKU\S\a")[0]
        row = row["DeviceRegistryEvents"]
        self.assertEqual((row["ActionType"], row["PreviousRegistryKey"],
                          row["PreviousRegistryValueName"], row["RegistryKey"]),
                         ("RegistryValueDeleted", r"HKEY_USERS\S", "a", ""))
        row = of("registry_event", EventType="RenameKey", TargetObject=r"HKU\S", NewName=r"HKU\T")[0]
        row = row["DeviceRegistryEvents"]
        self.assertEqual((row["RegistryKey"], row["PreviousRegistryKey"]),
                         (r"HKEY_USERS\T", r"HKEY_USERS\S"))

    def test_a_made_path_becomes_one_that_is_recorded(self):
        for path, recorded in {r"\Run\a": r"HKLM\SOFTWARE\Run\a", "hklm": r"HKLM\SOFTWARE\hklm",
                               "HKCR\\x\\": r"HKCR\x\a"}.items():
            self.assertEqual(registry.recorded_path(path), recorded)

    def test_the_fields_of_rulecast_become_those_of_sysmon(self):
        _, event = of("registry_event", Action="modified", RegistryData="16",
                      RegistryKey=r"HKEY_CURRENT_USER\A", RegistryValue="v")
        self.assertEqual((event["TargetObject"], event["Details"], event["EventType"]),
                         (r"HKCU\A\v", "16", "SetValue"))
        self.assertEqual(registry.details("16", "DWORD (0x00000010)"), "DWORD (0x00000010)")


class Defender(unittest.TestCase):
    def test_columns_that_hold_a_value_in_their_own_way(self):
        for kind, field, value, shown in (
            ("dns_query", "QueryName", "a.b", {"AdditionalFields": {"DnsQueryString": "a.b"}}),
            ("create_remote_thread", "TargetImage", r"C:\a\b.exe",
             {"FolderPath": r"C:\a", "FileName": "b.exe"}),
            ("process_access", "GrantedAccess", "0x1410", {"AdditionalFields": {"DesiredAccess": 5136}}),
            ("driver_load", "Hashes", "SHA1=AB,MD5=CD,IMPHASH=0", {"SHA1": "ab", "MD5": "cd"}),
            ("antivirus", "Signature", "x", {"AdditionalFields": {"ThreatName": "x",
                                                                  "WasRemediated": True}}),
        ):
            row = of(kind, **{field: value})[0]["DeviceEvents"]
            self.assertEqual({name: row[name] for name in shown}, shown)
        found, event = of("pipe_created", PipeName="xa")
        self.assertEqual(found["DeviceEvents"]["AdditionalFields"]["PipeName"],
                         r"\Device\NamedPipe\xa")
        self.assertEqual(event["PipeName"], r"\xa")
        row = of("file_event", Action="renamed", SourceFilename="a.txt")[0]["DeviceFileEvents"]
        self.assertEqual((row["PreviousFolderPath"], row["PreviousFileName"]), ("C:", "a.txt"))


class Cloud(unittest.TestCase):
    def test_a_field_changes_its_place_in_json(self):
        _, event = of("aws/cloudtrail")
        found = rows.blank("aws/cloudtrail")
        for value, shown in (("true", {"enable": "true"}), (None, {})):
            rows.put("aws/cloudtrail", event, found, "requestParameters.enable", value)
            self.assertEqual(found["AWSCloudTrail"]["RequestParameters"], shown)

    def test_two_names_of_one_column_hold_one_value(self):
        found, event = of("azure/auditlogs", **{"properties.result": "b", "Status": "a"})
        self.assertEqual((found["AuditLogs"]["Result"], event["properties.result"]), ("a", "a"))


class Recordings(unittest.TestCase):
    def test_events_as_their_readers_write_them(self):
        system = {"Provider": {"#attributes": {"Name": "P"}}, "EventID": {"#text": 104}, "Computer": "c",
                  "TimeCreated": {"#attributes": {"SystemTime": "2024-01-08T00:00:00.1234567Z"}},
                  "Channel": "System"}
        found = channels.nested({"Event": {"System": system, "UserData": {"LogFileCleared": {
            "#attributes": {}, "SubjectUserName": "a", "Channel": "Security"}}}}, "name")
        self.assertEqual((found.kind, found.element, found.beside), (
            "windows/system", "LogFileCleared", [("Channel", "Security")]))
        self.assertEqual(found.event["SubjectUserName"], "a")
        found = channels.nested({"Event": {"System": system, "EventData": {
            "Data": {"#text": ["a", "b"]}, "Binary": None}}}, "name")
        self.assertEqual((found.event["Data"], found.element), (["a", "b"], ""))
        found = channels.flat({"Channel": "security", "EventID": 4625, "UtcTime": TIME}, "name")
        self.assertEqual(found.kind, "windows/security")


class Columns(unittest.TestCase):
    def test_every_column_is_one_of_its_table(self):
        known = schema.everything()
        for family, _, column, parsed, _ in rows.SHOWN:
            table, _, function = rows.TABLES[family]
            if column and not column.startswith("(") and table in known:
                self.assertIn(column.split(".")[0], known[table], family)
            if parsed and function in known:
                self.assertIn(parsed, known[function], family)
        for kind, event in {"dns_query": {"QueryName": "a"}, "registry_set": {
                "TargetObject": r"HKLM\a", "Details": "x"}, "windows/system": {"a": "b"}}.items():
            for table, row in of(kind, Computer="h", **event)[0].items():
                if table in known:
                    extra = {"$table", "Timestamp", "TimeGenerated"}
                    self.assertLessEqual(row.keys() - extra, known[table].keys())


if __name__ == "__main__":
    unittest.main()
