//! Runs that wait: how they begin to, what makes them go on, and what ends them before.
//!
//! A run takes its steps from the ruleset that it began with. Whether it may go on is for the ruleset in force to say: the rule is
//! there and enabled, and its `while` holds for the record as it is now.

use super::decide::{Deciding, facts};
use super::world::World;
use crate::domain::event::{Event, WaitState, WaitingRun};
use crate::domain::ids::derived_id;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::Ruleset;
use crate::engine::evaluate::{Resumption, alive, lost, resume, stopped, switched_on};
use crate::engine::facts::{EventFacts, Facts, MessageFacts};
use crate::engine::plan::{Kept, RuleRun, StoppedAt};
use crate::engine::ruleset::IfRunning;
use crate::engine::schema::records_of_event;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs of one contact that may wait at the same time.
const WAITING_PER_CONTACT_MAX: usize = 100;
/// Runs of one rule that may stand in line for one contact or booking.
const QUEUED_MAX: usize = 20;
/// Stands for the time of a run that waits for another one.
const IN_LINE: Millis = Millis::days(365);

/// Rulesets that waiting runs began with, by revision.
#[derive(Clone, Default)]
pub struct Pinned(pub BTreeMap<i64, Arc<Ruleset>>);

/// What a waiting run must know to go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    vars: BTreeMap<String, Kept>,
    event: EventFacts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<MessageFacts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    #[serde(default)]
    trigger: String,
}

/// Where a run comes from: the same for all of its parts.
#[derive(Clone, Debug)]
pub struct Origin {
    pub memory: Memory,
    pub event_id: String,
    pub first_run_id: String,
    pub revision: i64,
    pub booking_id: Option<String>,
}

/// The next part of a run.
pub struct Part {
    pub run: RuleRun,
    pub origin: Origin,
}

impl Memory {
    /// The task that the run is about.
    pub fn task_id(&self) -> Option<&str> {
        self.task_id.as_deref()
    }

    pub fn of(facts: &Facts) -> Self {
        Self {
            vars: BTreeMap::new(),
            event: facts.event.clone(),
            message: facts.message.clone(),
            task_id: facts.task.as_ref().map(|t| t.id.clone()),
            trigger: String::new(),
        }
    }

    pub fn read(run: &WaitingRun) -> Option<Self> {
        serde_json::from_str(&run.memory).ok()
    }

    /// How many events led to the one that set the rule off: the next part counts on from there.
    pub fn depth(&self) -> i32 {
        i32::try_from(self.event.depth).unwrap_or(i32::MAX)
    }

    fn facts(&self, world: &World, booking_id: Option<&str>, now: Timestamp) -> Facts {
        facts(world, self.event.clone(), booking_id, self.message.clone(), self.task_id.as_deref(), now)
    }
}

/// The tasks that waiting runs are about: what a rule reads of them is still to be had when they are closed meanwhile.
pub fn tasks_of(waiting: &[WaitingRun]) -> impl Iterator<Item = String> {
    waiting.iter().filter(|run| run.state.is_alive()).filter_map(|run| Memory::read(run)?.task_id)
}

/// Writes down that a run waits, if it does.
pub fn begin(world: &mut World, run: &RuleRun, run_id: &str, origin: &Origin, now: Timestamp) {
    let Some(waiting) = &run.waiting else { return };
    let memory = Memory { vars: waiting.vars.clone(), trigger: run.trigger.clone(), ..origin.memory.clone() };
    let Some(mut row) = row(world, run, run_id, origin, &memory, now) else { return };
    row.position.clone_from(&waiting.path);
    row.due_at = waiting.until;
    row.event_name.clone_from(&waiting.event);
    if world.waiting.iter().filter(|w| w.state.is_alive()).count() >= WAITING_PER_CONTACT_MAX {
        row.state = WaitState::Ended;
        row.reason = Some(format!("more than {WAITING_PER_CONTACT_MAX} runs of this contact are waiting"));
        row.memory.clear();
    }
    world.add_waiting(row);
}

