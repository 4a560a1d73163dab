//! `report -o` and `report --navigator`: pages for a browser, and a layer for the ATT&CK Navigator.
//!
//! In: a workspace. Out: files. All facts are gathered here; [`pages`](crate::pages) shows them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clap::Args;

use super::convert::must_be_a_folder;
use super::events::EventForm;
use super::input::Rules;
use super::movement::movement;
use super::report::{self, count};
use super::{Global, Stop, diff, sightings, verdict};
use crate::backend::Target;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::pages::{self, Facts, Proof, Review};
use crate::project::{self, Change, Failure};
use crate::workspace::{Emitted, Loaded, Outcome, Output, Workspace};

/// Options of `report` that write files
#[derive(Args)]
pub(super) struct Pages {
    /// Write pages for a browser to this folder, and begin at its index.html; pages of earlier runs are
    /// replaced, other files stay
    #[arg(short, long, value_name = "DIR", help_heading = "Pages")]
    output: Option<PathBuf>,
    /// Also verify what is emitted, as `rulecast verify` does, and show the verdicts
    #[arg(long, requires = "output", help_heading = "Pages")]
    proof: bool,
    /// Also show when `modified`, `version` and `date` of each rule changed, from git
    #[arg(long, requires = "output", help_heading = "Pages")]
    history: bool,
    /// Also a page about what changed since a revision of git or another folder, as `rulecast diff` tells it
    #[arg(long, value_name = "REV|DIR", requires = "output", help_heading = "Pages")]
    against: Option<String>,
    /// Also a page about what the rules find in this file, folder or glob of events, repeatable
    #[arg(short, long, value_name = "FILE", requires = "output", help_heading = "Pages")]
    events: Vec<PathBuf>,
    /// Write a layer for the ATT&CK Navigator to this file
    #[arg(long, value_name = "FILE", help_heading = "Pages")]
    navigator: Option<PathBuf>,
    #[command(flatten)]
    form: EventForm,
}

impl Pages {
    /// Whether files are to be written
    pub(super) fn are_asked(&self) -> bool {
        self.output.is_some() || self.navigator.is_some()
    }

    /// Writes the files; returns the findings about the rules on their targets
    pub(super) fn write(
        &self,
        global: &Global,
        rules: &Rules,
        workspace: &mut Workspace,
        targets: &[Target],
    ) -> Result<Vec<Diagnostics>, Stop> {
        if let Some(file) = &self.navigator {
            project::replaceable(file)?;
            let layer = pages::layer(&rules.name(), &workspace.rules);
            project::update(file, |_| Ok(layer.clone()))?;
            report::say(global, &format!("layer written to {}", project::display(file)))?;
        }
        let Some(folder) = &self.output else {
            return Ok(workspace.rows(targets).into_iter().map(|row| row.found).collect());
        };
        must_be_a_folder(folder)?;
        let mut diagnostics = Diagnostics::default();
        let emitted = workspace.emitted(targets);
        let facts = self.facts(global, rules, (workspace, targets, &emitted), &mut diagnostics)?;
        let pages = pages::render(&facts).map_err(Failure::new)?;
        write(global, folder, pages)?;
        refusals(global, &emitted)?;
        let mut all: Vec<Diagnostics> = emitted.into_iter().map(|one| one.row.found).collect();
        all.push(diagnostics);
        Ok(all)
    }

