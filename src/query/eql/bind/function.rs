//! The functions of the language.
//!
//! In: the name of a function. Out: what it takes and gives. Letter case counts, because the loader
//! of Elastic's rules counts it.
//!
//! Source: Elasticsearch, EQL function reference.

use super::kind::Kind;

/// What a function takes and gives
pub(super) struct Function {
    name: &'static str,
    /// Whether it has a form with `~`
    pub(super) folds: bool,
    /// Its arguments; those from `least` on may be left out
    arguments: &'static [Wanted],
    least: usize,
    /// Whether the last argument may be repeated
    repeats: bool,
    pub(super) gives: Kind,
}

/// What an argument must be
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    Anything,
    Only(Kind),
    /// A field of addresses, or an address as a text
    Address,
    /// A network as a text
    Network,
}

const TEXT: Wanted = Wanted::Only(Kind::Text);
const NUMBER: Wanted = Wanted::Only(Kind::Number);
const TRUTH: Wanted = Wanted::Only(Kind::Truth);

const FUNCTIONS: &[Function] = &[
    of("add", &[NUMBER, NUMBER], Kind::Number),
    of("between", &[TEXT, TEXT, TEXT, TRUTH], Kind::Text).folding().from(3),
    of("cidrMatch", &[Wanted::Address, Wanted::Network], Kind::Truth).repeating(),
    of("concat", &[Wanted::Anything], Kind::Text).repeating(),
    of("divide", &[NUMBER, NUMBER], Kind::Number),
    of("endsWith", &[TEXT, TEXT], Kind::Truth).folding(),
    of("indexOf", &[TEXT, TEXT, NUMBER], Kind::Number).folding().from(2),
    of("length", &[TEXT], Kind::Number),
    of("modulo", &[NUMBER, NUMBER], Kind::Number),
    of("multiply", &[NUMBER, NUMBER], Kind::Number),
    of("number", &[TEXT, NUMBER], Kind::Number).from(1),
    of("startsWith", &[TEXT, TEXT], Kind::Truth).folding(),
    of("string", &[Wanted::Anything], Kind::Text),
    of("stringContains", &[TEXT, TEXT], Kind::Truth).folding(),
    of("substring", &[TEXT, NUMBER, NUMBER], Kind::Text).from(2),
    of("subtract", &[NUMBER, NUMBER], Kind::Number),
    of("wildcard", &[TEXT, TEXT], Kind::Truth).repeating(),
];

const fn of(name: &'static str, arguments: &'static [Wanted], gives: Kind) -> Function {
    Function { name, folds: false, arguments, least: arguments.len(), repeats: false, gives }
}

impl Function {
    const fn folding(self) -> Function {
        Function { folds: true, ..self }
    }

    const fn from(self, least: usize) -> Function {
        Function { least, ..self }
    }

    const fn repeating(self) -> Function {
        Function { repeats: true, ..self }
    }

    pub(super) fn named(name: &str) -> Option<&'static Function> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// Whether it takes so many arguments
    pub(super) fn takes(&self, count: usize) -> bool {
        count >= self.least && (self.repeats || count <= self.arguments.len())
    }

    /// What the argument at this place must be
    pub(super) fn wanted(&self, at: usize) -> Wanted {
        let last = self.arguments.last().copied().unwrap_or(Wanted::Anything);
        self.arguments.get(at).copied().unwrap_or(last)
    }
}
