//! What a decision changed, back into the records: the twin of `automation::commit`. One small function for each kind of change.

use super::Records;
use crate::automation::timers::{due_wait, event_of};
use crate::automation::waits::tasks_of;
use crate::automation::world::{Changes, SmsChange, Suppression, World};
use crate::domain::contact::Contact;
use crate::domain::event::{Delivery, Event, EventStatus, SubjectKind, Timer, WaitingRun};
use crate::domain::ids::derived_id;
use crate::domain::sms::SmsStatus;
use crate::domain::task::Task;
use crate::domain::time::Timestamp;
use crate::engine::facts::TOUCHPOINTS_MAX;
use std::sync::Arc;

impl Records {
    /// Takes a decided world back; answers with its contact.
    pub(super) fn fold(&mut self, mut world: World) -> Option<String> {
        let changes = std::mem::take(&mut world.changes);
        self.suppress(&changes, world.contact.as_ref());
        self.add_texts(&mut world, &changes);
        for change in &changes.sms_changes {
            self.change_text(&mut world, change);
        }
        self.late.fold(&world, &changes);
        for identity in &changes.gone_identities {
            self.owners.remove(identity);
        }
        let closed = world.open_tasks.iter().filter(|task| !task.status.is_open());
        self.closed_tasks.extend(closed.map(|task| (task.id.clone(), Task::clone(task))));
        merge_timers(&mut world, changes);
        forget_the_event(&mut world);
        self.put(world)
    }

    /// Also for the others at the number, as `store::numbers` does it.
    fn suppress(&mut self, changes: &Changes, speaker: Option<&Contact>) {
        for suppression in &changes.suppressions {
            let opted_out_at = speaker.and_then(|c| c.opted_out_at);
            match suppression {
                Suppression::Stop { phone, .. } => drop(self.suppressed.insert(phone.clone())),
                Suppression::Lift { phone } => drop(self.suppressed.remove(phone)),
            }
            self.change_contacts_at(suppression.phone(), speaker, |contact| {
                contact.opted_out_at = opted_out_at.map(|at| contact.opted_out_at.unwrap_or(at));
            });
        }
    }

    fn add_texts(&mut self, world: &mut World, changes: &Changes) {
        for text in &changes.sms {
            if let (Some(provider), Some(id), "in") = (&text.provider, &text.provider_message_id, text.direction.as_str()) {
                self.heard.insert((provider.clone(), id.clone()));
            }
            if let Some(key) = &text.dedupe_key {
                self.text_keys.insert(key.clone(), text.id.clone());
            }
            if text.status.is_unsent() {
                world.unsent_sms.push(text.clone());
            }
            self.put_text(text.clone());
        }
    }

    fn change_text(&mut self, world: &mut World, change: &SmsChange) {
        let Some(text) = self.texts.get_mut(&change.sms_id).filter(|t| change.from.contains(&t.status)) else { return };
        text.status = change.to;
        text.status_reason.clone_from(&change.reason);
        if let Some(id) = &change.provider_message_id {
            text.provider_message_id = Some(id.clone());
        }
        if change.to != SmsStatus::Scheduled && change.to != SmsStatus::Queued {
            world.unsent_sms.retain(|s| s.id != change.sms_id);
        }
    }
}

fn merge_timers(world: &mut World, changes: Changes) {
    let same = |a: &Timer, b: &Timer| {
        (&a.rule_id, a.trigger, &a.subject_id, &a.occurrence) == (&b.rule_id, b.trigger, &b.subject_id, &b.occurrence)
    };
    world.timers.retain(|t| t.state != "pending" || !changes.timers_gone.iter().any(|gone| same(t, gone)));
    for timer in changes.timers {
        match world.timers.iter_mut().find(|t| same(t, &timer)) {
            Some(known) => *known = timer,
            None => world.timers.push(timer),
        }
    }
}

/// What was about the event alone, or is loaded no more.
fn forget_the_event(world: &mut World) {
    world.loaded_version = None;
    world.owners.clear();
    world.loose_tasks.clear();
    world.referred_sms = None;
    world.recent_sms.clear();
    world.is_repeated_message = false;
    world.claims_nothing = false;
    world.waiting.retain(|w| w.state.is_alive());
    let awaited: Vec<String> = tasks_of(&world.waiting).collect();
    let (open, closed): (Vec<Arc<Task>>, Vec<Arc<Task>>) =
        std::mem::take(&mut world.open_tasks).into_iter().partition(|t| t.status.is_open());
    world.open_tasks = open;
    world.named_tasks.extend(closed.into_iter().map(Arc::unwrap_or_clone));
    world.named_tasks.retain(|t| awaited.contains(&t.id));
    world.touchpoints.truncate(TOUCHPOINTS_MAX);
}

/// The event of a due timer. Its id is made of what the timer is, so it is the same in every run.
pub(super) fn timer_event(timer: &Timer, contact: Option<&Contact>, now: Timestamp) -> Event {
    let mut event = event_from(event_of(timer, contact), now);
    event.contact_id = Some(timer.contact_id.clone());
    event.booking_id = (timer.subject_kind == SubjectKind::Booking).then(|| timer.subject_id.clone());
    event
}

/// The event of a wait whose time is up.
pub(super) fn wait_event(run: &WaitingRun, contact: Option<&Contact>, now: Timestamp) -> Event {
    let (delivery, cause) = due_wait(run, contact);
    let event = event_from(delivery, now);
    Event {
        causation_id: cause.causation_id,
        depth: cause.depth,
        contact_id: cause.contact_id,
        booking_id: cause.booking_id,
        ..event
    }
}

/// A delivery as it is recorded, with an id made of its key.
pub(super) fn event_from(delivery: Delivery, now: Timestamp) -> Event {
    Event {
        id: derived_id(now, &["simulated", &delivery.source, &delivery.dedupe_key]),
        event_type: delivery.event_type,
        source: delivery.source,
        dedupe_key: delivery.dedupe_key,
        timestamp: now,
        occurred_at: delivery.occurred_at,
        actor: delivery.actor,
        signature_state: delivery.signature_state,
        payload: delivery.payload,
        lane_key: delivery.lane_key,
        contact_id: None,
        booking_id: None,
        causation_id: None,
        depth: 0,
        status: if delivery.quarantine_reason.is_some() { EventStatus::Quarantined } else { EventStatus::Accepted },
        status_reason: delivery.quarantine_reason,
        duplicates: 0,
        revision: None,
        processed_at: None,
    }
}
