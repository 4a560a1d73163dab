//! Hostile words, and the places of a rule that take them.

use std::sync::LazyLock;

/// What a text may try in some format
const SHORT: &[&str] = &[
    "\"",
    "'",
    "`x`",
    "\"\"\"",
    "'''",
    "'\n'''\nx = 1",
    "\"); union *",
    "\\",
    "a\\",
    "\\\"",
    "\\u0022",
    "a\nb",
    "a\r\nb",
    "a\rb",
    "a\u{85}b",
    "a\u{2028}b",
    "\t",
    "   ",
    "*/",
    "// x",
    " # x",
    "#![x]",
    "{{x}}",
    "{{{Signal}}}",
    "{{#each keys}}",
    "{{StartTimeISO}}",
    "[parameters('a')]",
    "[[",
    "[[a]]",
    "${x}",
    "%2e%2e/",
    "../../x",
    "\n::error::x",
    "::error::x",
    "##[error]x",
    "<script>x</script>",
    "<img src=x onerror=y>",
    "[x](javascript:y)",
    "]]>",
    "\n---\nx: y",
    "\n...\n",
    "; drop",
    "| take 1",
    "\nlet x = 1;",
    "or true",
    ") or (1==1",
    "\u{fffe}",
    "\u{1fffe}",
    "a\u{202e}b",
    "a\u{e0041}b",
    "\u{1b}[31m",
    "!{investigate{}}",
    "$osquery_0",
    "~",
    "=cmd|'/c x'!A1",
    "é\"K",
];

/// Every payload; the last one is very long
pub(crate) static PAYLOADS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let long: &str = Box::leak("long \"'\\ ".repeat(120).into_boxed_str());
    [SHORT, &[long]].concat()
});

/// The word that a payload stands in place of
pub(crate) const WORD: &str = "word";

/// A rule with `<<name>>` at its places; before and after what is written there
pub(crate) struct Document {
    pub(crate) text: &'static str,
    pub(crate) places: &'static [(&'static str, &'static str, &'static str)],
}

pub(crate) const DOCUMENTS: &[Document] = &[DEFINITION, SIGMA, FREE];

/// A definition of one's own
const DEFINITION: Document = Document {
    text: r"
title: <<title>>
id: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01
date: 2026-11-21
description: <<description>>
author: [<<author>>]
license: <<license>>
references: [<<reference>>]
tags: [<<tag>>]
falsepositives: [<<falsepositive>>]
investigation: <<investigation>>
fields: [<<field>>]
lists:
  <<list>>: [a.exe]
signals:
  <<signal>>:
    title: <<signal title>>
    event: process_creation
    product: windows
    CommandLine: one
    exclusions:
      - note: <<note>>
        CommandLine|contains: two
  second:
    event: process_creation
    CommandLine: three
correlations:
  <<correlation>>:
    title: <<correlation title>>
    type: temporal
    signals: [<<signal>>, second]
    group-by: [host]
    timespan: 5m
targets:
  elastic: {accept: [long_value], without: [<<correlation>>], setup: <<setup>>, tags: [<<chip>>]}
tests:
  - name: <<test>>
    event: {CommandLine: <<event>>}
    expect: none
",
    places: &[
        ("title", "Seen ", " here"),
        ("description", "First line.\n", ""),
        ("author", "", ""),
        ("license", "", ""),
        ("reference", "", ""),
        ("tag", "", ""),
        ("falsepositive", "", ""),
        ("investigation", "# Look\n", ""),
        ("field", "", ""),
        ("list", "", ""),
        ("signal", "", ""),
        ("signal title", "Watch ", " now"),
        ("note", "", ""),
        ("correlation", "", "_c"),
        ("correlation title", "", ""),
        ("setup", "", ""),
        ("chip", "", ""),
        ("test", "", ""),
        ("event", "", ""),
    ],
};

/// A rule of others
const SIGMA: Document = Document {
    text: r"
title: <<title>>
id: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01
description: <<description>>
author: <<author>>
references: [<<reference>>]
falsepositives: [<<falsepositive>>]
logsource:
  category: process_creation
  product: windows
  definition: <<requirement>>
detection:
  <<selection>>:
    CommandLine: one
  condition: 1 of them
",
    places: &[
        ("title", "Seen ", " here"),
        ("description", "", ""),
        ("author", "", ""),
        ("reference", "", ""),
        ("falsepositive", "", ""),
        ("requirement", "", ""),
        ("selection", "", ""),
    ],
};

/// A rule about a log that no table knows
const FREE: Document = Document {
    text: r"
title: A log of its own
id: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01
logsource:
  product: <<product>>
  service: <<service>>
detection:
  selection:
    <<key>>: one
  condition: selection
",
    places: &[("product", "", ""), ("service", "", ""), ("key", "", "")],
};

impl Document {
    /// The rule with a text at one of its places, and a word at every other
    pub(crate) fn with(&self, place: &str, text: &str) -> String {
        self.places.iter().fold(self.text.to_owned(), |rule, (name, before, after)| {
            let inner = if *name == place { text } else { "other" };
            rule.replace(&format!("<<{name}>>"), &quoted(&format!("{before}{inner}{after}")))
        })
    }
}

/// A text as YAML between double quotes, every odd character escaped
pub(crate) fn quoted(text: &str) -> String {
    let one = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    };
    format!("\"{}\"", text.chars().map(one).collect::<String>())
}
