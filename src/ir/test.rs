//! From a key and its values to an expression.
//!
//! In: an entry such as `parents: [w3wp.exe, tomcat*.exe]` or `CommandLine|contains|all: [...]`.
//! Out: an [`Expr`] over fields. A vocabulary word brings its reading, a field its type;
//! modifiers are spent here and nowhere else.

use std::collections::HashMap;
use std::sync::Arc;

use super::value::{self, Reading};
use super::{Case, Clause, Expr, Op, Relation, Role, Subject, Test};
use crate::definition::pattern::Pattern;
use crate::definition::vocabulary::{self, WORDS, Word};
use crate::definition::{Entry, Form, Key, List, Modifier, Scalar, Selection, Value, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span};
use crate::taxonomy::{EventKind, Field, FieldType, Product};

/// What the entries of one signal share
pub(super) struct Scope<'a> {
    pub(super) source: &'a Arc<SourceText>,
    pub(super) lists: &'a [List],
    pub(super) kind: EventKind,
    pub(super) product: Option<Product>,
    /// Tests that the condition has been written out to
    pub(super) size: usize,
    pub(super) used: &'a mut Vec<String>,
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Scope<'_> {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: String, label: &str) {
        self.report(Diagnostic::new(code, self.source, span, message, label));
    }
}

/// What a key stands for
pub(super) struct Meaning {
    pub(super) field: Field,
    /// How a vocabulary word reads its values; `None` for a field
    pub(super) reading: Option<vocabulary::Reading>,
}

/// What the kind of event itself says, beside the author's tests
///
/// Sigma's `file_event` is the creation of a file. A definition's `network_connection` is one
/// that this host opened, so that `remote` and `ports` are the other side on every target.
pub(super) fn implied(kind: EventKind, action: Option<&'static str>, form: Form) -> Option<Clause> {
    let (role, field, word) = match (kind, action, form) {
        (_, Some(action), _) => (Role::Require, "Action", action),
        (EventKind::NetworkConnection, None, Form::Definition) => {
            (Role::Exclude, "Initiated", "false")
        }
        _ => return None,
    };
    let op = Op::Text(Relation::Equals, vec![Pattern::literal(word)], Case::Insensitive);
    let subject = Subject::whole(Field::named(field)?);
    let test = Test { subject, op, list: None, span: Span::default() };
    let label = if role == Role::Exclude { "incoming connections" } else { "category" };
    Some(Clause { role, label: label.to_owned(), expr: Expr::Test(test) })
}

/// Lowers tests that must all hold
pub(super) fn lower_all<'d>(scope: &mut Scope<'d>, selection: &'d Selection) -> Expr {
    Expr::All(selection.entries.iter().filter_map(|entry| lower(scope, entry)).collect())
}

/// Lowers one key with its values; `None` when something is wrong, which has been reported
pub(super) fn lower<'d>(scope: &mut Scope<'d>, entry: &'d Entry) -> Option<Expr> {
    let meaning = resolve(scope, &entry.key)?;
    let (values, list) = expand(scope, entry)?;
    if !modifiers_fit(scope, entry, &meaning) {
        return None;
    }
    warn_repeated(scope, &entry.key, &values);
    // In a regular expression the backslash is the expression's own.
    if entry.key.modifier(Modifier::Re).is_none() {
        warn_literal_stars(scope, meaning.field, &values);
    }
    if entry.key.modifier(Modifier::Exists).is_some() {
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
        // `{not: [...]}` is said of a value that is there; Sigma's neq is plain negation.
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
    if let Some(word) = Word::named(name) {
        if let Some(field) = word.field(scope.kind) {
            return Some(Meaning { field, reading: Some(word.reading) });
        }
        let kinds: Vec<_> = word.events().map(EventKind::name).collect();
        let message = format!("`{name}` says nothing about {} events", scope.kind);
        let found = Diagnostic::new(Code::E0206, scope.source, key.name.span, message, "not here")
            .note(format!("`{name}` is for {}", kinds.join(" and ")));
        scope.report(found);
        return None;
    }
    if let Some(field) = Field::named(name) {
        if field.belongs_to(scope.kind) {
            return Some(Meaning { field, reading: None });
        }
        let message = format!("{} events have no field `{name}`", scope.kind);
        scope.error(Code::E0206, key.name.span, message, "carried by other events only");
        return None;
    }
    let fields = Field::of(scope.kind).map(Field::name);
    let words = WORDS.iter().filter(|w| w.field(scope.kind).is_some()).map(|w| w.name);
    let settings = ["title", "event", "product", "exclusions", "levels", "detection", "condition"];
    let message = format!("unknown field `{name}`");
    let label = format!("not a field of {} events", scope.kind);
    let found = Diagnostic::new(Code::E0201, scope.source, key.name.span, message, label);
    scope.report(match nearest_name(name, fields.chain(words).chain(settings)) {
        Some(near) => found.replace(key.name.span, near),
        None => found.help("`rulecast list fields` shows what there is."),
    });
    None
}

