//! The files of the folder that an editor has opened.
//!
//! In: the folder, with its `rulecast.toml` if it has one. Out: for a text, the other texts that can
//! change what is said about it: filters, mappings, correlations and the rules that they name, and
//! rules with the same id, title or file name. Everything else in the folder is left out, so that a
//! change of one rule is answered at once, and the findings are still those of the whole folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::diagnostic::Diagnostics;
use crate::project::{self, Config, RuleFile};
use crate::source::SourceText;
use crate::workspace::{Role, Sources, Text, Workspace};

/// The texts of open documents, by name
type Texts = BTreeMap<String, Arc<SourceText>>;

/// A file of the folder
#[derive(Debug)]
struct File {
    folder: String,
    role: Role,
    /// Its bytes on disk
    bytes: Vec<u8>,
    head: Head,
}

/// What a text says about others
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    /// Ids, names and titles, and the name of its file
    names: BTreeSet<String>,
    /// Whether it holds a filter or a mapping
    is_wide: bool,
    /// Whether it holds a filter
    has_filter: bool,
    /// Whether it holds a correlation of rules
    has_correlation: bool,
    /// Of a text with a correlation: every word
    words: BTreeSet<String>,
}

/// The files of a folder, in the order in which a run reads them
#[derive(Debug, Default)]
pub(super) struct Folder {
    config: Config,
    files: BTreeMap<String, File>,
    /// Where rules and filters are looked for
    roots: Vec<(PathBuf, Role)>,
    /// Whether every file there is meant to be a rule: somebody has said that rules are there
    is_of_rules: bool,
    /// The files that give a name
    by_name: HashMap<String, BTreeSet<String>>,
}

impl Folder {
    /// Reads a folder; files that cannot be read are left out
    pub(super) fn open(root: &Path) -> Folder {
        let settings = root.join(project::FILE);
        let config = if settings.is_file() {
            Config::find(Some(&settings), &mut Diagnostics::default()).unwrap_or_default()
        } else {
            Config::default()
        };
        let mut folder = Folder { config, ..Folder::default() };
        let written = folder.config.rules.iter().map(|path| folder.config.path(&path.value));
        let mut rules: Vec<PathBuf> = written.collect();
        folder.is_of_rules = !rules.is_empty() || root.join("rules").is_dir();
        if rules.is_empty() {
            let usual = root.join("rules");
            rules.push(if usual.is_dir() { usual } else { root.to_owned() });
        }
        let layer = &folder.config.common;
        let filters = layer.filters.iter().chain(&layer.mappings);
        let filters: Vec<PathBuf> = filters.map(|path| folder.config.path(&path.value)).collect();
        folder.read(&rules, Role::Rules);
        folder.read(&filters, Role::Filters);
        folder
    }

    fn read(&mut self, paths: &[PathBuf], role: Role) {
        self.roots.extend(paths.iter().map(|path| (path.clone(), role)));
        let files: Vec<RuleFile> = paths.iter().flat_map(project::on_disk).collect();
        let read = |file: &RuleFile| {
            let bytes = file.read(&project::Tree::Disk).ok()?;
            let head = Head::of(&file.name, &String::from_utf8_lossy(&bytes));
            let folder = file.folder.clone()?;
            Some((file.name.clone(), File { folder, role, bytes, head }))
        };
        let read: Vec<_> = files.par_iter().filter_map(read).collect();
        for (name, file) in read {
            self.insert(name, file);
        }
    }

    fn insert(&mut self, name: String, file: File) {
        self.remove(&name);
        for given in &file.head.names {
            self.by_name.entry(given.clone()).or_default().insert(name.clone());
        }
        self.files.insert(name, file);
    }

    fn remove(&mut self, name: &str) {
        let Some(file) = self.files.remove(name) else { return };
        let mut gone = Vec::new();
        for given in &file.head.names {
            if let Some(files) = self.by_name.get_mut(given) {
                files.remove(name);
                if files.is_empty() {
                    gone.push(given.clone());
                }
            }
        }
        gone.iter().for_each(|given| drop(self.by_name.remove(given)));
    }

    /// Reads a file that has changed on disk, or is new there
    pub(super) fn refresh(&mut self, path: &Path) {
        let name = project::display(path);
        let known = self.files.get(&name).map(|known| (known.folder.clone(), known.role));
        let Some((folder, role)) = known.or_else(|| self.place(path)) else { return };
        match std::fs::read(path) {
            Ok(bytes) => {
                let head = Head::of(&name, &String::from_utf8_lossy(&bytes));
                self.insert(name, File { folder, role, bytes, head });
            }
            Err(_) => self.remove(&name),
        }
    }

    /// The folder of the outputs of a new file, and its role; `None` for one that is not read
    fn place(&self, path: &Path) -> Option<(String, Role)> {
        let end = path.extension()?.to_str()?.to_lowercase();
        if !matches!(end.as_str(), "yml" | "yaml") {
            return None;
        }
        let below = |(root, role): &(PathBuf, Role)| {
            let parent = path.strip_prefix(root).ok()?.parent()?;
            Some((project::display(parent), *role))
        };
        self.roots.iter().find_map(below)
    }

