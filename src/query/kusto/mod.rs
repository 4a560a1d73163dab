//! Kusto: a tree for queries, a printer, a parser, a judge with the schema of the targets, and a machine that
//! executes queries over rows ([`execute`]).
//!
//! ```text
//!  text ──► parse ──► Query ──► print ──► text
//!                       │
//!  build ──────────────►┴──► bind ──► columns of the result, or what is wrong
//!                             ▲
//!            columns.tsv, parameters.tsv, functions.tsv
//! ```
//!
//! In: a query as text, or built of smaller trees. Out: its text, or the names and types of its
//! result, as Microsoft's own binder computes them, or every finding at its word. It needs no Node,
//! no network and no events: two tables of facts list the tables and functions that a query may
//! use. Only the part of the language that rulecast emits is known here.
//!
//! INVARIANT: nothing here depends on rules or on the backend. Kusto that is not known here is a
//! finding; it is never guessed and never passed over.
//! INVARIANT: `print(parse(text))` is `text` for every emitted query.

mod bind;
mod build;
pub(crate) mod execute;
mod functions;
mod names;
mod parse;
mod print;
mod quote;
mod replace;
mod schema;
mod table;
mod tree;
mod types;

use std::fmt;
use std::ops::Range;

pub(crate) use bind::called;
pub(crate) use functions::{Gives, Stage, named};
pub(crate) use parse::parse;
pub(crate) use print::{print, print_expression, print_let, print_pipeline};
pub use schema::Schema;
pub(crate) use schema::{is_stored, parameter};
pub(crate) use table::{Slot, Table};
pub(crate) use tree::{
    Expression, Item, JoinKind, Kind, Let, Lines, Literal, Name, Operator, Order, Pipeline, Query,
    Source, Step,
};
pub use types::Type;
pub(crate) use types::arithmetic;

/// Where a query runs, which decides the tables that it may use
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A workspace of Microsoft Sentinel: its tables, those of Defender, and the ASIM parsers
    Sentinel,
    /// Advanced hunting in Defender XDR
    AdvancedHunting,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Platform::Sentinel => "Microsoft Sentinel",
            Platform::AdvancedHunting => "advanced hunting",
        })
    }
}

/// A column of a result
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name; letter case counts
    pub name: String,
    /// The type of its values
    pub kind: Type,
}

/// A mistake in a query
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// One line, lower case, no final period
    pub message: String,
    /// The bytes of the query that the finding is about; empty at the end of the text
    pub place: Range<usize>,
}

