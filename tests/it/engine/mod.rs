//! The rule language: files in, rulesets or diagnostics out.

mod clinic;
mod compiles;
mod flow;
mod host;
mod hostile;
mod later;
mod mistakes;
mod mutations;
mod positions;
mod reports;
mod scripts;
mod templates;