/// The values with named lists written out, and the list when they are just that
fn expand<'d>(scope: &mut Scope<'d>, entry: &'d Entry) -> Option<(Vec<&'d Value>, Option<String>)> {
    let mut values = Vec::new();
    let mut complete = true;
    for value in &entry.values.items {
        let Scalar::List(name) = &value.scalar else {
            values.push(value);
            continue;
        };
        let lists = scope.lists;
        if let Some(list) = lists.iter().find(|list| list.name.value == *name) {
            scope.used.push(name.clone());
            values.extend(&list.values);
            continue;
        }
        complete = false;
        let message = format!("no list is called `{name}`");
        let found = Diagnostic::new(Code::E0209, scope.source, value.span, message, "undefined");
        scope.report(match nearest_name(name, lists.iter().map(|l| l.name.value.as_str())) {
            Some(near) => found.replace(value.span, format!("${near}")),
            None => found.help("Define it under `lists:`."),
        });
    }
    let list = match &*entry.values.items {
        [Value { scalar: Scalar::List(name), .. }] => Some(name.clone()),
        _ => None,
    };
    complete.then_some((values, list))
}

/// Modifiers that say how to compare; at most one of them can stand in a key
const COMPARING: &[Modifier] = &[
    Modifier::Contains,
    Modifier::StartsWith,
    Modifier::EndsWith,
    Modifier::Re,
    Modifier::Cidr,
    Modifier::Gt,
    Modifier::Gte,
    Modifier::Lt,
    Modifier::Lte,
    Modifier::Exists,
    Modifier::FieldRef,
];

fn modifiers_fit(scope: &mut Scope<'_>, entry: &Entry, meaning: &Meaning) -> bool {
    let mut first: Option<Modifier> = None;
    let mut fits = true;
    for modifier in &entry.key.modifiers {
        let why = misfit(entry, meaning, modifier.value, first);
        if COMPARING.contains(&modifier.value) {
            first = first.or(Some(modifier.value));
        }
        if let Some(why) = why {
            let message = format!("modifier `{}` does not fit here", modifier.value.name());
            scope.error(Code::E0207, modifier.span, message, &why);
            fits = false;
        }
    }
    fits
}

/// Why a modifier says nothing in its key; `first` is the comparing modifier before it
fn misfit(
    entry: &Entry,
    meaning: &Meaning,
    modifier: Modifier,
    first: Option<Modifier>,
) -> Option<String> {
    const AFTER_RE: &[Modifier] =
        &[Modifier::ReIgnoreCase, Modifier::ReMultiLine, Modifier::ReDotAll];
    const NOT_WITH_EXISTS: &[Modifier] = &[Modifier::Neq, Modifier::All, Modifier::Cased];
    let has = |wanted| entry.key.modifier(wanted).is_some();
    match (COMPARING.contains(&modifier), first) {
        (true, Some(other)) => return Some(format!("contradicts `{}`", other.name())),
        (true, None) => return value::comparison_fits(modifier, meaning).err(),
        (false, _) => {}
    }
    let why = match () {
        () if AFTER_RE.contains(&modifier) && !has(Modifier::Re) => "only after `re`",
        () if modifier == Modifier::Neq && entry.values.negated => "`not` says it already",
        () if NOT_WITH_EXISTS.contains(&modifier) && has(Modifier::Exists) => {
            "`exists` takes true or false only"
        }
        () => return None,
    };
    Some(why.to_owned())
}

fn warn_repeated(scope: &mut Scope<'_>, key: &Key, values: &[&Value]) {
    use crate::definition::pattern::fold_text;
    let exact = [Modifier::Cased, Modifier::Re].iter().any(|m| key.modifier(*m).is_some());
    let mut seen: HashMap<String, Span> = HashMap::new();
    for value in values.iter().filter(|value| value.scalar != Scalar::Null) {
        let text = if exact { value.written.clone() } else { fold_text(&value.written) };
        if let Some(first) = seen.insert(text, value.span) {
            let message = format!("`{}` stands here twice", value.written);
            let found = Diagnostic::new(Code::W0213, scope.source, value.span, message, "again")
                .also(first, "first here");
            scope.report(found);
        }
    }
}

/// `\*` in a path or a command line is rarely meant: it is a star, which no path holds.
fn warn_literal_stars(scope: &mut Scope<'_>, field: Field, values: &[&Value]) {
    for value in values {
        let Scalar::Text(pattern) = &value.scalar else { continue };
        let holds = match field.kind() {
            FieldType::Path | FieldType::Account => {
                pattern.literals().any(|text| text.contains(['*', '?']))
            }
            // A program takes `*.log` as it is; below a directory the star was meant to be one.
            FieldType::Command | FieldType::Key => below_a_directory(&value.written),
            FieldType::Text | FieldType::Number | FieldType::Address | FieldType::Action => false,
        };
        if holds {
            let message = format!("`{}` holds a literal `*` or `?`", value.written);
            let label = "escaped by the backslash before it";
            let found = Diagnostic::new(Code::W0215, scope.source, value.span, message, label);
            scope.report(found.help("Two backslashes before a wildcard are one backslash."));
        }
    }
}

/// Whether a wildcard is escaped by what looks like the separator after a directory or a drive
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
