//! Reads regular expressions, and limits the size they compile to.
//!
//! In: a value under the modifier `re`, in the syntax of PCRE. Out: a test over the part of the
//! field that the key names, with a [`RegexPattern`] that targets and the engine can compile: what
//! [`pcre`] made of the value. The size estimate and the engine's compiler stand here side by side,
//! so that no pattern passes the estimate and fails to compile.

use ::regex::{RegexSet, RegexSetBuilder};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

use super::scope::{Reading, Scope};
use super::{Expr, Op, Part};
use crate::definition::vocabulary::Reading as Word;
use crate::definition::{Modifier, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::pcre;

/// Lowers a value under `re`
pub(super) fn lower(scope: &mut Scope<'_>, reading: &Reading<'_>, value: &Value) -> Option<Expr> {
    let flags: String =
        [(Modifier::ReIgnoreCase, 'i'), (Modifier::ReMultiLine, 'm'), (Modifier::ReDotAll, 's')]
            .iter()
            .filter_map(|(modifier, flag)| reading.has(*modifier).then_some(*flag))
            .collect();
    let translated = match pcre::translate(&value.written, pcre::Flags::of(&flags)) {
        Ok(translated) => translated,
        Err(refusal) => {
            refuse(scope, value, refusal);
            return None;
        }
    };
    let pattern = match flags.is_empty() {
        true => translated,
        false => format!("(?{flags}){translated}"),
    };
    let part = match (reading.meaning.reading, scope.product) {
        (Some(Word::Argument), Some(product)) => Part::Argument(product),
        (Some(Word::Program), _) => Part::Name,
        (Some(Word::Extension), _) => Part::Extension,
        _ => Part::Whole,
    };
    match RegexPattern::read(pattern) {
        Ok(pattern) => Some(reading.test(part, Op::Regex(vec![pattern]), value.span)),
        Err(text) => {
            let why = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
            let message = format!("a regular expression that is too large: {why}");
            let label = "cannot be searched for";
            scope.report(Diagnostic::new(Code::E0210, scope.source, value.span, message, label));
            None
        }
    }
}

/// Reports what PCRE cannot read, or what has no equivalent, at its place
fn refuse(scope: &mut Scope<'_>, value: &Value, refusal: pcre::Refusal) {
    let (message, label) = match refusal.reads {
        true => ("a regular expression with", "no target can search for this"),
        false => ("not a regular expression:", "cannot be read"),
    };
    let span = value.part(scope.source, refusal.range);
    let message = format!("{message} {}", refusal.reason);
    let help = "The syntax is that of PCRE, but for what looks ahead, behind or back at what was \
                found: no target can do that.";
    scope.report(Diagnostic::new(Code::E0210, scope.source, span, message, label).help(help));
}

/// A regular expression in the syntax of Rust's regex crate, small enough for the engine
///
/// INVARIANT: [`RegexPattern::read`] is the only way to make one, so compiling it again succeeds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegexPattern(String);

impl std::ops::Deref for RegexPattern {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl RegexPattern {
    /// Checks a pattern
    ///
    /// Compiling takes many times as long as parsing, so only a pattern that may be too large is
    /// compiled here.
    ///
    /// # Errors
    /// The message of the regex crate, when it cannot read the pattern or the pattern compiles to
    /// more than 16 MiB.
    pub fn read(pattern: String) -> Result<Self, String> {
        let parsed = regex_syntax::parse(&pattern).map_err(|error| error.to_string())?;
        if states(&parsed) >= SURELY_SMALL {
            program(&[&pattern], MOST_MEMORY).map_err(|error| error.to_string())?;
        }
        Ok(RegexPattern(pattern))
    }

    /// The number of capturing groups
    pub fn groups(&self) -> usize {
        regex_syntax::parse(self).map_or(0, |hir| hir.properties().explicit_captures_len())
    }

    /// Whether the pattern matches some part of a text
    pub fn is_found_in(&self, text: &str) -> bool {
        Self::compile(std::slice::from_ref(self)).iter().any(|set| set.is_match(text))
    }

    /// Whether the pattern is found in the same texts whatever the case of their letters
    ///
    /// The Kelvin sign and the long s aside: PCRE's `\w` has the letters that they fold to.
    pub fn ignores_case(&self) -> bool {
        regex_syntax::parse(self).is_ok_and(|hir| ignores_case(&hir))
    }

    /// Compiles patterns together; a list too large for one program becomes several
    pub fn compile(patterns: &[Self]) -> Vec<RegexSet> {
        let texts: Vec<&str> = patterns.iter().map(|pattern| &**pattern).collect();
        programs(&texts, MOST_MEMORY)
    }
}

fn ignores_case(pattern: &Hir) -> bool {
    let one = |c| ClassUnicodeRange::new(c, c);
    let closed = |class: ClassUnicode| {
        let mut others = class.clone();
        let folded = others.try_case_fold_simple();
        others.difference(&class);
        others.difference(&ClassUnicode::new([one('\u{212a}'), one('\u{17f}')]));
        folded.is_ok() && others.ranges().is_empty()
    };
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(text) => std::str::from_utf8(&text.0)
            .is_ok_and(|text| text.chars().all(|c| closed(ClassUnicode::new([one(c)])))),
        HirKind::Class(Class::Unicode(class)) => closed(class.clone()),
        HirKind::Class(Class::Bytes(class)) => class.to_unicode_class().is_some_and(closed),
        HirKind::Repetition(many) => ignores_case(&many.sub),
        HirKind::Capture(group) => ignores_case(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(ignores_case),
    }
}

fn programs(patterns: &[&str], memory: usize) -> Vec<RegexSet> {
    match (program(patterns, memory), patterns.len()) {
        (Ok(set), _) => vec![set],
        (Err(_), 0 | 1) => program(patterns, usize::MAX).into_iter().collect(),
        (Err(_), many) => {
            let (first, rest) = patterns.split_at(many / 2);
            [programs(first, memory), programs(rest, memory)].concat()
        }
    }
}

/// The most memory that one compiled set of patterns may take, in bytes
const MOST_MEMORY: usize = 16 << 20;

/// A pattern with fewer states takes far less than [`MOST_MEMORY`]: a state has 24 bytes
const SURELY_SMALL: u64 = 50_000;

fn program(patterns: &[&str], memory: usize) -> Result<RegexSet, ::regex::Error> {
    RegexSetBuilder::new(patterns).size_limit(memory).build()
}

/// About how many states a pattern compiles to
fn states(pattern: &Hir) -> u64 {
    let all = |parts: &[Hir]| parts.iter().map(states).fold(0, u64::saturating_add);
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(text) => text.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => 4 * class.ranges().len() as u64,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Repetition(many) => {
            let times = u64::from(many.max.unwrap_or(many.min).max(1));
            states(&many.sub).saturating_mul(times)
        }
        HirKind::Capture(group) => states(&group.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => all(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_taken_for_small_compiles_within_the_limit() {
        for unit in ["\\w", "a", "(?i)k", "[a-z]?", "(?:a|bc)", "\\pL{1,3}", "(a)", "\\b", "(?s:.)"]
        {
            let largest = (1..20).rev().map(|power| format!("(?:{unit}){{{}}}", 1_u64 << power));
            let mut taken =
                largest.filter_map(|text| Some((states(&regex_syntax::parse(&text).ok()?), text)));
            let Some((_, text)) = taken.find(|(states, _)| *states < SURELY_SMALL) else {
                continue;
            };
            assert!(program(&[&text], MOST_MEMORY).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_list_beyond_one_program_becomes_several() {
        let words: Vec<String> = (0..20).map(|at| format!(r"\bword{at}\s")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let sets = programs(&words, 8_000);
        assert!(sets.len() > 1, "{}", sets.len());
        assert_eq!(sets.iter().filter(|set| set.is_match("word19 x")).count(), 1);
        assert_eq!(sets.iter().map(RegexSet::len).sum::<usize>(), 20);
    }

    #[test]
    fn a_pattern_ignores_case_when_all_of_it_does() {
        let ignores = |text: &str| RegexPattern::read(text.to_owned()).unwrap().ignores_case();
        assert!(ignores("(?i)cmd [0-9]") && ignores("(?i:cmd)|[0-9]") && ignores("[Cc][Mm]"));
        assert!(ignores("(?i)kiss(?-i:[[:word:]])"));
        assert!(!ignores("(?i:cmd) x") && !ignores("(?:in)") && !ignores("(?i)a(?-i)b"));
    }

    #[test]
    fn a_pattern_beyond_the_limit_is_refused() {
        assert!(RegexPattern::read(r"\w{2000}".to_owned()).unwrap_err().contains("size limit"));
        assert!(RegexPattern::read(r"cmd|\w{200}".to_owned()).is_ok());
    }
}
