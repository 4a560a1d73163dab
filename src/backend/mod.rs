//! Station 3: targets.
//!
//! In: a [`Rule`]. Out: [`Artifact`]s that the target imports unchanged, and their losses. A
//! target is a field table, a plan from IR to target expressions, and views for its templates.
//! It expresses the rule exactly, or names a [`Loss`](crate::manifest::Loss), or refuses with a code. A session collects
//! these, and is closed before anything is printed.

mod account;
pub mod elastic;
mod expression;
mod findings;
mod losses;
mod manifest;
pub mod native;
pub mod operators;
mod policy;
mod presence;
pub mod sentinel;
mod session;
pub mod settings;
pub mod template;
mod unsupported;

use std::sync::Arc;

use crate::definition::live::inert;
use crate::definition::{self, TargetSettings, nearest_name};
use crate::diagnostic::{Cause, Code, Diagnostic, Diagnostics};
use crate::ir::{self, Rule};
use crate::source::{SourceText, Span, Spanned, is_unprintable};
use crate::taxonomy::Product;

use crate::manifest::{Artifact, LossName, Manifest, Schedule};
use crate::mapping::Asked;
use findings::compared;
use policy::is_accepted;
pub use policy::{Decision, Files, Policy, Weight};
use sentinel::Profile;
use session::{Closed, Session};

/// Text of the rule on one line: unprintable characters become blanks
fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect()
}

/// Why a place of a target misses events of a rule that asks for no product
fn missing_products(place: &str, products: &[Product]) -> String {
    let names: Vec<&str> = products.iter().map(|product| product.name()).collect();
    format!("{place} holds events of {} only", names.join(" and "))
}

/// Text of the rule that a browser may show as Markdown: line breaks and tabs stay, other
/// unprintable characters become blanks, tags and links are made inert
fn shown(text: &str) -> String {
    let blank = |c| if is_unprintable(c) && !"\n\t".contains(c) { ' ' } else { c };
    inert(&text.chars().map(blank).collect::<String>())
}

/// The events of a signal, as mappings are asked for them
fn asked_of(signal: &ir::Signal) -> Asked<'_> {
    Asked { events: &signal.kind, log: signal.log.as_ref(), product: signal.product }
}

/// A target that rules compile to
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Microsoft Sentinel, Defender tables
    Sentinel,
    /// Microsoft Sentinel, ASIM parsers
    Asim,
    /// Defender XDR
    Xdr,
    /// Elastic Security
    Elastic,
    /// Rust source that needs only std
    Native,
}

impl Target {
    /// Every target
    pub const ALL: &[Target] =
        &[Target::Sentinel, Target::Asim, Target::Xdr, Target::Elastic, Target::Native];

    /// The targets that every rule is compiled for; other targets need an entry under `targets:`
    pub const USUAL: [Target; 3] = [Target::Sentinel, Target::Elastic, Target::Native];

    /// The default targets of a rule: [`Target::USUAL`] and those under its `targets:`
    pub fn of(rule: &Rule) -> Vec<Target> {
        let named = |target: &Target| rule.said_of(target.name()).is_some();
        let meant = |target: &&Target| Self::USUAL.contains(target) || named(target);
        Self::ALL.iter().filter(meant).copied().collect()
    }

    /// Its name on the command line and under `targets:`
    pub fn name(self) -> &'static str {
        match self {
            Target::Sentinel => "sentinel",
            Target::Asim => "asim",
            Target::Xdr => "xdr",
            Target::Elastic => "elastic",
            Target::Native => "native",
        }
    }

    /// Its artifacts in words, for `list targets`
    pub fn describe(self) -> &'static str {
        match self {
            Target::Sentinel => "Kusto query, analytic rule, hunting query and ARM template",
            Target::Asim => "the same over the ASIM parsers; for rules that ask for it",
            Target::Xdr => "Kusto query and custom detection; for rules that ask for it",
            Target::Elastic => {
                "detection rules, TOML and Kibana import, in EQL or Kibana's query language"
            }
            Target::Native => "Rust source of a matcher that needs only std",
        }
    }

    /// The target with this name
    pub fn named(name: &str) -> Option<Target> {
        Self::ALL.iter().copied().find(|target| target.name() == name)
    }

    /// The set of tables that its queries ask; `None` for a target without queries of Kusto
    fn profile(self) -> Option<Profile> {
        match self {
            Target::Sentinel => Some(Profile::Workspace),
            Target::Asim => Some(Profile::Asim),
            Target::Xdr => Some(Profile::Xdr),
            Target::Elastic | Target::Native => None,
        }
    }

    /// The code of a refusal: the target cannot express the rule
    fn refusal(self) -> Code {
        match self {
            Target::Sentinel | Target::Asim | Target::Xdr => Code::E0501,
            Target::Elastic => Code::E0601,
            Target::Native => Code::E0701,
        }
    }
}

