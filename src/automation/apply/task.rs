//! Opening and closing staff tasks.

use super::{Applied, Applying, Caused};
use crate::automation::promises::RecentAction;
use crate::automation::world::World;
use crate::domain::ids::derived_id;
use crate::domain::task::{ALERT_ABOUT, Task, TaskStatus};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::plan::{Action, PlannedStep, TasksOf};
use std::sync::Arc;

/// Opens a task, unless one of that type is already open for the same contact and booking: then that one is kept, with the
/// earlier due time and the higher priority of the two.
pub fn open(world: &mut World, with: Applying<'_>, step: &PlannedStep, action: &Action) -> Applied {
    let Action::Task { task_type, title, due, priority, assign, note } = action else { return Applied::done(step) };
    let contact_id = world.contact.as_ref().map(|c| c.id.clone());
    let key = dedupe_key(task_type, contact_id.as_deref(), with.booking_id);
    let wanted = Wanted { task_type, title, due: *due, priority: *priority, assign: assign.clone(), note: note.clone(), key };
    open_one(world, with, step, wanted)
}

/// How soon somebody should look at an alert, and how urgent it is.
const ALERT_DUE: Millis = Millis::minutes(30);
const ALERT_PRIORITY: i32 = 90;

/// Tells staff once, until they have dealt with it: a task for each rule, contact and booking.
pub fn alert(world: &mut World, with: Applying<'_>, step: &PlannedStep, body: &str, assign: &str) -> Applied {
    let contact_id = world.contact.as_ref().map(|c| c.id.clone());
    let mut key = dedupe_key(&format!("alert:{}", with.rule_id), contact_id.as_deref(), with.booking_id);
    if let Some(task) = with.task_id {
        key += &format!("{ALERT_ABOUT}{task}");
    }
    let due = with.now + ALERT_DUE;
    let assign = Some(assign.to_owned());
    let wanted = Wanted { task_type: "alert", title: body, due, priority: ALERT_PRIORITY, assign, note: None, key };
    let applied = open_one(world, with, step, wanted);
    if applied.result == "done" {
        world.changes.alerts.push(with.rule_id.to_owned());
    }
    applied
}

struct Wanted<'a> {
    task_type: &'a str,
    title: &'a str,
    due: Timestamp,
    priority: i32,
    assign: Option<String>,
    note: Option<String>,
    key: String,
}

fn open_one(world: &mut World, with: Applying<'_>, step: &PlannedStep, wanted: Wanted<'_>) -> Applied {
    let Wanted { task_type, title, due, priority, assign, note, key } = wanted;
    let contact_id = world.contact.as_ref().map(|c| c.id.clone());
    let is_same = |t: &&Task| t.dedupe_key.as_deref() == Some(&key) && t.status.is_open();
    let of_contact = contact_id.is_some();
    let known =
        if of_contact { world.open_tasks.iter().map(Arc::as_ref).find(is_same) } else { world.loose_tasks.iter().find(is_same) };
    if let Some(open) = known {
        let id = open.id.clone();
        if due < open.due_datetime || priority > open.priority_score {
            world.change_task(&id, with.now, |t| {
                t.due_datetime = t.due_datetime.min(due);
                t.priority_score = t.priority_score.max(priority);
            });
        }
        return Applied::new(step, "already", Some(id));
    }
    let task = Task {
        id: derived_id(with.event.timestamp, &[with.run_id, &step.path]),
        task_type: task_type.to_owned(),
        title: title.to_owned(),
        contact_id,
        booking_id: with.booking_id.map(str::to_owned),
        status: TaskStatus::Todo,
        due_datetime: due,
        priority_score: priority.clamp(0, 100),
        assigned_to: assign,
        because: with.rule_name.to_owned(),
        run_id: Some(with.run_id.to_owned()),
        dedupe_key: Some(key),
        note,
        completed_at: None,
        outcome: None,
        completed_by: None,
        is_demo: world.contact.as_ref().is_some_and(|c| c.is_demo),
        version: 1,
        created_at: with.now,
        updated_at: with.now,
    };
    let id = task.id.clone();
    world.recent.push(RecentAction { action: "task", at: with.now, booking_id: task.booking_id.clone() });
    if task.contact_id.is_none() {
        // Nothing locks these against another node that makes the same one: the writer looks again.
        world.changes.loose_tasks.push(task);
        return Applied::new(step, "done", Some(id));
    }
    world.changes.tasks.insert(id.clone());
    world.changes.contact = true;
    world.open_tasks.push(Arc::new(task));
    let created = Caused { task_id: Some(id.clone()), ..Caused::named("task_created") };
    Applied::new(step, "done", Some(id)).caused(created)
}

/// Closes open tasks of the booking that the step is about, or all of the contact's.
pub fn close(world: &mut World, with: Applying<'_>, step: &PlannedStep, action: &Action) -> Applied {
    let Action::CloseTasks { task_type, of, reason } = action else { return Applied::done(step) };
    let of_subject = |t: &Task| match of {
        TasksOf::Booking => with.booking_id.is_some() && t.booking_id.as_deref() == with.booking_id,
        TasksOf::Contact => true,
    };
    let of_type = |t: &Task| task_type.as_ref().is_none_or(|wanted| t.task_type == *wanted);
    let closes = |t: &&Arc<Task>| t.status.is_open() && of_type(t) && of_subject(t);
    let ids: Vec<String> = world.open_tasks.iter().filter(closes).map(|t| t.id.clone()).collect();
    for id in &ids {
        world.change_task(id, with.now, |t| t.cancel(reason, with.now));
    }
    Applied::new(step, "done", Some(format!("{} closed", ids.len())))
}

fn dedupe_key(task_type: &str, contact_id: Option<&str>, booking_id: Option<&str>) -> String {
    format!("{task_type}:{}:{}", contact_id.unwrap_or("-"), booking_id.unwrap_or("-"))
}
