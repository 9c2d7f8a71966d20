//! The script host, evaluation, texts and timers, on rulesets built by hand.

mod default_scores;
mod evaluation;
mod fields;
mod functions;
mod hostile_scripts;
mod hostile_templates;
mod speed;
mod texts;
mod timers;
pub mod workbench;