/// Reports what a target does not take of settings that stand in no rule, at their place in `source`
pub fn check_settings(
    settings: &TargetSettings,
    source: &Arc<SourceText>,
    diagnostics: &mut Diagnostics,
) {
    // A rule of which nothing but its settings can be wrong.
    const RULE: &str = "{title: Rule, id: 00000000-0000-0000-0000-000000000000, date: 2026-01-01, \
                        signals: {one: {event: process_creation, children: [a.exe]}}}";
    let probe = Arc::new(SourceText::new("", RULE));
    let mut ignored = Diagnostics::default();
    let definition = definition::parse(&probe, &mut ignored).into_iter().next();
    let rule = definition.and_then(|definition| ir::lower(&definition, &mut ignored));
    let Some(mut rule) = rule else { return };
    rule.source = Arc::clone(source);
    let mut probed = settings.clone();
    // The user's own mappings are not read yet.
    probed.settings.entries.retain(|(name, _)| name.value != "mappings");
    rule.targets = vec![probed];
    check_targets(&rule, diagnostics);
    if let Some(target) = Target::named(&settings.target.value) {
        let mut of_target = Diagnostics::default();
        translate(target, &rule, "", &mut of_target);
        let about = [Code::E0110, Code::E0506, Code::E0607, Code::E0701];
        let of_settings = of_target.sorted().into_iter().filter(|one| about.contains(&one.code));
        of_settings.for_each(|one| diagnostics.push(one));
    }
}

/// Reports settings for unknown targets
pub fn check_targets(rule: &Rule, diagnostics: &mut Diagnostics) {
    let known = || Target::ALL.iter().map(|target| target.name());
    for said in &rule.targets {
        if Target::named(&said.target.value).is_some() {
            continue;
        }
        let (name, span) = (&said.target.value, said.target.span);
        let message = format!("no target is called `{name}`");
        let diagnostic = Diagnostic::new(Code::E0112, &rule.source, span, message, "unknown word");
        diagnostics.push(match nearest_name(name, known()) {
            Some(near) => diagnostic.replace(span, near),
            None => diagnostic.note(format!("targets: {}", known().collect::<Vec<_>>().join(", "))),
        });
    }
}

/// Where a target searches the events of a signal
#[derive(Default)]
struct Place {
    /// The name of the rows in which its own are, if they have one
    rows: Option<String>,
    /// The tables or the index patterns
    searched: Vec<String>,
    /// The mapping that they belong to
    mapping: Option<String>,
}

/// What a backend has emitted for a rule
struct Emitted<'r> {
    artifacts: Vec<Artifact>,
    /// The ids of the target's rules in each artifact
    ids: Vec<Vec<String>>,
    /// For each signal of the rule
    places: Vec<Place>,
    schedule: Option<Schedule>,
    /// The columns of each correlation's keys; nothing where the target says them otherwise
    keys: Vec<Vec<String>>,
    closed: Closed<'r>,
}

impl<'r> Emitted<'r> {
    /// Nothing, for a rule that is refused or left without signals
    fn nothing(closed: Closed<'r>) -> Self {
        let (artifacts, ids, places) = (Vec::new(), Vec::new(), Vec::new());
        Emitted { artifacts, ids, places, schedule: None, keys: Vec::new(), closed }
    }
}

