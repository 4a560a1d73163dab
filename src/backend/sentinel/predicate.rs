//! One test as a Kusto predicate.
//!
//! In: a [`Test`] on a kind of event, and whether it stands under a negation. Out: an expression
//! that is true for the same rows, the cheapest form that is. Kusto text is never null and its
//! numbers and addresses are three-valued (Microsoft, null-values.md of the Kusto reference), so
//! tests under a negation bring the guards that make null false.

use super::expr::{Kusto, quote};
use super::fields::{self, Column, Holds, Type};
use super::pattern::{self, Around};
use crate::backend::{Direction, LossName, Losses};
use crate::definition::pattern::{Pattern, has_wide_case};
use crate::ir::{Case, Expr, NON_PUBLIC, Numbers, Op, Part, Relation, Test};
use crate::taxonomy::{EventKind, FieldType, Product};

use super::lets::Lets;

/// What the predicates of one query share
pub(super) struct Context<'l, 'r> {
    pub(super) kind: EventKind,
    pub(super) lets: &'l mut Lets,
    pub(super) losses: &'l mut Losses<'r>,
}

/// Above so many alternatives a chain of `or` becomes one regular expression
///
/// The language service refuses a chain of 500 (KS245), and long chains are slow.
const LONG_CHAIN: usize = 50;

/// An expression; what cannot be said has been refused and is `false` here
pub(super) fn expression(context: &mut Context<'_, '_>, expr: &Expr, positive: bool) -> Kusto {
    let mut many = |parts: &[Expr]| -> Vec<Kusto> {
        parts.iter().map(|part| expression(context, part, positive)).collect()
    };
    match expr {
        Expr::All(parts) => Kusto::all(many(parts)),
        Expr::Any(parts) => Kusto::any(many(parts)),
        Expr::Not(part) => negated(expression(context, part, !positive)),
        Expr::Test(test) => predicate(context, test, positive),
    }
}

/// Numbers have an operator for it: `RemotePort !in (80, 443)`.
fn negated(inner: Kusto) -> Kusto {
    match inner {
        Kusto::List { left, operator: "in", values } => {
            Kusto::List { left, operator: "!in", values }
        }
        inner => Kusto::Not(Box::new(inner)),
    }
}

fn predicate(context: &mut Context<'_, '_>, test: &Test, positive: bool) -> Kusto {
    let field = test.subject.field;
    if let Op::Text(relation, values, case) = &test.op
        && field.kind() == FieldType::Account
        && test.subject.part == Part::Whole
    {
        return account(context, test, *relation, values, *case);
    }
    let Some(column) = subject_column(context, test) else { return Kusto::Is("false".to_owned()) };
    let name = column.name;
    match &test.op {
        Op::Text(relation, values, case) => text(context, test, column, *relation, values, *case),
        Op::Regex(patterns) => regex(context, test, column, patterns),
        Op::Segments(values) => segments(context, test, name, values),
        Op::Networks(networks) => networks_of(name, networks, positive),
        Op::Public => public(context, name),
        Op::Numbers(ranges) => numbers(name, ranges, positive),
        Op::Exists => exists(column),
        Op::Null => match column.kind {
            Type::Number => Kusto::Is(format!("isnull({name})")),
            _ => Kusto::Is(format!("isempty({name})")),
        },
        Op::Same(other) => match fields::column(context.kind, *other, Holds::Whole) {
            Some(other) if other.kind != Type::Number && column.kind != Type::Number => {
                let same = Kusto::Is(format!("{name} =~ {}", other.name));
                Kusto::all(vec![exists(column), same])
            }
            Some(other) => Kusto::Is(format!("coalesce({name} == {}, false)", other.name)),
            None => absent(context, test),
        },
    }
}

/// The column a test looks at; refused when there is none
fn subject_column(context: &mut Context<'_, '_>, test: &Test) -> Option<Column> {
    let field = test.subject.field;
    let holds = match test.subject.part {
        Part::Whole | Part::Argument(_) => Holds::Whole,
        Part::Name | Part::Extension => Holds::Name,
    };
    let column = fields::column(context.kind, field, holds).or_else(|| {
        // An account counts as there when its name is.
        let account =
            field.kind() == FieldType::Account && matches!(test.op, Op::Exists | Op::Null);
        account.then(|| fields::column(context.kind, field, Holds::Name)).flatten()
    });
    if column.is_none() {
        absent(context, test);
    }
    column
}

