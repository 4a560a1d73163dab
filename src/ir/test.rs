//! Lowers a key with its values to an expression.
//!
//! In: an entry such as `parents: [w3wp.exe, tomcat*.exe]` or `CommandLine|contains|all: [...]`.
//! Out: an [`Expr`] over fields. A vocabulary word decides how its values are read; a field decides
//! it by its type. No modifier is left afterwards.

use super::modifier;
use super::scope::{Meaning, Reading, Scope};
use super::value;
use super::{Clause, ClauseOrigin, Expr, Op, Role, Subject, Test, TextTest};
use crate::definition::vocabulary::{WORDS, Word};
use crate::definition::{Entry, Form, Key, Modifier, Scalar, Selection, Value, nearest_name};
use crate::diagnostic::{Code, Diagnostic};
use crate::pattern::compare_folded;
use crate::source::Span;
use crate::taxonomy::{EventKind, Field, FieldType};

/// The clause that the kind of event implies, beside the author's tests
///
/// Sigma's `file_event` requires the creation of a file. A definition's `network_connection`
/// excludes incoming connections, so that `remote` and `ports` are the other side on every target;
/// a test of `Initiated` in `written` takes that clause away.
pub(super) fn implied(
    kind: &EventKind,
    action: Option<&'static str>,
    form: Form,
    written: &[Clause],
) -> Option<Clause> {
    let initiated = Field::named("Initiated")?;
    let said = written.iter().flat_map(|clause| clause.expr.tests());
    if action.is_none() && said.into_iter().any(|test| test.subject.field == initiated) {
        return None;
    }
    let (role, field, word) = match (kind, action, form) {
        (_, Some(action), _) => (Role::Require, "Action", action),
        (EventKind::NetworkConnection, None, Form::Definition) => {
            (Role::Exclude, "Initiated", "false")
        }
        _ => return None,
    };
    let op = Op::Text(TextTest::word(word));
    let subject = Subject::whole(Field::named(field)?);
    let test = Test { subject, op, list: None, span: Span::default() };
    let label = if role == Role::Exclude { "incoming connections" } else { "category" };
    let (origin, label) = (ClauseOrigin::LogSource, label.to_owned());
    Some(Clause { role, origin, label, expr: Expr::Test(test) })
}

/// Lowers tests that must all hold
pub(super) fn lower_all<'d>(scope: &mut Scope<'d>, selection: &'d Selection) -> Expr {
    Expr::All(selection.entries.iter().filter_map(|entry| lower(scope, entry)).collect())
}

/// Lowers one key with its values; `None` after a reported error
pub(super) fn lower<'d>(scope: &mut Scope<'d>, entry: &'d Entry) -> Option<Expr> {
    let meaning = resolve(scope, &entry.key)?;
    let (values, list) = expand(scope, entry)?;
    if !modifier::all_fit(scope, entry, &meaning) {
        return None;
    }
    refuse_null_among_others(scope, &values)?;
    warn_repeated(scope, &entry.key, &values);
    // In a regular expression a backslash belongs to the expression.
    if entry.key.modifier(Modifier::Re).is_none() {
        warn_literal_stars(scope, meaning.kind, &values);
    }
    if entry.key.modifier(Modifier::Exists).is_some() {
        if meaning.field == Field::EVERY {
            let label = "say which field must exist";
            scope.error(Code::E0207, entry.key.span, "`exists` of a keyword".into(), label);
            return None;
        }
        if entry.values.negated {
            let span = entry.values.span;
            scope.error(Code::E0207, span, "`not` of `exists`".into(), "write true or false");
            return None;
        }
        return exists(scope, &values, meaning.field);
    }
    let mut parts = Vec::new();
    let mut complete = true;
    for value in &values {
        let reading = Reading { key: &entry.key, meaning: &meaning, list: list.clone() };
        match value::lower(scope, &reading, value) {
            Some(expr) => parts.push(expr),
            None => complete = false,
        }
    }
    if !complete {
        return None;
    }
    let all = entry.key.modifier(Modifier::All).is_some();
    let positive = if all { Expr::All(parts) } else { Expr::Any(parts) };
    let negated = || Expr::Not(Box::new(positive.clone()));
    Some(match (entry.values.negated, entry.key.modifier(Modifier::Neq)) {
        // `{not: [...]}` requires that the field exists; Sigma's neq is plain negation.
        (true, _) => Expr::All(vec![present(meaning.field, entry.key.span), negated()]),
        (false, Some(_)) => negated(),
        (false, None) => positive,
    })
}

