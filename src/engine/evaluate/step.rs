//! What a step of `do` is to do, with final values.

use super::worth::Worth;
use super::{Bench, Stop};
use crate::engine::plan::{Action, TasksOf};
use crate::engine::ruleset::{Rule, StepAction};
use crate::engine::template::render_view;
use rhai::Scope;
use std::collections::BTreeMap;

/// Longest title of a task; a longer one is cut.
pub(super) const TITLE_CHARS_MAX: usize = 200;
/// Longest note or reason; a longer one is cut.
pub(super) const NOTE_CHARS_MAX: usize = 2_000;
/// Priority of a task whose rule names none.
pub(super) const PRIORITY_DEFAULT: i64 = 50;
/// Longest text that an event carries; a longer one is cut.
const DATA_CHARS_MAX: usize = 500;
/// Who is told when the rule's owner is no team.
const ALERT_TEAM: &str = "manager";

impl Bench<'_> {
    /// The action of a step that leads to no others.
    pub(super) fn plan_action(
        &self,
        rule: &Rule,
        action: &StepAction,
        worth: &Worth<'_>,
        scope: &mut Scope<'static>,
    ) -> Result<Action, Stop> {
        Ok(match action {
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
            StepAction::CloseTasks { task_type, of, reason } => Action::CloseTasks {
                task_type: task_type.clone(),
                of: of.unwrap_or_else(|| self.tasks_of()),
                reason: worth.text("reason", reason, NOTE_CHARS_MAX, scope)?,
            },
            StepAction::Note(text) => Action::Note { body: worth.text("note", text, NOTE_CHARS_MAX, scope)? },
            StepAction::CancelSms { template } => Action::CancelSms { template: template.clone() },
            StepAction::Alert(text) => {
                Action::Alert { body: worth.line("alert", text, TITLE_CHARS_MAX, scope)?, assign: self.team_of(rule) }
            }
            StepAction::Emit { event, data } => {
                let mut texts = BTreeMap::new();
                for (name, text) in data {
                    texts.insert(name.clone(), worth.text(name, text, DATA_CHARS_MAX, scope)?);
                }
                Action::Emit { event: event.clone(), data: texts }
            }
            StepAction::Tag(tag) => Action::Tag { tag: tag.clone() },
            StepAction::Untag(tag) => Action::Untag { tag: tag.clone() },
            // Gone through by `Walk`, which has no single action for them.
            StepAction::Set(_)
            | StepAction::Stop { .. }
            | StepAction::Choose(_)
            | StepAction::Each { .. }
            | StepAction::Run(_)
            | StepAction::Plan(_)
            | StepAction::Wait(_) => return Err(worth.error("do", "this step has no single action")),
        })
    }

    /// Whose tasks are closed by a step that does not say it.
    pub(super) fn tasks_of(&self) -> TasksOf {
        TasksOf::unless_written(self.view.read("booking").is_some_and(|booking| !booking.is_unit()))
    }

    /// Who is told: the rule's owner when it is a team, else the managers.
    pub(super) fn team_of(&self, rule: &Rule) -> String {
        let teams = &self.ruleset.catalogue.clinic.teams;
        rule.owner.clone().filter(|owner| teams.contains(owner)).unwrap_or_else(|| ALERT_TEAM.to_owned())
    }

    /// Planned for an opted-out contact, too: the outbox withholds it and says so.
    pub(super) fn plan_sms(&self, worth: &Worth<'_>, template: &str, scope: &Scope<'static>) -> Result<Action, Stop> {
        let rendered = render_view(self.ruleset, template, &self.view)
            .map_err(|error| self.failed(format!("{}/sms", worth.path), &error, None, scope))?;
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
