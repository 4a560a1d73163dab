//! The files that a revision of git keeps.
//!
//! In: the name of a revision, and paths seen from the working folder. Out: the files that the revision has
//! there, and their bytes. Nothing is checked out: `git cat-file` reads many files in one run, for a process
//! for each of thousands takes longer than all the rest.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Failure, absolute};

/// A revision
#[derive(Debug, Clone)]
pub struct Revision {
    /// The folder of the repository
    top: PathBuf,
    /// The objects of its files, by their paths below `top`; links are left out
    objects: Arc<BTreeMap<PathBuf, String>>,
    /// The bytes of the objects that were fetched
    fetched: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Revision {
    /// Reads the names of the files of a revision
    pub(super) fn open(revision: &str) -> Result<Revision, Failure> {
        // An option of git is no revision.
        if revision.starts_with('-') || revision.is_empty() {
            return Err(Failure::new(format!("no such file, folder or revision: {revision}")));
        }
        let failed = |why: io::Error| Failure::new(format!("git: {why}"));
        let top = git(&["rev-parse", "--show-toplevel"]).map_err(failed)?;
        let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end_matches(['\r', '\n']));
        let tree = format!("{revision}^{{tree}}");
        let list = git(&["ls-tree", "-r", "-z", "--full-tree", &tree]).map_err(|_| {
            Failure::new(format!("no such file, folder or revision of git: {revision}"))
        })?;
        let list = String::from_utf8_lossy(&list).into_owned();
        let object = |entry: &str| {
            let (facts, name) = entry.split_once('\t')?;
            let mut facts = facts.split(' ');
            let (mode, _, object) = (facts.next()?, facts.next()?, facts.next()?);
            mode.starts_with("100").then(|| (PathBuf::from(name), object.to_owned()))
        };
        let objects = list.split('\0').filter_map(object).collect();
        Ok(Revision { top, objects: Arc::new(objects), fetched: Arc::default() })
    }

    /// A path below the folder of the repository
    fn inner(&self, path: &Path) -> Option<PathBuf> {
        let below = |path: &Path| path.strip_prefix(&self.top).ok().map(ToOwned::to_owned);
        below(&absolute(path)).or_else(|| below(&path.canonicalize().ok()?))
    }

    pub(super) fn is_file(&self, path: &Path) -> bool {
        self.inner(path).is_some_and(|inner| self.objects.contains_key(&inner))
    }

    /// The files below a folder, by their paths below it
    pub(super) fn files(&self, folder: &Path) -> impl Iterator<Item = &Path> {
        let inner = self.inner(folder);
        let all = inner.is_some().then(|| self.objects.keys()).into_iter().flatten();
        all.filter_map(move |name| name.strip_prefix(inner.as_deref()?).ok())
            .filter(|below| !below.as_os_str().is_empty())
    }

    /// Reads many files, so that [`Revision::read`] has them at hand
    pub(super) fn fetch(&self, paths: &[&Path]) {
        let object = |path: &&Path| self.inner(path).and_then(|inner| self.objects.get(&inner));
        let objects: Vec<&str> = paths.iter().filter_map(object).map(String::as_str).collect();
        // What cannot be fetched is read by itself, and says what is wrong.
        let fetched = batch(&objects).unwrap_or_default();
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner).extend(fetched);
    }

    /// The bytes of a file
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let object = self.inner(path).and_then(|inner| self.objects.get(&inner));
        let absent = || io::Error::new(io::ErrorKind::NotFound, "the revision has no such file");
        let object = object.ok_or_else(absent)?;
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = fetched.get(object) {
            return Ok(bytes.clone());
        }
        drop(fetched);
        git(&["cat-file", "blob", object])
    }
}

/// The bytes of many objects, by one run of git
fn batch(objects: &[&str]) -> io::Result<HashMap<String, Vec<u8>>> {
    // A file and no pipe: git may answer before it has read every name.
    let mut names = tempfile::tempfile()?;
    names.write_all(objects.join("\n").as_bytes())?;
    names.rewind()?;
    let mut command = Command::new("git");
    command.args(["cat-file", "--batch"]).stdin(Stdio::from(names));
    let answer = command.output()?.stdout;
    let (mut rest, mut all) = (answer.as_slice(), HashMap::new());
    // An answer is `<object> blob <size>`, a line break, the bytes, and a line break.
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        let mut words = head.split(' ');
        let (object, size) = (words.next(), words.nth(1).and_then(|size| size.parse().ok()));
        let (Some(object), Some(size)) = (object, size) else { break };
        let size: usize = size;
        let Some(bytes) = rest.get(end + 1..end + 1 + size) else { break };
        all.insert(object.to_owned(), bytes.to_vec());
        rest = rest.get(end + size + 2..).unwrap_or_default();
    }
    Ok(all)
}

/// What git prints
pub(super) fn git(arguments: &[&str]) -> io::Result<Vec<u8>> {
    let output = Command::new("git").args(arguments).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    let why = why.lines().next().unwrap_or_default().trim_start_matches("fatal: ");
    Err(io::Error::other(why.to_owned()))
}
