//! Regular expressions: whether they can be read, and how large they become.
//!
//! In: a value under the modifier `re`. Out: a test over the part of the field that the key is
//! about. The pattern stays text, in the syntax of Rust's regex crate; every engine compiles it.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::test::Scope;
use super::value::Reading;
use super::{Expr, Op, Part};
use crate::definition::vocabulary::Reading as Word;
use crate::definition::{Modifier, Value};
use crate::diagnostic::{Code, Diagnostic};

/// Lowers a value under `re`
pub(super) fn lower(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    let flags: String =
        [(Modifier::ReIgnoreCase, 'i'), (Modifier::ReMultiLine, 'm'), (Modifier::ReDotAll, 's')]
            .iter()
            .filter_map(|(modifier, flag)| reading.has(*modifier).then_some(*flag))
            .collect();
    let pattern = match flags.is_empty() {
        true => value.written.clone(),
        false => format!("(?{flags}){}", value.written),
    };
    let part = match (reading.meaning.reading, scope.product) {
        (Some(Word::Argument), Some(product)) => Part::Argument(product),
        (Some(Word::Program), _) => Part::Name,
        (Some(Word::Extension), _) => Part::Extension,
        _ => Part::Whole,
    };
    match readable(&pattern) {
        Ok(()) => Some(reading.test(part, Op::Regex(vec![pattern]), value.span)),
        Err(text) => {
            let why = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
            let message = format!("not a regular expression: {why}");
            scope.report(
                Diagnostic::new(Code::E0210, scope.source, value.span, message, "cannot be read")
                    .help("The syntax is that of Rust's regex crate, without look-around."),
            );
            None
        }
    }
}

/// Whether the regex crate reads a pattern, or what it says
///
/// Compiling takes many times as long as parsing, and only tells more of a pattern that may be too
/// large.
fn readable(pattern: &str) -> Result<(), String> {
    /// A third of what the regex crate takes, and far above what people write
    const LARGE: u64 = 1_000_000;
    let parsed = regex_syntax::parse(pattern).map_err(|error| error.to_string())?;
    if size(&parsed) < LARGE {
        return Ok(());
    }
    ::regex::Regex::new(pattern).map(|_| ()).map_err(|error| error.to_string())
}

/// About how many states a pattern compiles to
fn size(pattern: &Hir) -> u64 {
    let all = |parts: &[Hir]| parts.iter().map(size).fold(0, u64::saturating_add);
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(text) => text.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => 4 * class.ranges().len() as u64,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Repetition(many) => {
            let times = u64::from(many.max.unwrap_or(many.min).max(1));
            size(&many.sub).saturating_mul(times)
        }
        HirKind::Capture(group) => size(&group.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
    }
}
