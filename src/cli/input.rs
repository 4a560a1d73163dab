//! The input of commands: rules, filters, placeholders, and the settings of the project.

use std::path::{Path, PathBuf};

use clap::Args;

use super::report;
use crate::backend::{Decision, Files, Weight};
use crate::diagnostic::Diagnostics;
use crate::manifest::LossName;
use crate::mapping::Mappings;
use crate::project::{self, Config, Failure, Tree};
use crate::workspace::Workspace;

/// Options of every command that reads rules
#[derive(Args, Clone)]
pub(super) struct Surroundings {
    /// Add Sigma filters to the rules that they name, repeatable
    #[arg(long = "filter", value_name = "PATH")]
    filters: Vec<PathBuf>,
    /// What `%name%` stands for under the modifier `expand`: a YAML map of names to values
    #[arg(long, value_name = "FILE")]
    placeholders: Option<PathBuf>,
    /// What the rules on standard input (`-`) are called in findings and outputs
    #[arg(long, value_name = "NAME")]
    stdin_name: Option<String>,
    /// Accept a loss on every target for this run, repeatable; `rulecast list losses` names them
    #[arg(long, value_name = "LOSS", value_parser = loss)]
    accept: Vec<LossName>,
    /// Ask this mapping only, repeatable: the first that can say a rule; `*` stands for the others;
    /// `rulecast list mappings` names them
    #[arg(long = "mapping", value_name = "NAME")]
    mappings: Vec<String>,
    #[command(flatten)]
    pub(super) settings: Settings,
}

/// Where the settings of the project are
#[derive(Args, Clone)]
pub(super) struct Settings {
    /// File of settings, in place of the nearest `rulecast.toml` from here upwards
    #[arg(long, value_name = "FILE", env = "RULECAST_CONFIG")]
    config: Option<PathBuf>,
    /// Overlay of the settings: the exclusions, lists, indices and decisions of one tenant
    #[arg(long, value_name = "NAME", env = "RULECAST_OVERLAY")]
    pub(super) overlay: Option<String>,
}

/// The rules that a command is about
#[derive(Args, Clone)]
pub(super) struct Rules {
    /// Rule files or folders, `-` for standard input; without one, those of `rulecast.toml`, else the folder `rules`
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    surroundings: Surroundings,
}

/// Reads the name of a loss; the error lists the names of all losses
fn loss(name: &str) -> Result<LossName, String> {
    let known: Vec<_> = LossName::ALL.iter().map(|loss| loss.name()).collect();
    let loss = LossName::ALL.iter().copied().find(|loss| loss.name() == name);
    loss.ok_or_else(|| format!("expected {}", known.join(", ")))
}

impl Rules {
    /// Whether rules stand on standard input, and so in no file
    pub(super) fn are_on_stdin(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == "-")
    }

    /// What the set of rules is called: the names of its files and folders, without the ways to them
    pub(super) fn name(&self) -> String {
        let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = |path: &PathBuf| match (path.parent().and_then(last), last(path)) {
            // So many folders have this name that it tells nothing.
            (Some(parent), Some(name)) if name == "rules" => format!("{parent}/{name}"),
            (_, Some(name)) => name,
            (_, None) => "rules".to_owned(),
        };
        let names: Vec<String> = self.paths.iter().map(name).collect();
        if names.is_empty() { "rules".to_owned() } else { names.join(", ") }
    }

    /// Reads the rules as they were in another folder, or at a revision of git
    pub(super) fn load_before(&self, before: &str) -> Result<&'static mut Workspace, Failure> {
        self.surroundings.load_before(&self.paths, before)
    }

    /// Reads the rules, with filters and placeholders
    pub(super) fn load(&self) -> Result<&'static mut Workspace, Failure> {
        self.surroundings.load(&self.paths)
    }
}

impl Settings {
    /// Reads the settings of the project
    pub(super) fn read(&self) -> Result<Config, Failure> {
        let mut findings = Diagnostics::default();
        let config = Config::find(self.config.as_deref(), &mut findings)?;
        without_mistakes(config, findings)
    }
}

