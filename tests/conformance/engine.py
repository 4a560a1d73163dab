"""Kusto queries over rows, answered by DuckDB.

In: rows of tables, each with a time of its own, and an emitted query. Out: the rows that the query
returns, as sets of what a report is known by: the time, the signal, the level, the group.

The clock is set so that every row is newer than what `ago` asks for, or half of them.
"""
import datetime
import json
import re
import tempfile
from pathlib import Path

import duckdb_kql

import dialect

TYPES = {
    "bool": "BOOLEAN", "datetime": "TIMESTAMP", "decimal": "DECIMAL", "dynamic": "JSON",
    "guid": "VARCHAR", "int": "INTEGER", "long": "BIGINT", "real": "DOUBLE", "string": "VARCHAR",
    "timespan": "INTERVAL",
}
# The engine takes no event from the future.
BEGINNING = datetime.datetime(2024, 1, 8)


class Kusto:
    """A database with the tables of Microsoft Sentinel and of advanced hunting"""

    def __init__(self, schema, file=":memory:", filled=False):
        """Takes tables with the types of their columns; a table of two platforms has both's

        A file that is filled is opened to be read, by any number of processes.
        """
        self.schema = {table: {**columns, dialect.ARRIVED: "datetime",
                               **({dialect.ROW_OF_ALERT: "string"} if table == "SecurityAlert" else {})}
                       for table, columns in schema.items()}
        # Whoever needs more cores runs more processes: one query is too short to be shared out.
        self.connection = dialect.install(str(file), read_only=filled, config={"threads": 1})
        self.names = {table: list(columns) for table, columns in self.schema.items()}
        self.translated = {}
        for table, columns in () if filled else self.schema.items():
            typed = ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in columns.items())
            self.connection.execute(f'CREATE TABLE "{table}" ({typed})')

    def load(self, rows):
        """Replaces all rows; text that a row lacks is empty, everything else null

        A row that does not say when it arrived did so in a moment. Rows of tables that no query asks are
        left out.
        """
        of_table = {table: [] for table in self.schema}
        for row in rows:
            of_table.get(row["$table"], []).append({dialect.ARRIVED: after(row), **row})
        with tempfile.TemporaryDirectory() as folder:
            for table, columns in self.schema.items():
                self.connection.execute(f'DELETE FROM "{table}"')
                if of_table[table]:
                    self.insert(table, columns, of_table[table], Path(folder) / f"{table}.json")

    def insert(self, table, columns, rows, file):
        missing = {name: "" if kind == "string" else None for name, kind in columns.items()}
        with file.open("w", encoding="utf-8") as out:
            for row in rows:
                known = {name: fitting(row[name], kind) for name, kind in columns.items()
                         if row.get(name) is not None}
                known = {name: value for name, value in known.items() if value is not None}
                out.write(json.dumps({**missing, **known}) + "\n")
        typed = ", ".join(f"'{name}': '{TYPES[kind]}'" for name, kind in columns.items())
        named = ", ".join(f'"{name}"' for name in columns)
        self.connection.execute(
            f"INSERT INTO \"{table}\" SELECT {named} FROM read_json('{file}', "
            f"columns={{{typed}}}, format='newline_delimited', maximum_object_size=4194304)")

    def ask(self, query, now, keep=True):
        """The rows of a query, as it is emitted"""
        sql = self.translated.get(query)
        if sql is None:
            sql = duckdb_kql.to_sql(dialect.respelled(query), schema=self.names, query_now=now)
            if keep:
                self.translated[query] = sql
        bound = {**sql.parameters}
        for name, value in bound.items():
            if isinstance(value, datetime.datetime):
                bound[name] = now
        answer = self.connection.execute(sql, bound) if bound else self.connection.execute(sql)
        columns = [column[0] for column in answer.description]
        return [dict(zip(columns, row)) for row in answer.fetchall()]


    def known(self, asked):
        """For each list of queries, times and columns of groups the rows, each as what a report is known by"""
        for questions in asked:
            yield [[known_by(row, keys) for row in self.ask(query, now)]
                   for query, now, keys in questions]


def after(row):
    """A moment after the time of a row: a run asks for what arrives after the one before"""
    time = datetime.datetime.fromisoformat(row["TimeGenerated"])
    return (time + datetime.timedelta(milliseconds=1)).isoformat()


def known_by(row, keys):
    """What a report is known by, and the columns of its group; one that names an entity wrongly is of no level"""
    told = {name: value for name, value in row.items() if name in REPORTED or name in keys}
    wrong = [name for name in IDENTIFIED if name in row and not is_identified(row, name)]
    return {**told, "Level": f"wrong {' '.join(wrong)}"} if wrong else told


def is_identified(row, name):
    """Whether a column that identifies an entity is what its name says of the column beside it"""
    of, meant = IDENTIFIED[name]
    whole = row.get(of) or ""
    # A place has no line breaks; what is made of them is no one's directory.
    return "\n" in whole or (row[name] or "") == meant(whole)


def fitting(value, kind):
    """A value as a column of this type holds it; None where it is of no such type"""
    if kind in ("int", "long"):
        return int(value) if re.fullmatch(r"-?\d{1,18}", str(value)) else None
    if kind in ("decimal", "real"):
        return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", str(value)) else None
    if kind == "bool":
        return {"true": True, "false": False}.get(str(value).lower())
    if kind == "string" and isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


# Columns that identify an entity: the column that each is made of, and how
IDENTIFIED = {
    "HostName": ("DeviceName", lambda name: name.split(".")[0]),
    "DnsDomain": ("DeviceName", lambda name: name.partition(".")[2]),
    "Directory": ("FolderPath", lambda path: re.sub(r"(^|[\\/])[^\\/]*$", "", path)),
    "FileHashAlgorithm": ("SHA256", lambda _: "SHA256"),
    "RegistryHive": ("RegistryKey", lambda key: key.split("\\")[0]),
    "RegistryKeyPath": ("RegistryKey", lambda key: key.partition("\\")[2]),
}
# What the row of a report is known by
REPORTED = ("TimeGenerated", "Timestamp", "Signal", "Level", "Severity", "Group", "StartTime", "EndTime",
            "EventCount", "ValueCount")


def moment(row):
    """When a returned row's event happened; it is known by that"""
    return row.get("TimeGenerated") or row.get("Timestamp")
