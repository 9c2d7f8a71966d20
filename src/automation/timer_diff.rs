//! Keeps the stored timers equal to what the rules derive from the records.

use super::world::World;
use crate::domain::booking::Booking;
use crate::domain::event::Timer;
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use crate::engine::timers;
use std::sync::Arc;

/// Brings the timers of a contact in line with what has just changed; nothing changed, nothing to do.
pub fn derive(world: &mut World, ruleset: &Ruleset, now: Timestamp) {
    if world.changes.contact || world.loaded_version.is_none() || !world.changes.timers.is_empty() {
        derive_all(world, ruleset, now);
    }
}

/// Compares what should be pending with what is, and notes the difference. An occurrence that has fired never comes back.
pub fn derive_all(world: &mut World, ruleset: &Ruleset, now: Timestamp) {
    let Some(contact) = &world.contact else { return };
    let bookings: Vec<Arc<Booking>> = world.bookings.iter().cloned().map(Arc::new).collect();
    let desired = timers::derive(ruleset, contact, &bookings, now);
    let contact_id = contact.id.clone();
    let mut changed = std::mem::take(&mut world.changes.timers);
    for want in &desired {
        let known = world.timers.iter().find(|t| same(t, &want.rule_id, want.trigger, &want.subject_id, &want.occurrence));
        let is_right = known.is_some_and(|t| t.state == "fired" || (t.due_at == want.due_at && t.late_ms == want.late.0));
        let is_noted = changed.iter().any(|t| same(t, &want.rule_id, want.trigger, &want.subject_id, &want.occurrence));
        if !is_right && !is_noted {
            changed.push(Timer {
                rule_id: want.rule_id.clone(),
                trigger: want.trigger,
                subject_id: want.subject_id.clone(),
                occurrence: want.occurrence.clone(),
                subject_kind: want.subject_kind,
                contact_id: contact_id.clone(),
                due_at: want.due_at,
                late_ms: want.late.0,
                state: "pending".into(),
                updated_at: now,
            });
        }
    }
    let is_wanted = |t: &Timer| desired.iter().any(|w| same(t, &w.rule_id, w.trigger, &w.subject_id, &w.occurrence));
    let gone = world.timers.iter().filter(|t| t.state == "pending" && !is_wanted(t)).cloned();
    world.changes.timers_gone.extend(gone);
    world.changes.timers = changed;
}

fn same(timer: &Timer, rule_id: &str, trigger: i32, subject_id: &str, occurrence: &str) -> bool {
    timer.rule_id == rule_id && timer.trigger == trigger && timer.subject_id == subject_id && timer.occurrence == occurrence
}
