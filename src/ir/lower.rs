//! Lowers a [`Definition`] to a [`Rule`].
//!
//! In: words, fields, modifiers, `$name` and `1 of` patterns as the author wrote them. Out:
//! normalized expressions over fields. Every mistake is reported at its word; a definition with
//! mistakes gives no rule.

use std::sync::Arc;

use super::test::{self, Scope};
use super::{Clause, Column, Expr, NewTerms, Role, Rule, Signal, attack, normalize};
use crate::definition::{self, Condition, Definition, Detection, Level, Quantifier};
use crate::definition::{Expectation, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::taxonomy::{EventKind, Field};

/// Lowers a definition; `None` when something in it is wrong, which `diagnostics` then says
pub fn lower(definition: &Definition, diagnostics: &mut Diagnostics) -> Option<Rule> {
    let source = &definition.source;
    let mut found = Diagnostics::default();
    let threats = attack::threats(source, &definition.metadata, &mut found);
    let mut used = Vec::new();
    let mut signals = Vec::new();
    for signal in &definition.signals {
        signals.extend(lower_signal(definition, signal, &mut used, &mut found));
    }
    for list in &definition.lists {
        if !used.contains(&list.name.value) {
            let message = format!("no signal uses list `{}`", list.name.value);
            found.push(Diagnostic::new(Code::W0214, source, list.name.span, message, "unused"));
        }
    }
    let new_terms =
        definition.new_terms.as_ref().and_then(|n| new_terms(definition, n, &signals, &mut found));
    check_tests(definition, &mut found);
    let complete = signals.len() == definition.signals.len() && !found.has_errors();
    diagnostics.extend(found);
    let kinds: Vec<EventKind> = signals.iter().map(|signal| signal.kind).collect();
    complete.then(|| Rule {
        source: Arc::clone(source),
        span: definition.span,
        form: definition.form,
        metadata: definition.metadata.clone(),
        level: definition.metadata.level.as_ref().map_or(Level::Medium, |level| level.value),
        threats,
        signals,
        new_terms,
        columns: Column::of(&kinds),
        accepts: definition.accepts.clone(),
        tests: definition.tests.clone(),
    })
}

fn lower_signal<'d>(
    definition: &'d Definition,
    signal: &'d definition::Signal,
    used: &'d mut Vec<String>,
    diagnostics: &'d mut Diagnostics,
) -> Option<Signal> {
    let kind = signal.event.as_ref()?.value;
    let product = signal.product.as_ref().map(|product| product.value);
    let mut scope = Scope {
        source: &definition.source,
        lists: &definition.lists,
        kind,
        product,
        size: 0,
        used,
        diagnostics,
    };
    let mut clauses = Vec::new();
    for entry in &signal.selection.entries {
        let expr = test::lower(&mut scope, entry);
        clauses.extend(expr.map(|e| clause(Role::Require, &entry.key.name.value, e)));
    }
    if let Some(detection) = &signal.detection {
        clauses.extend(lower_detection(&mut scope, detection));
    }
    for exclusion in &signal.exclusions {
        let label = exclusion.note.as_ref().map_or_else(String::new, |note| note.value.clone());
        let expr = test::lower_all(&mut scope, &exclusion.selection);
        clauses.push(clause(Role::Exclude, &label, expr));
    }
    let mut cases = Vec::new();
    for case in &signal.levels {
        let expr = test::lower_all(&mut scope, &case.selection);
        cases.push((case.level.value, normalize(expr)));
    }
    clauses.extend(test::implied(kind, definition.form));
    let title = signal.title.as_ref().unwrap_or(&definition.metadata.title).value.clone();
    let name = signal.name.value.clone();
    Some(Signal { name, span: signal.name.span, title, kind, product, clauses, cases })
}

fn clause(role: Role, label: &str, expr: Expr) -> Clause {
    Clause { role, label: label.to_owned(), expr: normalize(expr) }
}