impl Finding {
    /// The line and the column of its place in the text of the query, in characters from 1
    pub fn line_column(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.place.start).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or(before);
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

/// Computes the columns that a query returns, in their order
///
/// # Errors
/// All findings, sorted by place: Kusto that is not read here (then the only finding), unknown
/// tables, columns and functions, and values of a wrong type.
pub fn bind(text: &str, platform: Platform) -> Result<Vec<Column>, Vec<Finding>> {
    bind_with(text, platform, &Schema::default())
}

/// Like [`bind`], with the user's own tables
///
/// # Errors
/// As [`bind`].
pub fn bind_with(
    text: &str,
    platform: Platform,
    schema: &Schema,
) -> Result<Vec<Column>, Vec<Finding>> {
    let query = parse::parse(text).map_err(|finding| vec![finding])?;
    bind::bind(&query, (platform, schema))
}

/// The columns of the rows that a `let` of a query names; `None` where it names no rows that can be bound
pub(crate) fn columns_of(
    query: &Query,
    name: &str,
    of: (Platform, &Schema),
) -> Option<Vec<Column>> {
    let at = query.lets.iter().position(|one| one.name.text == name)?;
    let lets = query.lets[..=at].to_vec();
    let query = Query { heading: Vec::new(), lets, result: Pipeline::of(name, []) };
    bind::bind(&query, of).ok()
}

/// Parses a query and prints it in the layout of this room
///
/// # Errors
/// The first place with Kusto that is not read here.
pub fn format(text: &str) -> Result<String, Finding> {
    parse::parse(text).map(|query| print::print(&query))
}

/// Parses a pipeline: a table and its steps
pub(crate) fn rows(text: &str) -> Result<Pipeline, Finding> {
    parse::parse(text).map(|query| query.result)
}

/// Parses a single value
pub(crate) fn expression(text: &str) -> Result<Expression, Finding> {
    parse::parse(text).map(|query| query.result.bracketed())
}

/// Whether a table or parser has a column with this name on any platform
pub(crate) fn has_column(table: &str, column: &str, schema: &Schema) -> bool {
    let platforms = [Platform::Sentinel, Platform::AdvancedHunting];
    let mut columns = platforms.into_iter().flat_map(|one| schema.columns(table, one));
    columns.any(|known| known.name == column)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns as `name:type`
    fn columns(text: &str) -> String {
        let columns =
            bind(text, Platform::Sentinel).unwrap_or_else(|why| panic!("{text}: {why:?}"));
        let all: Vec<String> =
            columns.iter().map(|column| format!("{}:{}", column.name, column.kind)).collect();
        all.join(" ")
    }

    /// The findings, each with the word it is about
    fn findings(text: &str, platform: Platform) -> Vec<String> {
        let mistakes = bind(text, platform).expect_err(text);
        mistakes
            .iter()
            .map(|one| format!("{}: {}", &text[one.place.clone()], one.message))
            .collect()
    }

    /// The one finding of a condition on processes
    fn wrong(condition: &str) -> String {
        let text = format!("DeviceProcessEvents | where {condition}");
        let messages = findings(&text, Platform::Sentinel);
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages[0].clone()
    }

    #[test]
    fn columns_follow_the_steps() {
        let rows = "let a = W3CIISLog | project TimeGenerated, Site = sSiteName, cIP; a";
        assert_eq!(columns(rows), "TimeGenerated:datetime Site:string cIP:string");
        assert_eq!(
            columns(&format!("{rows} | extend cIP = strlen(cIP), Since = TimeGenerated - ago(1d)")),
            "TimeGenerated:datetime Site:string cIP:long Since:timespan"
        );
        assert_eq!(
            columns(&format!("{rows} | join kind=inner (a | project-away Site) on cIP")),
            "TimeGenerated:datetime Site:string cIP:string TimeGenerated1:datetime cIP1:string"
        );
        assert_eq!(
            columns(&format!("{rows} | summarize arg_max(TimeGenerated, *), count() by Site")),
            "Site:string TimeGenerated:datetime cIP:string count_:long"
        );
        assert_eq!(
            columns(&format!("{rows} | summarize min(TimeGenerated) by bin(TimeGenerated, 1h)")),
            "TimeGenerated:datetime min_TimeGenerated:datetime"
        );
        assert_eq!(
            columns("union (W3CIISLog | project A = cIP), (W3CIISLog | project A = 1, B = true)"),
            "A_string:string A_long:long B:bool"
        );
    }

    #[test]
    fn lists_are_made_and_taken_apart() {
        let keys = "W3CIISLog | project Key = range(bin(TimeGenerated, 1m), TimeGenerated, 1m)";
        assert_eq!(columns(keys), "Key:dynamic");
        assert_eq!(columns(&format!("{keys} | mv-expand Key to typeof(datetime)")), "Key:datetime");
        assert_eq!(
            columns(
                "SecurityAlert | project Entities = todynamic(Entities) | mv-apply E = Entities on \
                 (summarize Names = make_list_if(tostring(E.Name), tostring(E[\"$id\"]) == \"1\"))"
            ),
            "Entities:dynamic Names:dynamic"
        );
    }

    #[test]
    fn a_finding_stands_at_the_word() {
        assert_eq!(wrong("ProcesId == 1"), "ProcesId: there is no column `ProcesId` here");
        assert_eq!(wrong("ProcessId == \"1\""), "==: `==` is not defined for long and string");
        assert_eq!(wrong("ProcessId has \"1\""), "has: `has` is not defined for long and string");
        assert_eq!(
            wrong("lower(FileName) == \"a\""),
            "lower: the function `lower` is not known here"
        );
        assert_eq!(
            wrong("strlen(ProcessId) > 1"),
            "ProcessId: `strlen` takes string or dynamic here, and this is long"
        );
        assert_eq!(wrong("strlen() > 1"), "strlen: `strlen` takes 1 argument, not 0");
        assert_eq!(
            wrong("extract(FileName, 1, FolderPath) == \"a\""),
            "FileName: `extract` takes a pattern that is written out"
        );
        assert_eq!(wrong("FileName"), "FileName: bool is expected, and this is string");
        assert_eq!(wrong("FileName in~ (\"a\", 1)"), "1: `in~` compares string with long here");
        assert_eq!(
            wrong("TimeGenerated between (ago(1h) .. 1)"),
            "between: `between` is not defined for datetime, datetime and long"
        );
        assert_eq!(
            wrong("iff(FileName == \"a\", 1, \"b\") == 1"),
            "iff: `iff` gives long or string, not one type"
        );
    }

    #[test]
    fn steps_say_what_they_do_not_take() {
        let wrong =
            |steps: &str| findings(&format!("W3CIISLog | {steps}"), Platform::Sentinel).join("\n");
        assert_eq!(
            wrong("join kind=inner (SecurityAlert) on cIP"),
            "cIP: the right side has no column `cIP`"
        );
        assert_eq!(
            wrong("evaluate bag_unpack(x) | where y"),
            "evaluate: the operator `evaluate` is not read here"
        );
        assert_eq!(wrong("project cIP, cIP"), "cIP: the column `cIP` stands twice here");
        assert_eq!(
            wrong("extend Before = prev(cIP)"),
            "prev: `prev` needs rows in order, and no `sort` stands before it"
        );
        assert_eq!(
            wrong("where count() > 1"),
            "count: `count` is an aggregate function, and stands only in `summarize`"
        );
        assert_eq!(
            wrong("summarize Last = max(TimeGenerated) - TimeGenerated"),
            "TimeGenerated: the column `TimeGenerated` stands outside an aggregate function"
        );
        assert_eq!(
            wrong("sort by cIP | extend Before = prev(strlen(cIP))"),
            "strlen(cIP): `prev` takes a column itself"
        );
        assert_eq!(wrong("mv-expand cIP"), "cIP: a dynamic list is expected, and this is string");
    }

    #[test]
    fn a_table_is_one_of_its_platform() {
        let messages = findings("SecurityAlert | where x == 1", Platform::AdvancedHunting);
        assert_eq!(messages, ["SecurityAlert: `SecurityAlert` is not a table of advanced hunting"]);
        let messages = findings("_Im_ProcessCreate", Platform::AdvancedHunting);
        assert_eq!(
            messages,
            ["_Im_ProcessCreate: `_Im_ProcessCreate` is not a table of advanced hunting"]
        );
        let messages = findings("DeviceProcessEvent | where x == 1", Platform::Sentinel);
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(columns("_Im_ProcessCreate() | project Dvc").contains("Dvc:string"));
    }

    #[test]
    fn a_parser_takes_its_parameters_by_name() {
        let of = |arguments: &str| {
            let text = format!("let a = dynamic([\"b\"]);\n_Im_ProcessCreate({arguments})");
            findings(&text, Platform::Sentinel)
        };
        let terms = "targetprocess_has_any=a, commandline_has_any=dynamic([\"c\"])";
        let text = format!("let a = dynamic([\"b\"]);\n_Im_ProcessCreate({terms}) | project Dvc");
        assert_eq!(columns(&text), "Dvc:string");
        assert_eq!(of("a"), ["a: `_Im_ProcessCreate` takes arguments by their names here"]);
        assert_eq!(
            of("parentprocess_has_any=a"),
            ["parentprocess_has_any: the parameter `parentprocess_has_any` is not known here"]
        );
        assert_eq!(
            of("targetprocess_has_any=\"c\""),
            ["\"c\": dynamic is expected, and this is string"]
        );
        let other = findings("W3CIISLog | where strlen(a=csUriStem) > 1", Platform::Sentinel);
        assert_eq!(other, ["a=csUriStem: only parsers take `a` by its name here"]);
    }

    #[test]
    fn every_mistake_is_found_in_one_run_and_in_order() {
        let text = "let a = W3CIISLog\n| where Foo == 1\n| project Bar;\nunion a, b";
        let mistakes = bind(text, Platform::Sentinel).unwrap_err();
        let places: Vec<_> = mistakes.iter().map(|one| one.line_column(text)).collect();
        assert_eq!(places, [(2, 9), (3, 11), (4, 10)]);
    }

    #[test]
    fn the_deepest_query_needs_a_small_stack() {
        let not =
            format!("W3CIISLog | where {}true{}", "not((true or ".repeat(20), "))".repeat(20));
        let join = "materialize(W3CIISLog | join kind=inner (";
        let join = format!("{}W3CIISLog{}", join.repeat(20), ") on cIP)".repeat(20));
        let path = format!("SecurityAlert | where isempty(todynamic(Entities){})", ".a".repeat(20));
        for text in [not, join, path] {
            let thread = std::thread::Builder::new().stack_size(1 << 20);
            let bound = thread.spawn(move || {
                let printed = format(&text).map_err(|why| vec![why])?;
                bind(&printed, Platform::Sentinel).map(drop)
            });
            bound.unwrap().join().unwrap().unwrap();
        }
        let long = |terms| vec!["true"; terms].join(" or ");
        assert!(bind(&format!("W3CIISLog | where {}", long(400)), Platform::Sentinel).is_ok());
        assert!(wrong(&long(50_000)).starts_with("or: Kusto refuses"));
    }
}