fn absent(context: &mut Context<'_, '_>, test: &Test) -> Kusto {
    let table = fields::table(context.kind);
    let part = match test.subject.part {
        Part::Whole | Part::Argument(_) => "",
        Part::Name => " name",
        Part::Extension => " extension",
    };
    let message = format!("{table} has no column for the{part} {}", test.subject.field);
    let help = "Leave the test out of this signal, or use a field that Defender records.";
    context.losses.refuse(test.span, message, "no such column", help);
    Kusto::Is("false".to_owned())
}

fn refuse(context: &mut Context<'_, '_>, test: &Test, message: String) -> Kusto {
    context.losses.refuse(test.span, message, "no exact form in Kusto", "");
    Kusto::Is("false".to_owned())
}

fn exists(column: Column) -> Kusto {
    let name = column.name;
    match column.kind {
        Type::Number => Kusto::Is(format!("isnotnull({name})")),
        Type::Text | Type::Lower | Type::FileAction | Type::Direction => {
            Kusto::Is(format!("isnotempty({name})"))
        }
    }
}

fn text(
    context: &mut Context<'_, '_>,
    test: &Test,
    column: Column,
    relation: Relation,
    values: &[Pattern],
    case: Case,
) -> Kusto {
    match (column.kind, case) {
        (Type::FileAction, _) => return file_action(values),
        (Type::Direction, _) => {
            let message = "a direction of connections inside another test".to_owned();
            return refuse(context, test, message);
        }
        (Type::Lower, Case::Sensitive) => {
            let message = format!("Defender stores {} in lower case", column.name);
            return refuse(context, test, message);
        }
        (Type::Number, _) => {
            let message = format!("{} is a number", column.name);
            return refuse(context, test, message);
        }
        (Type::Text | Type::Lower, _) => {}
    }
    if let Part::Argument(product) = test.subject.part {
        return arguments(context, test, column.name, relation, values, case, product);
    }
    let left = match test.subject.part {
        Part::Extension => format!(r#"extract(@"\.([^.]*)$", 1, {})"#, column.name),
        Part::Whole | Part::Name | Part::Argument(_) => column.name.to_owned(),
    };
    let wide = |value: &Pattern| case == Case::Insensitive && value.literals().any(has_wide_case);
    let (wide, plain): (Vec<_>, Vec<_>) = values.iter().cloned().partition(wide);
    let mut parts = Vec::new();
    if !plain.is_empty() {
        let shape = Shape { left: &left, relation, case };
        parts.push(plain_text(context, test, &shape, &plain));
    }
    if !wide.is_empty() {
        // Kusto's case-insensitive operators are documented for ASCII only (string operators).
        parts.push(matches_regex(&left, &wide, relation, case));
    }
    Kusto::any(parts)
}

/// A left side and how it is compared
struct Shape<'s> {
    left: &'s str,
    relation: Relation,
    case: Case,
}

impl Shape<'_> {
    fn binary(&self, insensitive: &str, sensitive: &str, value: &str) -> Kusto {
        let operator = if self.case == Case::Insensitive { insensitive } else { sensitive };
        Kusto::Is(format!("{} {operator} {}", self.left, quote(value)))
    }
}

fn plain_text(
    context: &mut Context<'_, '_>,
    test: &Test,
    shape: &Shape<'_>,
    values: &[Pattern],
) -> Kusto {
    let literals: Vec<&str> = values.iter().filter_map(Pattern::as_literal).collect();
    if literals.len() > LONG_CHAIN && shape.relation != Relation::Equals {
        return matches_regex(shape.left, values, shape.relation, shape.case);
    }
    let each = |insensitive: &str, sensitive: &str| {
        let tests = literals.iter().map(|value| shape.binary(insensitive, sensitive, value));
        Kusto::any(tests.collect())
    };
    match shape.relation {
        Relation::Equals => equals(context, test, shape, &literals),
        Relation::Starts => each("startswith", "startswith_cs"),
        Relation::Ends => each("endswith", "endswith_cs"),
        Relation::Contains if literals == [""] => Kusto::Is(format!("isnotempty({})", shape.left)),
        Relation::Contains => contains(shape, &literals),
        Relation::Wildcard => {
            let tests = values.iter().map(|value| wildcard(shape, value));
            Kusto::any(tests.collect())
        }
    }
}

