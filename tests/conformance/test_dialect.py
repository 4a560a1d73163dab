"""What dialect.py defines gives what Microsoft documents, and one bug each that the proof found."""
import datetime
import unittest

import duckdb_kql

import dialect

CONNECTION = dialect.install()
# Where a table has to be sorted by group and time
STEPS = """datatable(Group: string, TimeGenerated: datetime) [
    "a", datetime(2026-01-01 00:00:01), "b", datetime(2026-01-01 00:00:02),
    "a", datetime(2026-01-01 00:00:03)]"""


def kusto(query):
    """The rows that a query gives"""
    sql = duckdb_kql.to_sql(dialect.respelled(query), schema={})
    return CONNECTION.execute(sql).fetchall()


def printed(expression):
    (value,), = kusto(f"print x = {expression}")
    return value


class Functions(unittest.TestCase):
    def test_ipv4_is_in_any_range(self):
        self.assertTrue(printed('ipv4_is_in_any_range("192.168.1.6", "192.168.1.1/24", "10.0.0.1/8")'))
        self.assertTrue(printed('ipv4_is_in_any_range("127.0.0.1", dynamic(["127.0.0.1"]))'))
        self.assertFalse(printed('ipv4_is_in_any_range("8.8.8.8", "10.0.0.0/8", "192.168.1.0/24")'))
        self.assertIsNone(printed('ipv4_is_in_any_range("::1", "10.0.0.0/8")'))
        self.assertIsNone(printed('ipv4_is_in_any_range("", "10.0.0.0/8")'))

    def test_ipv6_is_in_any_range(self):
        networks = 'dynamic(["a5e:f127:8a9d:146d:e102:b5d3:c755:f6cd/112", "0:0:0:0:0:ffff:c0a8:ac/60"])'
        address = "a5e:f127:8a9d:146d:e102:b5d3:c755:abcd"
        self.assertTrue(printed(f'ipv6_is_in_any_range("{address}", {networks})'))
        self.assertTrue(printed('ipv6_is_in_any_range("10.0.0.9", "::ffff:a00:0/104")'))
        self.assertFalse(printed('ipv6_is_in_any_range("::2", "::1/128")'))
        self.assertIsNone(printed('ipv6_is_in_any_range("localhost", "::1/128")'))

    def test_parse_command_line(self):
        self.assertEqual(printed('parse_command_line("echo \\"hello world!\\" print$?", "windows")'),
                         '["echo", "hello world!", "print$?"]')
        # The examples of Microsoft's page on arguments of a C program.
        for written, parsed in {r'a "b c" d\\e': ["a", "b c", r"d\\e"], r'"ab\"c" \\ d':
                                ['ab"c', "\\\\", "d"], r'a\\\b d"e f"g h': [r"a\\\b", "de fg", "h"],
                                r'a\\\"b c d': [r'a\"b', "c", "d"], r'a\\"b c" d': [r"a\b c", "d"],
                                '""': [""], " x ": ["x"]}.items():
            self.assertEqual(dialect.command_line(written, "windows"), dialect.json.dumps(parsed))

    def test_range_of_times_expands_to_times(self):
        rows = kusto("print t = datetime(2026-01-01 00:00:30) | extend k = range(bin(t - 1m, 1m), "
                     "bin(t, 1m), 1m) | mv-expand k to typeof(datetime) | project k")
        self.assertEqual([row[0] for row in rows], [datetime.datetime(2025, 12, 31, 23, 59),
                                                    datetime.datetime(2026, 1, 1)])

    def test_prev_and_row_number_follow_the_order(self):
        rows = kusto(f"{STEPS} | sort by Group asc, TimeGenerated asc "
                     "| extend StartTime = prev(TimeGenerated, 1), StartGroup = prev(Group, 1) "
                     "| where StartGroup == Group | project TimeGenerated - StartTime")
        self.assertEqual(rows, [(datetime.timedelta(seconds=2),)])
        rows = kusto(f"{STEPS} | sort by TimeGenerated asc | extend N = row_number() | project N, Group")
        self.assertEqual(sorted(rows), [(1, "a"), (2, "b"), (3, "a")])
        with self.assertRaises(NotImplementedError):
            dialect.respelled("T | sort by X asc | extend StartTime = prev(TimeGenerated, 1)")