/// The parts of a condition that are joined by `and` become clauses of their own.
fn lower_detection<'d>(scope: &mut Scope<'d>, detection: &'d Detection) -> Vec<Clause> {
    let mut searches = Vec::new();
    for (name, alternatives) in &detection.selections {
        let parts = alternatives.iter().map(|one| test::lower_all(scope, one)).collect();
        searches.push(Search { name, expr: Expr::Any(parts), used: false });
    }
    let clauses = match &*detection.conditions {
        [Condition::And(parts)] => flat(parts)
            .into_iter()
            .filter_map(|part| condition_clause(scope, part, &mut searches))
            .collect(),
        [only] => condition_clause(scope, only, &mut searches).into_iter().collect(),
        several => {
            let parts = several.iter().filter_map(|one| resolve(scope, one, &mut searches));
            vec![clause(Role::Require, "condition", Expr::Any(parts.collect()))]
        }
    };
    // A name that was not found is probably one of the unused ones, misspelt.
    let failed = scope.diagnostics.iter().any(|d| matches!(d.code, Code::E0302 | Code::E0303));
    for search in searches.iter().filter(|search| !search.used && !failed) {
        let message = format!("the condition does not use selection `{}`", search.name.value);
        let span = search.name.span;
        scope.report(Diagnostic::new(Code::W0304, scope.source, span, message, "unused"));
    }
    clauses
}

struct Search<'d> {
    name: &'d Spanned<String>,
    expr: Expr,
    used: bool,
}

/// `a and b and c` is read as `(a and b) and c`.
fn flat(parts: &[Condition]) -> Vec<&Condition> {
    let mut out = Vec::new();
    for part in parts {
        match part {
            Condition::And(inner) => out.extend(flat(inner)),
            part @ (Condition::Or(_)
            | Condition::Not(_)
            | Condition::Selection(_)
            | Condition::Of(..)) => out.push(part),
        }
    }
    out
}

