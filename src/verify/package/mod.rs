//! What stands around a query: severity, schedule, tables, entities, tactics.
//!
//! In: a rule, its manifest, and its packages as text. Out: a [`Fault`] for each place that says something else than the
//! rule and its author's settings do. The facts are read from the rule a second time, not from the compiler.

mod connectors;
mod entities;
mod facts;
mod terms;
mod written;

use serde_json::Value;

use super::binding::read;
use super::exceptions;
use super::verdict::Fault;
use crate::ir::Rule;
use crate::manifest::{Artifact, Manifest};
use crate::mapping::Mappings;
use entities::Mapped;
use facts::Facts;
use written::ROWS;

/// The faults of a rule's packages
pub fn check_packages(
    (rule, manifest): (&Rule, &Manifest),
    artifacts: &[Artifact],
    mappings: &Mappings,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let of_rule = Facts::of(rule, manifest);
    for artifact in artifacts {
        let ends = |end: &str| artifact.name.ends_with(end);
        let mut tell = |why: String| faults.push(Fault::new(artifact, why));
        if ends(".ndjson") {
            let lines = exceptions::rules(&artifact.text).unwrap_or_default();
            let facts = Facts::of_lines(rule, manifest, &lines);
            for (line, facts) in lines.iter().zip(&facts) {
                let name = line["name"].as_str().unwrap_or_default();
                wrong(&artifact.name, line, facts).for_each(|why| tell(format!("{name}: {why}")));
                terms::wrong(rule, line).into_iter().for_each(|why| tell(format!("{name}: {why}")));
            }
        } else if ends(".json") || ends(".yaml") {
            // What cannot be read is a fault of the binding.
            let Ok(package) = read(artifact) else { continue };
            wrong(&artifact.name, &package, &of_rule).for_each(&mut tell);
            let mapped = Mapped::of(&package);
            mapped.wrong(rule, manifest.target).into_iter().for_each(&mut tell);
            if ends(".analytic.yaml") {
                connectors::missing(&package, manifest, mappings).into_iter().for_each(&mut tell);
            }
        }
    }
    faults
}

/// What a package says otherwise
fn wrong<'p>(
    file: &'p str,
    package: &'p Value,
    facts: &'p Facts,
) -> impl Iterator<Item = String> + 'p {
    let rows = ROWS.iter().filter(move |row| file.ends_with(row.package));
    rows.filter_map(move |row| {
        let wanted = facts.get(row.fact)?;
        let value = row.found(package.pointer(row.path));
        let same = row.same(wanted, &value);
        let key = row.path.rsplit('/').next().unwrap_or_default();
        (!same).then(|| format!("`{key}` is {value}, and the rule's {} is {wanted}", row.fact))
    })
}
