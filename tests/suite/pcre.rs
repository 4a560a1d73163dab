//! Regular expressions of rules mean what PCRE says: every translation is compared with PCRE2
//! itself, on texts near the expression.
//!
//! `RULECAST_EXECUTIONS` says how many random expressions are tried; `RULECAST_CORPUS` is a folder
//! with the rules of others. The same number gives the same expressions and texts everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use regex::RegexSet;
use regex_syntax::hir::{Class, Hir, HirKind};
use rulecast::pcre::{Flags, translate};
use rulecast::verify::near::chance::Dice;

use crate::replay::executions;
use crate::support::corpus;

/// How many random expressions are tried when nobody says how many
const FEW: usize = 4_000;
/// How many texts each expression is tried on
const TEXTS: usize = 60;

/// What has been tried
#[derive(Default)]
struct Tally {
    expressions: usize,
    texts: usize,
    matches: usize,
    unchanged: usize,
    /// What both refuse
    wrong: usize,
    refused: BTreeMap<String, usize>,
    differences: Vec<String>,
}

/// An expression as PCRE2 reads it: Unicode text, no Unicode properties for `\w`
///
/// Without PCRE2's just-in-time compiler and without its rewriting of repetitions: both lose
/// matches that the manual promises (10.46: the one for `(ab|c) .{2,9} -D .{1,9}z`, the other for
/// `.*\R` before a carriage return and for `\h+\S` before U+180E).
fn oracle(pattern: &str, flags: &str) -> Result<pcre2::bytes::Regex, pcre2::Error> {
    let mut builder = pcre2::bytes::RegexBuilder::new();
    builder.utf(true).caseless(flags.contains('i'));
    builder.multi_line(flags.contains('m')).dotall(flags.contains('s'));
    builder.build(&format!("(*NO_AUTO_POSSESS){pattern}"))
}

/// An expression as Sigma's flags make it one of the regex crate
fn ours(pattern: &str, flags: &str) -> Result<RegexSet, regex::Error> {
    RegexSet::new([if flags.is_empty() { pattern.into() } else { format!("(?{flags}){pattern}") }])
}

impl Tally {
    fn try_one(&mut self, pattern: &str, flags: &str, dice: &mut Dice) {
        self.expressions += 1;
        let theirs = oracle(pattern, flags);
        let translated = match (translate(pattern, Flags::of(flags)), &theirs) {
            (Ok(translated), Ok(_)) => translated,
            (Err(refusal), theirs) => {
                assert!(pattern.get(refusal.range.clone()).is_some(), "{pattern:?}: {refusal:?}");
                if refusal.reads {
                    *self.refused.entry(refusal.reason).or_default() += 1;
                } else if theirs.is_ok() {
                    self.differ(format!("{pattern:?} is read by PCRE: {refusal:?}"));
                } else {
                    self.wrong += 1;
                }
                return;
            }
            // PCRE has a limit on the size of what it compiles, too.
            (Ok(_), Err(error)) if error.to_string().contains("too large") => return,
            (Ok(translated), Err(error)) => {
                return self.differ(format!("{pattern:?} is none: {error}; ours: {translated:?}"));
            }
        };
        self.unchanged += usize::from(translated == pattern);
        let ours = match ours(&translated, flags) {
            Ok(ours) => ours,
            Err(regex::Error::CompiledTooBig(_)) => return,
            Err(error) => return self.differ(format!("{pattern:?} as {translated:?}: {error}")),
        };
        let Ok(theirs) = theirs else { return };
        for text in texts(pattern, &translated, dice) {
            // Beyond its limit of steps PCRE gives up.
            let Ok(found) = theirs.is_match(text.as_bytes()) else { continue };
            self.texts += 1;
            self.matches += usize::from(found);
            if found != ours.is_match(&text) {
                let told = format!(
                    "{pattern:?} {flags:?} as {translated:?} on {text:?}: PCRE says {found}"
                );
                return self.differ(told);
            }
        }
    }

    fn differ(&mut self, told: String) {
        self.differences.push(told);
    }

    fn finish(self, what: &str) {
        let told = format!(
            "{what}: {} expressions, {} unchanged, {} no PCRE, {} texts, {} matches",
            self.expressions, self.unchanged, self.wrong, self.texts, self.matches
        );
        // Straight to the terminal: the test harness would swallow `println!`.
        let _ = writeln!(std::io::stderr(), "{told}; refused: {:?}", self.refused);
        let some = &self.differences[..self.differences.len().min(20)];
        assert!(some.is_empty(), "{} differences\n{}", self.differences.len(), some.join("\n"));
        assert!(self.matches > 0 && self.matches < self.texts, "the texts do not tell anything");
    }
}

