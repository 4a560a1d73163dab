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

    def test_letters_without_case_are_of_ascii_only(self):
        for text, held in {"CMD": True, "cmd": True, "\u212aeep": False}.items():
            pattern = "(?s)^(?i-u:cmd|keep)$"
            self.assertIs(printed(f'"{text}" matches regex "{pattern}"'), held)
        self.assertEqual(dialect.re2(r"(?i-u:\.a\)b)\d"), r"(?:\.[aA]\)[bB])\d")
        self.assertEqual(dialect.re2(r"(?-u:\b)a(?-u:\B)"), r"\ba\B")

    def test_an_empty_list_is_not_empty(self):
        # What `AlertFiles: null` was emitted as before the proof.
        self.assertFalse(printed('isempty(parse_json("[]"))'))
        self.assertTrue(printed('array_length(parse_json("[]")) == 0'))


if __name__ == "__main__":
    unittest.main()
