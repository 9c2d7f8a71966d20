//! What one rule must know of the others before any of them is checked: which events they send, and what `run` may lead to.

use crate::domain::event::SubjectKind;
use crate::engine::check::holds_subject;
use crate::engine::schema::records_of_event;
use crate::engine::syntax::{ActionSyntax, RuleSyntax, TriggerSyntax, all_steps};
use std::collections::{BTreeMap, BTreeSet};

/// Rules that run one another, in depth.
pub(super) const RUN_DEPTH_MAX: usize = 5;

/// Records by name; `true`: always there.
pub(super) type Records = Vec<(&'static str, bool)>;

/// All rules, as far as others depend on them.
pub(super) struct Outlines {
    rules: BTreeMap<String, Outline>,
    /// What a rule finds that listens to an event which rules send.
    emitted: BTreeMap<String, Records>,
}

pub(super) struct Outline {
    /// What the triggers bring.
    pub records: Records,
    /// The rules that it runs.
    pub runs: Vec<String>,
    pub waits: bool,
}

impl Outlines {
    pub fn of<'r>(rules: impl Iterator<Item = &'r RuleSyntax> + Clone) -> Self {
        let emitted = emitted(rules.clone());
        let outline = |rule: &RuleSyntax| {
            let steps = all_steps(&rule.steps);
            let runs = steps.iter().filter_map(|s| match &s.action {
                ActionSyntax::Run(id) => Some(id.text.clone()),
                _ => None,
            });
            let waits = steps.iter().any(|s| matches!(s.action, ActionSyntax::Wait(_)));
            (rule.id.text.clone(), Outline { records: records_of(rule, &emitted), runs: runs.collect(), waits })
        };
        Self { rules: rules.map(outline).collect(), emitted }
    }

    pub fn find(&self, id: &str) -> Option<&Outline> {
        self.rules.get(id)
    }

    pub fn ids(&self) -> Vec<&str> {
        self.rules.keys().map(String::as_str).collect()
    }

    /// The events that rules send.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.emitted.keys().map(String::as_str)
    }

    /// What a rule finds that listens to this event.
    pub fn records_of_event(&self, name: &str) -> Records {
        self.emitted.get(name).cloned().unwrap_or_else(|| records_of_event(name).to_vec())
    }

    /// The way on which running `id` leads back to `from`, or the one that is too deep; empty when there is none.
    pub fn endless(&self, from: &str, id: &str) -> Vec<String> {
        let mut way = vec![from.to_owned()];
        if self.follow(from, id, &mut way, &mut BTreeSet::new()) { way } else { Vec::new() }
    }

    fn follow(&self, from: &str, id: &str, way: &mut Vec<String>, seen: &mut BTreeSet<(String, usize)>) -> bool {
        way.push(id.to_owned());
        if id == from || way.len() > RUN_DEPTH_MAX + 1 {
            return true;
        }
        if seen.insert((id.to_owned(), way.len())) {
            let runs = self.rules.get(id).map_or(&[][..], |outline| outline.runs.as_slice());
            if runs.iter().any(|next| self.follow(from, next, way, seen)) {
                return true;
            }
        }
        way.pop();
        false
    }
}

/// Begins with everything there, and takes away until nothing changes: what is left is there whoever sent the event.
fn emitted<'r>(rules: impl Iterator<Item = &'r RuleSyntax> + Clone) -> BTreeMap<String, Records> {
    let senders: Vec<(&RuleSyntax, Vec<&str>)> =
        rules.map(|rule| (rule, sent_by(rule))).filter(|(_, sent)| !sent.is_empty()).collect();
    let everything = || vec![("contact", true), ("booking", true)];
    let mut found: BTreeMap<String, Records> =
        senders.iter().flat_map(|(_, sent)| sent).map(|name| ((*name).to_owned(), everything())).collect();
    // Each round takes at least one record or one certainty away, of which every event has four.
    for _ in 0..=found.len() * 4 {
        let mut next = found.clone();
        for (rule, sent) in &senders {
            let brought = records_of(rule, &found);
            for name in sent {
                if let Some(records) = next.get_mut(*name) {
                    meet(records, &brought);
                }
            }
        }
        if next == found {
            break;
        }
        found = next;
    }
    found
}

fn sent_by(rule: &RuleSyntax) -> Vec<&str> {
    let steps = all_steps(&rule.steps).into_iter();
    steps
        .filter_map(|step| match &step.action {
            ActionSyntax::Emit { event, .. } => Some(event.text.as_str()),
            _ => None,
        })
        .collect()
}

/// Keeps what both have.
fn meet(records: &mut Records, other: &Records) {
    records.retain_mut(|(name, always)| {
        let found = other.iter().find(|(n, _)| n == name);
        *always &= found.is_some_and(|(_, a)| *a);
        found.is_some()
    });
}

/// Only what all triggers bring.
fn records_of(rule: &RuleSyntax, emitted: &BTreeMap<String, Records>) -> Records {
    let mut lists = rule.when.iter().flat_map(|trigger| brought(trigger, emitted));
    let mut records = lists.next().unwrap_or_default();
    lists.for_each(|other| meet(&mut records, &other));
    records
}

fn brought(trigger: &TriggerSyntax, emitted: &BTreeMap<String, Records>) -> Vec<Records> {
    let of_event = |name: &str| emitted.get(name).cloned().unwrap_or_else(|| records_of_event(name).to_vec());
    match trigger {
        TriggerSyntax::Event { names, .. } => names.iter().map(|name| of_event(&name.text)).collect(),
        TriggerSyntax::Date { field, .. } => {
            vec![records_of_subject(SubjectKind::parse(field.text.split('.').next().unwrap_or("")))]
        }
        TriggerSyntax::Every { each, .. } => vec![records_of_subject(*each)],
        TriggerSyntax::Holds { expr, .. } => vec![records_of_subject(Some(holds_subject(&expr.text)))],
        TriggerSyntax::Manual { subject } => vec![records_of_subject(Some(*subject))],
        TriggerSyntax::Webhook { .. } => vec![vec![("contact", false), ("booking", false)]],
    }
}

fn records_of_subject(subject: Option<SubjectKind>) -> Records {
    crate::engine::check::records_of_subject(subject)
}
