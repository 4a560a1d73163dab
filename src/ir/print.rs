//! A rule as text, for `show --stage ir` and for reviewers.
//!
//! In: a [`Rule`]. Out: indented lines with its required and excluded clauses, their tests, and the
//! named list of each set of values. The text is for reading; nothing parses it.

use std::fmt::Write as _;

use super::{
    Bound, Case, Correlation, CorrelationTest, Expr, Fields, Op, Origin, Part, Relation, Role,
    Rule, Subject, Test,
};
use crate::definition::{Comparison, Window};
use crate::taxonomy::Field;

/// Prints a rule
pub fn print(rule: &Rule) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_rule(&mut out, rule);
    out
}

fn write_rule(out: &mut String, rule: &Rule) -> std::fmt::Result {
    writeln!(out, "rule {:?}", rule.metadata.title.value)?;
    writeln!(out, "  level {}", rule.level)?;
    for threat in &rule.threats {
        let techniques: Vec<_> = threat.techniques.iter().map(|t| t.id).collect();
        writeln!(out, "  tactic {} {}", threat.tactic.slug, techniques.join(" "))?;
    }
    let columns: Vec<_> = rule.columns.iter().map(|column| format!("{column:?}")).collect();
    writeln!(out, "  columns {}", columns.join(" "))?;
    for (at, signal) in rule.signals.iter().enumerate() {
        let product = signal.product.map_or("any product", |product| product.name());
        let log = signal.log.as_ref().map_or_else(String::new, |log| format!(" in {log}"));
        writeln!(out, "signal {}: {}{log}, {product}", signal.name, signal.kind)?;
        for clause in &signal.clauses {
            let role = match clause.role {
                Role::Require => "require",
                Role::Exclude => "exclude",
            };
            writeln!(out, "  {role} {:?}", clause.label)?;
            write_expr(out, &clause.expr, 2)?;
        }
        for (level, expr) in &signal.cases {
            writeln!(out, "  level {level} when")?;
            write_expr(out, expr, 2)?;
        }
        if let Some(new) = rule.new_terms.as_ref().filter(|new| new.signal == at) {
            let fields: Vec<_> = new.fields.iter().map(|field| field.name()).collect();
            writeln!(out, "  new {} within {} minutes", fields.join(" + "), new.window)?;
        }
    }
    rule.correlations.iter().try_for_each(|one| write_correlation(out, rule, one))
}

/// A correlation in one line, without its level
pub fn correlation_text(rule: &Rule, one: &Correlation) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_correlation(&mut out, rule, one);
    let level = format!(", level {}", one.level);
    let lines: Vec<&str> = out.lines().map(|line| line.trim().trim_end_matches(&*level)).collect();
    lines.join("; ")
}

fn write_correlation(out: &mut String, rule: &Rule, one: &Correlation) -> std::fmt::Result {
    let bound = |bound: &Bound| match bound.to {
        Some(to) if to == bound.from => format!("exactly {to}"),
        Some(to) => format!("{} to {to}", bound.from),
        None => format!("at least {}", bound.from),
    };
    let fields = |fields: &Fields| {
        let field = |(at, field): (&usize, &Field)| format!("{}.{field}", rule.signals[*at].name);
        fields.iter().map(field).collect::<Vec<_>>().join(", ")
    };
    let test = match &one.test {
        CorrelationTest::Together => "every one of".to_owned(),
        CorrelationTest::InOrder => "one after another".to_owned(),
        CorrelationTest::Events(count) => format!("{} of", bound(count)),
        CorrelationTest::Origins(count) => format!("{} origins of", bound(count)),
        CorrelationTest::Values(of, count) => {
            let of: Vec<String> = of.iter().map(fields).collect();
            format!("{} values ({}) of", bound(count), of.join(" + "))
        }
        CorrelationTest::Numbers(measure, of, count) => {
            let limit = |(one, number): &(Comparison, u64)| format!("{} {number}", one.as_str());
            let limits: Vec<String> = count.iter().map(limit).collect();
            format!("{measure} ({}) {} over", fields(of), limits.join(" and "))
        }
    };
    let origins = one.origins.iter().map(|origin| match origin {
        Origin::Signal(at) => rule.signals[*at].name.as_str(),
        Origin::Correlation(at) => rule.correlations[*at].name.as_str(),
    });
    let origins: Vec<&str> = origins.collect();
    writeln!(out, "correlation {}: {test} {}", one.name, origins.join(", "))?;
    let window = match one.window {
        Window::Last => format!("within {} seconds", one.timespan),
        Window::Lookback => "over all that is searched".to_owned(),
        Window::Each => format!("in each {} seconds", one.timespan),
    };
    writeln!(out, "  {window}, level {}", one.level)?;
    for key in &one.keys {
        writeln!(out, "  by {}: {}", key.name, fields(&key.fields))?;
    }
    let own = if one.generate { "also by themselves" } else { "through it" };
    writeln!(out, "  its signals are reported {own}")
}

