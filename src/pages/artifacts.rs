//! The artifacts of a rule, beside its definition.
//!
//! In: the outputs of a rule. Out: a view a file. Queries and rules that people read are shown; packages
//! that hold the same once more for a machine are named with their size, for `convert` writes them.

use serde::Serialize;

use super::sheet::Sheet;
use super::words::grouped;
use crate::workspace::Output;

/// The endings of artifacts that people read, with what they are
const SHOWN: &[(&str, &str)] = &[
    (".kql", "Kusto query"),
    (".analytic.yaml", "analytic rule"),
    (".toml", "detection rule"),
    (".rs", "Rust matcher"),
    (".detection.json", "custom detection"),
];

/// The artifacts on a target
#[derive(Serialize)]
pub(super) struct OnTarget {
    target: &'static str,
    shown: Vec<File>,
    named: Vec<File>,
    has_named: bool,
}

#[derive(Serialize)]
struct File {
    name: String,
    says: &'static str,
    size: String,
    text: String,
    is_first: bool,
}

/// The artifacts of a rule, by target
pub(super) fn artifacts(sheet: &Sheet<'_>) -> Vec<OnTarget> {
    let of = sheet.emitted.iter().filter(|one| !one.outputs.is_empty()).map(|one| {
        let (shown, named): (Vec<_>, Vec<_>) =
            one.outputs.iter().map(file).partition(|file| !file.says.is_empty());
        let mut shown: Vec<File> = shown;
        if let Some(first) = shown.first_mut() {
            first.is_first = true;
        }
        OnTarget { target: one.row.target.name(), has_named: !named.is_empty(), shown, named }
    });
    of.collect()
}

fn file(output: &Output) -> File {
    let name = output.path.rsplit('/').next().unwrap_or_default();
    let known = SHOWN.iter().find(|(end, _)| name.ends_with(end));
    File {
        name: name.to_owned(),
        says: known.map_or("", |(_, says)| says),
        size: size(output.text.len()),
        text: if known.is_some() { output.text.trim_end().to_owned() } else { String::new() },
        is_first: false,
    }
}

/// A number of bytes, as people say it
fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        _ => format!("{} kB", grouped(bytes.div_ceil(1_000))),
    }
}
