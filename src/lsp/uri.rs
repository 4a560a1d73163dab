//! Addresses of files, as the protocol writes them.
//!
//! In: a `file:` address or a path. Out: the other one. A document without a file has no path, and is
//! known by its address.

use std::path::{Path, PathBuf};

use lsp_types::Uri;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What is escaped in a path of an address
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The path of a `file:` address
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = percent_decode_str(&rest[rest.find('/')?..]).decode_utf8().ok()?.into_owned();
    let drive = path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if cfg!(windows) && drive { &path[1..] } else { &path }))
}

/// The address of a path
pub(super) fn of(path: &Path) -> Option<Uri> {
    let shown = crate::project::display(path);
    let rooted = if shown.starts_with('/') { shown } else { format!("/{shown}") };
    format!("file://{}", utf8_percent_encode(&rooted, ESCAPED)).parse().ok()
}

#[test]
fn a_path_comes_back_from_its_address() {
    for name in ["/rules/a b.yml", "/regeln/für 100 %/#1.yml", "/[a]/😀.yml"] {
        let uri = of(Path::new(name)).unwrap();
        assert_eq!(path(&uri).as_deref(), Some(Path::new(name)), "{}", uri.as_str());
    }
    assert_eq!(path(&"untitled:Untitled-1".parse().unwrap()), None);
}
