//! The settings of a project: `rulecast.toml`.
//!
//! In: the nearest `rulecast.toml` from a folder upwards, or a file that the user names. Out: a
//! [`Config`] with the place of every value, or findings at the words. [`Config::apply`] carries
//! the decisions out on a loaded workspace.

mod apply;
pub(crate) mod keys;
mod read;

pub(crate) use read::CHECK_WEIGHTS;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Failure, RuleFile, Tree, absolute};
use crate::backend::{Target, Weight};
use crate::definition::TargetSettings;
use crate::diagnostic::{Code, Diagnostics};
use crate::manifest::LossName;
use crate::source::{SourceText, Spanned};

/// The name of the file
pub const FILE: &str = "rulecast.toml";

/// The settings of a project
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file; `None` without one
    pub source: Option<Arc<SourceText>>,
    /// The folder of the file, which paths in it start from
    pub folder: PathBuf,
    /// Files and folders of rules
    pub rules: Vec<Spanned<String>>,
    /// What holds for every run
    pub common: Layer,
    /// What holds for a run that names the overlay
    pub overlays: Vec<(Spanned<String>, Layer)>,
}

/// A layer of settings: those of the project, or those of one tenant or environment over them
#[derive(Debug, Clone, Default)]
pub struct Layer {
    /// Files and folders of Sigma filters: exclusions
    pub filters: Vec<Spanned<String>>,
    /// Files and folders of mappings
    pub mappings: Vec<Spanned<String>>,
    /// The file with the values of placeholders: lists
    pub placeholders: Option<Spanned<String>>,
    /// Settings of targets for rules that do not set them
    pub targets: Vec<TargetSettings>,
    /// Decisions about losses
    pub losses: Vec<LossDecision>,
    /// Decisions about warnings
    pub checks: Vec<CheckDecision>,
    /// Rules that are left out, by the paths of their files
    pub disabled: Vec<Spanned<String>>,
}

/// What losses weigh in some rules
#[derive(Debug, Clone)]
pub struct LossDecision {
    /// The kinds of loss
    pub names: Vec<LossName>,
    /// The targets; every target when empty
    pub targets: Vec<Target>,
    /// Paths of files of rules, with wildcards; every file when empty
    pub paths: Vec<Spanned<String>>,
    /// What they weigh
    pub weight: Spanned<Weight>,
    /// Why
    pub reason: String,
    /// The last day of the decision, as `YYYY-MM-DD`; `None` without an end
    pub until: Option<Spanned<String>>,
}

/// Which warnings some rules report
#[derive(Debug, Clone)]
pub struct CheckDecision {
    /// Codes of warnings, or what codes begin with
    pub codes: Vec<Spanned<String>>,
    /// Paths of files of rules, with wildcards; every file when empty
    pub paths: Vec<Spanned<String>>,
    /// Whether the warnings are errors; left out otherwise
    pub deny: bool,
}

impl Config {
    /// Reads the file that the user names, or the nearest one from the working folder upwards
    ///
    /// Without a file every setting has its default.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(named: Option<&Path>, findings: &mut Diagnostics) -> Result<Config, Failure> {
        match named {
            Some(path) => Config::read(&Tree::Disk, path, findings),
            None => Config::nearest(&Tree::Disk, Path::new(""), findings),
        }
    }

    /// Reads the nearest file from a folder upwards; every setting has its default without one
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn nearest(
        tree: &Tree,
        folder: &Path,
        findings: &mut Diagnostics,
    ) -> Result<Config, Failure> {
        let mut up = folder.to_owned();
        for _ in absolute(folder).ancestors() {
            let file = up.join(FILE);
            if tree.is_file(&file) {
                return Config::read(tree, &file, findings);
            }
            up.push("..");
        }
        Ok(Config::default())
    }

    /// Reads a file of settings
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(tree: &Tree, path: &Path, findings: &mut Diagnostics) -> Result<Config, Failure> {
        let file = RuleFile::at(path);
        let text = String::from_utf8(file.read(tree)?)
            .map_err(|_| Failure::new(format!("{} is not UTF-8", super::display(path))))?;
        let source = Arc::new(SourceText::new(super::display(path), text));
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(read::config(&source, folder, findings))
    }

    /// The layers that hold for a run, the stronger one last
    ///
    /// # Errors
    /// When no overlay has this name.
    pub fn layers(&self, overlay: Option<&str>) -> Result<Vec<&Layer>, Failure> {
        let Some(name) = overlay else { return Ok(vec![&self.common]) };
        let known = self.overlays.iter().find(|(known, _)| known.value == name);
        let names = || self.overlays.iter().map(|(name, _)| name.value.as_str());
        match known {
            Some((_, layer)) => Ok(vec![&self.common, layer]),
            None => {
                let names: Vec<&str> = names().collect();
                let known = match &*names {
                    [] => "the settings have none".to_owned(),
                    names => format!("there is {}", names.join(", ")),
                };
                Err(Failure::new(format!("no overlay is called `{name}`: {known}")))
            }
        }
    }

    /// A path of the file, seen from the working folder
    pub fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// The place of a value in the file, for people: `rulecast.toml:3`
    pub fn place<T>(&self, value: &Spanned<T>) -> String {
        let line = |source: &Arc<SourceText>| source.line_column(value.span.start).0;
        let source = self.source.as_ref();
        source.map_or_else(String::new, |source| format!("{}:{}", source.name(), line(source)))
    }
}

/// A UUID for a new definition; with `SOURCE_DATE_EPOCH` the same for the same title
pub fn new_id(title: &str) -> String {
    let now = jiff::Timestamp::now().as_nanosecond();
    let name = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(fixed) => format!("{fixed} {title}"),
        Err(_) => format!("{now} {} {title}", std::process::id()),
    };
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).hyphenated().to_string()
}

/// Today as `YYYY-MM-DD`, or the day of `SOURCE_DATE_EPOCH`, which makes builds repeatable
pub fn today() -> String {
    let fixed = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    let fixed = fixed.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let now = fixed.unwrap_or_else(jiff::Timestamp::now);
    now.strftime("%Y-%m-%d").to_string()
}

/// The codes that a settings file may name: those of warnings
pub(super) fn is_warning(beginning: &str) -> bool {
    beginning.starts_with('W') && Code::ALL.iter().any(|code| code.as_str().starts_with(beginning))
}
