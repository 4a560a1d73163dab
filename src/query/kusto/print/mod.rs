//! Prints the text of a query.
//!
//! In: a [`Query`]. Out: its text, laid out for people: a line for each step and, where a line is
//! too wide, for each part of a condition. Brackets stand where precedence needs them, and where
//! `and` and `or` meet.
//!
//! INVARIANT: no line is blank, because a blank line would end the query. Printing a parsed text
//! again gives the same text.

mod expression;

use self::expression::{argument, branches, dynamic, value};
use super::tree::{
    Expression, Item, JoinKind, Kind, Let, Lines, Literal, Name, Operator, Order, Pipeline, Query,
    Source, Step,
};
use crate::query::layout::Doc;

/// The width that lines keep to where words allow it: that of wrapped lists in the rules of Microsoft's authors
const WIDTH: usize = 120;

/// Prints a query, with a final newline
pub(crate) fn print(query: &Query) -> String {
    let mut out = String::new();
    for comment in &query.heading {
        out.push_str(&format!("// {comment}\n"));
    }
    for one in &query.lets {
        out.push_str(&print_let(one));
    }
    out.push_str(&print_pipeline(&query.result));
    out
}

/// Prints a statement, with a final newline
pub(crate) fn print_let(one: &Let) -> String {
    let notes = one.comments.iter().map(|comment| Doc::note(format!("// {comment}")));
    let head = Doc::text(format!("let {} = ", one.name.text));
    let list = match &one.value.source {
        Source::Expression(source) if one.value.steps.is_empty() => list_of(source),
        Source::Expression(_) | Source::Union(..) => None,
    };
    let statement = match list {
        Some(values) => Doc::all([head, dynamic(values), Doc::text(";")]),
        None => Doc::all([head, pipeline(&one.value), Doc::text(";")]),
    };
    page(notes.chain([statement]))
}

/// Prints a value, in lines where it is wide
pub(crate) fn print_expression(expression: &Expression) -> String {
    value(expression).print(WIDTH)
}

/// Prints the rows of a result, with a final newline
pub(crate) fn print_pipeline(rows: &Pipeline) -> String {
    page([pipeline(rows)])
}

/// Parts on their own lines
fn page(parts: impl IntoIterator<Item = Doc>) -> String {
    let mut text = Doc::all(parts).broken().print(WIDTH);
    text.push('\n');
    text
}

/// The values of a `dynamic` list
fn list_of(source: &Expression) -> Option<&[String]> {
    if let Kind::Literal(Literal::Dynamic(values)) = &source.kind { Some(values) } else { None }
}

/// A source and its steps, a line for each step unless the whole stands on one line
fn pipeline(pipeline: &Pipeline) -> Doc {
    let mut parts = vec![match &pipeline.source {
        Source::Union(legs, lines) => {
            // Legs with steps are long; `Lines::Fit` keeps them side by side.
            let steps = legs.iter().any(|leg| matches!(leg.kind, Kind::Pipeline(_)));
            let listed = listed(legs.iter().map(value).collect(), *lines);
            let flat = steps && *lines == Lines::Fit;
            Doc::all([Doc::text("union"), if flat { listed.flat() } else { listed }])
        }
        Source::Expression(source) => value(source),
    }];
    for one in &pipeline.steps {
        parts.push(Doc::line().broken());
        parts.extend(one.comments.iter().map(|comment| Doc::note(format!("// {comment}"))));
        parts.extend([Doc::text("| "), step(one)]);
    }
    Doc::all(parts)
}

/// Parts after a word on its line, or each on a line below it
fn listed(parts: Vec<Doc>, lines: Lines) -> Doc {
    match (&*parts, lines) {
        ([_], Lines::Fit) => Doc::all([Doc::text(" ")].into_iter().chain(parts)),
        (_, Lines::Fit) => Doc::all([Doc::line(), Doc::list(parts)]).nest(4).group(),
        (_, Lines::Own) => Doc::all([Doc::line(), Doc::list(parts)]).nest(4).broken().group(),
    }
}

