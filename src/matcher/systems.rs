//! The operating systems that an event may be of.
//!
//! In: what an event, its log or its shape tells. Out: [`Systems`], by which the signals of other systems are
//! left out. An event that is made flat keeps them under [`SYSTEMS`], so that every reader of it knows them.

use crate::taxonomy::Product;

/// The name under which a flat event has its operating systems; no rule asks for it
pub(super) const SYSTEMS: &str = "(system)";

/// The operating systems that an event may be of
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Systems {
    /// Nothing tells it
    #[default]
    Any,
    /// This one
    One(Product),
    /// Linux or macOS, whose paths begin with a slash
    Posix,
}

/// The word for Linux or macOS
const POSIX: &str = "posix";

impl Systems {
    /// The systems with this word
    pub(super) fn named(word: &str) -> Systems {
        match Product::named(word) {
            Some(product) => Systems::One(product),
            None if word == POSIX => Systems::Posix,
            None => Systems::Any,
        }
    }

    /// The word for them; `None` when nothing tells them
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Systems::Any => None,
            Systems::One(product) => Some(product.name()),
            Systems::Posix => Some(POSIX),
        }
    }

    /// The only one
    pub(super) fn one(self) -> Option<Product> {
        match self {
            Systems::One(product) => Some(product),
            Systems::Any | Systems::Posix => None,
        }
    }

    /// Whether an event of them may be of this one
    pub(super) fn hold(self, product: Product) -> bool {
        match self {
            Systems::Any => true,
            Systems::One(one) => one == product,
            Systems::Posix => matches!(product, Product::Linux | Product::Macos),
        }
    }

    /// These, or others when nothing tells them
    pub(super) fn or(self, other: Systems) -> Systems {
        if self == Systems::Any { other } else { self }
    }
}

impl From<Option<Product>> for Systems {
    fn from(product: Option<Product>) -> Systems {
        product.map_or(Systems::Any, Systems::One)
    }
}
