//! Rules made so that each of their expressions is worked out, whatever the conditions before it say.

use super::flatten::Flattening;
use super::records::Variant;
use crate::domain::event::KNOWN_EVENTS;
use crate::engine::check::records_of_triggers;
use crate::engine::facts::Facts;
use crate::engine::guard::Guard;
use crate::engine::ruleset::{Catalogue, Expr, Rule, Ruleset, StepAction, Text, TextPart, Trigger, Value};
use crate::engine::schema::records_of_event;
use std::collections::{BTreeSet, HashMap};

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
        if !facts.event.data.is_empty() {
            let read = self.reads.iter().filter_map(|path| path.strip_prefix("event.data."));
            facts.event.data.extend(read.map(|name| (name.to_owned(), "spring".to_owned())));
        }
        facts
    }
}

pub(super) fn force(ruleset: &Ruleset) -> ForcedRules {
    let mut tried: BTreeSet<String> = BTreeSet::new();
    let names = ruleset.by_id.iter().map(|(id, index)| (id.as_str(), index.to_string())).collect();
    let rules: Vec<Rule> = ruleset.rules.iter().enumerate().map(|(index, rule)| forced_rule(index, rule, &names)).collect();
    let forced = ruleset.rules.iter().zip(&rules).map(|(rule, forced)| describe(rule, forced, ruleset, &mut tried)).collect();
    let files = ruleset.host.function_files.clone();
    let (functions, catalogue) = (ruleset.functions.clone(), ruleset.catalogue.clone());
    let ruleset = Ruleset::new(String::new(), rules, ruleset.templates.clone(), functions, catalogue).with_function_files(files);
    ForcedRules { ruleset, rules: forced }
}

/// Ids may come twice only in rulesets with errors; the index keeps them apart in any case.
fn forced_rule(index: usize, rule: &Rule, names: &HashMap<&str, String>) -> Rule {
    let (if_, steps) = Flattening { rule, names }.whole();
    Rule {
        id: index.to_string(),
        enabled: true,
        triggers: vec![Trigger::Event { names: Vec::new(), unhandled: false }],
        while_: Vec::new(),
        if_,
        steps,
        limit: None,
        guard: Guard::default(),
        ..rule.clone()
    }
}

/// Scripts that were tried with everything need not be tried again for another rule.
fn describe(rule: &Rule, forced: &Rule, ruleset: &Ruleset, tried: &mut BTreeSet<String>) -> Forced {
    let mut found = Reads::default();
    rule.while_.iter().chain(&rule.if_).chain(rule.vars.iter().map(|(_, expr)| expr)).for_each(|expr| found.expr(expr));
    for step in &forced.steps {
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
            _ => self.unclear |= !matches!(action, StepAction::Move { .. } | StepAction::CancelSms { .. } | StepAction::Wait(_)),
        }
    }
}