fn condition_clause(
    scope: &mut Scope<'_>,
    condition: &Condition,
    searches: &mut [Search<'_>],
) -> Option<Clause> {
    let (role, inner) = match condition {
        Condition::Not(inner) => (Role::Exclude, &**inner),
        other @ (Condition::And(_)
        | Condition::Or(_)
        | Condition::Selection(_)
        | Condition::Of(..)) => (Role::Require, other),
    };
    let label = match inner {
        Condition::Selection(name) | Condition::Of(_, name) => name.value.clone(),
        Condition::And(_) | Condition::Or(_) | Condition::Not(_) => "condition".to_owned(),
    };
    resolve(scope, inner, searches).map(|expr| clause(role, &label, expr))
}

fn resolve(
    scope: &mut Scope<'_>,
    condition: &Condition,
    searches: &mut [Search<'_>],
) -> Option<Expr> {
    let mut many = |parts: &[Condition]| -> Option<Vec<Expr>> {
        let parts: Vec<_> = parts.iter().map(|part| resolve(scope, part, searches)).collect();
        parts.into_iter().collect()
    };
    match condition {
        Condition::And(parts) => many(parts).map(Expr::All),
        Condition::Or(parts) => many(parts).map(Expr::Any),
        Condition::Not(part) => resolve(scope, part, searches).map(|e| Expr::Not(Box::new(e))),
        Condition::Selection(name) => {
            if let Some(search) = searches.iter_mut().find(|s| s.name.value == name.value) {
                search.used = true;
                return written_out(scope, &search.expr, name.span);
            }
            let message = format!("no selection is called `{}`", name.value);
            let found = Diagnostic::new(Code::E0302, scope.source, name.span, message, "unknown");
            let known = searches.iter().map(|search| search.name.value.as_str());
            scope.report(match nearest_name(&name.value, known) {
                Some(near) => found.replace(name.span, near),
                None => found,
            });
            None
        }
        Condition::Of(quantifier, pattern) => of(scope, *quantifier, pattern, searches),
    }
}

fn of(
    scope: &mut Scope<'_>,
    quantifier: Quantifier,
    pattern: &Spanned<String>,
    searches: &mut [Search<'_>],
) -> Option<Expr> {
    let mut chosen = Vec::new();
    for search in searches.iter_mut().filter(|s| fits(&pattern.value, &s.name.value)) {
        search.used = true;
        chosen.push(written_out(scope, &search.expr, pattern.span)?);
    }
    let least = match quantifier {
        Quantifier::All => 1,
        Quantifier::AtLeast(count) => count,
    };
    let mut refuse = |code, message: String, label: &str| {
        scope.report(Diagnostic::new(code, scope.source, pattern.span, message, label));
        None
    };
    let fitting = chosen.len();
    if fitting == 0 {
        return refuse(Code::E0303, format!("no selection fits `{}`", pattern.value), "fits none");
    }
    if least == 0 || fitting < least {
        let message = format!("{fitting} selections fit `{}`", pattern.value);
        let label = if least == 0 { "always true" } else { "never true: not so many" };
        return refuse(Code::E0303, message, label);
    }
    if combinations(least, fitting) > MOST_COMBINATIONS {
        let message = format!("{least} of {fitting} selections");
        return refuse(Code::E0305, message, "too many combinations to write out");
    }
    Some(match quantifier {
        Quantifier::All => Expr::All(chosen),
        Quantifier::AtLeast(count) => at_least(count, &chosen),
    })
}

/// The most combinations that `n of` may be written out to
const MOST_COMBINATIONS: usize = 1_000;
/// The most tests that a condition may be written out to
const MOST_TESTS: usize = 100_000;

/// How many ways there are to choose; saturates
fn combinations(choose: usize, of: usize) -> usize {
    let smaller = choose.min(of - choose);
    (0..smaller).fold(1, |ways: usize, at| ways.saturating_mul(of - at) / (at + 1))
}

/// A selection's expression where the condition names it; refused when all of them grow too large
fn written_out(scope: &mut Scope<'_>, expr: &Expr, span: Span) -> Option<Expr> {
    let before = scope.size;
    scope.size += expr.tests().len();
    if scope.size <= MOST_TESTS {
        return Some(expr.clone());
    }
    if before > MOST_TESTS {
        return None;
    }
    let message = format!("the condition has more than {MOST_TESTS} tests when written out");
    scope.report(Diagnostic::new(Code::E0305, scope.source, span, message, "from here on"));
    None
}

/// So many of the parts: every combination of that size, one of which holds
fn at_least(count: usize, parts: &[Expr]) -> Expr {
    match (count, parts) {
        (0, _) => Expr::All(Vec::new()),
        (1, parts) => Expr::Any(parts.to_vec()),
        (_, []) => Expr::Any(Vec::new()),
        (count, parts) if count > parts.len() => Expr::Any(Vec::new()),
        (count, [first, rest @ ..]) => Expr::Any(vec![
            Expr::All(vec![first.clone(), at_least(count - 1, rest)]),
            at_least(count, rest),
        ]),
    }
}

/// `them` leaves out names that start with `_`; `*` stands for any run of characters
fn fits(pattern: &str, name: &str) -> bool {
    if pattern.eq_ignore_ascii_case("them") {
        return !name.starts_with('_');
    }
    let mut rest = name;
    let mut pieces = pattern.split('*').enumerate().peekable();
    while let Some((at, piece)) = pieces.next() {
        let last = pieces.peek().is_none();
        match (at, last) {
            (0, true) => return rest == piece,
            (0, false) => match rest.strip_prefix(piece) {
                Some(tail) => rest = tail,
                None => return false,
            },
            (_, true) => return rest.ends_with(piece),
            (_, false) => match rest.find(piece) {
                Some(found) => rest = &rest[found + piece.len()..],
                None => return false,
            },
        }
    }
    true
}

fn new_terms(
    definition: &Definition,
    written: &definition::NewTerms,
    signals: &[Signal],
    diagnostics: &mut Diagnostics,
) -> Option<NewTerms> {
    let source = &definition.source;
    let mut error = |code, span: Span, message: String, label: &str| {
        diagnostics.push(Diagnostic::new(code, source, span, message, label));
    };
    let window = minutes(&written.window.value).filter(|window| *window >= 5);
    if window.is_none() {
        let message = format!("`{}` is no window", written.window.value);
        let label = "expected five minutes or more, such as 90m, 12h or 7d";
        error(Code::E0403, written.window.span, message, label);
    }
    let signal = signals.iter().position(|signal| signal.name == written.signal.value);
    let Some(signal) = signal else {
        if definition.signals.iter().any(|known| known.name.value == written.signal.value) {
            // It is there and wrong, which has been reported.
            return None;
        }
        let message = format!("no signal is called `{}`", written.signal.value);
        error(Code::E0401, written.signal.span, message, "unknown");
        return None;
    };
    let mut fields = Vec::new();
    for name in &written.fields {
        let field = column_field(&name.value, signals[signal].kind);
        let kind = signals[signal].kind;
        match field {
            Some(field) if fields.contains(&field) => {
                let message = format!("`{}` is a new term twice", name.value);
                error(Code::E0402, name.span, message, "named before");
            }
            Some(field) => fields.push(field),
            None => {
                let message = format!("`{}` is no field of {kind} events", name.value);
                let near = nearest_name(&name.value, COLUMNS.iter().copied());
                let label = near.map_or_else(
                    || format!("expected {} or a field", COLUMNS.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                error(Code::E0402, name.span, message, &label);
            }
        }
    }
    (!fields.is_empty()).then_some(NewTerms { signal, fields, window: window?, span: written.span })
}

/// Names of columns that can be new terms, where the event has them
const COLUMNS: &[&str] =
    &["host", "user", "process", "command_line", "parent", "parent_command_line", "file", "remote"];

/// The field a column name or a field name stands for on this kind of event
fn column_field(name: &str, kind: EventKind) -> Option<Field> {
    use EventKind::{FileEvent, NetworkConnection, ProcessCreation};
    let field = match (name, kind) {
        ("host", _) => "Computer",
        ("user", _) => "User",
        ("process", _) => "Image",
        ("command_line", ProcessCreation) => "CommandLine",
        ("parent", ProcessCreation) => "ParentImage",
        ("parent_command_line", ProcessCreation) => "ParentCommandLine",
        ("file", FileEvent) => "TargetFilename",
        ("remote", NetworkConnection) => "DestinationIp",
        (name, _) => name,
    };
    Field::named(field).filter(|field| field.belongs_to(kind))
}

fn minutes(text: &str) -> Option<u32> {
    let unit = match text.chars().next_back()? {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u32>().ok()?.checked_mul(unit)
}

fn check_tests(definition: &Definition, diagnostics: &mut Diagnostics) {
    let known: Vec<&str> = definition.signals.iter().map(|s| s.name.value.as_str()).collect();
    for sample in &definition.tests {
        if let Some(name) = &sample.signal
            && !known.contains(&name.value.as_str())
        {
            let message = format!("no signal is called `{}`", name.value);
            let source = &definition.source;
            let found = Diagnostic::new(Code::E0404, source, name.span, message, "unknown");
            diagnostics.push(match nearest_name(&name.value, known.iter().copied()) {
                Some(near) => found.replace(name.span, near),
                None => found,
            });
        }
        if matches!(sample.expect, Expectation::Alerts(_)) && definition.new_terms.is_none() {
            let message = "a test of several events needs `new_terms`";
            let label = "nothing here is judged over time";
            let source = &definition.source;
            let found = Diagnostic::new(Code::E0111, source, sample.name.span, message, label);
            diagnostics.push(found);
        }
    }
}
