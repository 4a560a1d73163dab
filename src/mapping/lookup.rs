//! Mappings for a project, by a name that the user gives.
//!
//! In: [`Mappings`]. Out: one of them, or a text that says which there are.

use super::{Mapping, Mappings};
use crate::yaml::nearest;

impl Mappings {
    /// The mapping with this name, or a text that says which names there are
    pub(crate) fn find(&self, name: &str) -> Result<&Mapping, String> {
        self.named(name).ok_or_else(|| {
            let names: Vec<&str> = self.all().map(|mapping| &*mapping.name.value).collect();
            let near = nearest(name, names.iter().copied());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("no mapping is called `{name}`: there is {}{near}", names.join(", "))
        })
    }
}
