//! Station 2: the meaning of a rule.
//!
//! In: a [`Definition`](crate::definition::Definition). Out: a [`Rule`] with fields, operators
//! and closed expressions. Afterwards no vocabulary word, modifier, selection name or `$name` is
//! left to resolve. Every [`Test`] remembers its place for messages; the place is no part of
//! its meaning.
//!
//! INVARIANT: lowering never changes case and never compiles a pattern; each target does that in
//! its own way, and all of them must agree with the meaning written at [`Op`].

mod attack;
mod called;
mod column;
mod condition;
mod contradiction;
mod correlation;
mod dash;
mod encode;
mod expression;
mod filter;
mod link;
mod lower;
mod modifier;
mod network;
mod normalize;
mod novelty;
mod number;
mod place;
mod print;
mod regex;
mod reported;
mod rule;
mod samples;
mod scope;
mod test;
mod text;
mod text_test;
mod value;

pub use attack::Threat;
pub use column::Column;
pub use correlation::{Bound, Correlation, CorrelationTest, Fields, Key, Measure, Origin};
pub use expression::{Expr, Op, Part, Subject, Test, TimeUnit};
pub use link::join;
pub use lower::{lower, lower_with};
pub use network::NON_PUBLIC;
pub use normalize::normalize;
pub(crate) use novelty::seconds;
pub use number::{Decimal, Numbers};
pub(crate) use print::verb;
pub use print::{TestWords, ValueWords, correlation_text, print, test_text};
pub use regex::RegexPattern;
pub use rule::{Clause, ClauseOrigin, NewTerms, Role, Rule, Signal};
pub use samples::say_action;
pub use text_test::{Case, Relation, TextTest};
