//! Lowers values that name a program, directories, a registry key or an extension.
//!
//! In: a value and the reading of its key. Out: a test of the part of the path that the value
//! names. Refused here, because no path can hold them: a program path without a drive or root, an
//! extension with a dot inside, a key of separators only.

use super::scope::{Reading, Scope};
use super::text::text;
use super::{Expr, Op, Part};
use crate::definition::{Modifier, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::pattern::{Pattern, Token};
use crate::taxonomy::registry;

pub(super) fn program(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    let pattern = value.pattern()?;
    if !pattern.literals().any(|text| text.contains(['\\', '/'])) {
        return Some(text(reading, Part::Name, pattern, value));
    }
    let open = [Modifier::Contains, Modifier::EndsWith].iter().any(|m| reading.has(*m));
    let whole = match pattern.tokens().first() {
        Some(Token::Literal(first)) if !open => starts_a_path(first),
        _ => true,
    };
    if !whole {
        let name = value.written.trim_start_matches('\\');
        let message = format!("no program has the path `{}`", value.written);
        let diagnostic =
            Diagnostic::new(Code::E0212, scope.source, value.span, message, "whole path");
        scope.report(match () {
            () if !name.contains(['\\', '/']) => diagnostic.replace(value.span, name),
            () if name.contains(' ') && !name.contains('\\') => {
                diagnostic.help("A command line goes under `command_lines` or `arguments`.")
            }
            () => diagnostic.help(format!("Write `*\\{name}` for any drive and folder before it.")),
        });
        return None;
    }
    Some(text(reading, Part::Whole, pattern, value))
}

/// Whether a path starts at its root: `C:\`, `/`, `\\server`, a variable such as `%TEMP%`, or a
/// prefix that Windows has before a drive
fn starts_a_path(text: &str) -> bool {
    let drive = text.as_bytes().get(1) == Some(&b':');
    let known = [r"\\", r"\??\", r"\SystemRoot\", r"\Device\"];
    let known = known.iter().any(|prefix| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    drive || text.starts_with('/') || known || text.starts_with('%')
}

pub(super) fn directories(
    scope: &mut Scope<'_>,
    reading: &Reading<'_>,
    value: &Value,
) -> Option<Expr> {
    let slashes = |text: &str| text.replace('\\', "/");
    let pattern = value.pattern()?.map_literals(slashes);
    let mut tokens = pattern.tokens().to_vec();
    let plain = value.written.trim_matches(['\\', '/', '*']);
    if plain.is_empty() || pattern.literals().any(|text| text.contains("//")) {
        let message = format!("`{}` names no directory", value.written);
        scope.error(Code::E0208, value.span, message, "not a run of directories");
        return None;
    }
    let drive = plain.as_bytes().get(1) == Some(&b':');
    match tokens.first_mut() {
        Some(Token::Literal(first)) if !first.starts_with('/') && !drive => first.insert(0, '/'),
        _ => {}
    }
    match tokens.last_mut() {
        Some(Token::Literal(last)) if last.ends_with('/') => {}
        Some(Token::Literal(last)) => last.push('/'),
        _ => tokens.push(Token::Literal("/".into())),
    }
    let op = Op::Segments(vec![Pattern::of(tokens)]);
    Some(reading.test(Part::Whole, op, value.span))
}

/// A test for a run of whole segments of a registry key; the run stands at the start of the key
/// when it begins with a hive
///
/// `CurrentControlSet` is a link to one of the numbered sets, and sensors record either path.
pub(super) fn key(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    let pattern = value.pattern()?;
    let (first, rooted) = match pattern.tokens().first() {
        Some(Token::Literal(first)) => registry::spelled_out(first),
        _ => (String::new(), false),
    };
    let plain = value.written.trim_matches(['\\', '*']);
    if value.written.contains('/') {
        let message = format!("`{}` holds a `/`", value.written);
        let label = "keys are separated by backslashes";
        let diagnostic = Diagnostic::new(Code::E0208, scope.source, value.span, message, label);
        let help = "For a key whose name holds a slash, write `RegistryKey|contains`.";
        scope.report(diagnostic.help(help));
        return None;
    }
    if plain.is_empty() || pattern.literals().any(|text| text.contains("\\\\")) {
        let message = format!("`{}` names no registry key", value.written);
        scope.error(Code::E0208, value.span, message, "not a run of segments");
        return None;
    }
    let mut tokens = pattern.tokens().to_vec();
    if let Some(Token::Literal(text)) = tokens.first_mut() {
        *text = if rooted || first.starts_with('\\') { first } else { format!("\\{first}") };
    }
    match tokens.last_mut() {
        Some(Token::Literal(last)) if last.ends_with('\\') => {}
        Some(Token::Literal(last)) => last.push('\\'),
        _ => tokens.push(Token::Literal("\\".into())),
    }
    let slashes = |text: &str| text.replace('\\', "/");
    let linked = Pattern::of(tokens).map_literals(slashes);
    let mut patterns = vec![linked.clone()];
    patterns.extend(numbered_set(&linked));
    Some(reading.test(Part::Key, Op::Segments(patterns), value.span))
}

/// The key with `ControlSet00?` for `CurrentControlSet`; `None` for a key without it
fn numbered_set(pattern: &Pattern) -> Option<Pattern> {
    const LINK: &str = "/currentcontrolset/";
    let mut tokens = Vec::new();
    let mut found = false;
    for token in pattern.tokens() {
        let Token::Literal(text) = token else {
            tokens.push(token.clone());
            continue;
        };
        match text.to_ascii_lowercase().find(LINK).filter(|_| !found) {
            Some(at) => {
                found = true;
                tokens.push(Token::Literal(format!("{}/ControlSet00", &text[..at])));
                tokens.push(Token::One);
                tokens.push(Token::Literal(text[at + LINK.len() - 1..].to_owned()));
            }
            None => tokens.push(token.clone()),
        }
    }
    found.then(|| Pattern::of(tokens))
}

pub(super) fn extension(
    scope: &mut Scope<'_>,
    reading: &Reading<'_>,
    value: &Value,
) -> Option<Expr> {
    let written = value.written.strip_prefix('.').unwrap_or(&value.written);
    if written.is_empty() || written.contains(['.', '\\', '/']) {
        let message = format!("`{}` is no last extension", value.written);
        scope.report(
            Diagnostic::new(Code::E0208, scope.source, value.span, message, "holds a dot or slash")
                .help("The last extension of `shell.php.jpg` is `jpg`."),
        );
        return None;
    }
    Some(text(reading, Part::Extension, Pattern::read(written), value))
}
