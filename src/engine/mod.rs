//! The rule language: source (spans) → syntax → check (all diagnostics at once) → compile → [`Ruleset`]; evaluate → plan + trace.
//!
//! No I/O, no clock, no randomness: the same (revision, facts, event, now) gives the same plan and trace, byte for byte.

mod check;
mod compile;
pub mod diagnostic;
pub mod evaluate;
pub mod facts;
pub mod functions;
pub mod grammar;
pub mod guard;
pub mod language;
pub mod plan;
pub mod promise;
pub mod ruleset;
pub mod ruletest;
pub mod schema;
pub mod script;
pub mod smoke;
mod source;
pub(crate) mod syntax;
pub mod template;
pub mod timers;

pub use check::{Estimate, estimate, renamed};
pub use compile::{Compiled, compile, compile_and_try};
pub use diagnostic::{Diagnostic, Severity};
pub use facts::Facts;
pub use plan::{Action, Outcome, PlannedStep, RuleRun};
pub use ruleset::{Catalogue, Ruleset, Sources};