fn present(field: Field, span: Span) -> Expr {
    Expr::Test(Test { subject: Subject::whole(field), op: Op::Exists, list: None, span })
}

fn resolve(scope: &mut Scope<'_>, key: &Key) -> Option<Meaning> {
    let name = key.name.value.as_str();
    let open = scope.open;
    if key.is_keywords() {
        let kind = FieldType::Any;
        return Some(Meaning { field: Field::EVERY, kind, open: true, reading: None });
    }
    let of_sigma = Field::of_log(name);
    if let (EventKind::Log(_), Some(kind)) = (scope.kind, scope.kind.field_type(&of_sigma)) {
        return Some(Meaning { field: of_sigma, kind, open, reading: None });
    }
    // In other logs of Sigma's every name is a field, even the name of a vocabulary word.
    let field_of_log = open && matches!(scope.kind, EventKind::Log(_));
    if let Some(word) = Word::named(name).filter(|_| !field_of_log) {
        if let Some(field) = word.field(scope.kind) {
            let kind = field.kind();
            return Some(Meaning { field, kind, open, reading: Some(word.reading) });
        }
        let kinds: Vec<_> = word.events().map(EventKind::name).collect();
        let message = format!("`{name}` says nothing about {} events", scope.kind);
        let diagnostic =
            Diagnostic::new(Code::E0206, scope.source, key.name.span, message, "not here")
                .note(format!("`{name}` is for {}", kinds.join(" and ")));
        scope.report(diagnostic);
        return None;
    }
    if open {
        return Some(field_of_a_log(scope, key));
    }
    if let Some(field) = Field::named(name) {
        if field.belongs_to(scope.kind) {
            return Some(Meaning { kind: field.kind(), field, open, reading: None });
        }
        let message = format!("{} events have no field `{name}`", scope.kind);
        scope.error(Code::E0206, key.name.span, message, "carried by other events only");
        return None;
    }
    let fields = Field::names_of(scope.kind);
    let words = WORDS.iter().filter(|w| w.field(scope.kind).is_some()).map(|w| w.name);
    let settings = ["title", "event", "product", "exclusions", "levels", "detection", "condition"];
    let message = format!("unknown field `{name}`");
    let label = format!("not a field of {} events", scope.kind);
    let diagnostic = Diagnostic::new(Code::E0201, scope.source, key.name.span, message, label);
    scope.report(match nearest_name(name, fields.chain(words).chain(settings)) {
        Some(near) => diagnostic.replace(key.name.span, near),
        None => diagnostic.help("`rulecast list fields` shows what there is."),
    });
    None
}

/// Resolves a field of a Sigma rule; a field that no table lists is only a warning, since events
/// may have it
fn field_of_a_log(scope: &mut Scope<'_>, key: &Key) -> Meaning {
    let field = Field::of_log(&key.name.value);
    if let Some(kind) = scope.kind.field_type(&field) {
        return Meaning { field, kind, open: true, reading: None };
    }
    let fields = scope.kind.field_names();
    // A log without a table has no known fields, so none of its fields is reported.
    if !fields.is_empty() {
        let message = format!("{} events are not known to have `{field}`", scope.kind);
        let span = key.name.span;
        let diagnostic = Diagnostic::new(Code::W0216, scope.source, span, message, "in no table");
        scope.report(match nearest_name(field.name(), fields) {
            Some(near) => diagnostic.help(format!("There is a field `{near}`.")),
            None => diagnostic,
        });
    }
    Meaning { field, kind: FieldType::Any, open: true, reading: None }
}

/// The values with named lists written out, and the list's name when one list is the only value
fn expand<'d>(scope: &mut Scope<'d>, entry: &'d Entry) -> Option<(Vec<&'d Value>, Option<String>)> {
    let mut values = Vec::new();
    let mut complete = true;
    for value in &entry.values.items {
        let Scalar::List(name) = &value.scalar else {
            values.push(value);
            continue;
        };
        if let Some(list) = scope.named.get(name.as_str()) {
            scope.used.insert(name.clone());
            values.extend(&list.values);
            continue;
        }
        complete = false;
        let message = format!("no list is called `{name}`");
        let diagnostic =
            Diagnostic::new(Code::E0209, scope.source, value.span, message, "undefined");
        scope.report(match nearest_name(name, scope.lists.iter().map(|l| l.name.value.as_str())) {
            Some(near) => diagnostic.replace(value.span, format!("${near}")),
            None => diagnostic.help("Define it under `lists:`."),
        });
    }
    let list = match &*entry.values.items {
        [Value { scalar: Scalar::List(name), .. }] => Some(name.clone()),
        _ => None,
    };
    complete.then_some((values, list))
}

