//! Tags, and the names that each of Sigma's namespaces allows.
//!
//! In: the tags of a rule. Out: a warning at every tag that tools would not sort by. ATT&CK tags
//! are checked elsewhere: an unknown technique is an error when lowering.
//!
//! Source: SigmaHQ sigma-specification 2.1, appendix tags.

use super::repeated;
use crate::definition::{Definition, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Spanned;

const NAMESPACES: &[&str] = &["attack", "car", "cve", "d3fend", "detection", "stp", "tlp"];
const D3FEND_TACTICS: &[&str] = &["model", "harden", "detect", "isolate", "deceive", "evict"];
const DETECTIONS: &[&str] = &["dfir", "emerging-threats", "threat-hunting"];
const TLP_LABELS: &[&str] = &["red", "amber", "amber-strict", "green", "clear"];

pub(super) fn check(definition: &Definition, diagnostics: &mut Diagnostics) {
    let (source, metadata) = (&definition.source, &definition.metadata);
    let attack = metadata.attack.iter().map(|tag| (tag.value.to_ascii_lowercase(), tag));
    repeated(Code::W0121, source, "ATT&CK tag", attack, diagnostics);
    let others = metadata.tags.iter().map(|tag| (tag.value.to_ascii_lowercase(), tag));
    repeated(Code::W0121, source, "tag", others, diagnostics);
    for tag in &metadata.tags {
        if let Some(wrong) = wrong(tag) {
            let diagnostic =
                Diagnostic::new(wrong.code, source, tag.span, wrong.message, wrong.label);
            diagnostics.push(match wrong.instead {
                Some(instead) => diagnostic.replace(tag.span, instead),
                None => diagnostic,
            });
        }
    }
}

/// A finding about a tag, with the tag to write instead
struct Wrong {
    code: Code,
    message: String,
    label: String,
    instead: Option<String>,
}

fn wrong(tag: &Spanned<String>) -> Option<Wrong> {
    let Some((namespace, name)) = parts(&tag.value) else {
        let instead = tag.value.to_lowercase().replace(' ', "-");
        return Some(Wrong {
            code: Code::W0124,
            message: format!("`{}` is not a tag's form", tag.value),
            label: "expected `namespace.name` in lower case".to_owned(),
            instead: parts(&instead).is_some().then_some(instead),
        });
    };
    if !NAMESPACES.contains(&namespace) {
        let near = nearest_name(namespace, NAMESPACES.iter().copied());
        return Some(Wrong {
            code: Code::W0125,
            message: format!("`{namespace}` is not a namespace of Sigma's tags"),
            label: format!("expected {}", NAMESPACES.join(", ")),
            instead: near.map(|near| format!("{near}.{name}")),
        });
    }
    let like = |example: &str| format!("written like `{example}`");
    let (code, fits, wanted, instead) = match namespace {
        "car" => {
            let instead = name.trim_start_matches("car-").to_owned();
            let instead = is_car(&instead).then_some(instead);
            (Code::W0126, is_car(name), like("car.2016-04-005"), instead)
        }
        "cve" => {
            let instead = name.trim_start_matches("cve-").replace('.', "-");
            let instead = is_cve(&instead).then_some(instead);
            (Code::W0127, is_cve(name), like("cve.2021-44228"), instead)
        }
        "d3fend" => (
            Code::W0128,
            is_d3fend(name),
            "a technique is written `d3fend.d3-am`, an artifact `d3fend.d3f-File`".to_owned(),
            near(name, D3FEND_TACTICS),
        ),
        "detection" => (
            Code::W0129,
            DETECTIONS.contains(&name),
            listed("detection", DETECTIONS),
            near(name, DETECTIONS),
        ),
        "stp" => (Code::W0130, is_stp(name), like("stp.4` or `stp.3k"), None),
        "tlp" => (
            Code::W0131,
            TLP_LABELS.contains(&name),
            listed("tlp", TLP_LABELS),
            // TLP 2.0 renamed `white` to `clear`.
            if name == "white" { Some("clear".to_owned()) } else { near(name, TLP_LABELS) },
        ),
        _ => return None,
    };
    (!fits).then(|| Wrong {
        code,
        message: format!("`{}` is {}", tag.value, code.title()),
        label: wanted,
        instead: instead.map(|name| format!("{namespace}.{name}")),
    })
}

fn near(name: &str, known: &[&str]) -> Option<String> {
    nearest_name(name, known.iter().copied()).map(str::to_owned)
}

fn listed(namespace: &str, names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("{namespace}.{name}")).collect();
    format!("expected {}", names.join(", "))
}

/// Namespace and name of a tag in Sigma's form
fn parts(tag: &str) -> Option<(&str, &str)> {
    let (namespace, name) = tag.split_once('.')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let capital = |c: char| namespace == "d3fend" && c.is_ascii_uppercase();
    let fits = !namespace.is_empty()
        && namespace.chars().all(plain)
        && !name.is_empty()
        && name.chars().all(|c| plain(c) || capital(c) || c == '.');
    fits.then_some((namespace, name))
}

/// Whether a text is groups of digits joined by hyphens, each group of a length in its range
fn is_digits(text: &str, groups: &[std::ops::RangeInclusive<usize>]) -> bool {
    let mut parts = text.split('-');
    let group = |wanted: &std::ops::RangeInclusive<usize>, part: Option<&str>| {
        part.is_some_and(|part| {
            wanted.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        })
    };
    groups.iter().all(|wanted| group(wanted, parts.next())) && parts.next().is_none()
}

fn is_car(name: &str) -> bool {
    is_digits(name, &[4..=4, 2..=2, 3..=3])
}

fn is_cve(name: &str) -> bool {
    is_digits(name, &[4..=4, 4..=19])
}

fn is_stp(name: &str) -> bool {
    matches!(name.as_bytes(), [b'1'..=b'5'] | [b'1'..=b'5', b'a' | b'u' | b'k'])
}

fn is_d3fend(name: &str) -> bool {
    let id = |rest: &str| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    D3FEND_TACTICS.contains(&name)
        || name.strip_prefix("d3f-").is_some_and(id)
        || name
            .strip_prefix("d3-")
            .is_some_and(|rest| id(rest) && !rest.contains(|c: char| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn code(tag: &str) -> Option<Code> {
        wrong(&Spanned::new(tag.to_owned(), Span::default())).map(|wrong| wrong.code)
    }

    #[test]
    fn the_examples_of_the_specification_are_tags() {
        for tag in [
            "car.2016-04-005",
            "cve.2021-44228",
            "d3fend.d3-am",
            "d3fend.d3f-WindowsNtOpenFile",
            "d3fend.evict",
            "detection.threat-hunting",
            "stp.4",
            "stp.3k",
            "tlp.amber-strict",
        ] {
            assert_eq!(code(tag), None, "{tag}");
        }
    }

    #[test]
    fn each_namespace_has_its_own_form() {
        assert_eq!(code("CVE.2021-44228"), Some(Code::W0124));
        assert_eq!(code("malware.emotet"), Some(Code::W0125));
        assert_eq!(code("car.2016-4-5"), Some(Code::W0126));
        assert_eq!(code("cve.2021.44228"), Some(Code::W0127));
        assert_eq!(code("d3fend.d3-AM"), Some(Code::W0128));
        assert_eq!(code("detection.hunting"), Some(Code::W0129));
        assert_eq!(code("stp.6"), Some(Code::W0130));
        assert_eq!(code("tlp.white"), Some(Code::W0131));
    }
}
