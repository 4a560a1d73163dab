//! Renders templates; no other module uses Handlebars.
//!
//! In: a template's name and a view whose strings are final. Out: the artifact's text.
//! Templates lay out the page; they never quote, escape or decide. Strict mode makes a missing
//! name an error, and HTML escaping is off.
//!
//! A user's own template may stand for one of these by its name. What it makes must still be a
//! document of its format.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use handlebars::{Handlebars, RenderErrorReason, no_escape};
use serde::Serialize;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span};
use crate::yaml;

/// A template that rulecast brings along
#[derive(Debug)]
pub struct Template {
    /// Its name: its path below `templates/` without `.hbs`
    pub name: &'static str,
    /// Its text
    pub text: &'static str,
    /// What it lays out, one line
    pub says: &'static str,
}

/// Every template, by the name of its file
pub const TEMPLATES: &[Template] = &[
    Template {
        name: "sentinel/analytic.yaml",
        text: include_str!("../../templates/sentinel/analytic.yaml.hbs"),
        says: "an analytic rule of Microsoft Sentinel",
    },
    Template {
        name: "sentinel/hunting.yaml",
        text: include_str!("../../templates/sentinel/hunting.yaml.hbs"),
        says: "a hunting query of Microsoft Sentinel",
    },
    Template {
        name: "elastic/rule.toml",
        text: include_str!("../../templates/elastic/rule.toml.hbs"),
        says: "a rule of Elastic's detection-rules",
    },
    Template {
        name: "native/matcher.rs",
        text: include_str!("../../templates/native/matcher.rs.hbs"),
        says: "the Rust source of a matcher",
    },
    Template {
        name: "native/mod.rs",
        text: include_str!("../../templates/native/mod.rs.hbs"),
        says: "the Rust module of several matchers",
    },
];

static REGISTRY: LazyLock<Result<Handlebars<'static>, String>> = LazyLock::new(|| {
    let mut registry = empty();
    for Template { name, text, .. } in TEMPLATES {
        registry.register_template_string(name, text).map_err(|error| error.to_string())?;
    }
    Ok(registry)
});

fn empty() -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.register_escape_fn(no_escape);
    registry.set_strict_mode(true);
    registry
}

/// The templates of a run: those of rulecast, but for those that the user replaces
#[derive(Debug, Clone, Default)]
pub struct Templates {
    own: Option<Arc<Own>>,
}

/// The templates of a user
#[derive(Debug)]
struct Own {
    registry: Handlebars<'static>,
    sources: BTreeMap<String, Arc<SourceText>>,
}

/// Why a template made nothing
pub(crate) enum Failed {
    /// One of rulecast's own: a bug
    Ours(String),
    /// One of the user's
    Theirs(Box<Diagnostic>),
}

impl Templates {
    /// Takes templates of a user in place of those with the same names; reports a template that
    /// cannot be read, at its line
    ///
    /// # Errors
    /// When no template has one of these names.
    pub fn replaced(
        own: Vec<(String, Arc<SourceText>)>,
        findings: &mut Diagnostics,
    ) -> Result<Templates, String> {
        let (mut registry, mut sources) = (empty(), BTreeMap::new());
        for (name, source) in own {
            Template::named(&name)?;
            if let Err(error) = registry.register_template_string(&name, source.text()) {
                let span = line(&source, error.pos().map(|(line, _)| line));
                let message = format!("not a template: {}", error.reason());
                findings.push(about(&source, span, &message, "here"));
            }
            sources.insert(name, source);
        }
        Ok(Templates { own: Some(Arc::new(Own { registry, sources })) })
    }

    /// Renders a view; the text ends with one line break
    pub(crate) fn render(&self, name: &str, view: &impl Serialize) -> Result<String, Failed> {
        let own = self.own.as_ref().and_then(|own| Some((own, own.sources.get(name)?)));
        if let Some((own, source)) = own {
            let text = own.registry.render(name, view).map_err(|error| {
                let span = line(source, error.line_no);
                let reason = error.reason();
                let message = if let RenderErrorReason::MissingVariable(Some(name)) = reason {
                    format!("the view of the artifact has no `{name}`")
                } else {
                    format!("the template fails: {reason}")
                };
                Failed::Theirs(Box::new(about(source, span, &message, "while emitting")))
            })?;
            let text = format!("{}\n", text.trim_end());
            return match wrong(name, &text) {
                None => Ok(text),
                Some(why) => {
                    let message = format!("the template makes no {why}");
                    let diagnostic =
                        about(source, line(source, None), &message, "in this template");
                    Err(Failed::Theirs(Box::new(diagnostic)))
                }
            };
        }
        let registry = REGISTRY.as_ref().map_err(|why| Failed::Ours(why.clone()))?;
        let text = registry.render(name, view).map_err(|error| Failed::Ours(error.to_string()))?;
        Ok(format!("{}\n", text.trim_end()))
    }
}

