//! Tests of the elements of a list: arguments of a command line, files of an alert.
//!
//! In: a list, and patterns of which one element must fit one. Out: tests of one text that holds all
//! elements, with U+001F before, between and after them: `has "\x1f/run\x1f"` finds a whole element. An
//! element that holds U+001F itself counts as two. A command line is taken apart once a row: its arguments
//! become a column ahead of the first step that tests them.

use std::collections::BTreeSet;

use super::cost::{self, LONG_CHAIN};
use crate::backend::expression::{self, Around};
use crate::ir::{Case, Part, Relation, Signal, TextTest};
use crate::mapping::{Holds, Table};
use crate::pattern::{Pattern, Token, has_wide_case};
use crate::query::kusto::{Expression, Item, Step};
use crate::taxonomy::Product;

/// Whether some argument of a command line passes the test
pub(super) fn of(command_line: &Expression, product: Product, text: &TextTest) -> Expression {
    test(&arguments(command_line, product), text)
}

/// Whether some element of a list passes the test
pub(super) fn elements(list: &Expression, text: &TextTest) -> Expression {
    test(&Elements::of(list.clone()), text)
}

/// Elements as one text
struct Elements {
    text: Expression,
    /// The list, when it may have elements without text; without elements it gives the text of one such
    list: Option<Expression>,
}

impl Elements {
    fn of(list: Expression) -> Elements {
        let border = Expression::unit_separator;
        let inside = Expression::call("strcat_array", [list.clone(), border()]);
        let text = Expression::call("strcat", [border(), inside, border()]);
        Elements { text, list: Some(list) }
    }
}

/// The arguments of a command line: as Windows splits it, or its words
fn arguments(command_line: &Expression, product: Product) -> Elements {
    let line = command_line.clone();
    match product {
        Product::Windows => {
            let windows = Expression::text("windows");
            Elements::of(Expression::call("parse_command_line", [line, windows]))
        }
        Product::Linux | Product::Macos => {
            let blank = || Expression::text(" ");
            let padded = Expression::call("strcat", [blank(), line, blank()]);
            let blanks = Expression::text(r"\s+");
            let text = [padded, blanks, Expression::unit_separator()];
            Elements { text: Expression::call("replace_regex", text), list: None }
        }
    }
}

