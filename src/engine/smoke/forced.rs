//! Rules made so that each of their expressions is worked out: conditions that only choose are taken out of the way, and those
//! that guard what may be missing stay.

use super::records::Variant;
use crate::domain::event::KNOWN_EVENTS;
use crate::engine::check::{guards, records_of_triggers};
use crate::engine::facts::Facts;
use crate::engine::guard::Guard;
use crate::engine::ruleset::{Catalogue, Expr, Rule, Ruleset, Step, StepAction, Text, TextPart, Trigger, Value};
use crate::engine::schema::records_of_event;
use std::collections::BTreeSet;

/// The rules to try, in a ruleset of their own.
pub(super) struct ForcedRules {
    pub ruleset: Ruleset,
    pub rules: Vec<Forced>,
}

/// One rule with what it can read.
pub(super) struct Forced {
    pub id: String,
    pub name: String,
    /// Dotted paths.
    reads: BTreeSet<String>,
    /// Scripts may read anything.
    reads_all: bool,
    records: Vec<(&'static str, bool)>,
}

impl Forced {
    /// Whether the variant differs from the others in something that the rule reads.
    pub fn concerns(&self, variant: &Variant) -> bool {
        let below = |read: &String| *read == variant.path || read.starts_with(&format!("{}.", variant.path));
        self.reads_all || self.reads.iter().any(below)
    }

    /// The records that the rule's triggers bring; one that may be missing is missing where everything is.
    pub fn facts(&self, variant: &Variant) -> Facts {
        let mut facts = variant.facts.clone();
        let brings = |name: &str| self.records.iter().any(|(n, always)| *n == name && (*always || !variant.is_bare));
        if !brings("contact") {
            facts.contact = None;
        }
        if !brings("booking") {
            facts.booking = None;
        }
        if !brings("message") {
            facts.message = None;
        }
        if !brings("task") {
            facts.task = None;
        }
        facts
    }
}

pub(super) fn force(ruleset: &Ruleset) -> ForcedRules {
    let mut tried: BTreeSet<String> = BTreeSet::new();
    let rules: Vec<Rule> = ruleset.rules.iter().enumerate().map(|(index, rule)| forced_rule(index, rule)).collect();
    let forced = ruleset.rules.iter().zip(&rules).map(|(rule, forced)| describe(rule, forced, ruleset, &mut tried)).collect();
    let files = ruleset.host.function_files.clone();
    let (functions, catalogue) = (ruleset.functions.clone(), ruleset.catalogue.clone());
    let ruleset = Ruleset::new(String::new(), rules, ruleset.templates.clone(), functions, catalogue).with_function_files(files);
    ForcedRules { ruleset, rules: forced }
}

/// Ids may come twice only in rulesets with errors; the index keeps them apart in any case.
fn forced_rule(index: usize, rule: &Rule) -> Rule {
    let (while_, mut seen) = keep_guards(&rule.while_);
    let (if_, more) = keep_guards(&rule.if_);
    seen.extend(more);
    let mut steps: Vec<Step> = seen.into_iter().map(|expr| looking_at(rule, &expr, &[])).collect();
    for step in &rule.steps {
        let (guards, seen) = keep_guards(&step.if_);
        steps.extend(seen.into_iter().map(|expr| looking_at(rule, &expr, &guards)));
        steps.push(Step { if_: guards, ..step.clone() });
    }
    Rule {
        id: index.to_string(),
        enabled: true,
        triggers: vec![Trigger::Event { names: Vec::new(), unhandled: false }],
        while_,
        if_,
        steps,
        limit: None,
        guard: Guard::default(),
        ..rule.clone()
    }
}

/// The conditions that prove something to be there, and the others.
fn keep_guards(lines: &[Expr]) -> (Vec<Expr>, Vec<Expr>) {
    lines.iter().cloned().partition(|line| guards(&line.ast))
}

/// A step that does nothing but work the expression out.
fn looking_at(rule: &Rule, expr: &Expr, guards: &[Expr]) -> Step {
    let text = Text { parts: vec![TextPart::Merge(expr.clone())] };
    Step { path: "if".to_owned(), line: rule.line, if_: guards.to_vec(), action: StepAction::Note(text) }
}

/// Scripts that were tried with everything need not be tried again for another rule.
fn describe(rule: &Rule, forced: &Rule, ruleset: &Ruleset, tried: &mut BTreeSet<String>) -> Forced {
    let mut found = Reads::default();
    rule.while_.iter().chain(&rule.if_).chain(rule.vars.iter().map(|(_, expr)| expr)).for_each(|expr| found.expr(expr));
    for step in &rule.steps {
        step.if_.iter().for_each(|expr| found.expr(expr));
        found.action(&step.action, ruleset);
    }
    let records = records_of_triggers(&rule.triggers, |event| records_of(event, &ruleset.catalogue));
    let fresh = found.calls.iter().filter(|call| tried.insert(format!("{records:?} {call}"))).count() > 0;
    Forced { id: forced.id.clone(), name: rule.id.clone(), reads: found.paths, reads_all: fresh || found.unclear, records }
}

/// What an event brings. What rules themselves send brings what the sender had: the checker has seen to it that no more is read.
fn records_of(event: &str, catalogue: &Catalogue) -> Vec<(&'static str, bool)> {
    if KNOWN_EVENTS.contains(&event) || catalogue.declared_events.iter().any(|declared| declared == event) {
        return records_of_event(event).to_vec();
    }
    ["contact", "booking", "message", "task"].map(|record| (record, true)).to_vec()
}

/// What a rule reads.
#[derive(Default)]
struct Reads {
    paths: BTreeSet<String>,
    /// Expressions that call functions.
    calls: BTreeSet<String>,
    /// A step of a kind that is not looked into.
    unclear: bool,
}

impl Reads {
    fn expr(&mut self, expr: &Expr) {
        self.paths.extend(expr.reads.iter().cloned());
        if expr.text.contains('(') {
            self.calls.insert(expr.text.clone());
        }
    }

    fn text(&mut self, text: &Text) {
        for part in &text.parts {
            if let TextPart::Merge(expr) = part {
                self.expr(expr);
            }
        }
    }

    fn value(&mut self, value: &Value) {
        if let Value::Expr(expr) = value {
            self.expr(expr);
        }
    }

    fn action(&mut self, action: &StepAction, ruleset: &Ruleset) {
        match action {
            StepAction::Sms { template } => {
                let reads = ruleset.templates.get(template).map_or(&[][..], |t| t.reads.as_slice());
                self.paths.extend(reads.iter().cloned());
            }
            StepAction::Task { title, due, priority, note, .. } => {
                self.text(title);
                if let Some(note) = note {
                    self.text(note);
                }
                self.value(due);
                self.value(priority);
            }
            StepAction::Set(fields) => fields.iter().for_each(|(_, value)| self.value(value)),
            StepAction::Note(text) | StepAction::CloseTasks { reason: text, .. } => self.text(text),
            // Whatever is not looked into is tried with everything.
            _ => self.unclear |= !matches!(action, StepAction::Move { .. } | StepAction::CancelSms { .. }),
        }
    }
}