    /// Gathers what the pages tell
    fn facts<'w>(
        &self,
        global: &Global,
        rules: &Rules,
        (workspace, asked, emitted): (&'w Workspace, &[Target], &'w [Emitted<'w>]),
        diagnostics: &mut Diagnostics,
    ) -> Result<Facts<'w>, Stop> {
        let errors = workspace.diagnostics.iter().filter(|one| one.severity == Severity::Error);
        let errors: Vec<Diagnostic> = errors.cloned().collect();
        let targets = match asked {
            [] => emitted
                .iter()
                .map(|one| one.row.target)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            asked => asked.to_vec(),
        };
        let files: BTreeSet<&str> =
            workspace.rules.iter().map(|one| one.rule.source.name()).collect();
        Ok(Facts {
            name: rules.name(),
            rules: &workspace.rules,
            emitted,
            targets,
            unread: workspace.refused,
            errors,
            proofs: if self.proof { Some(proofs(workspace, asked)?) } else { None },
            history: if self.history { Some(project::history(&files)?) } else { None },
            review: match &self.against {
                Some(against) => Some(self.review(
                    global,
                    rules,
                    (workspace, emitted),
                    against,
                    asked,
                    diagnostics,
                )?),
                None => None,
            },
            sightings: match self.events.is_empty() {
                true => None,
                false => Some(sightings::read(workspace, (&self.events, &self.form), diagnostics)?),
            },
        })
    }

    /// What a change means
    fn review(
        &self,
        global: &Global,
        rules: &Rules,
        (after, emitted): (&Workspace, &[Emitted<'_>]),
        against: &str,
        targets: &[Target],
        found: &mut Diagnostics,
    ) -> Result<Review, Stop> {
        let before: &Workspace = rules.load_before(against)?;
        let emitted_before = before.emitted(targets);
        let wrong = after.files_with_errors();
        let changes = diff::compared((before, &emitted_before), (after, emitted), &wrong);
        let events = (&*self.events, &self.form);
        let movement = movement(global, [before, after], (&changes, targets), events, found)?;
        Ok(Review { against: against.to_owned(), changes, movement })
    }
}

/// The verdicts on what is emitted, by the index of the rule
fn proofs(
    workspace: &Workspace,
    targets: &[Target],
) -> Result<BTreeMap<(usize, Target), Proof>, Failure> {
    let verified =
        project::verify((&workspace.rules, &workspace.policy), targets, None, &mut || {
            Ok(Vec::new())
        })?;
    let places: HashMap<*const Loaded, usize> =
        workspace.rules.iter().enumerate().map(|(at, one)| (std::ptr::from_ref(one), at)).collect();
    let proof = |one: &project::Verified<'_>| {
        let at = *places.get(&std::ptr::from_ref(one.loaded))?;
        let proof = Proof { word: one.verdict.word(), detail: verdict::detail(one, &[]) };
        Some(((at, one.target), proof))
    };
    Ok(verified.iter().filter_map(proof).collect())
}

/// Says how many rules each target refuses, for that is why the run ends with findings
fn refusals(global: &Global, emitted: &[Emitted<'_>]) -> Result<(), Stop> {
    let mut refused: BTreeMap<Target, usize> = BTreeMap::new();
    for one in emitted.iter().filter(|one| one.row.outcome() == Outcome::Refused) {
        *refused.entry(one.row.target).or_default() += 1;
    }
    for (target, number) in refused {
        report::say(global, &format!("  {} refused on {}", count(number, "rule"), target.name()))?;
    }
    Ok(())
}

/// Writes pages, removes those of earlier runs, and says so
fn write(global: &Global, folder: &Path, pages: Vec<pages::Page>) -> Result<(), Stop> {
    let output =
        |page: pages::Page| Output { path: page.path, text: page.text, ids: Vec::new(), rule: 0 };
    let outputs: Vec<Output> = pages.into_iter().map(output).collect();
    project::tidy(folder, &outputs);
    let mut written = 0;
    for output in &outputs {
        written += usize::from(project::write(folder, output)? != Change::Same);
    }
    let kept = outputs.iter().map(|output| output.path.as_str()).collect();
    let removed = project::remove_stale(folder, &kept, pages::GENERATOR)?;
    let removed =
        if removed > 0 { format!(", {removed} of earlier runs removed") } else { String::new() };
    let same = outputs.len() - written;
    let name = project::display(folder);
    let written = count(written, "page");
    Ok(report::say(
        global,
        &format!("{written} written to {name}, {same} unchanged{removed}: open {name}/index.html"),
    )?)
}