fn equals(
    context: &mut Context<'_, '_>,
    test: &Test,
    shape: &Shape<'_>,
    literals: &[&str],
) -> Kusto {
    if literals.contains(&"") {
        let reason = "an empty value cannot be told from a missing one in Kusto";
        context.losses.lose(LossName::Empty, Direction::Wider, test.span, reason);
    }
    if let [only] = literals {
        return shape.binary("=~", "==", only);
    }
    let operator = if shape.case == Case::Insensitive { "in~" } else { "in" };
    let left = shape.left.to_owned();
    let values = match test.list.as_deref() {
        Some(list) => vec![context.lets.list(list, literals)],
        None => literals.iter().map(|value| quote(value)).collect(),
    };
    Kusto::List { left, operator, values }
}

/// `has` is `contains` for a needle whose ends are no letters or digits, and has an index when
/// the needle holds a term of three
fn contains(shape: &Shape<'_>, literals: &[&str]) -> Kusto {
    let bounded = |value: &&&str| {
        let inner = |c: Option<char>| c.is_some_and(|c| !c.is_alphanumeric());
        let ends = inner(value.chars().next()) && inner(value.chars().next_back());
        let mut terms = value.split(|c: char| !c.is_ascii_alphanumeric());
        ends && value.is_ascii() && terms.any(|term| term.len() >= 3)
    };
    if literals.len() > 1 && literals.iter().all(|value| bounded(&value)) {
        if shape.case == Case::Insensitive {
            let values = literals.iter().map(|value| quote(value)).collect();
            return Kusto::List { left: shape.left.to_owned(), operator: "has_any", values };
        }
    }
    let tests = literals.iter().map(|value| match bounded(&value) {
        true => shape.binary("has", "has_cs", value),
        false => shape.binary("contains", "contains_cs", value),
    });
    Kusto::any(tests.collect())
}

fn wildcard(shape: &Shape<'_>, value: &Pattern) -> Kusto {
    match pattern::prefix_and_suffix(value) {
        Some((prefix, suffix)) => Kusto::all(vec![
            shape.binary("startswith", "startswith_cs", prefix),
            shape.binary("endswith", "endswith_cs", suffix),
        ]),
        None => {
            let values = std::slice::from_ref(value);
            matches_regex(shape.left, values, Relation::Wildcard, shape.case)
        }
    }
}

fn matches_regex(left: &str, values: &[Pattern], relation: Relation, case: Case) -> Kusto {
    use crate::definition::pattern::Token::Any;
    let (values, around) = match relation {
        Relation::Equals | Relation::Wildcard => (values.to_vec(), Around::Ends),
        Relation::Starts => (values.to_vec(), Around::Start),
        Relation::Contains => (values.to_vec(), Around::Nothing),
        Relation::Ends => {
            let open = |v: &Pattern| Pattern::of([Any].into_iter().chain(v.tokens().to_vec()));
            (values.iter().map(open).collect(), Around::Ends)
        }
    };
    let written = pattern::regex(&values, case, around);
    Kusto::Is(format!("{left} matches regex {}", quote(&written)))
}