fn step(step: &Step) -> Doc {
    let lines = step.lines;
    let worded = |word: &str, parts: Vec<Doc>| Doc::all([Doc::text(word), listed(parts, lines)]);
    match &step.operator {
        Operator::Where(condition) => Doc::all([Doc::text("where "), value(condition)]),
        Operator::Project(list) => worded("project", items(list)),
        Operator::Extend(list) => {
            let broken = |item: &Item| named(item, branches(&item.value));
            worded("extend", list.iter().map(broken).collect())
        }
        Operator::Distinct(list) => worded("distinct", items(list)),
        Operator::ProjectAway(list) => worded("project-away", names(list)),
        Operator::ProjectRename(list) => {
            let renamed = |(new, old): &(Name, Name)| format!("{} = {}", new.text, old.text);
            worded("project-rename", list.iter().map(renamed).map(Doc::text).collect())
        }
        Operator::Summarize { aggregates, by } => summarize(aggregates, by, lines),
        Operator::Join { kind, right, keys } => join(*kind, right, keys),
        Operator::MvExpand { item, to } => {
            let to = to.as_ref().map(|to| Doc::text(format!(" to typeof({})", to.text)));
            Doc::all([Doc::text("mv-expand "), self::item(item)].into_iter().chain(to))
        }
        Operator::MvApply { item, steps } => {
            let mut inner = Vec::new();
            for one in steps {
                inner.push(Doc::line().broken());
                inner.extend((inner.len() > 1).then(|| Doc::text("| ")));
                inner.push(self::step(one));
            }
            let head = [Doc::text("mv-apply "), self::item(item), Doc::text(" on (")];
            let inner = [Doc::all(inner).nest(4), Doc::line().broken(), Doc::text(")")];
            Doc::all(head.into_iter().chain(inner))
        }
        Operator::Sort(keys) => {
            let key = |(key, order): &(Expression, Option<Order>)| {
                let order = match order {
                    Some(Order::Ascending) => " asc",
                    Some(Order::Descending) => " desc",
                    None => "",
                };
                Doc::all([value(key).flat(), Doc::text(order)])
            };
            worded("sort by", keys.iter().map(key).collect())
        }
        Operator::Unread { text, .. } => Doc::text(text),
    }
}

fn summarize(aggregates: &[Item], by: &[Item], lines: Lines) -> Doc {
    let mut inner = vec![Doc::line(), Doc::list(items(aggregates))];
    if !by.is_empty() {
        inner.extend([Doc::line(), Doc::text("by "), Doc::list(items(by)).flat()]);
    }
    let all = Doc::all([Doc::text("summarize"), Doc::all(inner).nest(4)]);
    match lines {
        Lines::Fit => all.group(),
        Lines::Own => all.broken().group(),
    }
}

fn join(kind: JoinKind, right: &Expression, keys: &[Name]) -> Doc {
    let kind = match kind {
        JoinKind::Inner => "inner",
        JoinKind::InnerUnique => "innerunique",
        JoinKind::LeftAnti => "leftanti",
        JoinKind::LeftOuter => "leftouter",
        JoinKind::LeftSemi => "leftsemi",
    };
    let keys: Vec<&str> = keys.iter().map(|key| key.text.as_str()).collect();
    let right = match right.as_name() {
        Some(name) => Doc::text(name),
        None => {
            let inner = Doc::all([Doc::soft().broken(), argument(right)]).nest(4);
            Doc::all([Doc::text("("), inner, Doc::soft().broken(), Doc::text(")")])
        }
    };
    let (head, tail) = (format!("join kind={kind} "), format!(" on {}", keys.join(", ")));
    Doc::all([Doc::text(head), right, Doc::text(tail)])
}

fn names(names: &[Name]) -> Vec<Doc> {
    names.iter().map(|name| Doc::text(&name.text)).collect()
}

fn items(items: &[Item]) -> Vec<Doc> {
    items.iter().map(item).collect()
}

fn item(item: &Item) -> Doc {
    named(item, value(&item.value).flat())
}

fn named(item: &Item, value: Doc) -> Doc {
    match &item.name {
        Some(name) => Doc::all([Doc::text(format!("{} = ", name.text)), value]),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::kusto::parse::parse;

    fn printed(text: &str) -> String {
        print(&parse(text).unwrap())
    }

    #[test]
    fn brackets_stand_where_they_are_needed() {
        for (written, laid_out) in [
            ("T|where((a)and((b or c)))", "T\n| where a and (b or c)\n"),
            ("T|where a and b or c", "T\n| where (a and b) or c\n"),
            ("T|extend x=(a-(b-c))*d", "T\n| extend x = (a - (b - c)) * d\n"),
            ("T|where (a==b)==c", "T\n| where (a == b) == c\n"),
            ("union T,(T|where a)|sort by b desc", "union T, (T | where a)\n| sort by b desc\n"),
        ] {
            assert_eq!(printed(written), laid_out);
            assert_eq!(printed(laid_out), laid_out);
        }
    }

    #[test]
    fn comments_stay_before_what_they_are_about() {
        let text = "// On top.\nlet a = T\n// not: b\n| where not(b);\n// Two.\nlet c = a;\nc\n";
        assert_eq!(printed(text), text);
    }

    #[test]
    fn a_long_list_fills_its_lines() {
        let values: Vec<String> = (0..100_000).map(|at| format!("v{at}")).collect();
        let list = print_let(&Let::new("many", Expression::dynamic(&values)));
        assert!(list.lines().count() < values.len() / 8);
        assert!(list.lines().all(|line| line.len() <= WIDTH));
    }
}