/// A rule compiled for a target
#[derive(Debug, Clone)]
pub struct Translation {
    /// The rule, minus the signals and correlations under `without:`
    pub rule: Rule,
    /// The files for the target; empty when `without:` names every signal
    pub artifacts: Vec<Artifact>,
    /// What the artifacts are, and their losses, which they list in their descriptions
    pub manifest: Manifest,
}

/// Emits a rule for a target; `None` when the target refuses it, with the reason in `diagnostics`
///
/// `stem` is the rule's file name without extension; artifacts are named after it.
pub fn emit(
    target: Target,
    rule: &Rule,
    stem: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Artifact>> {
    translate(target, rule, stem, diagnostics).map(|translation| translation.artifacts)
}

/// Like [`emit`], and returns the compiled rule and the manifest as well
///
/// Losses weigh what they usually do: see [`translate_by`].
pub fn translate(
    target: Target,
    rule: &Rule,
    stem: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Translation> {
    translate_by(&Policy::default(), target, rule, stem, diagnostics).translation
}

/// What comes of a rule on a target
#[derive(Debug, Default)]
pub struct Attempt {
    /// The rule as compiled; `None` when the target refuses it
    pub translation: Option<Translation>,
    /// The losses, also of a refused rule, with what they weigh; without those that the rule's author
    /// accepts
    pub losses: Vec<(LossName, Weight)>,
}

/// Like [`translate`], with what a project has decided about losses
pub fn translate_by(
    policy: &Policy,
    target: Target,
    rule: &Rule,
    stem: &str,
    diagnostics: &mut Diagnostics,
) -> Attempt {
    let said = rule.said_of(target.name()).into_iter();
    let names: Vec<&Spanned<String>> = said.flat_map(|said| &said.without).collect();
    let without: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    let reduced = match rule.without(&without) {
        Ok(reduced) => reduced,
        Err(needs) => {
            let span = names.iter().map(|name| name.span).reduce(Span::cover).unwrap_or_default();
            let message = format!("{} is left without what `{needs}` needs", target.name());
            let diagnostic = Diagnostic::new(Code::E0411, &rule.source, span, message, "needed");
            let diagnostic = diagnostic.because(Cause::Setting("without".to_owned()));
            diagnostics.push(diagnostic.help(format!("Name `{needs}` here as well.")));
            return Attempt::default();
        }
    };
    let mut session = Session::new((target, policy), &reduced, &without);
    let beyond = unsupported::refuse(target, &reduced, &mut session);
    let emitted = match (target.profile(), target) {
        _ if beyond || reduced.signals.is_empty() => Emitted::nothing(session.close()),
        (Some(profile), _) => sentinel::emit(profile, &reduced, stem, session),
        (None, Target::Native) => native::emit(&reduced, stem, session),
        (None, _) => elastic::emit(&reduced, stem, session),
    };
    let Emitted { artifacts, ids, places, schedule, keys, closed } = emitted;
    let (losses, findings) = closed.finish();
    let refused = findings.has_errors();
    diagnostics.extend(findings);
    let unaccepted = losses.iter().filter(|(loss, _)| !is_accepted(loss.name, target, &reduced));
    let weighed = unaccepted.map(|(loss, weight)| (loss.name, *weight)).collect();
    if refused {
        return Attempt { translation: None, losses: weighed };
    }
    let files = artifacts.iter().map(|artifact| artifact.name.as_str()).zip(ids).collect();
    let manifest =
        manifest::of(target, &reduced, manifest::Parts { files, places, schedule, keys }, &losses);
    let translation = Some(Translation { rule: reduced, artifacts, manifest });
    Attempt { translation, losses: weighed }
}

/// The id of one output of a rule: UUID version 5 of the rule's id and the output's name
///
/// An id that is no UUID is hashed to one; for a Sigma rule without an id, the title is.
fn derived_id(rule: &Rule, output: &str) -> String {
    let own = rule.metadata.id.as_ref().unwrap_or(&rule.metadata.title).value.as_str();
    let hashed = || uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, own.as_bytes());
    let namespace = uuid::Uuid::try_parse(own).unwrap_or_else(|_| hashed());
    uuid::Uuid::new_v5(&namespace, output.as_bytes()).hyphenated().to_string()
}
