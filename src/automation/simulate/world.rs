//! What one contact's world has waiting. Each source of waiting is one function.

use crate::automation::world::World;
use crate::domain::event::{Timer, WaitState};
use crate::domain::time::Timestamp;

/// When something of this contact is due next.
pub(super) fn next_due(world: &World) -> Option<Timestamp> {
    [next_timer(world), next_text(world), next_wait(world)].into_iter().flatten().min()
}

fn next_timer(world: &World) -> Option<Timestamp> {
    world.timers.iter().filter(|t| is_pending(t)).map(|t| t.due_at).min()
}

fn next_text(world: &World) -> Option<Timestamp> {
    world.unsent_sms.iter().map(|s| s.scheduled_at.unwrap_or(s.created_at)).min()
}

fn next_wait(world: &World) -> Option<Timestamp> {
    world.waiting.iter().filter(|w| w.state == WaitState::Waiting).map(|w| w.due_at).min()
}

pub(super) fn is_pending(timer: &Timer) -> bool {
    timer.state == "pending"
}
