//! One step of `do`: its own `if`, then its action with final values.

use super::worth::Worth;
use super::{Bench, Stop};
use crate::engine::plan::{Action, PlannedStep, StopReason};
use crate::engine::ruleset::{Rule, Step, StepAction, Value};
use crate::engine::template::render_view;
use rhai::Scope;

/// Longest title of a task; a longer one is cut.
const TITLE_CHARS_MAX: usize = 200;
/// Longest note or reason; a longer one is cut.
const NOTE_CHARS_MAX: usize = 2_000;
/// Priority of a task whose rule names none.
const PRIORITY_DEFAULT: i64 = 50;

impl Bench<'_> {
    /// One planned step, or one for each field of a `set`.
    pub(super) fn plan_step(&self, rule: &Rule, step: &Step, scope: &mut Scope<'static>) -> Result<Vec<PlannedStep>, Stop> {
        let worth = Worth { bench: self, rule, step };
        match self.check(&step.if_, &format!("{}/if", step.path), StopReason::If, scope) {
            Ok(()) => {}
            Err(stop) if stop.0.reason == StopReason::Error => return Err(stop),
            Err(stop) => {
                let path = step.path.clone();
                return Ok(vec![PlannedStep { path, line: step.line, action: None, held_back: Some(*stop.0) }]);
            }
        }
        let planned = |path: String, action: Action| PlannedStep { path, line: step.line, action: Some(action), held_back: None };
        if let StepAction::Set(fields) = &step.action {
            let set = |(field, value): &(String, Value)| {
                let value = worth.field_value(field, value, scope)?;
                Ok(planned(format!("{}/{field}", step.path), Action::Set { field: field.clone(), value }))
            };
            return fields.iter().map(set).collect();
        }
        Ok(vec![planned(step.path.clone(), self.plan_action(&worth, scope)?)])
    }

    fn plan_action(&self, worth: &Worth<'_>, scope: &mut Scope<'static>) -> Result<Action, Stop> {
        Ok(match &worth.step.action {
            StepAction::Move { pipeline, stage } => Action::Move { pipeline: pipeline.clone(), stage: stage.clone() },
            StepAction::Sms { template } => self.plan_sms(worth, template, scope)?,
            StepAction::Task { task_type, title, due, priority, assign, note } => Action::Task {
                task_type: task_type.clone(),
                title: worth.line("title", title, TITLE_CHARS_MAX, scope)?,
                due: worth.due("due", due, scope)?,
                priority: worth.int("priority", priority, PRIORITY_DEFAULT, scope)?.clamp(0, 100) as i32,
                assign: assign.clone(),
                note: note.as_ref().map(|text| worth.text("note", text, NOTE_CHARS_MAX, scope)).transpose()?,
            },
            StepAction::CloseTasks { task_type, reason } => {
                Action::CloseTasks { task_type: task_type.clone(), reason: worth.text("reason", reason, NOTE_CHARS_MAX, scope)? }
            }
            // `plan_step` has made one action of each field.
            StepAction::Set(_) => return Err(worth.error("set", "a set step has no single action")),
            StepAction::Note(text) => Action::Note { body: worth.text("note", text, NOTE_CHARS_MAX, scope)? },
            StepAction::CancelSms { template } => Action::CancelSms { template: template.clone() },
        })
    }

    /// Planned for an opted-out contact, too: the outbox withholds it and says so.
    fn plan_sms(&self, worth: &Worth<'_>, template: &str, scope: &Scope<'static>) -> Result<Action, Stop> {
        let rendered = render_view(self.ruleset, template, &self.view)
            .map_err(|error| self.failed(format!("{}/sms", worth.step.path), &error, None, scope))?;
        Ok(Action::Sms {
            template: template.to_owned(),
            category: rendered.category,
            body: rendered.body,
            encoding: rendered.encoding.to_owned(),
            parts: rendered.parts,
            immediate: rendered.immediate,
        })
    }
}