    /// Whether a file of this name lies where only rules are
    pub(super) fn has(&self, name: &str) -> bool {
        self.is_of_rules && self.files.contains_key(name)
    }

    /// The files that give a name, with the name's rule
    pub(super) fn giving(&self, name: &str) -> impl Iterator<Item = &str> {
        self.by_name.get(name).into_iter().flatten().map(String::as_str)
    }

    /// The text of a file on disk
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let file = self.files.get(name)?;
        String::from_utf8(file.bytes.clone()).ok()
    }

    /// Reads a text together with those that can change what is said about it; only its own rules are kept
    ///
    /// `open` has the texts of open documents, which stand for their files.
    pub(super) fn workspace(&self, name: &str, open: &Texts) -> Workspace {
        let texts = self.around(name, open);
        let text = |of: &String| {
            let file = self.files.get(of);
            let text = match (open.get(of), file) {
                // A NUL is told as the text of a file with it is.
                (Some(source), _) if source.text().contains('\0') => {
                    Text::of_bytes(of.clone(), source.text().into())
                }
                (Some(source), _) => Text::of(source),
                (None, Some(file)) => Text::of_bytes(of.clone(), file.bytes.clone()),
                (None, None) => return None,
            };
            let text = text.in_folder(file.map_or_else(String::new, |file| file.folder.clone()));
            Some(text.read_for(file.map_or(Role::Rules, |file| file.role)))
        };
        // Filters come last, as in a run.
        let (rules, filters): (Vec<&String>, Vec<&String>) = texts
            .iter()
            .partition(|of| self.files.get(*of).is_none_or(|file| file.role == Role::Rules));
        let in_order = |mut names: Vec<&'_ String>| {
            // A folder comes before a file whose name goes on: as a walk over the folder finds them.
            names.sort_by_key(|name| name.replace('/', "\0"));
            names.into_iter().filter_map(text).collect::<Vec<_>>()
        };
        let texts = [in_order(rules), in_order(filters)].concat();
        let lists = self.config.common.placeholders.as_ref();
        let lists = lists.map(|path| self.config.path(&path.value));
        let placeholders = lists.and_then(|path| {
            let text = std::fs::read_to_string(&path).ok()?;
            Some(Arc::new(SourceText::new(project::display(&path), text)))
        });
        let mut workspace = Workspace::read(&Sources { texts, placeholders });
        if self.config.source.is_some() {
            self.config.apply(&[&self.config.common], &mut workspace);
        }
        workspace.rules.retain(|loaded| loaded.rule.source.name() == name);
        workspace
    }

    /// The names of a text and of those around it
    fn around(&self, name: &str, open: &Texts) -> BTreeSet<String> {
        let heads: BTreeMap<&String, Head> =
            open.iter().map(|(name, source)| (name, Head::of(name, source.text()))).collect();
        let head = |of: &String| heads.get(of).or_else(|| Some(&self.files.get(of)?.head));
        let all =
            || self.files.keys().chain(open.keys().filter(|of| !self.files.contains_key(*of)));
        let mut around: BTreeSet<String> = BTreeSet::from([name.to_owned()]);
        let own = name.to_owned();
        if head(&own).is_some_and(|head| head.has_filter) {
            return all().cloned().collect();
        }
        let given = |names: &BTreeSet<String>, around: &mut BTreeSet<String>| {
            let mut more = BTreeSet::new();
            for one in names {
                more.extend(self.giving(one).map(ToOwned::to_owned));
                let others = heads.iter().filter(|(_, head)| head.names.contains(one));
                more.extend(others.map(|(of, _)| (*of).clone()));
            }
            more.retain(|of| around.insert(of.clone()));
            more
        };
        if let Some(head) = head(&own) {
            given(&head.names, &mut around);
        }
        let wide =
            all().filter(|of| head(of).is_some_and(|head| head.is_wide || head.has_correlation));
        around.extend(wide.cloned().collect::<Vec<_>>());
        let mut next: Vec<String> = around.iter().cloned().collect();
        while let Some(of) = next.pop() {
            if let Some(head) = head(&of).filter(|head| head.has_correlation) {
                next.extend(given(&head.words, &mut around));
            }
        }
        around
    }
}

impl Head {
    fn of(name: &str, text: &str) -> Head {
        let mut head = Head::default();
        let file = name.rsplit('/').next().unwrap_or(name);
        head.names.insert(format!("file {file}"));
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.split(" #").next().unwrap_or("").trim();
            let value = value.trim_matches(['\'', '"']);
            match key.trim_start_matches(['{', ' ']).trim_matches(['\'', '"']) {
                "id" | "name" if !value.is_empty() => {
                    head.names.insert(value.to_owned());
                    head.names.insert(value.to_ascii_lowercase());
                }
                "title" if !value.is_empty() => drop(head.names.insert(format!("title {value}"))),
                "filter" => (head.is_wide, head.has_filter) = (true, true),
                "mapping" => head.is_wide = true,
                "correlation" => head.has_correlation = true,
                _ => {}
            }
        }
        if head.has_correlation {
            let part = |c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c);
            head.words =
                text.split(part).filter(|word| word.len() > 1).map(ToOwned::to_owned).collect();
        }
        head
    }
}
