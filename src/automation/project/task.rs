//! A member of staff says that a task is done.

use super::{Projected, Projection};
use crate::automation::world::World;
use crate::domain::task::TaskStatus;
use std::sync::Arc;

/// Closes the task; one that is closed already stays as it is.
pub fn complete(world: &mut World, with: Projection<'_>) -> Projected {
    let named = with.event.payload.task_id.as_deref().and_then(|id| world.find_task(id)).cloned();
    let Some(task) = named else { return Projected::ignored("there is no such task") };
    if !task.status.is_open() {
        return Projected::ignored(format!("the task is {} already", task.status.as_str()));
    }
    if !world.open_tasks.iter().any(|t| t.id == task.id) {
        world.open_tasks.push(Arc::new(task.clone()));
    }
    world.change_task(&task.id, with.now, |t| {
        t.status = TaskStatus::Done;
        t.completed_at = Some(with.now);
    });
    Projected { booking_id: task.booking_id, ..Projected::of(with.event) }
}
