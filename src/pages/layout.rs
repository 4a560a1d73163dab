//! The frame of every page: templates, style, script and policy.
//!
//! In: the templates under `templates/pages/`. Out: a [`Layout`] that renders a view in the frame. Each
//! page holds the style and, where it needs it, the script; its policy allows exactly these two, by their
//! hashes, so that nothing else could run even if a value were markup.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::link;
use crate::backend::template::Escaping;
use crate::source::is_unprintable;

/// The style of every page, as written
const STYLE: &str = include_str!("../../templates/pages/style.css");
/// The script of pages with a table to search and sort, as written
const SCRIPT: &str = include_str!("../../templates/pages/script.js");
/// How a page of a set of rules says that rulecast made it; no other file is taken for such a page
pub const GENERATOR: &str = r#"<meta name="generator" content="rulecast report" />"#;

const TEMPLATES: &[(&str, &str)] = &[
    ("head", include_str!("../../templates/pages/head.hbs")),
    ("foot", include_str!("../../templates/pages/foot.hbs")),
    ("index", include_str!("../../templates/pages/index.hbs")),
    ("rows", include_str!("../../templates/pages/rows.hbs")),
    ("rule", include_str!("../../templates/pages/rule.hbs")),
    ("expression", include_str!("../../templates/pages/expression.hbs")),
    ("attack", include_str!("../../templates/pages/attack.hbs")),
    ("changes", include_str!("../../templates/pages/changes.hbs")),
    ("events", include_str!("../../templates/pages/events.hbs")),
    ("findings", include_str!("../../templates/pages/findings.hbs")),
    ("hunt", include_str!("../../templates/pages/hunt.hbs")),
];

/// What renders pages
pub(super) struct Layout {
    templates: Escaping,
    style: String,
    script: String,
    set: String,
    /// The pages that a page links to at its head; none where it stands alone
    others: Vec<(&'static str, &'static str)>,
    generator: &'static str,
}

/// A link at the head of a page
#[derive(Serialize)]
struct Entry {
    href: String,
    text: &'static str,
    is_here: bool,
}

/// The frame of a page
#[derive(Serialize)]
struct Frame<'f, V> {
    title: &'f str,
    set: &'f str,
    generator: &'static str,
    policy: String,
    style: &'f str,
    script: &'f str,
    has_script: bool,
    /// The way to the folder of the pages
    root: String,
    entries: Vec<Entry>,
    version: &'static str,
    view: V,
}

/// A page to render
pub(super) struct Sheaf<'s> {
    /// The name of its template
    pub(super) template: &'static str,
    /// Its path below the folder of the pages
    pub(super) path: &'s str,
    /// Its title
    pub(super) title: &'s str,
    /// Whether it has a table to search and sort
    pub(super) has_script: bool,
}

impl Layout {
    /// Reads the templates, for pages that link to these others
    pub(super) fn read(
        set: &str,
        others: Vec<(&'static str, &'static str)>,
        generator: &'static str,
    ) -> Result<Layout, String> {
        Ok(Layout {
            templates: Escaping::read(TEMPLATES, escaped)?,
            style: compact(STYLE)
                .replace(": ", ":")
                .replace(" { ", "{")
                .replace("; ", ";")
                .replace(";}", "}"),
            // A page is well-formed XML too, in which a script may hold `<` only so.
            script: format!("//<![CDATA[\n{}\n//]]>", compact(SCRIPT)),
            set: set.to_owned(),
            others,
            generator,
        })
    }

    /// Renders a view in the frame
    pub(super) fn render(&self, page: &Sheaf<'_>, view: impl Serialize) -> Result<String, String> {
        let root = link::root(page.path);
        let entry = |(path, text): &(&'static str, &'static str)| Entry {
            href: format!("{root}{path}"),
            text,
            is_here: *path == page.path,
        };
        let scripts = match page.has_script {
            true => format!("script-src '{}'; ", hash(&self.script)),
            false => String::new(),
        };
        let style = hash(&self.style);
        let frame = Frame {
            title: page.title,
            set: &self.set,
            generator: self.generator,
            policy: format!(
                "default-src 'none'; style-src '{style}'; {scripts}base-uri 'none'; form-action 'none'"
            ),
            style: &self.style,
            script: if page.has_script { &self.script } else { "" },
            has_script: page.has_script,
            entries: self.others.iter().map(entry).collect(),
            root,
            version: env!("CARGO_PKG_VERSION"),
            view,
        };
        self.templates.render(page.template, &frame)
    }
}

/// How a policy names a text that it allows
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// A style or a script without its comments, indents and empty lines: it stands in every page
fn compact(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let lines =
        lines.filter(|line| !line.is_empty() && !line.starts_with("/*") && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A value in the text or in an attribute of a page
///
/// Characters that show nothing, or turn the direction of a text, are shown as such.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if is_unprintable(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_no_markup_in_text_or_attribute() {
        assert_eq!(
            escaped("</script>\"' & \u{202e}x\u{1b}"),
            "&lt;/script&gt;&quot;&#39; &amp; \u{fffd}x\u{fffd}"
        );
    }

    #[test]
    fn every_file_of_the_folder_is_used() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/pages");
        let files = std::fs::read_dir(folder).into_iter().flatten().count();
        assert_eq!(files, TEMPLATES.len() + ["style.css", "script.js"].len());
    }
}