/// Templates of pages: `escape` is applied to every value that stands in two braces
///
/// Lines of a partial are not indented further: a page holds texts whose blanks count.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line makes pages"))]
#[derive(Debug)]
pub(crate) struct Escaping(Handlebars<'static>);

#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line makes pages"))]
impl Escaping {
    /// Reads templates by name
    pub(crate) fn read(
        templates: &[(&str, &str)],
        escape: fn(&str) -> String,
    ) -> Result<Escaping, String> {
        let mut registry = Handlebars::new();
        registry.register_escape_fn(escape);
        registry.set_strict_mode(true);
        registry.set_prevent_indent(true);
        for (name, text) in templates {
            registry.register_template_string(name, text).map_err(|error| error.to_string())?;
        }
        Ok(Escaping(registry))
    }

    /// Renders a view
    pub(crate) fn render(&self, name: &str, view: &impl Serialize) -> Result<String, String> {
        self.0.render(name, view).map_err(|error| error.to_string())
    }
}

/// Why a text is no document of the format that the name of its template ends with
fn wrong(name: &str, text: &str) -> Option<String> {
    match name.rsplit('.').next() {
        Some("yaml") => {
            let source = Arc::new(SourceText::new(name, text));
            let mut diagnostics = Diagnostics::default();
            yaml::parse(&source, &mut diagnostics);
            let diagnostics = diagnostics.sorted();
            let first = diagnostics.first()?;
            let line = source.line_column(first.primary.span.start).0;
            Some(format!("YAML: {}, in line {line} of its output", first.message))
        }
        Some("toml") => {
            let error = toml::from_str::<toml::Table>(text).err()?;
            Some(format!("TOML: {}", error.message()))
        }
        _ => None,
    }
}

fn about(source: &Arc<SourceText>, span: Span, message: &str, label: &str) -> Diagnostic {
    Diagnostic::new(Code::E0814, source, span, message, label)
        .help("`rulecast show template NAME` prints the template that rulecast brings along.")
}

/// A line of a text, counted from 1; without a number the first one
fn line(source: &SourceText, number: Option<usize>) -> Span {
    let mut start = 0;
    let lines = source.text().split_inclusive('\n');
    for line in lines.take(number.unwrap_or(1).saturating_sub(1)) {
        start += line.len();
    }
    let length = source.text()[start..].lines().next().map_or(0, str::len);
    Span::new(start as u32, (start + length) as u32)
}

impl Template {
    /// The template with this name, or a text that says which names there are
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<&'static Template, String> {
        TEMPLATES.iter().find(|one| one.name == name).ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = TEMPLATES.iter().map(|one| one.name).collect();
    let near = yaml::nearest(name, names.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("no template is called `{name}`: there is {}{near}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str, text: &str) -> (Result<Templates, String>, Vec<Diagnostic>) {
        let mut findings = Diagnostics::default();
        let source = Arc::new(SourceText::new("mine.hbs", text));
        let made = Templates::replaced(vec![(name.to_owned(), source)], &mut findings);
        (made, findings.sorted())
    }

    fn failed(text: &str) -> String {
        let made = own("sentinel/hunting.yaml", text).0.unwrap();
        match made.render("sentinel/hunting.yaml", &serde_json::json!({ "name": "a: b" })) {
            Err(Failed::Theirs(diagnostic)) => crate::diagnostic::concise(&diagnostic),
            _ => panic!("{text} makes something"),
        }
    }

    #[test]
    fn every_template_compiles_and_every_file_is_listed() {
        assert!(REGISTRY.is_ok(), "{:?}", REGISTRY.as_ref().err());
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
        // The templates of pages are in a room of their own.
        let files = files.filter(|file| !file.path().starts_with(format!("{folder}/pages")));
        let files = files.filter(|file| file.file_type().is_file()).count();
        assert_eq!(files, TEMPLATES.len());
    }

    #[test]
    fn a_template_of_the_user_fails_at_its_line() {
        let why = own("sentinel/huntin.yaml", "").0.unwrap_err();
        assert!(why.ends_with("did you mean `sentinel/hunting.yaml`?"), "{why}");
        let (_, diagnostics) = own("sentinel/hunting.yaml", "a: 1\n{{#each}\n");
        assert_eq!(diagnostics[0].source.line_column(diagnostics[0].primary.span.start).0, 2);
        let why = failed("a: 1\nname: {{nam}}\n");
        assert!(why.starts_with("mine.hbs:2:1: error[E0814]"), "{why}");
        let why = failed("name: {{name}}\n");
        assert!(why.contains("makes no YAML"), "{why}");
    }
}
