//! `set`: the few fields that rules may write, each with its own refusals.

use super::{Applied, Applying};
use crate::automation::world::World;
use crate::domain::booking::BookingStatus;
use crate::domain::contact::FieldChange;
use crate::domain::ids::derived_id;
use crate::engine::plan::{FieldValue, PlannedStep};
use crate::engine::schema::{CONSENT, REFERRAL, URGENCY};

/// Sets a field, and notes what it was before.
pub fn set(world: &mut World, with: Applying<'_>, step: &PlannedStep, field: &str, value: &FieldValue) -> Applied {
    let before = value_of(world, with, field);
    let applied = set_field(world, with, step, field, value);
    let after = value_of(world, with, field);
    if before != after
        && let Some(contact) = &world.contact
    {
        let change = FieldChange {
            id: derived_id(with.event.timestamp, &[with.run_id, &step.path, "change"]),
            contact_id: contact.id.clone(),
            booking_id: field.starts_with("booking.").then(|| with.booking_id.map(str::to_owned)).flatten(),
            field: field.to_owned(),
            from: before,
            to: after,
            at: with.now,
            by: format!("rule:{}", with.rule_id),
            run_id: Some(with.run_id.to_owned()),
        };
        world.changes.field_changes.push(change);
    }
    applied
}

/// The fields that can be set, as text.
fn value_of(world: &World, with: Applying<'_>, field: &str) -> Option<String> {
    let contact = world.contact.as_ref();
    let booking = with.booking_id.and_then(|id| world.find_booking(id));
    match field {
        "contact.warmness" => contact.map(|c| c.warmness.to_string()),
        "contact.is_existing_patient" => contact.map(|c| c.is_existing_patient.to_string()),
        "contact.marketing_consent" => contact.map(|c| c.marketing_consent.clone()),
        "contact.sms_consent" => contact.map(|c| c.sms_consent.clone()),
        "contact.recall_due_on" => contact?.recall_due_on.map(|at| at.to_rfc3339_in(with.clinic.calendar.tz)),
        "contact.first_source" => contact?.first_source.clone(),
        "contact.interest" => contact?.interest.clone(),
        "contact.assigned_to" => contact?.assigned_to.clone(),
        "booking.status" => booking.map(|b| b.status.as_str().to_owned()),
        "booking.urgency_level" => booking.map(|b| b.urgency_level.clone()),
        "booking.referral_status" => booking.map(|b| b.referral_status.clone()),
        _ => None,
    }
}

fn set_field(world: &mut World, with: Applying<'_>, step: &PlannedStep, field: &str, value: &FieldValue) -> Applied {
    match field.split_once('.') {
        Some(("contact", name)) => set_contact(world, with, step, name, value),
        Some(("booking", name)) => set_booking(world, with, step, name, value),
        _ => Applied::refused(step, format!("{field} cannot be set")),
    }
}

fn set_contact(world: &mut World, with: Applying<'_>, step: &PlannedStep, name: &str, value: &FieldValue) -> Applied {
    let Some(before) = world.contact.clone() else { return Applied::refused(step, "there is no contact") };
    let mut after = before.clone();
    let understood = match (name, value) {
        ("warmness", FieldValue::Int(score)) => {
            after.warmness = i32::try_from((*score).clamp(0, 100)).unwrap_or(0);
            after.warmness_at = Some(with.now);
            true
        }
        ("is_existing_patient", FieldValue::Bool(known)) => {
            after.is_existing_patient = *known;
            true
        }
        ("marketing_consent", FieldValue::Text(text)) if CONSENT.contains(&text.as_str()) => {
            after.marketing_consent.clone_from(text);
            true
        }
        ("sms_consent", FieldValue::Text(text)) if CONSENT.contains(&text.as_str()) => {
            after.sms_consent.clone_from(text);
            true
        }
        ("recall_due_on", FieldValue::Time { time }) => {
            after.recall_due_on = Some(*time);
            true
        }
        ("recall_due_on", FieldValue::Nothing) => {
            after.recall_due_on = None;
            true
        }
        ("first_source", value) => set_text(&mut after.first_source, value),
        ("interest", value) => set_text(&mut after.interest, value),
        ("assigned_to", value) => set_text(&mut after.assigned_to, value),
        _ => false,
    };
    if !understood {
        return Applied::refused(step, format!("contact.{name} cannot hold this value"));
    }
    let warmer = after.warmness != before.warmness;
    world.change_contact(with.now, |c| *c = after);
    let done = Applied::done(step);
    if warmer { done.causing("warmness_changed") } else { done }
}