class Parsers(unittest.TestCase):
    def test_arguments_become_filters(self):
        query = """_Im_ProcessCreate(
    targetprocess_has_any=dynamic(["cmd.exe", "a \\"b]"]), commandline_has_any=terms
)
| count"""
        self.assertEqual(dialect.respelled(query), """_Im_ProcessCreate
| where TargetProcessName has_any (dynamic(["cmd.exe", "a \\"b]"]))
| where TargetProcessCommandLine has_any (terms)
| count""")


class Texts(unittest.TestCase):
    """Functions on texts, JSON and XML, of which tables of Windows events are read"""

    def replaced(self, text, lookups, rewrites):
        return printed(f'replace_strings("{text}", dynamic({lookups}), dynamic({rewrites}))')

    def test_replace_strings(self):
        trick = "A magic trick can turn a cat into a dog"
        self.assertEqual(self.replaced(trick, '["cat", "dog"]', '["dog", "pigeon"]'),
                         "A magic trick can turn a dog into a pigeon")
        self.assertEqual(self.replaced(trick, '["turn", " into a dog"]', '["disappear", ""]'),
                         "A magic trick can disappear a cat")
        this = "This is an example of using replace_strings()"
        self.assertEqual(self.replaced(this, '["This", "is"]', '["This", "was"]'),
                         "This was an example of using replace_strings()")
        # The first of the lookups, not the leftmost match, takes precedence.
        self.assertEqual(self.replaced(this, '["is", "This"]', '["was", "This"]'),
                         "Thwas was an example of using replace_strings()")
        self.assertEqual(self.replaced(this, '["This", "is"]', '[12345, "was"]'),
                         "This was an example of using replace_strings()")
        # What was replaced is not looked at again.
        self.assertEqual(self.replaced("&amp;lt; &lt;", '["&lt;", "&amp;"]', '["<", "&"]'), "&lt; <")

    def test_split_takes_an_index(self):
        for arguments, parts in {'"aa_bb", "_"': ["aa", "bb"], '"aaa_bbb_ccc", "_", 1': ["bbb"],
                                 '"", "_"': [""], '"a__b", "_"': ["a", "", "b"],
                                 '"aabbcc", "bb"': ["aa", "cc"]}.items():
            self.assertEqual(printed(f"split({arguments})"), parts)
        self.assertEqual(printed('tostring(split("aa_bb", "_")[-1])'), "bb")

    def test_numbers_in_hexadecimal(self):
        for call, text in {"256": "100", "-256": "ffffffffffffff00", "toint(-256), 8": "ffffff00",
                           "256, 8": "00000100", "256, 2": "100", "0": "0"}.items():
            self.assertEqual(printed(f"tohex({call})"), text)
        for text, number in {"123": 123, "0x3e7": 999, "0X1F": 31, "x": None, "": None,
                             "-": None, "0x": None}.items():
            self.assertEqual(printed(f'tolong("{text}")'), number)

    def test_trim(self):
        self.assertEqual(printed('trim("--", "--https://bing.com--")'), "https://bing.com")
        self.assertEqual(printed(r'trim(@"[^\w]+", "-  Te st1// $")'), "Te st1")
        self.assertEqual(printed(r'trim(@"\s+", "    Hello, world!    ")'), "Hello, world!")

    def test_extract_gives_a_group_or_nothing(self):
        self.assertEqual(printed('extract("User: ([^,]+)", 1, "User: JohnDoe, Age: 29")'), "JohnDoe")
        self.assertEqual(printed('extract("x=(a)(b)?", 2, "x=a")'), "")
        self.assertTrue(printed('isempty(extract("x=(a)", 1, "none"))'))

    def test_values_of_json(self):
        for path, text in {".a": "b", '["New Value"]': 'q"r', ".n": "5", ".none": "",
                           ".list": '[1,"x"]', ".list[1]": "x", ".sub.a": "c"}.items():
            bag = r'{"a": "b", "New Value": "q\"r", "n": 5, "list": [1, "x"], "sub": {"a": "c"}}'
            self.assertEqual(printed(f"tostring(dynamic({bag}){path})"), text)
            # A column that is text on one platform and JSON on the other
            self.assertEqual(printed(f"tostring(parse_json(tostring(dynamic({bag}))){path})"), text)
        for text in ("", "no JSON"):
            self.assertTrue(printed(f'isempty(tostring(parse_json("{text}").a))'))

    def test_parts_of_an_address(self):
        address = "scheme://name:secret@host:1234/this/is/a/path?k1=v1&k2=v2#fragment"
        for part, text in {"Scheme": "scheme", "Host": "host", "Port": "1234", "Fragment": "fragment",
                           "Path": "/this/is/a/path", "Username": "name"}.items():
            self.assertEqual(printed(f'tostring(parse_url("{address}").{part})'), text)
        self.assertEqual(printed(f'tostring(parse_url("{address}")["Query Parameters"].k2)'), "v2")

    def test_replace_regex(self):
        self.assertEqual(printed(r'replace_regex("Number is 1", @"is (\d+)", @"was: \1")'),
                         "Number was: 1")

    def test_choices(self):
        self.assertEqual(printed('case(1 == 2, "a", 2 == 2, "b", "c")'), "b")
        self.assertEqual(printed('iff(isempty(""), "a", "b")'), "a")


