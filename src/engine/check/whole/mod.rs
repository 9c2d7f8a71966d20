//! What can only be seen by looking at all rules together: rules that can never run, that get in each other's way, that set each
//! other off for ever; moves that the pipelines do not have; texts that nothing sends.
//!
//! Only warnings, and only when it is certain: a false alarm is worse than none.

mod cycles;
mod known;
mod limits;
mod literal;
mod outline;
mod reachable;
mod renamed;
mod slot;
mod span;
mod stages;
mod universe;
mod unused;
mod writers;

pub(crate) use outline::{RuleOutline, outline};
pub use renamed::renamed;

use super::parser;
use crate::engine::diagnostic::Severity;
use crate::engine::ruleset::{Catalogue, Expr, Rule, Trigger};
use crate::engine::source::{Place, Problems, Scalar};
use known::Known;
use outline::{Effect, EffectKind};
use rhai::{AST, Stmt};
use std::collections::HashMap;

/// Everything that was compiled.
pub(crate) struct Whole<'a> {
    pub rules: &'a [Rule],
    pub outlines: &'a [RuleOutline],
    /// Name and file of each template that is not for staff's own use.
    pub templates: &'a [(String, String)],
    /// Names that scripts mention.
    pub scripts: &'a [&'a str],
    pub catalogue: &'a Catalogue,
}

/// Looks at the rules as a whole. What needs all of them is left out while some do not compile.
pub(crate) fn check_whole(whole: &Whole<'_>, problems: &mut Problems) {
    let complete = !problems.has_errors();
    let mut looks: Vec<Look<'_>> = Vec::new();
    let outlines: HashMap<(&str, &str), &RuleOutline> =
        whole.outlines.iter().map(|o| ((o.file.as_ref(), o.id.text.as_str()), o)).collect();
    for rule in whole.rules {
        let Some(outline) = outlines.get(&(rule.file.as_ref(), rule.id.as_str())) else { continue };
        looks.push(Look::new(rule, outline, whole.catalogue));
    }
    for look in &mut looks {
        reachable::check(look, problems);
        stages::check(look, problems);
        limits::check(look, problems);
    }
    if complete {
        writers::check(&looks, problems);
        cycles::check(&looks, problems);
        unused::check(whole, problems);
    }
}

/// Every event that a rule's `emit` makes: names that other rules may listen to.
pub(super) fn emitted_names(outlines: &[RuleOutline]) -> Vec<(&RuleOutline, &Effect, &str)> {
    let mut emitted = Vec::new();
    for outline in outlines {
        for effect in &outline.effects {
            if let EffectKind::Emit(name) = &effect.kind {
                emitted.push((outline, effect, name.as_str()));
            }
        }
    }
    emitted
}

/// One rule under examination.
pub(super) struct Look<'a> {
    pub rule: &'a Rule,
    pub outline: &'a RuleOutline,
    /// Conditions of each effect.
    pub steps: Vec<Step<'a>>,
    pub catalogue: &'a Catalogue,
    /// Nothing can make it run.
    pub dead: bool,
}

pub(super) struct Step<'a> {
    pub effect: &'a Effect,
    pub conditions: Vec<(AST, &'a Scalar)>,
}

impl<'a> Look<'a> {
    fn new(rule: &'a Rule, outline: &'a RuleOutline, catalogue: &'a Catalogue) -> Self {
        let parsed = |scalar: &'a Scalar| parser().compile_expression(&scalar.text).ok().map(|ast| (ast, scalar));
        let step = |effect: &'a Effect| Step { effect, conditions: effect.conditions.iter().filter_map(parsed).collect() };
        Self { rule, outline, steps: outline.effects.iter().map(step).collect(), catalogue, dead: false }
    }

    /// What the triggers make certain.
    pub fn by_triggers(&self) -> Known<'a> {
        let mut known = Known::nothing(self.catalogue);
        let named = |t: &Trigger| if let Trigger::Event { names, .. } = t { Some(names.clone()) } else { None };
        if let Some(names) = self.rule.triggers.iter().map(named).collect::<Option<Vec<_>>>() {
            let names: Vec<String> = names.into_iter().flatten().collect();
            known.one_of("event.event_type", names);
        }
        known
    }

    /// What is certain when the rule's steps begin.
    pub fn by_rule(&self) -> Known<'a> {
        let mut known = self.by_triggers();
        for line in self.rule.while_.iter().chain(&self.rule.if_) {
            assume(&mut known, &line.ast, line.line);
        }
        known
    }

    /// What is certain when a step runs. After a wait, only what holds all the time.
    pub fn by_step(&self, step: &Step<'_>) -> Known<'a> {
        let mut known = if step.effect.later { self.while_waiting() } else { self.by_rule() };
        for (ast, scalar) in &step.conditions {
            assume(&mut known, ast, scalar.at.line);
        }
        known
    }

    pub fn while_waiting(&self) -> Known<'a> {
        let mut known = Known::nothing(self.catalogue);
        for line in &self.rule.while_ {
            assume(&mut known, &line.ast, line.line);
        }
        known
    }

    /// Whether the rule listens to this event only when no other rule fired.
    pub fn is_last_resort(&self, event: &str) -> bool {
        let listens = |t: &Trigger| matches!(t, Trigger::Event { names, unhandled: false } if names.iter().any(|n| n == event));
        !self.rule.triggers.iter().any(listens)
    }

    pub fn here(&self) -> String {
        format!("{}:{}", self.rule.file, self.outline.id.at.line)
    }
}

pub(super) fn assume(known: &mut Known<'_>, ast: &AST, line: usize) {
    if let Some(Stmt::Expr(condition)) = ast.statements().first() {
        known.assume(condition, line);
    }
}

/// A condition's place, as far as it is on one line.
pub(super) fn place_of(line: &Expr) -> Place {
    let width = line.text.lines().next().map_or(1, |text| text.chars().count());
    Place { line: line.line, column: line.column, width: width.max(1) }
}

pub(super) fn warn(problems: &mut Problems, code: &str, file: &str, at: Place, message: String, help: &str) {
    let known = problems.found.iter().any(|d| {
        d.severity == Severity::Warning && d.code == code && d.file == file && (d.line, d.column) == (at.line, at.column)
    });
    if !known {
        problems.warning(code, file, at, message, Some(help.to_owned()));
    }
}