fn set_text(target: &mut Option<String>, value: &FieldValue) -> bool {
    match value {
        FieldValue::Text(text) => *target = Some(text.clone()),
        FieldValue::Nothing => *target = None,
        _ => return false,
    }
    true
}

fn set_booking(world: &mut World, with: Applying<'_>, step: &PlannedStep, name: &str, value: &FieldValue) -> Applied {
    let Some(id) = with.booking_id.filter(|id| world.find_booking(id).is_some()).map(str::to_owned) else {
        return Applied::refused(step, "there is no booking");
    };
    match (name, value) {
        ("status", FieldValue::Text(text)) => match BookingStatus::parse(text) {
            Some(status) => set_status(world, with, step, &id, status),
            None => Applied::refused(step, format!("{text} is not a booking status")),
        },
        ("urgency_level", FieldValue::Text(level)) if URGENCY.contains(&level.as_str()) => {
            world.change_booking(&id, with.now, |b| b.urgency_level.clone_from(level));
            Applied::done(step)
        }
        ("referral_status", FieldValue::Text(status)) if REFERRAL.contains(&status.as_str()) => {
            world.change_booking(&id, with.now, |b| b.referral_status.clone_from(status));
            Applied::done(step)
        }
        _ => Applied::refused(step, format!("booking.{name} cannot hold this value")),
    }
}

fn set_status(world: &mut World, with: Applying<'_>, step: &PlannedStep, id: &str, to: BookingStatus) -> Applied {
    let Some(from) = world.find_booking(id).map(|b| b.status) else { return Applied::refused(step, "there is no booking") };
    if from == to {
        return Applied::new(step, "already", Some(to.as_str().to_owned()));
    }
    if let Err(refused) = from.check_transition(to) {
        return Applied::refused(step, refused.to_string());
    }
    let via = with.event.payload.message.as_ref().map_or_else(|| "rule".to_owned(), |m| m.channel.clone());
    world.change_booking(id, with.now, |b| {
        b.status = to;
        match to {
            BookingStatus::Confirmed => {
                b.patient_confirmed_at = Some(with.now);
                b.confirmed_via = Some(via);
            }
            BookingStatus::Scheduled => {
                b.patient_confirmed_at = None;
                b.confirmed_via = None;
                b.no_show_at = None;
            }
            BookingStatus::NoShow => b.no_show_at = Some(with.now),
            BookingStatus::CheckedIn => b.checked_in_at = Some(with.now),
            BookingStatus::Completed => b.completed_at = Some(with.now),
            BookingStatus::Cancelled => b.cancelled_at = Some(with.now),
            _ => {}
        }
    });
    if from.is_live() != to.is_live() {
        let reason = format!("booking_{}", to.as_str());
        world.withdraw_sms(&reason, |sms| sms.booking_id.as_deref() == Some(id));
    }
    if from == BookingStatus::NoShow {
        // They came after all, or still may.
        world.change_contact(with.now, |c| c.no_shows = (c.no_shows - 1).max(0));
    }
    after_status(world, with, to);
    let done = Applied::done(step);
    match to {
        BookingStatus::NoShow => done.causing("booking_no_show"),
        BookingStatus::CheckedIn => done.causing("booking_checked_in"),
        BookingStatus::Completed => done.causing("booking_completed"),
        BookingStatus::Cancelled => done.causing("booking_cancelled"),
        _ => done,
    }
}

/// What a booking's new state means for the contact.
fn after_status(world: &mut World, with: Applying<'_>, to: BookingStatus) {
    match to {
        BookingStatus::NoShow => world.change_contact(with.now, |c| c.no_shows += 1),
        BookingStatus::Completed => world.change_contact(with.now, |c| {
            c.last_visit_at = Some(with.now);
            c.is_existing_patient = true;
        }),
        _ => {}
    }
}
