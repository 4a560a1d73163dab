//! What rulecast promises, tested from outside: one file a promise.

mod agreement;
mod architecture;
mod cli;
mod diagnostics;
mod events;
mod golden;
mod native;
mod normalize;
mod oracle;
mod support;
mod targets;
