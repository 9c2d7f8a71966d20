//! Tells the rules of tasks whose due time has passed: once for each task and due time.

use super::timers::delivery;
use crate::domain::contact::Contact;
use crate::domain::event::{Delivery, EventPayload, TASK_OVERDUE};
use crate::domain::task::Task;
use crate::domain::time::{Millis, Timestamp};
use crate::store::{Cause, Store, StoreResult, Tx, contacts, duties, record, tasks};

/// How often somebody looks.
const EVERY: Millis = Millis::seconds(10);
/// Tasks of one look; the rest waits for the next.
const BATCH_MAX: i64 = 200;
const DUTY: &str = "overdue_tasks";

/// Records an event for each open task that has become overdue; answers how many.
pub async fn tell(store: &Store, now: Timestamp) -> StoreResult<usize> {
    store.write(move |tx| if duties::take(tx, DUTY, EVERY, now)? { tell_all(tx, now) } else { Ok(0) }).await
}

fn tell_all(tx: &mut Tx<'_>, now: Timestamp) -> StoreResult<usize> {
    let overdue = tasks::list_overdue_untold(tx, now, BATCH_MAX)?;
    for task in &overdue {
        tasks::note_overdue_told(tx, task, now)?;
        tell_one(tx, task, now)?;
    }
    Ok(overdue.len())
}

fn tell_one(tx: &mut Tx<'_>, task: &Task, now: Timestamp) -> StoreResult<()> {
    let contact = match &task.contact_id {
        Some(id) => contacts::find(tx, id)?,
        None => None,
    };
    let (event, cause) = late(task, contact.as_ref());
    record(tx, event, now, cause).map(|_| ())
}

/// The delivery that a late task is, and what it is about.
pub(super) fn late(task: &Task, contact: Option<&Contact>) -> (Delivery, Cause) {
    let payload = EventPayload { task_id: Some(task.id.clone()), ..EventPayload::default() };
    let key = format!("overdue:{}:{}", task.id, task.due_datetime.0);
    let whose = task.contact_id.as_deref().unwrap_or(&task.id);
    let mut event = delivery(TASK_OVERDUE, "task", key, task.due_datetime, payload, (whose, contact));
    if task.contact_id.is_none() {
        event.lane_key = None;
    }
    let cause = Cause { contact_id: task.contact_id.clone(), booking_id: task.booking_id.clone(), ..Cause::default() };
    (event, cause)
}
