//! Sigma's `logsource:`: which events a rule looks at.
//!
//! In: category, product and service as written. Out: a [`LogSource`], and the kind of event it
//! means. A log source that nobody knows is read as one of its own: only the user can say which
//! events those are, and a warning says so.

use super::metadata;
use super::shape::{Reader, misspelt};
use super::yaml::Node;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::taxonomy::{EventKind, Log, Product};

/// A log source as written
#[derive(Debug, Clone)]
pub struct LogSource {
    /// The whole of it
    pub span: Span,
    /// What kind of events
    pub category: Option<Spanned<String>>,
    /// Whose
    pub product: Option<Spanned<String>>,
    /// Which log of the product
    pub service: Option<Spanned<String>>,
    /// What must be configured for the events to be there
    pub definition: Option<Spanned<String>>,
}

/// What a log source means
pub(super) struct Meant {
    pub(super) event: Spanned<EventKind>,
    pub(super) action: Option<&'static str>,
    pub(super) product: Option<Spanned<Product>>,
}

const KEYS: &[&str] = &["category", "product", "service", "definition"];

/// Reads `logsource:`
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<LogSource> {
    let entries = reader.map(node, "`logsource`");
    for (key, _) in entries {
        reader.custom_key(key, "`logsource`", KEYS);
    }
    let text = |reader: &mut Reader<'_>, key: &str| {
        node.get(key).and_then(|node| reader.text(node, &format!("`{key}`")))
    };
    let logsource = LogSource {
        span: node.span,
        category: text(reader, "category"),
        product: text(reader, "product"),
        service: text(reader, "service"),
        definition: text(reader, "definition"),
    };
    let says = [&logsource.category, &logsource.product, &logsource.service];
    if says.iter().all(|word| word.is_none()) {
        if !entries.is_empty() {
            reader.missing_key(node.span, "`logsource`", "category");
        }
        return None;
    }
    Some(logsource)
}

/// The kind of event that a log source means
pub(super) fn meant(reader: &mut Reader<'_>, logsource: &LogSource) -> Option<Meant> {
    let word = |word: &Option<Spanned<String>>| word.as_ref().map(|word| word.value.clone());
    let (category, product, service) =
        (word(&logsource.category), word(&logsource.product), word(&logsource.service));
    let system = product.as_deref().and_then(Product::named);
    let shared = category.as_deref().and_then(EventKind::category);
    let span = logsource.category.as_ref().map_or(logsource.span, |category| category.span);
    let product_of = |system: Option<Product>| {
        system.zip(logsource.product.as_ref()).map(|(one, word)| Spanned::new(one, word.span))
    };
    match (shared, &service) {
        (Some((kind, action)), None) if system.is_some() || product.is_none() => {
            return Some(Meant {
                event: Spanned::new(kind, span),
                action,
                product: product_of(system),
            });
        }
        _ => {}
    }
    let known = Log::of(category.as_deref(), product.as_deref(), service.as_deref());
    let log = match known {
        Some(log) => log,
        None => unknown(reader, logsource)?,
    };
    let event = Spanned::new(EventKind::Log(log), span);
    Some(Meant { event, action: None, product: product_of(system) })
}

/// A log source that is in no table, unless a word of it is misspelt
fn unknown(reader: &mut Reader<'_>, logsource: &LogSource) -> Option<Log> {
    let words = || Log::words().chain(EventKind::categories());
    let written = [&logsource.product, &logsource.category, &logsource.service];
    let written: Vec<&Spanned<String>> = written.into_iter().flatten().collect();
    for word in &written {
        if words().any(|known| known == word.value) {
            continue;
        }
        if let Some(near) = misspelt(&word.value, words()) {
            let message = format!("unknown log source `{}`", word.value);
            let label = "not a word of any log source";
            let found = Diagnostic::new(Code::E0205, reader.source, word.span, message, label);
            reader.report(found.replace(word.span, near));
            return None;
        }
    }
    let parts: Vec<&str> = written.iter().map(|word| word.value.as_str()).collect();
    let name = parts.join("/");
    let message = format!("no log source is known as `{name}`");
    let label = "its events cannot be told from others";
    let found = Diagnostic::new(Code::W0217, reader.source, logsource.span, message, label);
    let help = format!("Say which events these are: `scan --event {name}`.");
    reader.report(found.help(help));
    Some(Log::of_name(&name))
}

/// The kind of event that `event:` of a definition names, and what Sigma's category says of it
pub(super) fn event(
    reader: &mut Reader<'_>,
    node: &Node,
) -> Option<(Spanned<EventKind>, Option<&'static str>)> {
    let text = reader.text(node, "the kind of event")?;
    if let Some((kind, action)) = EventKind::category(&text.value) {
        return Some((Spanned::new(kind, text.span), action));
    }
    let known = || {
        let kinds = EventKind::ALL.iter().map(|kind| kind.name());
        kinds.chain(Log::all().map(Log::name))
    };
    let message = format!("unknown kind of event `{}`", text.value);
    let found = Diagnostic::new(Code::E0205, reader.source, text.span, message, "not known here");
    reader.report(match super::shape::nearest(&text.value, known()) {
        Some(near) => found.replace(text.span, near),
        None => found.help("`rulecast list events` shows the kinds."),
    });
    None
}

/// The operating system of a definition's signal
pub(super) fn product(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<Product>> {
    let text = reader.text(node, "`product`")?;
    metadata::word(reader, text, Product::ALL, Product::name)
}
