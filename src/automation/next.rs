//! What will happen next with one contact: timers of rules, texts that wait, tasks that are open.

use super::rulesets::InForce;
use crate::domain::contact::Contact;
use crate::domain::event::{SubjectKind, Timer};
use crate::domain::sms::SmsMessage;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::engine::guard::Rollout;
use crate::engine::ruleset::{Rule, StepAction, Trigger};
use crate::store::{Conn, StoreResult, contacts, runs, sms, tasks, timers};
use std::collections::HashMap;

/// Items that are told of one contact.
pub const ITEMS_MAX: usize = 200;

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rule looks at the contact, and then does what it says if its conditions hold.
    Timer,
    /// A text leaves.
    Text,
    /// A member of staff is to have done it.
    Task,
}

impl Kind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Text => "text",
            Self::Task => "task",
        }
    }
}

/// One thing that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub at: Timestamp,
    pub kind: Kind,
    /// Of texts and tasks.
    pub id: Option<String>,
    pub rule_id: Option<String>,
    /// `text reminder_24hr, move to pre_appointment/reminded`; the template; the task's type and title.
    pub what: String,
    pub booking_id: Option<String>,
    /// Why it may come to nothing: the rule is switched off, or not on for this contact.
    pub held: Option<String>,
}

/// Everything that is to come for a contact, soonest first.
pub fn next(conn: &mut Conn, in_force: Option<&InForce>, contact_id: &str) -> StoreResult<Vec<Item>> {
    let ids = [contact_id.to_owned()];
    let contact = contacts::find(conn, contact_id)?;
    let mut items = Vec::new();
    let pending = timers::list_of_contacts(conn, &ids)?.into_iter().filter(|t| t.state == "pending");
    items.extend(pending.map(|timer| of_timer(&timer, in_force, contact.as_ref())));
    for text in sms::list_unsent_of_contacts(conn, &ids)? {
        let rule = rule_of(conn, text.run_id.as_deref())?;
        items.push(of_text(text, rule));
    }
    for task in tasks::list_open_of_contacts(conn, &ids)? {
        let rule = rule_of(conn, task.run_id.as_deref())?;
        items.push(of_task(task, rule));
    }
    items.sort_by(|a, b| (a.at, &a.what).cmp(&(b.at, &b.what)));
    items.truncate(ITEMS_MAX);
    Ok(items)
}

fn rule_of(conn: &mut Conn, run_id: Option<&str>) -> StoreResult<Option<String>> {
    let Some(id) = run_id else { return Ok(None) };
    Ok(runs::find(conn, id)?.map(|run| run.rule_id))
}

fn of_timer(timer: &Timer, in_force: Option<&InForce>, contact: Option<&Contact>) -> Item {
    let rule = in_force.and_then(|f| f.ruleset.by_id.get(&timer.rule_id).and_then(|index| f.ruleset.rules.get(*index)));
    Item {
        at: timer.due_at,
        kind: Kind::Timer,
        id: None,
        rule_id: Some(timer.rule_id.clone()),
        what: rule.map_or_else(|| timer.rule_id.clone(), plan_of),
        booking_id: (timer.subject_kind == SubjectKind::Booking).then(|| timer.subject_id.clone()),
        held: match (rule, in_force) {
            (Some(rule), Some(in_force)) => held(rule, in_force, contact).or_else(|| unwanted(rule, contact)),
            _ => Some("the rule is not in force any more".to_owned()),
        },
    }
}

/// Why the rule would do nothing, as far as that is known before.
pub(super) fn held(rule: &Rule, in_force: &InForce, contact: Option<&Contact>) -> Option<String> {
    if let Some(off) = in_force.overrides.find_off(&rule.id) {
        return Some(format!("{} by {}: {}", off.state.as_str(), off.by, off.reason));
    }
    let rollout = rule.guard.rollout;
    let clinic = &in_force.ruleset.catalogue.clinic;
    let is_out = !rollout.includes(&rule.id, contact, clinic) || rollout == Rollout::Shadow;
    is_out.then(|| format!("rollout: {}", rollout.text()))
}

/// After STOP what else a rule does is done, and its texts are not sent.
fn unwanted(rule: &Rule, contact: Option<&Contact>) -> Option<String> {
    let has_text = rule.steps.iter().any(|step| matches!(step.action, StepAction::Sms { .. }));
    let is_unwanted = has_text && contact.is_some_and(|contact| contact.opted_out_at.is_some());
    is_unwanted.then(|| "no text leaves: the person does not want any (STOP)".to_owned())
}

fn plan_of(rule: &Rule) -> String {
    let steps: Vec<String> = rule.steps.iter().filter_map(|step| step_text(&step.action)).collect();
    if steps.is_empty() { rule.name.clone() } else { steps.join(", ") }
}

/// The texts that rules send at a time before or after an appointment.
#[derive(Debug, Default)]
pub struct Reminders {
    /// Template by rule.
    by_rule: HashMap<String, String>,
}

impl Reminders {
    /// As the rules in force have them.
    #[must_use]
    pub fn of(in_force: Option<&InForce>) -> Self {
        let rules = in_force.map_or(&[][..], |in_force| in_force.ruleset.rules.as_slice());
        let is_timed =
            |rule: &&Rule| rule.triggers.iter().any(|t| matches!(t, Trigger::Date { subject: SubjectKind::Booking, .. }));
        let text = |rule: &Rule| {
            rule.steps.iter().find_map(|step| match &step.action {
                StepAction::Sms { template } => Some((rule.id.clone(), template.clone())),
                _ => None,
            })
        };
        Self { by_rule: rules.iter().filter(is_timed).filter_map(text).collect() }
    }

    #[must_use]
    pub fn has_template(&self, template: &str) -> bool {
        self.by_rule.values().any(|known| known == template)
    }

    #[must_use]
    pub fn template_of(&self, rule_id: &str) -> Option<&str> {
        self.by_rule.get(rule_id).map(String::as_str)
    }
}

fn step_text(action: &StepAction) -> Option<String> {
    match action {
        StepAction::Sms { template } => Some(format!("text {template}")),
        StepAction::Move { pipeline, stage } => Some(format!("move to {pipeline}/{stage}")),
        StepAction::Task { task_type, .. } => Some(format!("task {task_type}")),
        _ => None,
    }
}

fn of_text(text: SmsMessage, rule_id: Option<String>) -> Item {
    Item {
        at: text.scheduled_at.unwrap_or(text.created_at),
        kind: Kind::Text,
        id: Some(text.id),
        rule_id,
        what: text.template.unwrap_or_else(|| "text".to_owned()),
        booking_id: text.booking_id,
        held: text.status_reason,
    }
}

fn of_task(task: Task, rule_id: Option<String>) -> Item {
    Item {
        at: task.due_datetime,
        kind: Kind::Task,
        id: Some(task.id),
        rule_id,
        what: format!("{}: {}", task.task_type, task.title),
        booking_id: task.booking_id,
        held: None,
    }
}