class Unions(unittest.TestCase):
    def test_columns_of_either_part(self):
        rows = kusto('let A = datatable(a: string) ["1"];\n'
                     'union isfuzzy=true A, (datatable(a: string, b: string) ["2", "3"])')
        self.assertEqual(sorted(rows), [("1", None), ("2", "3")])


class Aggregates(unittest.TestCase):
    def test_what_is_counted_and_collected(self):
        table = 'datatable(g: string, v: string) ["a", "x", "a", "", "a", "x", "b", "y"]'
        rows = kusto(f'{table} | summarize count_distinct(v), count_distinctif(v, isnotempty(v)), '
                     'make_list_if(v, v == "x"), strcat_array(make_set_if(v, v != "", 1), ",") by g')
        self.assertEqual(sorted(rows), [("a", 2, 1, '["x","x"]', "x"), ("b", 1, 1, "[]", "y")])


class Spelling(unittest.TestCase):
    def test_escapes_bounds_and_rows_of_rows(self):
        self.assertEqual(printed(r'strcat("a\x1fb", @"\x1f", "\\x1f")'), "a\x1fb\\x1f\\x1f")
        self.assertTrue(printed("1 between (3 - 2 .. 3 + 2)"))
        query = """datatable(RowOfAlert: string, TimeGenerated: datetime, Es: dynamic) [
            "1", datetime(2026-01-01), dynamic([{"n": "x"}, {"n": "y"}])]
| mv-apply E = Es on (
    summarize
        Names = make_list_if(tostring(E.n), tostring(E.n) =~ "X")
)
| project Names"""
        self.assertEqual(kusto(query), [('["x"]',)])
        query = """datatable(TimeGenerated: datetime, Es: dynamic) [
            datetime(2026-01-01), dynamic([{"n": "x"}, {"n": "y"}]), datetime(2026-01-02), dynamic(null)]
| mv-apply E = iff(array_length(Es) > 0, Es, dynamic([""])) on (
    summarize Names = make_list_if(tostring(E.n), isnotempty(E))
)
| sort by TimeGenerated asc
| project Names"""
        self.assertEqual(kusto(query), [('["x","y"]',), ("[]",)])
        query = query.replace("    summarize", "    mv-expand P = E.ps\n    | summarize").replace(
            "tostring(E.n), isnotempty(E)", "tostring(P), isnotempty(P)").replace(
            '{"n": "y"}', '{"ps": ["p", "q"]}')
        self.assertEqual(kusto(query), [('["p","q"]',), ("[]",)])

    def test_letters_without_case_are_of_ascii_only(self):
        for text, held in {"CMD": True, "cmd": True, "\u212aeep": False}.items():
            pattern = "(?s)^(?i-u:cmd|keep)$"
            self.assertIs(printed(f'"{text}" matches regex "{pattern}"'), held)
        self.assertEqual(dialect.re2(r"(?i-u:\.a\)b)\d"), r"(?:\.[aA]\)[bB])\d")
        self.assertEqual(dialect.re2(r"(?-u:\b)a(?-u:\B)"), r"\ba\B")

    def test_an_empty_list_is_not_empty(self):
        # What `AlertFiles: null` was emitted as before the proof.
        self.assertFalse(printed('isempty(parse_json("[]"))'))
        self.assertTrue(printed('isempty(dynamic(""))'))
        self.assertTrue(printed("isempty(dynamic(null))"))
        self.assertTrue(printed("isnotempty(5)"))
        self.assertTrue(printed('array_length(parse_json("[]")) == 0'))


if __name__ == "__main__":
    unittest.main()