/// A run that found an earlier one waiting stands in line.
pub fn queue(world: &mut World, run: &RuleRun, run_id: &str, origin: &Origin, now: Timestamp) {
    let memory = Memory { trigger: run.trigger.clone(), ..origin.memory.clone() };
    let Some(mut row) = row(world, run, run_id, origin, &memory, now) else { return };
    row.state = WaitState::Queued;
    row.due_at = now + IN_LINE;
    let ahead = world.waiting.iter().filter(|w| w.state == WaitState::Queued && same_subject(w, &row)).count();
    if ahead < QUEUED_MAX {
        world.add_waiting(row);
    }
}

fn row(world: &World, run: &RuleRun, run_id: &str, origin: &Origin, memory: &Memory, now: Timestamp) -> Option<WaitingRun> {
    let path = run.waiting.as_ref().map_or("queued", |w| w.path.as_str());
    Some(WaitingRun {
        id: derived_id(now, &[run_id, path, "waits"]),
        run_id: run_id.to_owned(),
        first_run_id: origin.first_run_id.clone(),
        rule_id: run.rule_id.clone(),
        revision: origin.revision,
        contact_id: world.contact.as_ref()?.id.clone(),
        booking_id: origin.booking_id.clone(),
        event_id: origin.event_id.clone(),
        position: String::new(),
        memory: serde_json::to_string(memory).ok()?,
        due_at: now,
        event_name: None,
        state: WaitState::Waiting,
        reason: None,
        resumed_by: None,
        created_at: now,
        updated_at: now,
    })
}

/// One rule, and one booking or none.
fn same_subject(a: &WaitingRun, b: &WaitingRun) -> bool {
    a.rule_id == b.rule_id && a.booking_id == b.booking_id
}

/// `if_running: restart`: the runs before this one end.
pub fn restart(world: &mut World, rule_id: &str, booking_id: Option<&str>, now: Timestamp) {
    let earlier = |w: &&WaitingRun| w.state.is_running() && w.rule_id == rule_id && w.booking_id.as_deref() == booking_id;
    let ids: Vec<String> = world.waiting.iter().filter(earlier).map(|w| w.id.clone()).collect();
    for id in ids {
        world.end_waiting(&id, "a later run of the rule took its place", now);
    }
}

/// The runs that go on when this event happens: of the contact, and of the booking if the event is about one.
pub fn awaiting(world: &World, event: &Event, booking_id: Option<&str>) -> Vec<String> {
    let of_booking = records_of_event(&event.event_type).iter().any(|(record, always)| *record == "booking" && *always);
    let awaits = |w: &&WaitingRun| {
        w.state.is_running()
            && w.event_name.as_ref() == Some(&event.event_type)
            && w.event_id != event.id
            && (!of_booking || w.booking_id.is_none() || w.booking_id.as_deref() == booking_id)
    };
    world.waiting.iter().filter(awaits).map(|w| w.id.clone()).collect()
}

/// Somebody waits for events of this name.
pub fn is_awaited(world: &World, name: &str) -> bool {
    world.waiting.iter().any(|w| w.state.is_running() && w.event_name.as_deref() == Some(name))
}

