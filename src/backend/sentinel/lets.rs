//! Names bound by `let`.
//!
//! In: the lists that predicates use. Out: the `let` statements at the head of a query. A list
//! keeps the author's name; a name that Kusto reserves, or that other values have, gets a number.

use std::collections::{HashMap, HashSet};

use crate::query::kusto::{Expression, Let};

/// Words that cannot be the name of a `let`: keywords and type names of Kusto's parser
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "access", "accumulate", "aliases", "all", "alter", "and", "anomalycolumns", "append",
    "array", "as", "asc", "assert_schema", "attach", "bagexpansion", "barchart", "between",
    "bin", "bool", "boolean", "by", "case", "cluster", "consume", "contains", "contains_cs",
    "contextual_datatable", "count", "cycles", "database", "datatable", "date", "datetime",
    "decimal", "declare", "default", "desc", "distinct", "double", "dynamic", "edges",
    "endswith", "endswith_cs", "evaluate", "execute", "extend", "external_data", "externaldata",
    "facet", "false", "filter", "find", "first", "flags", "float", "fork", "from", "fullouter",
    "function", "getschema", "graph", "guid", "has", "has_all", "has_any", "has_cs",
    "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "id", "if", "iff", "in",
    "innerunique", "int", "int16", "int32", "int64", "int8", "invoke", "isfuzzy", "join",
    "kind", "last", "leftanti", "leftouter", "let", "like", "limit", "long", "lookup",
    "make_graph", "make_series", "matches", "materialize", "mv_apply", "mv_expand", "none",
    "not", "notcontains", "notempty", "notlike", "null", "nulls", "of", "on", "or", "order",
    "pack", "parse", "partition", "pattern", "piechart", "print", "project", "query", "range",
    "real", "reduce", "regex", "relaxed", "render", "restrict", "sample", "scan", "search",
    "sequence", "serialize", "series", "set", "simple", "sort", "stacked", "startswith",
    "startswith_cs", "step", "strcat", "string", "summarize", "table", "take", "time",
    "timechart", "timespan", "title", "to", "top", "toscalar", "totable", "true", "typeof",
    "uint", "uint16", "uint32", "uint64", "uint8", "union", "unique", "uniqueid", "uuid",
    "verbose", "view", "views", "where", "with", "with_itemindex", "with_source", "withsource",
    "xaxis",
];

/// The `let` names of one query
#[derive(Debug, Default, Clone)]
pub(super) struct Lets {
    taken: HashSet<String>,
    /// The number to try next for a name
    next: HashMap<String, usize>,
    lists: Vec<(String, Vec<String>)>,
    /// The indices in `lists` of each list of values
    places: HashMap<Vec<String>, Vec<usize>>,
}

impl Lets {
    /// Reserves a free name: `wanted`, or `wanted` with a number
    pub(super) fn name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let next = self.next.entry(name.clone()).or_insert(2);
        while RESERVED.contains(&name.as_str()) || self.taken.contains(&name) {
            name = format!("{wanted}_{next}");
            *next += 1;
        }
        self.taken.insert(name.clone());
        name
    }

    /// The name of a list of these values; equal lists of one base name share it
    pub(super) fn list(&mut self, wanted: &str, values: &[&str]) -> Expression {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let alike = |name: &str| {
            name.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let mut same = self.places.get(&values).into_iter().flatten();
        if let Some(at) = same.find(|at| alike(&self.lists[**at].0)) {
            return Expression::name(&self.lists[*at].0);
        }
        let name = self.name(wanted);
        self.places.entry(values.clone()).or_default().push(self.lists.len());
        self.lists.push((name.clone(), values));
        Expression::name(&name)
    }

    /// The statements, by name
    pub(super) fn statements(mut self) -> Vec<Let> {
        self.lists.sort();
        let statement =
            |(name, values): &(String, Vec<String>)| Let::new(name, Expression::dynamic(values));
        self.lists.iter().map(statement).collect()
    }
}