impl Surroundings {
    /// Reads the rules
    ///
    /// They are leaked: to drop thousands of rules would take long, and the memory is freed when
    /// the process ends.
    pub(super) fn load(&self, paths: &[PathBuf]) -> Result<&'static mut Workspace, Failure> {
        self.load_from(paths, &Tree::Disk, &self.settings.read()?)
    }

    /// Reads the rules as they were: in another folder, or at a revision of git, each with the settings
    /// of the project that stand there
    pub(super) fn load_before(
        &self,
        paths: &[PathBuf],
        before: &str,
    ) -> Result<&'static mut Workspace, Failure> {
        let other = PathBuf::from(before);
        if other.exists() {
            let mut findings = Diagnostics::default();
            let folder = if other.is_dir() { &*other } else { other.parent().unwrap_or(&other) };
            let config = Config::nearest(&Tree::Disk, folder, &mut findings)?;
            let config = without_mistakes(config, findings)?;
            return self.load_from(std::slice::from_ref(&other), &Tree::Disk, &config);
        }
        let tree = Tree::at(before)?;
        let mut findings = Diagnostics::default();
        let config = match self.settings.config.as_deref() {
            Some(named) if tree.has(named) => Config::read(&tree, named, &mut findings)?,
            Some(_) => Config::default(),
            None => Config::nearest(&tree, Path::new(""), &mut findings)?,
        };
        let config = without_mistakes(config, findings)?;
        let there = |path: &&PathBuf| tree.has(path);
        let then = Surroundings {
            filters: self.filters.iter().filter(there).cloned().collect(),
            placeholders: self.placeholders.iter().find(there).cloned(),
            ..self.clone()
        };
        let kept: Vec<PathBuf> = paths.iter().filter(there).cloned().collect();
        match (paths, &*kept) {
            ([_, ..], []) => Ok(Box::leak(Box::default())),
            (_, kept) => then.load_from(kept, &tree, &config),
        }
    }

    fn load_from(
        &self,
        paths: &[PathBuf],
        tree: &Tree,
        config: &Config,
    ) -> Result<&'static mut Workspace, Failure> {
        let layers = config.layers(self.settings.overlay.as_deref())?;
        let from_file = |paths: &mut dyn Iterator<Item = &String>| -> Vec<PathBuf> {
            paths.map(|path| config.path(path)).collect()
        };
        let roots = match &*config.rules {
            [] => vec![Path::new("rules").to_owned()],
            rules => from_file(&mut rules.iter().map(|path| &path.value)),
        };
        let rules = if paths.is_empty() { roots.clone() } else { paths.to_vec() };
        let mut filters = self.filters.clone();
        let layered = layers.iter().flat_map(|layer| layer.filters.iter().chain(&layer.mappings));
        filters.extend(from_file(&mut layered.map(|path| &path.value)));
        let lists = layers.iter().rev().find_map(|layer| layer.placeholders.as_ref());
        let lists = lists.map(|path| config.path(&path.value));
        let placeholders = self.placeholders.clone().or(lists);
        let (stdin_name, tree) = (self.stdin_name.clone(), tree.clone());
        let surroundings = project::Surroundings { filters, placeholders, stdin_name, roots, tree };
        let mut workspace = project::load_with(&rules, &surroundings)?;
        config.apply(&layers, &mut workspace);
        for name in self.mappings.iter().filter(|name| !Mappings::is_rest(name)) {
            workspace.policy.mappings.find(name).map_err(Failure::new)?;
        }
        workspace.policy.asked.clone_from(&self.mappings);
        if !self.accept.is_empty() {
            let (losses, files) = (self.accept.clone(), Files::All);
            let decision = Decision { losses, targets: Vec::new(), files, weight: Weight::Note };
            workspace.policy.decisions.push(decision);
        }
        Ok(Box::leak(Box::new(workspace)))
    }
}

/// The settings, when no finding is about them
fn without_mistakes(config: Config, findings: Diagnostics) -> Result<Config, Failure> {
    let findings = findings.sorted();
    let Some(first) = findings.first() else { return Ok(config) };
    findings.iter().for_each(report::complain);
    Err(Failure::new(format!("{} has mistakes", first.source.name())))
}
