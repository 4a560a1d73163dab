//! A rule on a target, on its way to a verdict.
//!
//! In: nothing; these are types. Out: what is known of a rule's artifacts before they are tried on events.

use super::digest::Digest;
use crate::backend::{Target, Translation};
use crate::manifest::Artifact;
use crate::query::kusto::Platform;
use crate::verify::Verdict;
use crate::workspace::Loaded;

/// A rule on a target, before all verdicts are known
pub(super) struct Case<'l> {
    pub(super) loaded: &'l Loaded,
    pub(super) target: Target,
    pub(super) stage: Stage,
    pub(super) artifacts: Vec<Digest>,
}

pub(super) enum Stage {
    Done(Verdict),
    /// To try on events: the translation, and the artifact for Kibana's import
    Trial(Box<Translation>, Artifact),
    /// To compile, then to try on events
    Native(Box<Translation>),
    /// To try on events: the translation to Kusto, and the verdict before
    Kusto(Box<Translation>, Platform, Verdict),
}
