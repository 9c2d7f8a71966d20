//! Tasks: opened, changed, put off, done, opened again.

use super::contacts::status_anew;
use super::{Doing, Effect, Impossible};
use crate::automation::project::{Projected, add_touchpoint};
use crate::automation::world::World;
use crate::domain::ids::derived_id;
use crate::domain::staff_action::{NewTask, TaskEdit};
use crate::domain::task::{Task, TaskOutcome, TaskStatus};
use crate::domain::time::Timestamp;
use crate::domain::touchpoint::Touchpoint;
use std::sync::Arc;

/// The id that a task has which this event opens.
pub(super) fn new_task_id(event_id: &str, at: Timestamp) -> String {
    derived_id(at, &[event_id, "task"])
}

#[expect(clippy::unnecessary_wraps, reason = "of one form with the other actions")]
pub(super) fn open(world: &mut World, new: &NewTask, with: Doing<'_>) -> Effect {
    let now = with.deciding.now;
    let task = Task {
        id: new_task_id(&with.root.id, with.root.timestamp),
        task_type: new.task_type.clone(),
        title: new.title.clone(),
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        booking_id: with.root.booking_id.clone(),
        status: TaskStatus::Todo,
        due_datetime: new.due,
        priority_score: new.priority.clamp(0, 100),
        assigned_to: new.assigned_to.clone(),
        because: "Somebody has asked for it by hand".into(),
        run_id: None,
        dedupe_key: None,
        note: new.note.clone(),
        completed_at: None,
        outcome: None,
        completed_by: None,
        is_demo: world.contact.as_ref().map_or(with.deciding.is_demo, |c| c.is_demo),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    world.changes.tasks.insert(task.id.clone());
    world.changes.contact = world.contact.is_some();
    world.open_tasks.push(Arc::new(task));
    Ok(Projected::of(with.root))
}

pub(super) fn edit(world: &mut World, edit: &TaskEdit, with: Doing<'_>) -> Effect {
    let task = open_task(world, with)?;
    world.change_task(&task.id, with.deciding.now, |t| {
        if let Some(title) = &edit.title {
            t.title.clone_from(title);
        }
        t.due_datetime = edit.due.unwrap_or(t.due_datetime);
        t.priority_score = edit.priority.map_or(t.priority_score, |score| score.clamp(0, 100));
        edit.assigned_to.apply(&mut t.assigned_to);
        edit.note.apply(&mut t.note);
        t.status = match edit.in_progress {
            Some(true) => TaskStatus::InProgress,
            Some(false) => TaskStatus::Todo,
            None => t.status,
        };
    });
    Ok(about(&task, with))
}

pub(super) fn snooze(world: &mut World, until: Timestamp, with: Doing<'_>) -> Effect {
    let task = open_task(world, with)?;
    world.change_task(&task.id, with.deciding.now, |t| t.due_datetime = until);
    Ok(about(&task, with))
}

pub(super) fn complete(world: &mut World, outcome: TaskOutcome, note: Option<&str>, with: Doing<'_>) -> Effect {
    let task = open_task(world, with)?;
    let now = with.deciding.now;
    world.change_task(&task.id, now, |t| {
        t.status = TaskStatus::Done;
        t.completed_at = Some(now);
        t.outcome = Some(outcome);
        t.completed_by = Some(with.by().to_owned());
        if let Some(more) = note {
            t.note = Some(t.note.take().map_or_else(|| more.to_owned(), |note| format!("{note}\n{more}")));
        }
    });
    if outcome.is_call() {
        note_call(world, outcome, with);
    }
    let mut done = about(&task, with);
    done.data.insert("outcome".into(), outcome.as_str().into());
    Ok(done)
}

/// Somebody has called: the contact was spoken to, or at least tried. Whoever else has the number hears no more from us.
fn note_call(world: &mut World, outcome: TaskOutcome, with: Doing<'_>) {
    let now = with.deciding.now;
    add_touchpoint(world, with.root, now, CALL, Some("phone".into()), "out");
    world.change_contact(now, |c| {
        if outcome == TaskOutcome::WrongNumber {
            INVALID.clone_into(&mut c.phone_status);
        } else {
            c.last_outbound_at = Some(now);
        }
    });
    if outcome == TaskOutcome::WrongNumber {
        // What waits is not for whoever has it.
        world.withdraw_sms("wrong_number", |_| true);
    }
}

const INVALID: &str = "invalid";

pub(super) fn reopen(world: &mut World, with: Doing<'_>) -> Effect {
    let task = find(world, with)?;
    if task.status.is_open() {
        return Err(Impossible::because("the task is open"));
    }
    let is_same = |t: &&Arc<Task>| t.status.is_open() && t.dedupe_key.is_some() && t.dedupe_key == task.dedupe_key;
    if let Some(other) = world.open_tasks.iter().find(is_same).cloned() {
        // What a rule made of it, such as the next try of a call, is taken back with it.
        let followed = other.run_id.is_some() && task.completed_at.is_some_and(|at| other.created_at >= at);
        if !followed {
            return Err(Impossible::because("another task for the same thing is open"));
        }
        let now = with.deciding.now;
        world.change_task(&other.id, now, |t| t.cancel("What it followed from was taken back.", now));
    }
    take_up(world, &task);
    take_call_back(world, &task);
    if task.outcome == Some(TaskOutcome::WrongNumber) {
        // It was not so after all.
        world.change_contact(with.deciding.now, |c| {
            if c.phone_status == INVALID {
                c.phone_status = status_anew(c.phone.as_deref());
            }
        });
    }
    world.change_task(&task.id, with.deciding.now, |t| {
        t.status = TaskStatus::Todo;
        (t.completed_at, t.outcome, t.completed_by) = (None, None, None);
    });
    Ok(about(&task, with))
}

/// The call that ended the task was none, or will be told once more.
fn take_call_back(world: &mut World, task: &Task) {
    let is_it = |t: &&Arc<Touchpoint>| t.kind == CALL && Some(t.timestamp) == task.completed_at;
    if let Some(call) = world.touchpoints.iter().find(is_it).map(|t| t.id.clone()).filter(|_| task.outcome.is_some()) {
        world.remove_touchpoint(&call);
    }
}

const CALL: &str = "call_out";

fn find(world: &World, with: Doing<'_>) -> Result<Task, Impossible> {
    let named = with.root.payload.task_id.as_deref().and_then(|id| world.find_task(id));
    named.cloned().ok_or_else(|| Impossible::because("there is no such task"))
}

/// The task that the event names, among those that can be changed.
fn open_task(world: &mut World, with: Doing<'_>) -> Result<Task, Impossible> {
    let task = find(world, with)?;
    if !task.status.is_open() {
        return Err(Impossible::because(format!("the task is {} already", task.status.as_str())));
    }
    take_up(world, &task);
    Ok(task)
}

fn take_up(world: &mut World, task: &Task) {
    if !world.open_tasks.iter().any(|t| t.id == task.id) {
        world.open_tasks.push(Arc::new(task.clone()));
    }
}

fn about(task: &Task, with: Doing<'_>) -> Projected {
    Projected { booking_id: task.booking_id.clone(), ..Projected::of(with.root) }
}
