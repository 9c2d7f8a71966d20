//! Keeps the stored timers equal to what the rules derive from the records.

use super::world::World;
use crate::domain::booking::Booking;
use crate::domain::event::{SubjectKind, Timer, TimerInput};
use crate::domain::time::Timestamp;
use crate::engine::Ruleset;
use crate::engine::timers::{self, DesiredTimer, HOLDS};
use std::sync::Arc;

/// Brings the timers of a contact in line with what has just changed; nothing changed, nothing to do.
pub fn derive(world: &mut World, ruleset: &Ruleset, now: Timestamp) {
    if world.changes.contact || world.loaded_version.is_none() || !world.changes.timers.is_empty() {
        derive_all(world, ruleset, now);
    }
}

/// Compares what should be pending with what is, and notes the difference. An occurrence that has fired never comes back.
pub fn derive_all(world: &mut World, ruleset: &Ruleset, now: Timestamp) {
    let Some(contact) = world.contact_facts(now) else { return };
    let bookings: Vec<Arc<Booking>> = world.bookings.iter().cloned().map(Arc::new).collect();
    let mut desired = timers::derive_for(ruleset, &contact, &bookings, now);
    desired.extend(timers::holding(ruleset, &contact, &bookings, now));
    let contact_id = contact.contact.id.clone();
    let mut changed = std::mem::take(&mut world.changes.timers);
    for want in &desired {
        let known = world.timers.iter().find(|t| same(t, want));
        // What has held for a while goes on holding: only its beginning counts.
        let holds_on = known.is_some() && want.occurrence == HOLDS;
        let is_as_wanted = |t: &Timer| t.state == "fired" || (t.due_at == want.due_at && t.late_ms == want.late.0);
        let is_right = holds_on || known.is_some_and(is_as_wanted);
        if !is_right && !fired_as_before(world, ruleset, want) && !changed.iter().any(|t| same(t, want)) {
            changed.push(pending(want, contact_id.clone(), now));
        }
    }
    // A `holds` that is over may begin again, so that one that has fired goes too.
    let may_go = |t: &Timer| t.state == "pending" || t.occurrence == HOLDS;
    let is_gone = |t: &Timer| may_go(t) && is_known(t, &bookings) && !desired.iter().any(|want| same(t, want));
    world.changes.timers_gone.extend(world.timers.iter().filter(|t| is_gone(t)).cloned());
    world.changes.timers = changed;
}

/// Nothing is known of a record that is not loaded; least of all that it has no timers.
fn is_known(timer: &Timer, bookings: &[Arc<Booking>]) -> bool {
    timer.subject_kind != SubjectKind::Booking || bookings.iter().any(|b| b.id == timer.subject_id)
}

/// The row of a timer that is to be pending.
pub fn pending(want: &DesiredTimer, contact_id: String, now: Timestamp) -> Timer {
    Timer {
        rule_id: want.rule_id.clone(),
        trigger: want.trigger,
        subject_id: want.subject_id.clone(),
        occurrence: want.occurrence.clone(),
        subject_kind: want.subject_kind,
        contact_id,
        due_at: want.due_at,
        late_ms: want.late.0,
        state: "pending".into(),
        updated_at: now,
    }
}

/// The rule had another id when it fired for this very occurrence.
fn fired_as_before(world: &World, ruleset: &Ruleset, want: &DesiredTimer) -> bool {
    let Some(old) = ruleset.was.get(&want.rule_id) else { return false };
    let before = DesiredTimer { rule_id: old.clone(), ..want.clone() };
    world.timers.iter().any(|timer| timer.state == "fired" && same(timer, &before))
}

/// It is the row of the timer that an event speaks of.
pub fn is_of(timer: &Timer, input: &TimerInput) -> bool {
    timer.rule_id == input.rule_id
        && timer.trigger == input.trigger
        && Some(&timer.subject_id) == input.subject_id.as_ref()
        && timer.occurrence == input.occurrence
}

/// It is this timer's row.
pub fn same(timer: &Timer, want: &DesiredTimer) -> bool {
    timer.rule_id == want.rule_id
        && timer.trigger == want.trigger
        && timer.subject_id == want.subject_id
        && timer.occurrence == want.occurrence
}
