//! Renders templates; no other module uses Handlebars.
//!
//! In: a template's name and a view whose strings are final. Out: the artifact's text.
//! Templates lay out the page; they never quote, escape or decide. Strict mode makes a missing
//! name an error, and HTML escaping is off.

use std::sync::LazyLock;

use handlebars::{Handlebars, no_escape};
use serde::Serialize;

/// Every template, by the name of its file
const TEMPLATES: &[(&str, &str)] = &[
    ("sentinel/analytic.yaml", include_str!("../../templates/sentinel/analytic.yaml.hbs")),
    ("sentinel/hunting.yaml", include_str!("../../templates/sentinel/hunting.yaml.hbs")),
    ("elastic/rule.toml", include_str!("../../templates/elastic/rule.toml.hbs")),
    ("native/matcher.rs", include_str!("../../templates/native/matcher.rs.hbs")),
];

static REGISTRY: LazyLock<Result<Handlebars<'static>, String>> = LazyLock::new(|| {
    let mut registry = Handlebars::new();
    registry.register_escape_fn(no_escape);
    registry.set_strict_mode(true);
    for (name, text) in TEMPLATES {
        registry.register_template_string(name, text).map_err(|error| error.to_string())?;
    }
    Ok(registry)
});

/// Renders a view; the text ends with one line break
///
/// # Errors
/// When the template names a field that the view lacks: a bug in one of the two.
pub(super) fn render(name: &str, view: &impl Serialize) -> Result<String, String> {
    let registry = REGISTRY.as_ref().map_err(Clone::clone)?;
    let text = registry.render(name, view).map_err(|error| error.to_string())?;
    Ok(format!("{}\n", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles_and_every_file_is_listed() {
        assert!(REGISTRY.is_ok(), "{:?}", REGISTRY.as_ref().err());
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
        let files = files.filter(|file| file.file_type().is_file()).count();
        assert_eq!(files, TEMPLATES.len());
    }
}
