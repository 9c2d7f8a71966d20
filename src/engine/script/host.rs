//! The engine that runs a ruleset's expressions. Made once for each ruleset, shared by all threads.

use super::view::{ROOTS, View};
use super::{ScriptError, api, limits};
use crate::domain::clinic::Clinic;
use crate::engine::grammar;
use crate::engine::ruleset::{Expr, Rule, Template, Trigger};
use crate::engine::template::Shelf;
use rhai::{AST, Dynamic, Engine, ImmutableString, Scope};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is made once from a ruleset so that evaluating it costs little.
pub struct Host {
    engine: Engine,
    /// The names of the records, so that filling a scope allocates none of them.
    names: [ImmutableString; ROOTS.len()],
    pub templates: Shelf,
    /// (rule, trigger) of every `date` trigger of an enabled rule.
    pub date_triggers: Vec<(usize, usize)>,
}

impl Host {
    /// `functions` become part of the engine: expressions call them without any merging at run time.
    #[must_use]
    pub fn new(clinic: &Arc<Clinic>, functions: &AST, rules: &[Rule], templates: &BTreeMap<String, Template>) -> Self {
        Self {
            engine: build_engine(clinic, functions),
            names: ROOTS.map(ImmutableString::from),
            templates: Shelf::new(templates),
            date_triggers: date_triggers(rules),
        }
    }

    /// A scope with the records of `view` as constants.
    #[must_use]
    pub fn scope(&self, view: &View) -> Scope<'static> {
        let mut scope = Scope::new();
        view.fill(&self.names, &mut scope);
        scope
    }

    /// The value of `expr`. Everything spent counts for the rule begun with [`limits::begin_rule`].
    pub fn eval(&self, expr: &Expr, scope: &mut Scope<'static>) -> Result<Dynamic, ScriptError> {
        limits::begin_expression();
        let height = scope.len();
        let result = self.engine.eval_ast_with_scope::<Dynamic>(scope, &expr.ast);
        scope.rewind(height);
        result.map_err(|error| ScriptError::from_rhai(expr, &error))
    }

    /// Like [`Host::eval`] for a condition, which must be true or false.
    pub fn holds(&self, expr: &Expr, scope: &mut Scope<'static>) -> Result<bool, ScriptError> {
        let value = self.eval(expr, scope)?;
        value.as_bool().map_err(|_| {
            ScriptError::in_expr(expr, format!("a condition must be true or false, this gives {}", self.type_name(&value)))
        })
    }

    /// The type of a value in the words of the rule language.
    #[must_use]
    pub fn type_name(&self, value: &Dynamic) -> &str {
        match value.type_name() {
            "()" => "nothing",
            "i64" => "a whole number",
            "f64" => "a number",
            "string" => "text",
            "bool" => "true or false",
            "array" => "a list",
            _ if value.is::<crate::domain::time::Timestamp>() => "a time",
            _ if value.is::<crate::domain::time::Millis>() => "a duration",
            _ => "a record",
        }
    }
}

/// A raw engine has no function at all: only what is registered here exists. No module can be loaded, nothing is printed.
fn build_engine(clinic: &Arc<Clinic>, functions: &AST) -> Engine {
    let mut engine = Engine::new_raw();
    grammar::configure(&mut engine);
    limits::install(&mut engine);
    api::register(&mut engine, clinic);
    engine.register_global_module(functions.shared_lib().clone());
    engine
}

fn date_triggers(rules: &[Rule]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (r, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.enabled) {
        for (t, trigger) in rule.triggers.iter().enumerate() {
            if matches!(trigger, Trigger::Date { .. }) {
                found.push((r, t));
            }
        }
    }
    found
}
