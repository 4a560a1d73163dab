'use strict';
// Binds Kusto queries with Microsoft's own parser and binder.
//
// In: the schema file, then one JSON object a line on standard input: {id, platform, query}.
// Out: one JSON object a line: {id, diagnostics: [text], columns: {name: type}}, where columns are
// those that the query returns. One process for all queries; nothing is run.
const fs = require('fs');
const path = require('path');

const [modules, schemaFile] = process.argv.slice(2);
const bundle = path.join(path.resolve(modules), '@kusto', 'language-service-next');
require(path.join(bundle, 'bridge.min.js'));
require(path.join(bundle, 'Kusto.Language.Bridge.min.js'));
const { Language } = globalThis.Kusto;
const { Symbols } = Language;
const list = (found) => (found ? globalThis.Bridge.toArray(found) : []);

const TYPES = {
  bool: 'Bool', datetime: 'DateTime', decimal: 'Decimal', dynamic: 'Dynamic', guid: 'Guid',
  int: 'Int', long: 'Long', real: 'Real', string: 'String', timespan: 'TimeSpan',
};

function table(name, columns) {
  const symbols = Object.entries(columns).map(([column, type]) => new Symbols.ColumnSymbol(
    column, Symbols.ScalarTypes[TYPES[type]], null, null, null, null));
  return new Symbols.TableSymbol.$ctor4(name, symbols);
}

// The parameters of each parser, as a function declares them
const parameters = {};
const facts = path.join(__dirname, '../../src/query/kusto/parameters.tsv');
for (const line of fs.readFileSync(facts, 'utf8').split('\n')) {
  const [parser, parameter, column] = line.split('\t');
  if (column && !line.startsWith('#')) {
    (parameters[parser] ??= []).push(`${parameter}:dynamic=dynamic([])`);
  }
}

// A parser of ASIM is a stored function, which a query may name without brackets.
function globals({ tables, functions }) {
  const members = Object.entries(tables).map(([name, columns]) => table(name, columns));
  for (const [name, columns] of Object.entries(functions)) {
    members.push(table(`__result${name}`, columns));
    const takes = `(${(parameters[name] ?? []).join(', ')})`;
    members.push(new Symbols.FunctionSymbol.$ctor16(name, takes, `__result${name}`, null));
  }
  const database = new Symbols.DatabaseSymbol.ctor('workspace', members);
  return Language.GlobalState.Default.WithDatabase(database).WithCache();
}

function bind({ id, platform, query }) {
  const code = Language.KustoCode.ParseAndAnalyze(query, platforms[platform]);
  const diagnostics = list(code.GetDiagnostics()).map((found) => {
    const line = query.slice(0, found.Start).split('\n').length;
    return `${line}: ${found.Severity} ${found.Code}: ${found.Message}`;
  });
  const columns = {};
  for (const column of list(code.ResultType && code.ResultType.Columns)) {
    columns[column.Name] = column.Type ? column.Type.Name : 'unknown';
  }
  return { id, diagnostics, columns };
}

const schema = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
const platforms = { sentinel: globals(schema.sentinel), xdr: globals(schema.xdr) };
const answers = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)
  .map((line) => JSON.stringify(bind(JSON.parse(line))));
fs.writeSync(1, `${answers.join('\n')}\n`);
