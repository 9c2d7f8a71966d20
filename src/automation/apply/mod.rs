//! Applies a rule's plan to the world, step by step, and says of each step what became of it.

mod fields;
mod sms;
mod tags;
mod task;

pub use sms::{obstacle, phone_of};

use super::world::World;
use crate::automation::promises::{self, BrokenPromise, Hold};
use crate::domain::clinic::Clinic;
use crate::domain::contact::Note;
use crate::domain::event::Event;
use crate::domain::ids::derived_id;
use crate::domain::pipeline::{Pipelines, Transition};
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use crate::engine::plan::{Action, PlannedStep};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a plan's steps may look at.
#[derive(Clone, Copy)]
pub struct Applying<'a> {
    pub ruleset: &'a Ruleset,
    pub clinic: &'a Clinic,
    pub pipelines: &'a Pipelines,
    pub event: &'a Event,
    pub booking_id: Option<&'a str>,
    /// The task that the run is about.
    pub task_id: Option<&'a str>,
    pub rule_id: &'a str,
    pub rule_name: &'a str,
    pub run_id: &'a str,
    pub revision: i64,
    pub now: Timestamp,
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub path: String,
    /// `done`, `already`, `refused`, `suppressed`, `scheduled`, `blocked` (by a promise) or `held_back`.
    pub result: String,
    /// The id of what was made, or why nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Promises that the step would have broken, or has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promises: Vec<BrokenPromise>,
    /// Events that the step causes; not part of the stored trace.
    #[serde(skip)]
    pub causes: Vec<Caused>,
}

/// An event that a step causes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caused {
    pub name: String,
    pub data: BTreeMap<String, String>,
    pub task_id: Option<String>,
    /// Sent by the rule itself: recorded even when nobody listens.
    pub of_rule: bool,
}

impl Caused {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// Applies one step.
pub fn apply(world: &mut World, with: Applying<'_>, step: &PlannedStep) -> Applied {
    let Some(action) = &step.action else {
        return Applied::new(step, "held_back", None);
    };
    // Of a text it is not known before that it leaves at all, and when: promises are asked there.
    if matches!(action, Action::Sms { .. }) {
        return sms::apply(world, with, step, action);
    }
    let held = promises::check(world, with, action, with.now, false);
    promises::note(world, with, step, &held.broken);
    let applied = match &held.hold {
        Hold::Blocked(id) => Applied::blocked(step, id),
        Hold::Free(_) => act(world, with, step, action),
    };
    Applied { promises: held.broken, ..applied }
}

fn act(world: &mut World, with: Applying<'_>, step: &PlannedStep, action: &Action) -> Applied {
    match action {
        Action::Move { pipeline, stage } => move_contact(world, with, step, pipeline, stage),
        Action::Sms { .. } => sms::apply(world, with, step, action),
        Action::Task { .. } => task::open(world, with, step, action),
        Action::CloseTasks { .. } => task::close(world, with, step, action),
        Action::Set { field, value } => fields::set(world, with, step, field, value),
        Action::Note { body } => note(world, with, step, body),
        Action::CancelSms { template } => cancel_sms(world, with, step, template.as_deref()),
        Action::Alert { body, assign } => task::alert(world, with, step, body, assign),
        Action::Tag { tag } => tags::tag(world, with, step, tag),
        Action::Untag { tag } => tags::untag(world, with, step, tag),
        Action::Emit { event, data } => {
            Applied::done(step).caused(Caused { name: event.clone(), data: data.clone(), task_id: None, of_rule: true })
        }
        Action::Stop { .. } => Applied::done(step),
    }
}

impl Applied {
    fn new(step: &PlannedStep, result: &str, detail: Option<String>) -> Self {
        Self { path: step.path.clone(), result: result.to_owned(), detail, promises: Vec::new(), causes: Vec::new() }
    }
    fn done(step: &PlannedStep) -> Self {
        Self::new(step, "done", None)
    }
    fn refused(step: &PlannedStep, why: impl Into<String>) -> Self {
        Self::new(step, "refused", Some(why.into()))
    }
    fn blocked(step: &PlannedStep, promise_id: &str) -> Self {
        Self::new(step, "blocked", Some(format!("promise {promise_id}")))
    }
    fn causing(self, event: &str) -> Self {
        self.caused(Caused::named(event))
    }
    fn caused(mut self, event: Caused) -> Self {
        self.causes.push(event);
        self
    }
}

fn move_contact(world: &mut World, with: Applying<'_>, step: &PlannedStep, pipeline: &str, stage: &str) -> Applied {
    let Some(contact) = &world.contact else { return Applied::refused(step, "there is no contact") };
    let same_pipeline = contact.current_pipeline.as_deref() == Some(pipeline);
    if same_pipeline && contact.current_stage.as_deref() == Some(stage) {
        return Applied::new(step, "already", Some(format!("{pipeline}/{stage}")));
    }
    let from = contact.current_stage.clone();
    if same_pipeline && !is_allowed(with.pipelines, pipeline, from.as_deref(), stage) {
        return Applied::refused(step, format!("{} → {stage} is not a move of {pipeline}", from.unwrap_or_default()));
    }
    let moved = [("pipeline", Some(pipeline)), ("from_stage", from.as_deref()), ("to_stage", Some(stage))];
    let data = moved.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect();
    let transition = Transition {
        id: derived_id(with.event.timestamp, &[with.run_id, &step.path]),
        contact_id: contact.id.clone(),
        booking_id: with.booking_id.map(str::to_owned),
        pipeline: pipeline.to_owned(),
        from_pipeline: contact.current_pipeline.clone(),
        from_stage: from,
        to_stage: stage.to_owned(),
        at: with.now,
        by: format!("rule:{}", with.rule_id),
        run_id: Some(with.run_id.to_owned()),
        duration_ms: contact.stage_entered_at.map(|entered| (with.now - entered).0),
    };
    world.changes.transitions.push(transition);
    world.change_contact(with.now, |c| {
        c.current_pipeline = Some(pipeline.to_owned());
        c.current_stage = Some(stage.to_owned());
        c.stage_entered_at = Some(with.now);
    });
    Applied::done(step).caused(Caused { data, ..Caused::named("stage_changed") })
}

/// A stage that names its successors allows only those.
fn is_allowed(pipelines: &Pipelines, pipeline: &str, from: Option<&str>, to: &str) -> bool {
    let stage = from.and_then(|name| pipelines.find(pipeline)?.find_stage(name));
    stage.is_none_or(|s| s.next.is_empty() || s.next.iter().any(|n| n == to))
}

fn note(world: &mut World, with: Applying<'_>, step: &PlannedStep, body: &str) -> Applied {
    let id = derived_id(with.event.timestamp, &[with.run_id, &step.path]);
    world.changes.notes.push(Note {
        id: id.clone(),
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        booking_id: with.booking_id.map(str::to_owned),
        body: body.to_owned(),
        author: format!("rule:{}", with.rule_id),
        run_id: Some(with.run_id.to_owned()),
        created_at: with.now,
    });
    Applied::new(step, "done", Some(id))
}

fn cancel_sms(world: &mut World, with: Applying<'_>, step: &PlannedStep, template: Option<&str>) -> Applied {
    let booking = with.booking_id.map(str::to_owned);
    let reason = format!("rule:{}", with.rule_id);
    let count = world.withdraw_sms(&reason, |sms| {
        let of_subject = booking.is_none() || sms.booking_id.is_none() || sms.booking_id == booking;
        of_subject && template.is_none_or(|t| sms.template.as_deref() == Some(t))
    });
    Applied::new(step, "done", Some(format!("{count} withdrawn")))
}
