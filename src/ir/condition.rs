//! Lowers a Sigma condition over named selections.
//!
//! In: `detection:` as parsed. Out: one clause for each operand of the top-level `and`, with the
//! tests of each selection in place of its name. A condition is refused when it expands to more
//! than `MOST_TESTS` tests or `MOST_COMBINATIONS` combinations.

use std::collections::HashMap;

use super::scope::Scope;
use super::test;
use super::{Clause, ClauseOrigin, Expr, Role, normalize};
use crate::definition::{Condition, Detection, Quantifier, nearest_name};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};

/// A clause that the author wrote, normalized
pub(super) fn clause(role: Role, label: &str, expr: Expr) -> Clause {
    let (origin, label) = (ClauseOrigin::Author, label.to_owned());
    Clause { role, origin, label, expr: normalize(expr) }
}

/// Lowers a detection; each operand of the top-level `and` becomes a clause of its own
pub(super) fn lower<'d>(scope: &mut Scope<'d>, detection: &'d Detection) -> Vec<Clause> {
    let before = scope.diagnostics.len();
    let mut searches = Searches::default();
    for (name, alternatives) in &detection.selections {
        let parts = alternatives.iter().map(|one| test::lower_all(scope, one)).collect();
        searches.places.entry(&name.value).or_insert(searches.all.len());
        searches.all.push(Search { name, expr: Expr::Any(parts), used: false, uses: 0 });
    }
    let mut patterns = Vec::new();
    detection.conditions.iter().for_each(|one| count_uses(one, &mut searches, &mut patterns));
    if let Some(first) = patterns.first()
        && patterns.len().saturating_mul(searches.all.len()) > MOST_LOOKS
    {
        let (times, selections) = (patterns.len(), searches.all.len());
        let message = format!("{times} times `of` over {selections} selections");
        let diagnostic =
            Diagnostic::new(Code::E0305, scope.source, first.span, message, "too many");
        scope.report(diagnostic.help("Name the selections, or join several under one name."));
        return Vec::new();
    }
    for pattern in patterns {
        let named = searches.all.iter_mut().filter(|search| fits(pattern, &search.name.value));
        named.for_each(|search| search.uses += 1);
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
    // An unknown name is probably an unused selection misspelt; then no selection is called unused.
    let unknown = |diagnostic: &Diagnostic| matches!(diagnostic.code, Code::E0302 | Code::E0303);
    let failed = scope.diagnostics.iter().skip(before).any(unknown);
    for search in searches.all.iter().filter(|search| !search.used && !failed) {
        let message = format!("the condition does not use selection `{}`", search.name.value);
        let span = search.name.span;
        scope.report(Diagnostic::new(Code::W0304, scope.source, span, message, "unused"));
    }
    clauses
}

/// The selections, and the index of each by name
#[derive(Default)]
struct Searches<'d> {
    all: Vec<Search<'d>>,
    places: HashMap<&'d str, usize>,
}

struct Search<'d> {
    name: &'d Spanned<String>,
    expr: Expr,
    used: bool,
    /// How many uses in the condition are still to come
    uses: usize,
}

impl Search<'_> {
    /// Takes the expression for one use; `None` when all uses together exceed [`MOST_TESTS`]
    fn written_out(&mut self, scope: &mut Scope<'_>, span: Span) -> Option<Expr> {
        self.used = true;
        let before = scope.size;
        scope.size += self.expr.size();
        if scope.size > MOST_TESTS {
            if before <= MOST_TESTS {
                let message =
                    format!("the condition has more than {MOST_TESTS} tests when written out");
                let code = Code::E0305;
                scope.report(Diagnostic::new(code, scope.source, span, message, "from here on"));
            }
            return None;
        }
        self.uses = self.uses.saturating_sub(1);
        // Most selections are used once: the last use takes the expression without a clone.
        Some(match self.uses {
            0 => std::mem::replace(&mut self.expr, Expr::Any(Vec::new())),
            _ => self.expr.clone(),
        })
    }
}

/// Counts the uses of each selection in a condition, and gathers its patterns
fn count_uses<'d>(
    condition: &'d Condition,
    searches: &mut Searches<'_>,
    patterns: &mut Vec<&'d Spanned<String>>,
) {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => {
            parts.iter().for_each(|part| count_uses(part, searches, patterns));
        }
        Condition::Not(part) => count_uses(part, searches, patterns),
        Condition::Selection(name) => {
            if let Some(at) = searches.places.get(name.value.as_str()) {
                searches.all[*at].uses += 1;
            }
        }
        Condition::Of(_, pattern) => patterns.push(pattern),
    }
}

/// Operands of an `and`, nested ones included: `a and b and c` parses as `(a and b) and c`
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
    searches: &mut Searches<'_>,
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
    searches: &mut Searches<'_>,
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
            if let Some(at) = searches.places.get(name.value.as_str()) {
                return searches.all[*at].written_out(scope, name.span);
            }
            let message = format!("no selection is called `{}`", name.value);
            let diagnostic =
                Diagnostic::new(Code::E0302, scope.source, name.span, message, "unknown");
            let known = searches.all.iter().map(|search| search.name.value.as_str());
            scope.report(match nearest_name(&name.value, known) {
                Some(near) => diagnostic.replace(name.span, near),
                None => diagnostic,
            });
            None
        }
        Condition::Of(quantifier, pattern) => of(scope, quantifier.value, pattern, searches),
    }
}

fn of(
    scope: &mut Scope<'_>,
    quantifier: Quantifier,
    pattern: &Spanned<String>,
    searches: &mut Searches<'_>,
) -> Option<Expr> {
    let mut chosen = Vec::new();
    for search in searches.all.iter_mut().filter(|s| fits(&pattern.value, &s.name.value)) {
        chosen.push(search.written_out(scope, pattern.span)?);
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
    // A selection is copied into every combination that contains it.
    let copies = combinations(least.saturating_sub(1), fitting - 1);
    let tests = chosen.iter().map(Expr::size).sum::<usize>().saturating_mul(copies);
    let written_out = matches!(quantifier, Quantifier::AtLeast(2..)) && tests > MOST_TESTS;
    if written_out || combinations(least, fitting) > MOST_COMBINATIONS {
        let message = format!("{least} of {fitting} selections");
        return refuse(Code::E0305, message, "too many combinations to write out");
    }
    Some(match quantifier {
        Quantifier::All => Expr::All(chosen),
        Quantifier::AtLeast(count) => at_least(count, &chosen),
    })
}

/// Limit on the combinations that `n of` expands to
const MOST_COMBINATIONS: usize = 1_000;

/// Limit on comparisons of patterns with names: patterns times selections
const MOST_LOOKS: usize = 10_000_000;

/// Limit on the tests of an expanded condition
const MOST_TESTS: usize = 100_000;

/// The number of ways to choose `choose` of `of` items; saturates
fn combinations(choose: usize, of: usize) -> usize {
    let smaller = choose.min(of - choose);
    (0..smaller).fold(1, |ways: usize, at| ways.saturating_mul(of - at) / (at + 1))
}

/// At least `count` of the parts hold; covers every combination of that size
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

/// Whether a pattern fits a name: `them` fits all names but those that start with `_`; `*` stands
/// for any run of characters
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
                Some(start) => rest = &rest[start + piece.len()..],
                None => return false,
            },
        }
    }
    true
}
