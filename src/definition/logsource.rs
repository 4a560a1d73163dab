//! Sigma's `logsource:`: the events that a rule applies to.
//!
//! In: category, product and service as written. Out: a [`LogSource`], and the kind of event it
//! means. A category with a service beside it means the events of the category that are in that
//! log. An unknown log source becomes a log of its own, with a warning: only the user can say which
//! events belong to it.

use super::{keys, spelling};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::taxonomy::{EventKind, Log, Product};
use crate::yaml::Node;
use crate::yaml::{Reader, misspelt};

/// A log source as written
#[derive(Debug, Clone)]
pub struct LogSource {
    /// The place of the whole map
    pub span: Span,
    /// The kind of event, such as `process_creation`
    pub category: Option<Spanned<String>>,
    /// The system or product that writes the events, such as `windows`
    pub product: Option<Spanned<String>>,
    /// The log of the product, such as `security`
    pub service: Option<Spanned<String>>,
    /// The configuration that makes the product log these events, in prose
    pub definition: Option<Spanned<String>>,
}

/// The kind of event, log, action and product that a log source stands for
pub(super) struct Meant {
    pub(super) event: Spanned<EventKind>,
    pub(super) log: Option<Log>,
    pub(super) action: Option<&'static str>,
    pub(super) product: Option<Spanned<Product>>,
}

/// Reads `logsource:`
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<LogSource> {
    let entries = reader.map(node, "`logsource`");
    // A misspelt key that stands beside the right one is an attribute of the author's own.
    let known = keys::names("logsource");
    let decides = |key: &&str| *key != "definition" && node.get(key).is_none();
    let deciding: Vec<&str> = known.iter().copied().filter(decides).collect();
    for (key, _) in entries {
        reader.custom_key(key, "`logsource`", (known, &deciding));
    }
    let text = |reader: &mut Reader<'_>, key: &str| {
        node.get(key).and_then(|node| reader.text(node, &format!("`{key}`")))
    };
    reader.lenient = true;
    let definition = text(reader, "definition");
    reader.lenient = false;
    let logsource = LogSource {
        span: node.span,
        category: text(reader, "category"),
        product: text(reader, "product"),
        service: text(reader, "service"),
        definition,
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

/// The kind of event that a log source stands for; reports an unknown log source
pub(super) fn meant(reader: &mut Reader<'_>, logsource: &LogSource) -> Option<Meant> {
    let word = |word: &Option<Spanned<String>>| word.as_ref().map(|word| word.value.clone());
    let (category, product, service) =
        (word(&logsource.category), word(&logsource.product), word(&logsource.service));
    let system = product.as_deref().and_then(Product::named);
    let span = logsource.category.as_ref().map_or(logsource.span, |category| category.span);
    let product_of = |system: Option<Product>| {
        system.zip(logsource.product.as_ref()).map(|(one, word)| Spanned::new(one, word.span))
    };
    let words = (category.as_deref(), product.as_deref(), service.as_deref());
    let one = Log::of(words.0, words.1, words.2).map(|log| (EventKind::Log(log), None, None));
    let (kind, action, log) = match one.or_else(|| in_parts(words)) {
        Some(known) => known,
        None => (EventKind::Log(unknown(reader, logsource)?), None, None),
    };
    Some(Meant { event: Spanned::new(kind, span), log, action, product: product_of(system) })
}

/// The kind of event that a category stands for, its action, and the log that product and service
/// name; `None` when a part is not known, or no event is known to fit both
fn in_parts(
    (category, product, service): (Option<&str>, Option<&str>, Option<&str>),
) -> Option<(EventKind, Option<&'static str>, Option<Log>)> {
    let (kind, action) = EventKind::category(category?)?;
    if let EventKind::Log(log) = &kind {
        log.category_name()?;
        if product.is_some() && log.product().is_some_and(|own| Some(own) != product) {
            return None;
        }
    }
    let is_system = product.is_none_or(|product| Product::named(product).is_some());
    let log = match service {
        Some(_) => Some(Log::of(None, product, service)?),
        None if is_system => None,
        None => return None,
    };
    let fits = log.as_ref().is_none_or(|log| kind.occurs_in(log));
    fits.then_some((kind, action, log))
}

/// Makes a log of an unknown log source, with a warning; a misspelt word is an error instead
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
            let diagnostic = Diagnostic::new(Code::E0205, reader.source, word.span, message, label);
            reader.report(diagnostic.replace(word.span, near));
            return None;
        }
    }
    let parts: Vec<&str> = written.iter().map(|word| word.value.as_str()).collect();
    let name = parts.join("/");
    let message = format!("no log source is known as `{name}`");
    let label = "its events cannot be told from others";
    let diagnostic = Diagnostic::new(Code::W0217, reader.source, logsource.span, message, label);
    let help = format!("Say which events these are: `scan --event {name}`.");
    reader.report(diagnostic.help(help));
    Some(Log::of_name(&name))
}

/// Reads `event:` of a definition: the kind of event, and the action of a Sigma category
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
        kinds.chain(Log::names())
    };
    let message = format!("unknown kind of event `{}`", text.value);
    let diagnostic =
        Diagnostic::new(Code::E0205, reader.source, text.span, message, "not known here");
    reader.report(match crate::yaml::nearest(&text.value, known()) {
        Some(near) => diagnostic.replace(text.span, near),
        None => diagnostic.help("`rulecast list events` shows the kinds."),
    });
    None
}

/// Reads `product:` of a definition's signal: its operating system
pub(super) fn product(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<Product>> {
    let text = reader.text(node, "`product`")?;
    spelling::word(reader, text, Product::ALL, Product::name)
}
