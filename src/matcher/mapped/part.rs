//! Values of a field, out of the parts of it that a target keeps.
//!
//! In: the values of columns or index fields, each with the part that it holds. Out: the values of the field.

use crate::mapping::Holds;
use crate::taxonomy::{FOLDERLESS, Field, FieldType};

/// A part with its values
pub(super) type Part = (Holds, Vec<String>);

/// The values of a field; none when its parts say too little
///
/// `separator` stands between the folders of a path.
pub(super) fn whole(field: &Field, parts: &[Part], separator: char) -> Vec<String> {
    let values = |holds: Holds| {
        let parts = parts.iter().filter(move |(held, _)| *held == holds);
        parts.flat_map(|(_, values)| values).filter(|value| !value.is_empty())
    };
    let all: Vec<String> = values(Holds::Whole).cloned().collect();
    if !all.is_empty() {
        return all;
    }
    let domain = values(Holds::Domain).next();
    let is_path = field.kind() == FieldType::Path;
    let names = values(Holds::Name).map(|name| match domain {
        Some(domain) => format!("{domain}\\{name}"),
        None if is_path && is_bare(name) => format!("{separator}{name}"),
        None => name.clone(),
    });
    names.collect()
}

/// Whether a name is that of a file whose folder is not told
fn is_bare(name: &str) -> bool {
    !name.contains(['\\', '/']) && !FOLDERLESS.contains(&name)
}
