//! The rule language: files in, rulesets or diagnostics out.

mod clinic;
mod compiles;
mod each;
mod examples;
mod flow;
mod host;
mod hostile;
mod hostile_files;
mod language;
mod later;
mod mistakes;
mod mutations;
mod positions;
mod reports;
mod scripts;
mod smoke;
mod soundness;
mod templates;
mod whole;
