//! Delivery receipts: repeated, late and out of order. A final state is never overwritten.

use super::{Projected, Projection};
use crate::automation::send;
use crate::automation::world::{SmsChange, World};
use crate::domain::ids::derived_id;
use crate::domain::sms::SmsStatus;
use crate::domain::task::TaskStatus;
use crate::store::sms::StatusEvent;

/// Applies a receipt to the text it is about.
pub fn project(world: &mut World, with: Projection<'_>) -> Projected {
    let Some(receipt) = &with.event.payload.receipt else { return Projected::default() };
    let Some(sms) = world.referred_sms.clone() else {
        return Projected::ignored("no such text");
    };
    let status = receipt.status.unwrap_or(sms.status);
    world.changes.sms_status_events.push(StatusEvent {
        id: derived_id(with.event.timestamp, &[&with.event.id, "receipt"]),
        sms_id: sms.id.clone(),
        status,
        code: receipt.status_code.clone(),
        detail: receipt.detail.clone(),
        at: receipt.at.unwrap_or(with.event.timestamp),
        event_id: Some(with.event.id.clone()),
    });
    let Some(to) = receipt.status else {
        return Projected { nothing_because: Some("progress only".into()), booking_id: sms.booking_id, ..Projected::default() };
    };
    if sms.status.is_final() {
        let reason = format!("the text is already {}", sms.status.as_str());
        return Projected { nothing_because: Some(reason), booking_id: sms.booking_id, ..Projected::default() };
    }
    world.changes.sms_changes.push(SmsChange {
        sms_id: sms.id.clone(),
        is_required: true,
        from: vec![SmsStatus::Scheduled, SmsStatus::Queued, SmsStatus::Sending, SmsStatus::Accepted, SmsStatus::Unknown],
        to,
        reason: receipt.detail.clone(),
        provider_message_id: receipt.provider_message_id.clone(),
    });
    let asked = send::unknown_key(&sms.id);
    if let Some(task) = world.open_tasks.iter().find(|t| t.dedupe_key.as_deref() == Some(&asked)).map(|t| t.id.clone()) {
        world.change_task(&task, with.now, |t| {
            t.status = TaskStatus::Cancelled;
            t.completed_at = Some(with.now);
            t.note =
                Some(t.note.take().map_or_else(|| send::OUTCOME_KNOWN.to_owned(), |n| format!("{n}\n{}", send::OUTCOME_KNOWN)));
        });
    }
    let names = match to {
        SmsStatus::Delivered => vec!["sms_delivered".to_owned()],
        SmsStatus::Failed | SmsStatus::Expired => vec!["sms_failed".to_owned()],
        _ => Vec::new(),
    };
    let told = [("template", sms.template), ("reason", receipt.detail.clone())];
    let data = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    Projected { names, booking_id: sms.booking_id, data, ..Projected::default() }
}
