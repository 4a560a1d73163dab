//! Microsoft Sentinel and Defender XDR: Kusto over the tables of a profile.
//!
//! In: a [`Rule`]. Out: `<rule>.kql` and the packages of the same rule: for Sentinel an analytic
//! rule, a hunting query and an ARM template, for XDR a custom detection. Sources of limits and
//! lists: Microsoft, the analytic rule schema of the Azure Sentinel repository, the service limits
//! page.

mod address;
mod alerts;
mod arguments;
mod arm;
mod asim;
mod columns;
mod context;
mod correlation;
mod cost;
mod entities;
mod forms;
mod fresh;
mod gather;
mod incident;
mod keys;
mod lets;
mod novelty;
mod ordered;
mod package;
mod predicate;
mod prepare;
mod profile;
mod query;
mod rare;
mod schedule;
mod settings;
mod severity;
mod signal;
mod subject;
mod text;
mod view;
mod window;

use self::query::MAX_QUERY;
use self::schedule::Run;
use super::{Emitted, Session};
use crate::diagnostic::{Cause, Code};
use crate::ir::Rule;
use crate::manifest::Artifact;
use crate::query::kusto::print;
pub(crate) use profile::Profile;

/// Emits the query and its packages
pub(super) fn emit<'r>(
    profile: Profile,
    rule: &'r Rule,
    stem: &str,
    mut session: Session<'r>,
) -> Emitted<'r> {
    let settings = settings::read(profile, &mut session);
    let (plan, shape) = query::plan(profile, rule, &settings, &mut session);
    let mut closed = session.close();
    let query = print(&plan.query(Run::Scheduled, &closed));
    let length = query.encode_utf16().count();
    if length > MAX_QUERY {
        let message = format!("the query has {length} characters, the limit is {MAX_QUERY}");
        let help = format!("Shorten the lists, or split the signals. {}", plan.lengths());
        let why = (Code::E0502, Cause::File);
        closed.refuse_with(why, rule.metadata.title.span, message, "too long", &help);
    }
    let package = package::package(rule, &shape, &settings, &mut closed);
    incident::check(settings.incident.as_ref(), &package.entities, &mut closed);
    let mut artifacts = vec![Artifact { name: format!("{stem}.kql"), text: query.clone() }];
    let mut ids = vec![Vec::new()];
    let (places, schedule, keys) = (plan.places(), Some(plan.schedule()), plan.keys());
    if profile == Profile::Xdr {
        let text = arm::detection(&package, &query, &shape);
        artifacts.push(Artifact { name: format!("{stem}.detection.json"), text });
        ids.push(vec![package.id]);
        return Emitted { artifacts, ids, places, schedule, keys, closed };
    }
    let analytic = view::analytic(&package, &query, &shape, &settings);
    let hunting = print(&plan.query(Run::Hunting, &closed));
    let hunting = view::hunting(&package, &hunting, &shape, &settings);
    for (kind, id, view) in
        [("analytic", &package.id, analytic), ("hunting", &package.hunting_id, hunting)]
    {
        if let Some(text) = closed.render(&format!("sentinel/{kind}.yaml"), &view) {
            artifacts.push(Artifact { name: format!("{stem}.{kind}.yaml"), text });
            ids.push(vec![id.clone()]);
        }
    }
    let text = arm::template(&package, &query, &shape, &settings);
    artifacts.push(Artifact { name: format!("{stem}.arm.json"), text });
    ids.push(vec![package.id]);
    Emitted { artifacts, ids, places, schedule, keys, closed }
}
