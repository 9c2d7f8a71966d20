//! The engine that runs a ruleset's expressions. Made once for each ruleset, shared by all threads.

use super::view::{ROOTS, View};
use super::{FunctionFiles, ScriptError, api, limits};
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
    /// For error messages; may be empty.
    pub function_files: FunctionFiles,
    /// (rule, trigger) of every `date` trigger of an enabled rule.
    pub date_triggers: Vec<(usize, usize)>,
    /// (rule, trigger) of every `holds` trigger of an enabled rule.
    pub hold_triggers: Vec<(usize, usize)>,
}

impl Host {
    /// `functions` become part of the engine: expressions call them without any merging at run time.
    #[must_use]
    pub fn new(clinic: &Arc<Clinic>, functions: &AST, rules: &[Rule], templates: &BTreeMap<String, Template>) -> Self {
        Self {
            engine: build_engine(clinic, functions),
            names: ROOTS.map(ImmutableString::from),
            templates: Shelf::new(templates),
            function_files: FunctionFiles::new(),
            date_triggers: places(rules, |trigger| matches!(trigger, Trigger::Date { .. })),
            hold_triggers: places(rules, |trigger| matches!(trigger, Trigger::Holds { .. })),
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
        result.map_err(|error| ScriptError::from_rhai(expr, &error, &self.function_files))
    }

    /// The value of an expression that is in no rule, such as a call in a test.
    pub fn eval_text(&self, text: &str, scope: &mut Scope<'static>) -> Result<Dynamic, ScriptError> {
        let file: Arc<str> = Arc::from("");
        let parsed = self.engine.compile_expression(text);
        let ast =
            parsed.map_err(|e| ScriptError::at(&file, 1, e.position().position().unwrap_or(1), e.err_type().to_string()))?;
        self.eval(&Expr { text: text.to_owned(), ast, file, line: 1, column: 1, reads: Vec::new() }, scope)
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
    // The interner is shared by all threads behind a lock, and would keep texts of patients.
    engine.set_max_strings_interned(0);
    engine.register_global_module(functions.shared_lib().clone());
    engine
}

/// (rule, trigger) of what is wanted, in enabled rules.
fn places(rules: &[Rule], wanted: impl Fn(&Trigger) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (r, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.enabled) {
        for (t, trigger) in rule.triggers.iter().enumerate() {
            if wanted(trigger) {
                found.push((r, t));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::Calendar;
    use crate::domain::clinic::{QuietHours, TextSettings};
    use crate::domain::event::Actor;
    use crate::domain::keywords::Keywords;
    use crate::domain::pipeline::Pipelines;
    use crate::domain::time::Timestamp;
    use crate::engine::evaluate::evaluate;
    use crate::engine::facts::{Asked, EventFacts, Facts};
    use crate::engine::plan::Outcome;
    use crate::engine::ruleset::{Catalogue, IfRunning, Ruleset};

    fn clinic() -> Arc<Clinic> {
        let none = Vec::new;
        Arc::new(Clinic {
            name: "Harbour Imaging".to_owned(),
            phone: "02 5550 1234".to_owned(),
            calendar: Calendar::weekdays(chrono_tz::Australia::Sydney),
            quiet_hours: QuietHours { from_minute: 480, until_minute: 1_200 },
            keywords: Keywords::default(),
            texts: TextSettings::default(),
            teams: none(),
            task_types: none(),
            test_contacts: none(),
        })
    }

    fn rule(id: &str, condition: &str) -> Rule {
        let mut engine = Engine::new_raw();
        grammar::configure(&mut engine);
        let ast = engine.compile_expression(condition).expect("an expression");
        let file: Arc<str> = "rules/test.yaml".into();
        let line = Expr { text: condition.to_owned(), ast, file: Arc::clone(&file), line: 1, column: 1, reads: Vec::new() };
        Rule {
            id: id.to_owned(),
            name: String::new(),
            about: String::new(),
            owner: None,
            enabled: true,
            file,
            line: 1,
            triggers: vec![Trigger::Event { names: vec!["lead_created".to_owned()], unhandled: false }],
            labels: Vec::new(),
            if_running: IfRunning::default(),
            while_: Vec::new(),
            if_: vec![line],
            vars: Vec::new(),
            steps: Vec::new(),
            limit: None,
            guard: crate::engine::guard::Guard::default(),
        }
    }

    #[test]
    fn a_panic_below_a_rule_is_that_rules_failure_alone() {
        let catalogue = Catalogue {
            clinic: clinic(),
            pipelines: Arc::new(Pipelines::default()),
            declared_events: Vec::new(),
            declared_sources: Vec::new(),
        };
        let rules = vec![rule("panics", "boom()"), rule("fine", "now.hour == 9")];
        let mut ruleset = Ruleset::new(String::new(), rules, BTreeMap::new(), AST::empty(), catalogue);
        ruleset.host.engine.register_fn("boom", || -> bool { panic!("a bug below the rule") });
        let now = Timestamp::parse_rfc3339("2026-11-23T09:00:00+11:00").expect("a time");
        let event = EventFacts {
            id: "e1".to_owned(),
            event_type: "lead_created".to_owned(),
            source: "manychat".to_owned(),
            actor: Actor::Patient,
            timestamp: now,
            occurred_at: None,
            depth: 0,
            data: BTreeMap::new(),
        };
        let facts = Facts {
            event,
            contact: None,
            booking: None,
            message: None,
            task: None,
            timer: None,
            fired: Vec::new(),
            running: Vec::new(),
            asked: Asked::Listening,
        };
        let outcomes: Vec<Outcome> = evaluate(&ruleset, &facts, now).iter().map(|run| run.outcome).collect();
        assert_eq!(outcomes, [Outcome::Failed, Outcome::Fired]);
    }
}