/// Texts near an expression
fn texts(pattern: &str, translated: &str, dice: &mut Dice) -> BTreeSet<String> {
    let own: Vec<char> = pattern.chars().chain(ODD.chars()).collect();
    let hir = regex_syntax::parse(translated).ok();
    let mut all = BTreeSet::from([String::new(), "\n".into(), "\r\n".into(), "\n\n".into()]);
    for _ in 0..TEXTS / 3 {
        let mut text = String::new();
        if let Some(hir) = &hir {
            sample(hir, &mut text, dice);
        }
        if dice.roll(8) == 0 {
            text = (0..dice.roll(6)).map(|_| own[dice.roll(own.len())]).collect();
        }
        let end = ["\n", "\r\n", "x", "\n\n", " ", "\u{2028}"][dice.roll(6)];
        all.insert(format!("{text}{end}"));
        all.insert(near(&text, &own, dice));
        all.insert(text);
    }
    all
}

/// Characters on which the dialects could differ
const ODD: &str =
    "\n\n\r\tkKsS\u{212a}\u{17f}éÉßΣςσ٣x0_ -\u{a0}\u{85}\u{2028}\u{b}\u{8}\u{1b}<>[]&~{}#Aa";

/// A text with one to three characters changed
fn near(text: &str, own: &[char], dice: &mut Dice) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(characters.len() + 1);
        let other = own[dice.roll(own.len())];
        match dice.roll(5) {
            0 => characters.insert(at, other),
            _ if at == characters.len() => characters.push(other),
            1 => drop(characters.remove(at)),
            2 => characters[at] = other,
            3 => {
                let c = characters[at];
                let swapped: String = match c.is_lowercase() {
                    true => c.to_uppercase().collect(),
                    false => c.to_lowercase().collect(),
                };
                characters.splice(at..=at, swapped.chars());
            }
            _ => characters.truncate(at),
        }
    }
    characters.into_iter().collect()
}

/// A text that an expression may match, at random
fn sample(hir: &Hir, text: &mut String, dice: &mut Dice) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            if let Some(range) = class.ranges().get(dice.roll(class.ranges().len().max(1))) {
                let (from, to) = (range.start() as u32, range.end() as u32);
                let at = from + dice.roll((to - from + 1).min(100) as usize) as u32;
                text.push(char::from_u32(at).unwrap_or(range.end()));
            }
        }
        HirKind::Class(Class::Bytes(class)) => {
            if let Some(range) = class.ranges().get(dice.roll(class.ranges().len().max(1))) {
                text.push(range.start() as char);
            }
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(3));
            let times = repetition.min + dice.roll((most - repetition.min + 1) as usize) as u32;
            (0..times.min(300)).for_each(|_| sample(&repetition.sub, text, dice));
        }
        HirKind::Capture(capture) => sample(&capture.sub, text, dice),
        HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, text, dice)),
        HirKind::Alternation(parts) => sample(&parts[dice.roll(parts.len())], text, dice),
    }
}

/// Pieces of expressions, most of them read differently somewhere
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "a", "b", "k", "s", "K", "é", "É", "x", " ", "\n", "\\n", ".", ".", "$", "$", "^", "\\A",
    "\\z", "\\Z", "\\b", "\\B", "\\K", "\\G", "\\N", "\\R", "\\h", "\\H", "\\v", "\\V", "\\X",
    "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\<", "\\>", "\\-", "\\/", "\\\"", "\\'", "\\@",
    "\\_", "\\ ", "\\#", "\\é", "\\e", "\\a", "\\f", "\\cA", "\\c[", "\\012", "\\0", "\\o{101}",
    "\\x41", "\\x4", "\\x{e9}", "\\x{212a}", "\\y", "\\i", "\\1", "\\12", "\\8", "\\g1", "\\k<n>",
    "\\Qa.b\\E", "\\Q[\\E", "\\Q", "\\E", "\\pL", "\\p{Lu}", "\\P{Ll}", "\\p{^N}", "\\p{L&}",
    "\\p{Greek}", "{", "}", "{a", "{,3}", "{ 2}", "{2,1}", "]", "#", "&&", "-", "~", "<", ">",
    "[a-k]", "[^k]", "[[:alpha:]]", "[[:^upper:]]", "[[:lower:]k]", "[\\w.-]", "[\\W]",
    "[^\\s\"]", "[|&&;]", "[+--]", "[a~~b]", "[[a]", "[]a]", "[^]a]", "[]", "[a-\\d]", "[\\w-k]",
    "[\\w-]", "[\\b]", "[\\Qa]\\E]", "[\\Qa\\E-\\Qk\\E]", "[a&&[b]]", "[k-s]", "[^\\W]", "[\\h]",
    "[\\H\\n]", "[\\v]", "[\\R]", "[\\1]", "[\\8]", "[\\g]", "[a-c-e]", "[é]", "[^é]",
    "[\\p{Lu}]", "[\\x{17f}]", "[[.a.]]", "[[:foo:]]", "[:a:]", "[[:a]", "[\\n]", "[^a]", "[ #]",
    "(?i)", "(?-i)", "(?s)", "(?m)", "(?x)", "(?xx)", "(?U)", "(?J)", "(?n)", "(?^)", "(?^i)",
    "(?i-s)", "(?-)", "(?#c)", "(?im-s)", "(?-x)", "(*UTF)", "(?=a)", "(?<!a)", "(?R)", "(?1)",
    "(?C1)", "# c\n", "*", "+", "?", "|", "|", "[[:<:]]", "\\N{U+41}", "\\Z", "$",
];

