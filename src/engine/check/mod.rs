//! Decides whether rules, scripts and templates mean something: names, types, references. Reports everything it finds.

mod calls;
mod chain;
mod expression;
mod flow;
mod operators;
mod scope;
mod script;
mod signature;
mod switch;
mod template;
mod template_header;
mod template_parts;
mod template_privacy;
mod text;
mod ty;
mod walk;
mod whole;

pub(crate) use expression::{Part, Wanted, check_expression};
pub(crate) use flow::proved;
pub(crate) use scope::{Scope, holds_subject, records_of_subject, records_of_triggers};
pub(crate) use script::{Functions, check_scripts};
pub(crate) use template::{CheckedTemplate, TemplateRead, check_template};
pub(crate) use template_header::name_of as template_name;
pub use template_parts::{Estimate, estimate};
pub(crate) use text::check_text;
pub(crate) use ty::{Ty, of, of_field_value};
pub use whole::renamed;
pub(crate) use whole::{RuleOutline, Whole, check_whole, outline};

use super::grammar;
use super::ruleset::Catalogue;
use rhai::Engine;
use std::sync::OnceLock;

/// What every check needs beside the file at hand.
pub(crate) struct Environment<'a> {
    pub functions: &'a Functions,
    pub catalogue: &'a Catalogue,
}

/// Parses; never evaluates, and knows no function.
pub(crate) fn parser() -> &'static Engine {
    static PARSER: OnceLock<Engine> = OnceLock::new();
    PARSER.get_or_init(|| {
        let mut engine = Engine::new_raw();
        grammar::configure(&mut engine);
        engine
    })
}