fn write_expr(out: &mut String, expr: &Expr, depth: usize) -> std::fmt::Result {
    let indent = "  ".repeat(depth);
    match expr {
        Expr::All(parts) => {
            writeln!(out, "{indent}all")?;
            parts.iter().try_for_each(|part| write_expr(out, part, depth + 1))
        }
        Expr::Any(parts) => {
            writeln!(out, "{indent}any")?;
            parts.iter().try_for_each(|part| write_expr(out, part, depth + 1))
        }
        Expr::Not(part) => {
            writeln!(out, "{indent}not")?;
            write_expr(out, part, depth + 1)
        }
        Expr::Test(test) => write_test(out, test, &indent),
    }
}

/// A test in one line, as rules are printed
pub fn test_text(test: &Test) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_test(&mut out, test, "");
    out.truncate(out.trim_end().len());
    out
}

fn write_test(out: &mut String, test: &Test, indent: &str) -> std::fmt::Result {
    let TestWords { subject, verb, values, list } = TestWords::of(test);
    write!(out, "{indent}{subject} {verb}")?;
    for value in values {
        match value {
            ValueWords::Text(text) => write!(out, " {text:?}")?,
            ValueWords::Name(name) => write!(out, " {name}")?,
        }
    }
    list.iter().try_for_each(|list| write!(out, " from ${list}"))?;
    writeln!(out)
}

/// A test in words
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestWords {
    /// The field, or the part of it
    pub subject: String,
    /// The comparison
    pub verb: String,
    /// The values, of which one must fit; none for a comparison without values
    pub values: Vec<ValueWords>,
    /// The name of the list that holds the values
    pub list: Option<String>,
}

/// A value of a test in words
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueWords {
    /// A text of the author's
    Text(String),
    /// A number, a network or a field
    Name(String),
}

impl TestWords {
    /// The words of a test
    pub fn of(test: &Test) -> TestWords {
        let (verb, values) = operation(&test.op);
        let list = test.list.clone().filter(|_| !values.is_empty());
        TestWords { subject: subject(&test.subject), verb, values, list }
    }
}

/// The verb and the values of a comparison
fn operation(op: &Op) -> (String, Vec<ValueWords>) {
    let plain = |verb: &str| (verb.to_owned(), Vec::new());
    match op {
        Op::Text(text) => {
            let values = text.values.iter().map(|value| ValueWords::Text(value.to_string()));
            (format!("{}{}", verb(text.relation), cased(text.case)), values.collect())
        }
        Op::Regex(values) => {
            let values = values.iter().map(|value| ValueWords::Text(value.to_string()));
            ("has a match of".to_owned(), values.collect())
        }
        Op::Segments(values) => {
            let values = values.iter().map(|value| ValueWords::Text(value.to_string()));
            ("lies under".to_owned(), values.collect())
        }
        Op::Networks(values) => {
            let values = values.iter().map(|value| ValueWords::Name(value.to_string()));
            ("is in".to_owned(), values.collect())
        }
        Op::Numbers(values) => {
            let values = values.iter().map(|value| ValueWords::Name(range(value)));
            ("is".to_owned(), values.collect())
        }
        Op::Public => plain("is a public address"),
        Op::Exists => plain("exists"),
        Op::Null => plain("is missing or null"),
        Op::Same(relation, other, case) => {
            let verb = format!("{}{} field", verb(*relation), cased(*case));
            (verb, vec![ValueWords::Name(other.to_string())])
        }
    }
}

fn range(numbers: &super::Numbers) -> String {
    match numbers {
        super::Numbers { fraction: Some((Comparison::Eq, limit)), .. } => limit.to_string(),
        super::Numbers { fraction: Some((comparison, limit)), .. } => {
            format!("{}{limit}", comparison.sign())
        }
        n if n.from == n.to => n.from.to_string(),
        n if !n.open && n.to == i64::MAX => format!(">={}", n.from),
        n if !n.open && n.from == i64::MIN => format!("<={}", n.to),
        n if n.open && n.to == i64::MAX => format!(">{}", n.from.saturating_sub(1)),
        n if n.open && n.from == i64::MIN => format!("<{}", n.to.saturating_add(1)),
        n => format!("{}-{}", n.from, n.to),
    }
}

/// The verb between a subject and the values of a comparison of text
pub(crate) fn verb(relation: Relation) -> &'static str {
    match relation {
        Relation::Equals => "equals",
        Relation::Starts => "starts with",
        Relation::Ends => "ends with",
        Relation::Contains => "contains",
        Relation::Wildcard => "fits",
    }
}

fn cased(case: Case) -> &'static str {
    if case == Case::Sensitive { ", case counts," } else { "" }
}

fn subject(subject: &Subject) -> String {
    let field = subject.field.name();
    match subject.part {
        Part::Whole => field.to_owned(),
        Part::Name => format!("{field}.name"),
        Part::Extension => format!("{field}.extension"),
        Part::Argument(product) => format!("{field}.argument({product})"),
        Part::Key => format!("{field}.key"),
        Part::Time(unit) => format!("{field}.{}", format!("{unit:?}").to_lowercase()),
    }
}