fn arguments(
    context: &mut Context<'_, '_>,
    test: &Test,
    column: &str,
    relation: Relation,
    values: &[Pattern],
    case: Case,
    product: Product,
) -> Kusto {
    use crate::definition::pattern::Token::Any;
    if product != Product::Windows {
        let message = format!("Kusto splits command lines as Windows does, not as {product}");
        return refuse(context, test, message);
    }
    let start = matches!(relation, Relation::Ends | Relation::Contains).then_some(Any);
    let end = matches!(relation, Relation::Starts | Relation::Contains).then_some(Any);
    let open = |value: &Pattern| {
        let tokens = value.tokens().iter().cloned();
        Pattern::of(start.clone().into_iter().chain(tokens).chain(end.clone()))
    };
    let values: Vec<Pattern> = values.iter().map(open).collect();
    let written = pattern::regex(&values, case, Around::Arguments);
    // U+001F joins the arguments: no command line can hold it and still be typed or stored.
    let list = format!(r#"strcat_array(parse_command_line({column}, "windows"), "\x1f")"#);
    Kusto::Is(format!("{list} matches regex {}", quote(&written)))
}

fn regex(context: &mut Context<'_, '_>, test: &Test, column: Column, patterns: &[String]) -> Kusto {
    let left = match test.subject.part {
        Part::Extension => format!(r#"extract(@"\.([^.]*)$", 1, {})"#, column.name),
        Part::Whole | Part::Name => column.name.to_owned(),
        Part::Argument(_) => {
            return refuse(context, test, "a regular expression over single arguments".to_owned());
        }
    };
    let mut tests = Vec::new();
    for written in patterns {
        let Ok(compiled) = ::regex::Regex::new(written) else { continue };
        if compiled.captures_len() > 17 {
            // Source: Microsoft, `matches regex`: at most 16 capture groups.
            let message = "a regular expression with more than 16 groups".to_owned();
            return refuse(context, test, message);
        }
        let matches = Kusto::Is(format!("{left} matches regex {}", quote(written)));
        tests.push(match compiled.is_match("") {
            true => Kusto::all(vec![exists(column), matches]),
            false => matches,
        });
    }
    Kusto::any(tests)
}

fn segments(context: &mut Context<'_, '_>, test: &Test, column: &str, values: &[Pattern]) -> Kusto {
    let rooted = |value: &&Pattern| value.literals().next().is_some_and(|t| !t.starts_with('/'));
    let spellings = |value: &Pattern| [value.clone(), value.map_literals(|t| t.replace('/', "\\"))];
    let mut plain: Vec<Pattern> = Vec::new();
    let mut parts = Vec::new();
    for value in values {
        let shape = |relation| Shape { left: column, relation, case: Case::Insensitive };
        match (value.as_literal(), rooted(&value)) {
            (Some(_), false) => plain.extend(spellings(value)),
            (Some(_), true) => {
                for spelling in spellings(value) {
                    let literal = spelling.as_literal().unwrap_or_default();
                    let starts = shape(Relation::Starts);
                    parts.push(starts.binary("startswith", "startswith_cs", literal));
                }
            }
            (None, rooted) => {
                let relation = if rooted { Relation::Starts } else { Relation::Contains };
                let values = spellings(value);
                parts.push(matches_regex(column, &values, relation, Case::Insensitive));
            }
        }
    }
    if plain.iter().flat_map(Pattern::literals).any(has_wide_case) {
        parts.push(matches_regex(column, &plain, Relation::Contains, Case::Insensitive));
    } else if !plain.is_empty() {
        plain.sort();
        let literals: Vec<&str> = plain.iter().filter_map(Pattern::as_literal).collect();
        let shape = Shape { left: column, relation: Relation::Contains, case: Case::Insensitive };
        let found = match (contains(&shape, &literals), test.list.as_deref()) {
            (Kusto::List { left, operator, .. }, Some(list)) if parts.is_empty() => {
                let values = vec![context.lets.list(list, &literals)];
                Kusto::List { left, operator, values }
            }
            (found, _) => found,
        };
        parts.insert(0, found);
    }
    Kusto::any(parts)
}

/// `DOMAIN\name` is two columns
fn account(
    context: &mut Context<'_, '_>,
    test: &Test,
    relation: Relation,
    values: &[Pattern],
    case: Case,
) -> Kusto {
    let columns = [Holds::Domain, Holds::Name]
        .map(|holds| fields::column(context.kind, test.subject.field, holds));
    let [Some(domain), Some(name)] = columns else { return absent(context, test) };
    let mut parts = Vec::new();
    for value in values {
        let halves = value.as_literal().and_then(|text| text.split_once('\\'));
        let Some((left, right)) = halves.filter(|_| relation == Relation::Equals) else {
            let message = format!("`{value}` over domain and name together");
            return refuse(context, test, message);
        };
        if case == Case::Sensitive {
            let message = format!("Defender stores {} in lower case", name.name);
            return refuse(context, test, message);
        }
        parts.push(Kusto::all(vec![
            Kusto::Is(format!("{} =~ {}", domain.name, quote(left))),
            Kusto::Is(format!("{} =~ {}", name.name, quote(right))),
        ]));
    }
    Kusto::any(parts)
}

fn file_action(values: &[Pattern]) -> Kusto {
    let name = |value: &Pattern| match value.as_literal() {
        Some("created") => "FileCreated",
        Some("modified") => "FileModified",
        Some("renamed") => "FileRenamed",
        _ => "FileDeleted",
    };
    let mut names: Vec<&str> = values.iter().map(name).collect();
    names.sort_unstable();
    match &*names {
        [only] => Kusto::Is(format!("ActionType == {}", quote(only))),
        names => Kusto::List {
            left: "ActionType".to_owned(),
            operator: "in",
            values: names.iter().map(|name| quote(name)).collect(),
        },
    }
}

fn numbers(column: &str, ranges: &[Numbers], positive: bool) -> Kusto {
    let single = |range: &&Numbers| range.from == range.to;
    let singles: Vec<String> = ranges.iter().filter(single).map(|r| r.from.to_string()).collect();
    let mut parts = Vec::new();
    if !singles.is_empty() {
        let left = column.to_owned();
        parts.push(Kusto::List { left, operator: "in", values: singles });
    }
    for range in ranges.iter().filter(|range| range.from != range.to) {
        let text = match (range.from, range.to) {
            (i64::MIN, to) => format!("{column} <= {to}"),
            (from, i64::MAX) => format!("{column} >= {from}"),
            (from, to) => format!("{column} between ({from} .. {to})"),
        };
        // A comparison with null is null, and so is its negation.
        let text = if positive { text } else { format!("coalesce({text}, false)") };
        parts.push(Kusto::Is(text));
    }
    Kusto::any(parts)
}

fn networks_of(column: &str, networks: &[ipnet::IpNet], positive: bool) -> Kusto {
    let (v4, v6) = by_family(networks);
    let mut parts = Vec::new();
    for (function, ranges) in [("ipv4_is_in_any_range", v4), ("ipv6_is_in_any_range", v6)] {
        if ranges.is_empty() {
            continue;
        }
        let ranges: Vec<String> = ranges.iter().map(|range| quote(range)).collect();
        let call = format!("{function}({column}, {})", ranges.join(", "));
        // Null when the value is no address of the family, and the negation of null is null.
        parts.push(Kusto::Is(match positive {
            true => call,
            false => format!("coalesce({call}, false)"),
        }));
    }
    Kusto::any(parts)
}

/// The functions give null for what is no address of their family; null is not equal to false.
fn public(context: &mut Context<'_, '_>, column: &str) -> Kusto {
    let (v4, v6) = by_family(&NON_PUBLIC);
    let mut list = |name: &str, ranges: &[String]| {
        let ranges: Vec<&str> = ranges.iter().map(String::as_str).collect();
        context.lets.list(name, &ranges)
    };
    let (v4, v6) = (list("non_public_v4", &v4), list("non_public_v6", &v6));
    Kusto::any(vec![
        Kusto::Is(format!("ipv4_is_in_any_range({column}, {v4}) == false")),
        Kusto::Is(format!("ipv6_is_in_any_range({column}, {v6}) == false")),
    ])
}

/// IPv4 networks also in their IPv6-mapped form: Defender records such addresses
fn by_family(networks: &[ipnet::IpNet]) -> (Vec<String>, Vec<String>) {
    let (mut v4, mut mapped, mut v6) = (Vec::new(), Vec::new(), Vec::new());
    for network in networks {
        match network {
            ipnet::IpNet::V4(net) => {
                let [a, b, c, d] = net.addr().octets().map(u16::from);
                let (high, low) = (a << 8 | b, c << 8 | d);
                v4.push(net.to_string());
                mapped.push(format!("::ffff:{high:x}:{low:x}/{}", 96 + net.prefix_len()));
            }
            ipnet::IpNet::V6(net) => v6.push(net.to_string()),
        }
    }
    v6.extend(mapped);
    (v4, v6)
}
