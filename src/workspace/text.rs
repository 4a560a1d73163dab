//! Texts before they are parsed.
//!
//! In: names with texts or bytes. Out: [`Sources`], ready for [`super::Workspace::read`]. Bytes
//! that are not UTF-8 become a finding; a byte order mark is removed.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{SourceText, Span};

/// The input of a workspace
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The texts of rules and of filters; findings and outputs come in this order
    pub texts: Vec<Text>,
    /// The values of placeholders: a YAML map of names to values
    pub placeholders: Option<Arc<SourceText>>,
}

impl From<Text> for Sources {
    fn from(text: Text) -> Self {
        Sources { texts: vec![text], placeholders: None }
    }
}

/// Which documents of a text a run uses
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Rules, filters and mappings
    Rules,
    /// Filters and mappings only: a rule in the text is checked, but not loaded
    Filters,
}

/// A text with its name in findings, and the folder and name of its outputs
#[derive(Debug, Clone)]
pub struct Text {
    pub(super) content: Content,
    pub(super) folder: String,
    pub(super) stem: String,
    pub(super) role: Role,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Readable(Arc<SourceText>),
    Unreadable(Box<Diagnostic>),
}

impl Text {
    /// A text of rules; its outputs are named after `name`, without folders and extension
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Text {
        Text::of(&Arc::new(SourceText::new(name, text)))
    }

    /// Like [`Text::new`], for a text that is shared already
    pub fn of(source: &Arc<SourceText>) -> Text {
        let stem = stem(source.name());
        let content = Content::Readable(Arc::clone(source));
        Text { content, folder: String::new(), stem, role: Role::Rules }
    }

    /// The text of a file from its bytes; bytes that are not UTF-8 give an unreadable text
    pub fn of_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Text {
        let name = name.into();
        match String::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => {
                Text::unreadable(not_utf8(&name, text.as_bytes(), 0))
            }
            // A byte order mark belongs neither to the first key nor to its column.
            Ok(text) => Text::new(
                name,
                text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text),
            ),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                Text::unreadable(not_utf8(&name, error.as_bytes(), valid))
            }
        }
    }

    /// A text that cannot be read, with the reason; it counts as one refused rule
    pub fn unreadable(why: Diagnostic) -> Text {
        let stem = stem(why.source.name());
        let content = Content::Unreadable(Box::new(why));
        Text { content, folder: String::new(), stem, role: Role::Rules }
    }

    /// Sets the folder of its outputs, with `/`
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<String>) -> Text {
        self.folder = folder.into();
        self
    }

    /// Sets the name of its outputs; unsafe characters become `_`
    #[must_use]
    pub fn called(mut self, name: &str) -> Text {
        self.stem = plain(name);
        self
    }

    /// Sets which documents of the text are used; rules and filters by default
    #[must_use]
    pub fn read_for(mut self, role: Role) -> Text {
        self.role = role;
        self
    }
}

fn stem(name: &str) -> String {
    plain(&Path::new(name).file_stem().unwrap_or_default().to_string_lossy())
}

/// Makes a file name that cannot lead out of the output folder
fn plain(stem: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    stem.chars().map(kept).collect::<String>().trim_start_matches('.').to_owned()
}

fn not_utf8(name: &str, bytes: &[u8], valid: usize) -> Diagnostic {
    let guess = match bytes {
        [0xff, 0xfe, ..] | [_, 0, ..] => "UTF-16, little endian",
        [0xfe, 0xff, ..] | [0, _, ..] => "UTF-16, big endian",
        _ => "another encoding",
    };
    let head = String::from_utf8_lossy(&bytes[..valid]).into_owned();
    let at = Span::new(head.len() as u32, head.len() as u32);
    let source = Arc::new(SourceText::new(name, head));
    let label = format!("looks like {guess}");
    Diagnostic::new(Code::E0101, &source, at, "the file is not UTF-8", label)
        .help("Save the file as UTF-8.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_the_folder_of_outputs() {
        let stem = |name: &str| Text::new(name, "").stem;
        assert_eq!(stem("rules/a b.yml"), "a_b");
        assert_eq!(stem("../.hidden.yml"), "hidden");
        assert_eq!(Text::new("a.yml", "").called("../x").stem, "_x");
    }

    #[test]
    fn bytes_are_text_or_a_finding() {
        let text = |bytes: &[u8]| match Text::of_bytes("a.yml", bytes.to_vec()).content {
            Content::Readable(source) => Ok(source.text().to_owned()),
            Content::Unreadable(diagnostic) => Err(diagnostic.primary.text),
        };
        assert_eq!(text(b"\xef\xbb\xbfa: 1").as_deref(), Ok("a: 1"));
        assert_eq!(text(b"a\0"), Err("looks like UTF-16, little endian".to_owned()));
        assert_eq!(text(b"a: \xe9"), Err("looks like another encoding".to_owned()));
    }
}
