//! Names bound by `let`.
//!
//! In: named lists as predicates ask for them. Out: the `let` statements on top of a query. A
//! list keeps the author's name; a name that Kusto reserves, or that is taken by other values,
//! gets a number.

use super::expr::dynamic;

/// Words that cannot be the name of a `let`
const RESERVED: &[&str] = &[
    "access",
    "accumulate",
    "aliases",
    "all",
    "alter",
    "and",
    "anomalycolumns",
    "append",
    "array",
    "as",
    "asc",
    "assert_schema",
    "attach",
    "between",
    "bin",
    "bool",
    "by",
    "case",
    "cluster",
    "consume",
    "contains",
    "contextual_datatable",
    "count",
    "database",
    "datatable",
    "date",
    "datetime",
    "declare",
    "decimal",
    "default",
    "desc",
    "distinct",
    "double",
    "dynamic",
    "edges",
    "evaluate",
    "execute",
    "extend",
    "externaldata",
    "facet",
    "false",
    "filter",
    "find",
    "first",
    "flags",
    "fork",
    "from",
    "fullouter",
    "function",
    "getschema",
    "graph",
    "guid",
    "has",
    "has_all",
    "has_any",
    "id",
    "if",
    "iff",
    "in",
    "innerunique",
    "int",
    "invoke",
    "isfuzzy",
    "join",
    "kind",
    "last",
    "leftanti",
    "leftouter",
    "let",
    "like",
    "limit",
    "long",
    "lookup",
    "make_graph",
    "make_series",
    "materialize",
    "matches",
    "mv_apply",
    "mv_expand",
    "none",
    "not",
    "notempty",
    "null",
    "nulls",
    "of",
    "on",
    "or",
    "order",
    "pack",
    "parse",
    "partition",
    "pattern",
    "print",
    "project",
    "query",
    "range",
    "real",
    "reduce",
    "regex",
    "render",
    "restrict",
    "sample",
    "scan",
    "search",
    "sequence",
    "serialize",
    "series",
    "set",
    "sort",
    "stacked",
    "step",
    "string",
    "strcat",
    "summarize",
    "table",
    "take",
    "time",
    "timespan",
    "to",
    "top",
    "toscalar",
    "true",
    "typeof",
    "union",
    "unique",
    "uuid",
    "view",
    "views",
    "where",
    "with",
    "xaxis",
];

/// The `let` names of one query
#[derive(Debug, Default)]
pub(super) struct Lets {
    taken: Vec<String>,
    lists: Vec<(String, Vec<String>)>,
}

impl Lets {
    /// Takes a name for something else than a list
    pub(super) fn name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while RESERVED.contains(&name.as_str()) || self.taken.contains(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.taken.push(name.clone());
        name
    }

    /// The name of a list of these values
    pub(super) fn list(&mut self, wanted: &str, values: &[&str]) -> String {
        let same = |list: &&(String, Vec<String>)| {
            list.1 == values && (list.0 == wanted || list.0.starts_with(&format!("{wanted}_")))
        };
        if let Some((name, _)) = self.lists.iter().find(same) {
            return name.clone();
        }
        let name = self.name(wanted);
        self.lists.push((name.clone(), values.iter().map(ToString::to_string).collect()));
        name
    }

    /// The statements, by name
    pub(super) fn statements(mut self) -> Vec<String> {
        self.lists.sort();
        let statement = |(name, values): &(String, Vec<String>)| {
            let head = format!("let {name} = ");
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let list = dynamic(&values, &head);
            format!("{head}{list};")
        };
        self.lists.iter().map(statement).collect()
    }
}
