//! Nothing that a rule says becomes code: each hostile word at each place, in each format.
//!
//! What is emitted is read back by the format's own parser and held against the same rule with a
//! harmless word: the same keys, words and signs, and in the place of the word the payload, as it is
//! or in the form that its target is documented to get. A rule that is refused is fine.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use rulecast::Artifact;
use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::query::kusto::{Platform, Schema};
use rulecast::source::is_unprintable;
use rulecast::verify::{Verdict, bind};
use rulecast::workspace::{Loaded, Text, Workspace};

use crate::hostile::{DOCUMENTS, PAYLOADS, WORD};
use crate::readers::{Piece, pieces};

/// Every target but ASIM, whose packages are Sentinel's
const TARGETS: [Target; 4] = [Target::Sentinel, Target::Xdr, Target::Elastic, Target::Native];

/// What each target makes of a text; nothing of a target that refuses it
fn emitted(text: &str) -> Vec<(Target, Vec<Artifact>)> {
    let workspace = Workspace::read(&Text::new("rule.yml", text).into());
    let sound = !workspace.diagnostics.has_errors();
    let Some(Loaded { rule, .. }) = workspace.rules.first().filter(|_| sound) else {
        return Vec::new();
    };
    TARGETS
        .iter()
        .filter_map(|target| {
            Some((*target, emit(*target, rule, "rule", &mut Diagnostics::default())?))
        })
        .collect()
}

/// What is wrong with the artifacts of a target by themselves
fn broken(target: Target, artifacts: &[Artifact]) -> Option<String> {
    let platform = match target {
        Target::Sentinel | Target::Asim => Platform::Sentinel,
        Target::Xdr => Platform::AdvancedHunting,
        Target::Elastic | Target::Native => return None,
    };
    match bind((platform, &Schema::default()), artifacts) {
        Verdict::Broken(faults) => Some(faults[0].message.clone()),
        Verdict::Same(_) | Verdict::Binds { .. } | Verdict::Different(_) => None,
        Verdict::Unchecked(why) => Some(why),
    }
}

/// A text without what a target's documented form of it changes
///
/// Unprintable characters are blanks, blanks are folded, braces parted, tags and links dead, plugins
/// and transforms of Elastic spelled, and a reference that would run says that it is no link.
fn plain(text: &str) -> String {
    let text: String = text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = text.replace("{ {", "{{").replace("{ {", "{{");
    for (written, meant) in [
        ("&lt;", "<"),
        ("]\\(", "]("),
        ("!\\{", "!{"),
        ("$osquery\\_", "$osquery_"),
        ("not a link: ", ""),
    ] {
        text = text.replace(written, meant);
    }
    // A sentence gets its period, also where nothing can be seen of it.
    text.replace([' ', '.'], "")
}

/// Where a harmless artifact and one with a payload differ in more than that
fn difference(harmless: &[Piece], hostile: &[Piece], payload: &str) -> Option<String> {
    // Metadata of blanks only is left out of what is written.
    if harmless.len() != hostile.len() && payload.trim().is_empty() {
        return None;
    }
    if harmless.len() != hostile.len() {
        let shorter = harmless.iter().zip(hostile).find(|(a, b)| match (a, b) {
            (Piece::Code(a), Piece::Code(b)) => a != b,
            (Piece::Text(_), Piece::Text(_)) => false,
            (Piece::Code(_), Piece::Text(_)) | (Piece::Text(_), Piece::Code(_)) => true,
        });
        return Some(format!("{} pieces, not {}: {shorter:?}", hostile.len(), harmless.len()));
    }
    harmless.iter().zip(hostile).find_map(|(a, b)| match (a, b) {
        (a, b) if a == b => None,
        // A word of the code that is named after what was written there is one word still.
        (Piece::Code(a), Piece::Code(b))
            if a.to_lowercase().contains(WORD) && b.starts_with(char::is_alphabetic) =>
        {
            None
        }
        (Piece::Text(a), Piece::Text(b)) => {
            let expected = plain(&a.replace(WORD, payload));
            let got = plain(b);
            // A hunting query shows the first line, or the head of it, an ARM template doubles the first bracket.
            let first = plain(&a.replace(WORD, payload.trim_start().lines().next().unwrap_or("")));
            let doubled = format!("[{expected}");
            // What shows nothing may leave the place to another text.
            let cut = got.len() > 150 && expected.starts_with(&got);
            let same =
                cut || plain(payload).is_empty() || [&expected, &first, &doubled].contains(&&got);
            (!same).then(|| format!("{b:?}, not {expected:?}"))
        }
        (a, b) => Some(format!("{b:?}, not {a:?}")),
    })
}

#[test]
fn a_hostile_text_at_any_place_is_one_text_in_every_format() {
    let read = AtomicUsize::new(0);
    let mut cells = Vec::new();
    for document in DOCUMENTS {
        for (place, ..) in document.places {
            let harmless = Arc::new(Harmless::of(&emitted(&document.with(place, WORD))));
            let cell = |payload: &&'static str| (document, *place, *payload, harmless.clone());
            cells.extend(PAYLOADS.iter().map(cell));
        }
    }
    let wrong: Vec<String> = cells
        .par_iter()
        .flat_map_iter(|(document, place, payload, harmless)| {
            let mut wrong = Vec::new();
            for (target, artifacts) in emitted(&document.with(place, payload)) {
                read.fetch_add(artifacts.len(), Ordering::Relaxed);
                let all = harmless.wrong(target, &artifacts, payload);
                let target = target.name();
                wrong.extend(
                    all.iter().map(|one| format!("{payload:?} as {place}: {target} {one}")),
                );
            }
            wrong
        })
        .collect();
    let read = read.into_inner();
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(read > 8_000, "{read} artifacts of {} cells", cells.len());
    println!("{read} artifacts of {} cells", cells.len());
}

/// The artifacts of a rule with a word, as texts and as pieces, by target and name
struct Harmless(HashMap<(Target, String), (String, Vec<Piece>)>);

impl Harmless {
    fn of(emitted: &[(Target, Vec<Artifact>)]) -> Harmless {
        assert!(!emitted.is_empty());
        let all = emitted.iter().flat_map(|(target, all)| all.iter().map(move |one| (target, one)));
        let read = all.map(|(target, one)| {
            ((*target, one.name.clone()), (one.text.clone(), pieces(one).unwrap()))
        });
        Harmless(read.collect())
    }

    /// What is wrong with the artifacts of the rule with a payload
    fn wrong(&self, target: Target, artifacts: &[Artifact], payload: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut changed = false;
        for artifact in artifacts {
            let Some((text, harmless)) = self.0.get(&(target, artifact.name.clone())) else {
                wrong.push(format!("{}: not there with the word", artifact.name));
                continue;
            };
            if *text == artifact.text {
                continue;
            }
            changed |= artifact.name.ends_with(".kql");
            let found = match pieces(artifact) {
                Err(why) => Some(why),
                Ok(mine) => difference(harmless, &mine, payload),
            };
            wrong.extend(found.map(|what| format!("{}: {what}", artifact.name)));
        }
        wrong.extend(broken(target, artifacts).filter(|_| changed));
        wrong
    }
}