/// The cheapest tests of the text of all elements, of which one holds where some element passes
fn test(elements: &Elements, text: &TextTest) -> Expression {
    let joined = &elements.text;
    let bordered = text.values.iter().map(|value| (value, bordered(value, text.relation)));
    let (mut whole, mut loose, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
    let mut has_empty = false;
    for (value, bordered) in bordered {
        let is_empty = value.literals().next().is_none();
        has_empty |= is_empty;
        let is_hard = |needle: &str| is_empty || text.folds() && has_wide_case(needle);
        match bordered.as_literal().filter(|needle| !is_hard(needle)) {
            Some(needle) if cost::is_bounded(needle) => whole.push(needle.to_owned()),
            Some(needle) => loose.push(needle.to_owned()),
            None if bordered.tokens().is_empty() && elements.list.is_none() => {
                patterns.push(Pattern::of([Token::One]));
            }
            None => patterns.push(bordered),
        }
    }
    if loose.len() > LONG_CHAIN {
        patterns.extend(loose.drain(..).map(|needle| Pattern::literal(&needle)));
    }
    let one = |operator: &str, needle: &String| {
        joined.clone().compare(operator, Expression::text(needle))
    };
    let mut tests = Vec::new();
    match (&*whole, text.case) {
        ([_, _, ..], Case::Insensitive) => {
            let needles = whole.iter().map(|needle| Expression::text(needle)).collect();
            tests.push(joined.clone().one_of("has_any", needles));
        }
        (_, Case::Insensitive) => tests.extend(whole.iter().map(|needle| one("has", needle))),
        (_, Case::Sensitive) => tests.extend(whole.iter().map(|needle| one("has_cs", needle))),
    }
    let contains = if text.folds() { "contains" } else { "contains_cs" };
    tests.extend(loose.iter().map(|needle| one(contains, needle)));
    if !patterns.is_empty() {
        let written = expression::regex(&patterns, text.case, Around::Elements);
        let matches = joined.clone().compare("matches regex", Expression::text(&written));
        // An empty list gives the same text as a list of one empty element.
        let list = elements.list.clone().filter(|_| has_empty);
        let is_filled = list.map(|list| {
            let count = Expression::call("array_length", [list]);
            let count = Expression::call("coalesce", [count, Expression::number(0)]);
            count.compare(">", Expression::number(0))
        });
        tests.push(Expression::all(is_filled.into_iter().chain([matches])));
    }
    Expression::any(tests)
}

/// The steps, with the arguments that they test in columns of their own
///
/// The tests beside those of arguments stay ahead, so that few command lines are taken apart.
pub(super) fn in_columns(table: &Table, signal: &Signal, mut steps: Vec<Step>) -> Vec<Step> {
    let subjects = signal.tests().map(|test| &test.subject);
    let tested = subjects.filter_map(|subject| match subject.part {
        Part::Argument(product) => Some((&subject.field, product)),
        Part::Whole | Part::Name | Part::Extension | Part::Key | Part::Time(_) => None,
    });
    for (field, product) in tested.collect::<BTreeSet<_>>() {
        let Some(column) = table.column(field, Holds::Whole) else { continue };
        let name = format!("{}Arguments", field.name());
        let arguments = arguments(&column.value, product).text;
        let by = Expression::name(&name);
        let named = |step: &Step| step.clone().replaced(&arguments, &by);
        let mut named: Vec<Step> = steps.iter().map(named).collect();
        let Some(first) = (0..steps.len()).find(|at| named[*at] != steps[*at]) else { continue };
        let mut rest = named.split_off(first).into_iter();
        steps = named;
        let tests = rest.next().map(|step| step.parted(|test| !test.names().contains(&name)));
        let (ahead, step) = tests.unwrap_or_default();
        steps.extend(ahead);
        steps.push(Step::extend([Item::named(&name, arguments.clone())]));
        steps.extend(step.into_iter().chain(rest));
    }
    steps
}

/// The pattern that the text of all elements contains where one element fits
fn bordered(value: &Pattern, relation: Relation) -> Pattern {
    let (tokens, starts_open) = match value.tokens() {
        [Token::Any, tokens @ ..] => (tokens, true),
        tokens => (tokens, false),
    };
    let (tokens, ends_open) = match tokens {
        [tokens @ .., Token::Any] => (tokens, true),
        tokens => (tokens, false),
    };
    let border = |is_open: bool| (!is_open).then(|| Token::Literal(BORDER.to_owned()));
    let starts_open = starts_open || matches!(relation, Relation::Ends | Relation::Contains);
    let ends_open = ends_open || matches!(relation, Relation::Starts | Relation::Contains);
    let inside = tokens.iter().cloned();
    Pattern::of(border(starts_open).into_iter().chain(inside).chain(border(ends_open)))
}

/// What stands around each element
const BORDER: &str = "\u{1f}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::kusto::print_expression;

    #[test]
    fn an_element_stands_between_two_borders() {
        let list = Expression::name("List");
        let of = |relation, case, values: &[&str]| {
            let values = values.iter().map(|value| Pattern::read(value)).collect();
            let test = elements(&list, &TextTest { relation, values, case });
            print_expression(
                &test.replaced(&Elements::of(list.clone()).text, &Expression::name("All")),
            )
        };
        use Case::{Insensitive, Sensitive};
        use Relation::{Contains, Ends, Equals, Starts, Wildcard};
        assert_eq!(of(Equals, Insensitive, &["/run"]), r#"All has "\x1f/run\x1f""#);
        assert_eq!(of(Equals, Sensitive, &["a"]), r#"All has_cs "\x1fa\x1f""#);
        assert_eq!(of(Equals, Insensitive, &["/"]), r#"All contains "\x1f/\x1f""#);
        assert_eq!(
            of(Starts, Insensitive, &["/u:", "/p="]),
            r#"All has_any ("\x1f/u:", "\x1f/p=")"#
        );
        assert_eq!(of(Starts, Sensitive, &["-enc"]), r#"All contains_cs "\x1f-enc""#);
        assert_eq!(of(Ends, Insensitive, &["exe"]), r#"All contains "exe\x1f""#);
        assert_eq!(of(Contains, Insensitive, &["'b'"]), r#"All has "'b'""#);
        assert_eq!(
            of(Wildcard, Insensitive, &["*a?"]),
            r#"All matches regex @"(?is)a[^\x1f]\x1f""#
        );
        let none = r#"coalesce(array_length(List), 0) > 0 and All matches regex @"(?is)\x1f\x1f""#;
        assert_eq!(of(Equals, Insensitive, &[""]), none);
        assert_eq!(
            of(Equals, Insensitive, &["é"]),
            r#"All matches regex @"(?s)(?i-u:\x1f)[éÉ](?i-u:\x1f)""#
        );
    }
}
