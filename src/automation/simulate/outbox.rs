//! Texts leave: what `automation::send` does, with a gateway that takes everything at once.

use super::Simulation;
use crate::automation::send::{Records as Around, Verdict, judge, sent_touchpoint};
use crate::automation::world::World;
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::time::Timestamp;
use crate::engine::facts::TOUCHPOINTS_MAX;
use std::sync::Arc;

impl Simulation<'_> {
    /// Sends, withholds or puts off every text of this contact whose time has come.
    pub(super) fn send_due(&mut self, contact_id: &str) {
        let now = self.now;
        let Some(world) = self.records.person_mut(contact_id) else { return };
        if world.unsent_sms.is_empty() {
            return;
        }
        let (due, later) = std::mem::take(&mut world.unsent_sms).into_iter().partition(|s| is_due(s, now));
        world.unsent_sms = later;
        let due: Vec<SmsMessage> = due;
        for text in due {
            self.leave(contact_id, text);
        }
    }

    fn leave(&mut self, contact_id: &str, mut text: SmsMessage) {
        let now = self.now;
        let suppressed = self.records.suppressed.contains(&text.to);
        let Some(world) = self.records.person_mut(contact_id) else { return };
        let around = Around {
            is_suppressed: suppressed,
            is_unheard: false,
            contact: world.contact.as_ref(),
            booking: text.booking_id.as_deref().and_then(|id| world.find_booking(id)),
            is_live: false,
        };
        match judge(&text, around, self.rules.clinic, now) {
            Verdict::Now => {
                text.status = SmsStatus::Accepted;
                text.accepted_at = Some(now);
                touch(world, &text, contact_id, now);
                self.tell_sent(&text.id);
            }
            Verdict::Later(at) => {
                text.status = SmsStatus::Scheduled;
                text.scheduled_at = Some(at);
                world.unsent_sms.push(text.clone());
            }
            Verdict::Never(reason) => {
                text.status = SmsStatus::Suppressed;
                text.status_reason = Some(reason.to_owned());
                self.tell_withheld(&text.id, reason);
            }
            Verdict::Nothing | Verdict::Interrupted => {}
        }
        self.records.put_text(text);
    }
}

fn is_due(text: &SmsMessage, now: Timestamp) -> bool {
    text.scheduled_at.unwrap_or(text.created_at) <= now
}

/// As `contacts::note_outbound` and the timeline do it.
fn touch(world: &mut World, text: &SmsMessage, contact_id: &str, now: Timestamp) {
    if let Some(contact) = &mut world.contact {
        contact.last_outbound_at = Some(now);
        contact.version += 1;
    }
    world.touchpoints.insert(0, Arc::new(sent_touchpoint(text, contact_id.to_owned(), now)));
    world.touchpoints.truncate(TOUCHPOINTS_MAX);
}