/// Refuses null in a list of a Sigma rule: tools read such a list in different ways
fn refuse_null_among_others(scope: &mut Scope<'_>, values: &[&Value]) -> Option<()> {
    let Some(null) = values.iter().find(|value| value.scalar == Scalar::Null) else {
        return Some(());
    };
    if !scope.open || values.len() == 1 {
        return Some(());
    }
    let message = "null among other values".to_owned();
    let diagnostic =
        Diagnostic::new(Code::E0208, scope.source, null.span, message, "stands by itself");
    scope.report(
        diagnostic.help("Write a selection of its own for null, and join the two by `or`."),
    );
    None
}

fn warn_repeated(scope: &mut Scope<'_>, key: &Key, values: &[&Value]) {
    // Two spellings of a word are different texts in Base64.
    let exact = [Modifier::Cased, Modifier::Re, Modifier::Base64, Modifier::Base64Offset];
    let exact = exact.iter().any(|modifier| key.modifier(*modifier).is_some());
    let compare = |a: &Value, b: &Value| match exact {
        true => a.written.cmp(&b.written),
        false => compare_folded(&a.written, &b.written),
    };
    let mut sorted: Vec<&&Value> =
        values.iter().filter(|value| value.scalar != Scalar::Null).collect();
    // The sort is stable: equal values keep the author's order.
    sorted.sort_by(|a, b| compare(a, b));
    for alike in sorted.chunk_by(|a, b| compare(a, b).is_eq()) {
        let [first, again @ ..] = alike else { continue };
        for value in again {
            let message = format!("`{}` stands here twice", value.written);
            let diagnostic =
                Diagnostic::new(Code::W0213, scope.source, value.span, message, "again")
                    .also(first.span, "first here");
            scope.report(diagnostic);
        }
    }
}

/// Warns of `\*` in a path or a command line: it is a literal star, which is rarely meant
fn warn_literal_stars(scope: &mut Scope<'_>, kind: FieldType, values: &[&Value]) {
    for value in values {
        let Scalar::Text(pattern) = &value.scalar else { continue };
        let holds = match kind {
            FieldType::Path | FieldType::Account => {
                pattern.literals().any(|text| text.contains(['*', '?']))
            }
            // As an argument `*.log` may be literal; below a directory the star was meant as a
            // wildcard.
            FieldType::Command | FieldType::Key => below_a_directory(&value.written),
            FieldType::Text
            | FieldType::Host
            | FieldType::Number
            | FieldType::Address
            | FieldType::Action
            | FieldType::Any => false,
        };
        if holds {
            let message = format!("`{}` holds a literal `*` or `?`", value.written);
            let label = "escaped by the backslash before it";
            let diagnostic = Diagnostic::new(Code::W0215, scope.source, value.span, message, label);
            scope.report(diagnostic.help("Two backslashes before a wildcard are one backslash."));
        }
    }
}

/// Whether a backslash that looks like the separator after a directory or drive escapes a wildcard
fn below_a_directory(written: &str) -> bool {
    let mut before = [' '; 2];
    written.chars().any(|c| {
        let escaped = matches!(c, '*' | '?') && before[1] == '\\';
        let found = escaped && (before[0].is_alphanumeric() || ":)]}_".contains(before[0]));
        before = [before[1], c];
        found
    })
}

fn exists(scope: &mut Scope<'_>, values: &[&Value], field: Field) -> Option<Expr> {
    if let [Value { scalar: Scalar::Bool(there), span, .. }] = values {
        let test = present(field, *span);
        return Some(if *there { test } else { Expr::Not(Box::new(test)) });
    }
    let span = values.first().map_or(Span::default(), |value| value.span);
    scope.error(Code::E0208, span, "`exists` takes true or false".into(), "not true or false");
    None
}
