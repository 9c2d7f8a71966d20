//! Bookings: made by hand, moved, corrected, and marked with what became of them.

use super::{Doing, Effect, Impossible};
use crate::automation::project::{Projected, booking_happened, insert_booking, settle_booking};
use crate::automation::world::World;
use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::contact::Note;
use crate::domain::event::BookingInput;
use crate::domain::ids::derived_id;
use crate::domain::staff_action::{BookingEdit, NewBooking};
use crate::domain::time::{Millis, Timestamp};

pub(super) fn add(world: &mut World, new: &NewBooking, with: Doing<'_>) -> Effect {
    let input = BookingInput {
        status: Some(new.status),
        appointment_datetime: Some(new.appointment_datetime),
        end_datetime: new.end_datetime,
        service_name: new.service_name.clone(),
        location: new.location.clone(),
        resource_name: new.resource_name.clone(),
        urgency_level: new.urgency_level.clone(),
        ..BookingInput::default()
    };
    let id = insert_booking(world, with.projection(), &input);
    let id = id.ok_or_else(|| Impossible::because("there is no such contact"))?;
    if let (Some(status), Some(booking)) = (&new.referral_status, world.bookings.iter_mut().find(|b| b.id == id)) {
        booking.referral_status.clone_from(status);
    }
    Ok(happened(world, None, &id, with))
}

pub(super) fn edit(world: &mut World, edit: &BookingEdit, with: Doing<'_>) -> Effect {
    let before = find(world, with)?;
    let moves = edit.appointment_datetime.is_some_and(|at| at != before.appointment_datetime);
    // At its own time again: it was cancelled, or marked as missed or kept, by mistake.
    let is_alone = *edit == BookingEdit { appointment_datetime: edit.appointment_datetime, ..BookingEdit::default() };
    let revives = edit.appointment_datetime.is_some() && is_revived(before.status, is_alone);
    let status = match (moves, revives) {
        (true, _) => status_after_move(before.status)?,
        (false, true) => BookingStatus::Scheduled,
        (false, false) => before.status,
    };
    let begins = edit.appointment_datetime.unwrap_or(before.appointment_datetime);
    if edit.end_datetime.value().is_some_and(|end| *end <= begins) {
        return Err(Impossible::because("the end would not be after the beginning"));
    }
    world.change_booking(&before.id, with.deciding.now, |b| {
        remember_said(b, &before);
        if let Some(at) = edit.appointment_datetime.filter(|_| moves) {
            move_to(b, at);
        }
        set_status(b, status, &before, with.deciding.now);
        edit.end_datetime.apply(&mut b.end_datetime);
        edit.service_name.apply(&mut b.service_name);
        edit.location.apply(&mut b.location);
        edit.resource_name.apply(&mut b.resource_name);
        for (target, given) in [(&mut b.urgency_level, &edit.urgency_level), (&mut b.referral_status, &edit.referral_status)] {
            if let Some(value) = given {
                target.clone_from(value);
            }
        }
    });
    if revives && before.status == BookingStatus::Completed {
        take_visit_back(world, &before, with.deciding.now);
    }
    Ok(happened(world, Some(&before), &before.id, with))
}

pub(super) fn mark(world: &mut World, to: BookingStatus, reason: Option<&str>, with: Doing<'_>) -> Effect {
    let before = find(world, with)?;
    if before.status == to {
        return Err(Impossible::because(format!("the booking is {} already", to.as_str())));
    }
    before.status.check_transition(to).map_err(|illegal| Impossible::because(illegal.to_string()))?;
    refuse_too_early(&before, to, with.deciding.now)?;
    world.change_booking(&before.id, with.deciding.now, |b| {
        remember_said(b, &before);
        set_status(b, to, &before, with.deciding.now);
    });
    let mut projected = happened(world, Some(&before), &before.id, with);
    if let Some(reason) = reason {
        note_reason(world, &before, reason, with);
        projected.data.insert("reason".into(), reason.to_owned());
    }
    Ok(projected)
}

/// Nobody has missed, or had, what is still to come.
fn refuse_too_early(booking: &Booking, to: BookingStatus, now: Timestamp) -> Result<(), Impossible> {
    let from = match to {
        BookingStatus::NoShow => booking.appointment_datetime,
        // Who has been checked in is here.
        BookingStatus::Completed if booking.status == BookingStatus::CheckedIn => return Ok(()),
        BookingStatus::Completed | BookingStatus::CheckedIn => booking.appointment_datetime - COMES_EARLY_MAX,
        _ => return Ok(()),
    };
    if now < from { Err(Impossible::because("the appointment is still to come")) } else { Ok(()) }
}