#[rustfmt::skip]
const OPENINGS: &[&str] = &[
    "(", "(", "(?:", "(?:", "(?i:", "(?s:", "(?m:", "(?x:", "(?-i:", "(?>", "(?<n>", "(?P<o>",
    "(?'p'", "(?^:", "(?ms:", "(?|",
];

#[rustfmt::skip]
const TIMES: &[&str] = &[
    "*", "+", "?", "{2}", "{1,2}", "{2,}", "{0}", "*?", "+?", "??", "{1,3}?", "*+", "++", "{2}+",
    "{01}",
];

/// A random expression
fn expression(dice: &mut Dice, depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..1 + dice.roll(4) {
        match dice.roll(12) {
            0 | 1 if depth > 0 => {
                out.push_str(OPENINGS[dice.roll(OPENINGS.len())]);
                out.push_str(&expression(dice, depth - 1));
                out.push(')');
            }
            2 if depth > 0 => {
                out.push_str(&expression(dice, depth - 1));
                out.push('|');
                out.push_str(&expression(dice, depth - 1));
            }
            3..=5 => out.push_str(["a", "b", ".", "\\s", "\\w", "\n"][dice.roll(6)]),
            _ => out.push_str(PIECES[dice.roll(PIECES.len())]),
        }
        if dice.roll(4) == 0 {
            out.push_str(TIMES[dice.roll(TIMES.len())]);
        }
    }
    out
}

fn flags(dice: &mut Dice) -> String {
    [("i", 3), ("m", 4), ("s", 4)]
        .iter()
        .filter(|(_, of)| dice.roll(*of) == 0)
        .map(|(f, _)| *f)
        .collect()
}

#[test]
fn random_expressions_mean_what_pcre_says() {
    let mut tally = Tally::default();
    for at in 0..executions(FEW) {
        let mut dice = Dice((at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let pattern = expression(&mut dice, 2);
        let flags = flags(&mut dice);
        tally.try_one(&pattern, &flags, &mut dice);
    }
    tally.finish("random expressions");
}

/// Every piece by itself, and between letters, under each flag
#[test]
fn every_piece_means_what_pcre_says() {
    let mut tally = Tally::default();
    let mut dice = Dice(7);
    for piece in PIECES {
        for pattern in [(*piece).to_owned(), format!("a{piece}b"), format!("^{piece}+$")] {
            for flags in ["", "i", "m", "s"] {
                tally.try_one(&pattern, flags, &mut dice);
            }
        }
    }
    tally.finish("pieces");
}

/// The values under `re` in the rules of a folder, each with the flags of its key
fn written(folder: &Path) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap().into_path());
    for path in files.filter(|path| path.extension().is_some_and(|end| end == "yml")) {
        for document in fs::read_to_string(&path).unwrap_or_default().split("\n---") {
            let document: Result<serde_yaml::Value, _> = serde_yaml::from_str(document);
            document.iter().for_each(|document| values(document, &mut all));
        }
    }
    all
}

fn values(node: &serde_yaml::Value, all: &mut BTreeSet<(String, String)>) {
    if let Some(list) = node.as_sequence() {
        list.iter().for_each(|node| values(node, all));
    }
    for (key, value) in node.as_mapping().into_iter().flatten() {
        values(value, all);
        let Some((_, modifiers)) = key.as_str().and_then(|key| key.split_once("|re")) else {
            continue;
        };
        let one = std::slice::from_ref(value);
        let several = value.as_sequence().map_or(one, |list| &list[..]);
        let texts = several.iter().filter_map(|value| value.as_str());
        all.extend(texts.map(|text| (text.to_owned(), modifiers.to_owned())));
    }
}

#[test]
fn expressions_of_rules_mean_what_pcre_says() {
    let Some(corpus) = corpus("expressions_of_rules_mean_what_pcre_says") else { return };
    let mut tally = Tally::default();
    for folder in ["data/sigma/rules", "cases"] {
        for (pattern, modifiers) in written(&corpus.join(folder)) {
            let on =
                |flag: &char| modifiers.split('|').any(|modifier| modifier == flag.to_string());
            let flags: String = ['i', 'm', 's'].into_iter().filter(on).collect();
            for seed in 1..4 {
                tally.try_one(&pattern, &flags, &mut Dice(seed));
            }
        }
    }
    tally.finish("expressions of rules");
}
