//! Delivery receipts: repeated, late and out of order. A final state is never overwritten.

use super::{Projected, Projection};
use crate::automation::missing_receipts::NO_RECEIPT;
use crate::automation::send;
use crate::automation::world::{SmsChange, World};
use crate::domain::event::ReceiptInput;
use crate::domain::ids::derived_id;
use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::domain::task::TaskStatus;
use crate::store::sms::StatusEvent;

/// A text that can be one of these is not with the provider yet, as far as we know.
const NOT_TAKEN: [SmsStatus; 4] = [SmsStatus::Scheduled, SmsStatus::Queued, SmsStatus::Sending, SmsStatus::Unknown];

/// Applies a receipt to the text it is about.
pub fn project(world: &mut World, with: Projection<'_>) -> Projected {
    let Some(receipt) = &with.event.payload.receipt else { return Projected::default() };
    let Some(sms) = world.referred_sms.clone() else {
        return Projected::ignored("no such text");
    };
    world.changes.sms_status_events.push(StatusEvent {
        id: derived_id(with.event.timestamp, &[&with.event.id, "receipt"]),
        sms_id: sms.id.clone(),
        status: receipt.status.unwrap_or(sms.status),
        code: receipt.status_code.clone(),
        detail: receipt.detail.clone(),
        at: receipt.at.unwrap_or(with.event.timestamp),
        event_id: Some(with.event.id.clone()),
    });
    let Some(to) = receipt.status else { return progress(world, with, &sms, receipt) };
    if sms.status.is_final() {
        return nothing(&sms, format!("the text is already {}", sms.status.as_str()));
    }
    let was_taken = matches!(to, SmsStatus::Delivered) && prove_taken(world, with, &sms, receipt.provider_message_id.clone());
    world.changes.sms_changes.push(SmsChange {
        sms_id: sms.id.clone(),
        is_required: true,
        from: if was_taken { vec![SmsStatus::Accepted] } else { [&NOT_TAKEN[..], &[SmsStatus::Accepted]].concat() },
        to,
        reason: receipt.detail.clone().or_else(|| came_late(&sms)),
        provider_message_id: new_provider_id(&sms, receipt.provider_message_id.clone()),
    });
    close_question(world, with, &sms);
    let names = match to {
        SmsStatus::Delivered => vec!["sms_delivered".to_owned()],
        SmsStatus::Failed | SmsStatus::Expired => vec!["sms_failed".to_owned()],
        _ => Vec::new(),
    };
    let told = [("template", sms.template), ("reason", receipt.detail.clone()), ("code", receipt.status_code.clone())];
    let data = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    Projected { names, booking_id: sms.booking_id, data, ..Projected::default() }
}

/// That no receipt came is true no more.
fn came_late(sms: &SmsMessage) -> Option<String> {
    (sms.status_reason.as_deref() == Some(NO_RECEIPT)).then(|| "the receipt came late".to_owned())
}

/// It is on its way: that answers whether it was sent at all.
fn progress(world: &mut World, with: Projection<'_>, sms: &SmsMessage, receipt: &ReceiptInput) -> Projected {
    let is_news = prove_taken(world, with, sms, receipt.provider_message_id.clone());
    nothing(sms, if is_news { "the provider has the text" } else { "progress only" })
}

fn nothing(sms: &SmsMessage, reason: impl Into<String>) -> Projected {
    Projected { nothing_because: Some(reason.into()), booking_id: sms.booking_id.clone(), ..Projected::default() }
}

/// The provider, or the patient's answer, shows that the text went out. False when that was known, or cannot be any more.
pub(super) fn prove_taken(
    world: &mut World,
    with: Projection<'_>,
    sms: &SmsMessage,
    provider_message_id: Option<String>,
) -> bool {
    if sms.direction != "out" || !NOT_TAKEN.contains(&sms.status) {
        return false;
    }
    world.changes.sms_changes.push(SmsChange {
        sms_id: sms.id.clone(),
        is_required: true,
        from: NOT_TAKEN.to_vec(),
        to: SmsStatus::Accepted,
        reason: Some("shown by a receipt, a reply or the provider's record".into()),
        provider_message_id: new_provider_id(sms, provider_message_id),
    });
    if let Some(contact_id) = sms.contact_id.clone().filter(|id| world.contact.as_ref().is_some_and(|c| c.id == *id)) {
        world.add_touchpoint(send::sent_touchpoint(sms, contact_id, with.now));
        world.change_contact(with.now, |c| c.last_outbound_at = Some(c.last_outbound_at.map_or(with.now, |at| at.max(with.now))));
    }
    close_question(world, with, sms);
    true
}

/// The provider's first word counts: a receipt that names another id for the same text changes nothing.
fn new_provider_id(sms: &SmsMessage, named: Option<String>) -> Option<String> {
    named.filter(|_| sms.provider_message_id.is_none())
}

/// The task that asks a person about the text needs no answer any more.
fn close_question(world: &mut World, with: Projection<'_>, sms: &SmsMessage) {
    let asked = send::unknown_key(&sms.id);
    if let Some(task) = world.open_tasks.iter().find(|t| t.dedupe_key.as_deref() == Some(&asked)).map(|t| t.id.clone()) {
        world.change_task(&task, with.now, |t| {
            t.status = TaskStatus::Cancelled;
            t.completed_at = Some(with.now);
            t.note =
                Some(t.note.take().map_or_else(|| send::OUTCOME_KNOWN.to_owned(), |n| format!("{n}\n{}", send::OUTCOME_KNOWN)));
        });
    }
}