/// A visit that took place is not undone by the way, with another correction.
const fn is_revived(status: BookingStatus, is_alone: bool) -> bool {
    use BookingStatus::{Cancelled, CheckedIn, Completed, NoShow};
    matches!(status, Cancelled | NoShow) || is_alone && matches!(status, CheckedIn | Completed)
}

/// The last visit was another, or none.
fn take_visit_back(world: &mut World, before: &Booking, now: Timestamp) {
    let visited = |b: &Booking| b.completed_at.filter(|_| b.id != before.id && b.status == BookingStatus::Completed);
    let last = world.bookings.iter().filter_map(visited).max();
    world.change_contact(now, |c| {
        if c.last_visit_at == before.completed_at {
            c.last_visit_at = last;
        }
    });
}

/// So long before the appointment somebody may have come and be gone.
const COMES_EARLY_MAX: Millis = Millis::hours(12);

fn find(world: &World, with: Doing<'_>) -> Result<Booking, Impossible> {
    let named = with.root.booking_id.as_deref().and_then(|id| world.find_booking(id));
    named.cloned().ok_or_else(|| Impossible::because("there is no such booking"))
}

/// A new time is one that the patient has not said yes to. Who was given up gets a new chance by it.
fn status_after_move(status: BookingStatus) -> Result<BookingStatus, Impossible> {
    use BookingStatus::{Cancelled, Confirmed, NoShow, Pending, Scheduled, Waitlisted};
    match status {
        Pending | Waitlisted => Ok(status),
        Scheduled | Confirmed | Cancelled | NoShow => Ok(Scheduled),
        other => Err(Impossible::because(format!("a {} booking cannot be moved", other.as_str()))),
    }
}

fn move_to(booking: &mut Booking, at: Timestamp) {
    let lasts = booking.end_datetime.map(|end| end - booking.appointment_datetime);
    booking.end_datetime = lasts.map(|span| at + span);
    booking.appointment_datetime = at;
    booking.reschedule_count += 1;
    (booking.patient_confirmed_at, booking.confirmed_via) = (None, None);
}

fn set_status(booking: &mut Booking, to: BookingStatus, before: &Booking, now: Timestamp) {
    booking.status = to;
    if to == before.status {
        return;
    }
    booking.cancelled_at = (to == BookingStatus::Cancelled).then_some(now);
    match to {
        BookingStatus::Confirmed => {
            (booking.patient_confirmed_at, booking.confirmed_via) = (Some(now), Some("staff".into()));
        }
        BookingStatus::Scheduled => {
            (booking.patient_confirmed_at, booking.confirmed_via) = (None, None);
            (booking.no_show_at, booking.checked_in_at, booking.completed_at) = (None, None, None);
        }
        _ => {}
    }
}

/// The provider goes on telling what it knew before staff said otherwise: the same again changes nothing.
fn remember_said(booking: &mut Booking, before: &Booking) {
    use BookingStatus::{CheckedIn, Completed, Confirmed, NoShow, Scheduled};
    if before.wix_booking_id.is_none() {
        return;
    }
    let said = match before.status {
        Confirmed | CheckedIn | Completed | NoShow => Scheduled,
        other => other,
    };
    booking.said_status.get_or_insert(said);
    booking.said_datetime.get_or_insert(before.appointment_datetime);
}

/// What the difference is called, and what follows from it before any rule is asked.
fn happened(world: &mut World, before: Option<&Booking>, id: &str, with: Doing<'_>) -> Projected {
    let Some(after) = world.find_booking(id).cloned() else { return Projected::default() };
    let mut names = booking_happened(before, &after, "");
    if names.is_empty() {
        let said_yes = after.status == BookingStatus::Confirmed && before.is_some_and(|b| b.status != after.status);
        names.push(if said_yes { "booking_patient_confirmed" } else { "booking_updated" }.to_owned());
    }
    settle_booking(world, with.projection(), before, &after, &names);
    let is_other = !names.contains(&with.root.event_type);
    let nothing_because = is_other.then(|| format!("it was {}", names.join(", ")));
    Projected { names, booking_id: Some(id.to_owned()), nothing_because, ..Projected::default() }
}

fn note_reason(world: &mut World, booking: &Booking, reason: &str, with: Doing<'_>) {
    world.changes.notes.push(Note {
        id: derived_id(with.root.timestamp, &[&with.root.id, "reason"]),
        contact_id: Some(booking.contact_id.clone()),
        booking_id: Some(booking.id.clone()),
        body: reason.to_owned(),
        author: with.by().to_owned(),
        run_id: None,
        created_at: with.deciding.now,
    });
}