/// Ends a wait, and works out the next part of the run by `event`; of a run that may not go on, why. `None` when nobody waits.
pub fn go_on(world: &mut World, id: &str, waited: &str, event: &Event, with: Deciding<'_>) -> Option<Part> {
    let row = world.waiting.iter().find(|w| w.id == id && w.state.is_running()).cloned()?;
    let Some(memory) = Memory::read(&row) else {
        world.end_waiting(id, "what it had kept cannot be read", with.now);
        return None;
    };
    let origin = Origin {
        memory: memory.clone(),
        event_id: row.event_id.clone(),
        first_run_id: row.first_run_id.clone(),
        revision: row.revision,
        booking_id: row.booking_id.clone(),
    };
    let facts = memory.facts(world, row.booking_id.as_deref(), with.now);
    let may_go_on = switched_on(with.ruleset, with.overrides, &row.rule_id)
        .and_then(|()| alive(with.ruleset, &row.rule_id, &facts, with.now));
    if let Err(stop) = may_go_on {
        world.end_waiting(id, &reason(&stop), with.now);
        return Some(Part { run: stopped(&row.rule_id, &row.first_run_id, *stop), origin });
    }
    world.change_waiting(id, with.now, |w| {
        w.state = WaitState::Resumed;
        w.resumed_by = Some(event.id.clone());
    });
    // Without the wait that is over now, so that it does not stand in its own way.
    let facts = memory.facts(world, row.booking_id.as_deref(), with.now);
    let at = Resumption {
        rule_id: &row.rule_id,
        position: &row.position,
        vars: &memory.vars,
        waited,
        trigger: &memory.trigger,
        first_run_id: &row.first_run_id,
    };
    let pinned =
        if row.revision == with.revision { Some(with.ruleset) } else { with.pinned.0.get(&row.revision).map(AsRef::as_ref) };
    let run = pinned.and_then(|ruleset| resume(ruleset, with.overrides, &facts, with.now, &at));
    let run = run.unwrap_or_else(|| lost(&row.rule_id, &row.first_run_id, &format!("r{} cannot be had any more", row.revision)));
    Some(Part { run, origin })
}

/// Ends the runs that may not go on, and lets those begin whose turn it is.
pub fn settle(world: &mut World, ruleset: &Ruleset, now: Timestamp) {
    let alive_now: Vec<WaitingRun> = world.waiting.iter().filter(|w| w.state.is_alive()).cloned().collect();
    for run in &alive_now {
        if let Some(reason) = ended(world, run, ruleset, now) {
            world.end_waiting(&run.id, &reason, now);
        }
    }
    for run in alive_now.iter().filter(|w| w.state == WaitState::Queued) {
        let is_still = |w: &WaitingRun| w.id == run.id && w.state == WaitState::Queued;
        let is_free = !world.waiting.iter().any(|w| w.state.is_running() && same_subject(w, run));
        if is_free && world.waiting.iter().any(is_still) {
            world.change_waiting(&run.id, now, |w| {
                w.state = WaitState::Waiting;
                w.due_at = now;
            });
        }
    }
}

/// Why the run may not go on. Nothing is known of a booking that is not loaded.
fn ended(world: &World, run: &WaitingRun, ruleset: &Ruleset, now: Timestamp) -> Option<String> {
    if run.booking_id.as_deref().is_some_and(|id| world.find_booking(id).is_none()) {
        return None;
    }
    let facts = Memory::read(run)?.facts(world, run.booking_id.as_deref(), now);
    alive(ruleset, &run.rule_id, &facts, now).err().map(|stop| reason(&stop))
}

/// `booking.status was cancelled, needs booking.status == "scheduled"`.
fn reason(stop: &StoppedAt) -> String {
    let seen: Vec<String> = stop.values.iter().map(|v| format!("{} was {}", v.path, v.value)).collect();
    match stop.path.starts_with("while") {
        true if seen.is_empty() => format!("needs {}", stop.text),
        true => format!("{}, needs {}", seen.join(", "), stop.text),
        false => stop.text.clone(),
    }
}

/// The rule stands in line instead of being skipped.
pub fn queues(ruleset: &Ruleset, rule_id: &str) -> bool {
    ruleset.find_rule(rule_id).is_some_and(|rule| rule.if_running == IfRunning::Queue)
}

/// The rule ends its earlier runs.
pub fn restarts(ruleset: &Ruleset, rule_id: &str) -> bool {
    ruleset.find_rule(rule_id).is_some_and(|rule| rule.if_running == IfRunning::Restart)
}
