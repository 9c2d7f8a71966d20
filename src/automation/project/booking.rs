//! What an event says of a booking. The provider's sequence and revision decide which word is the newest.

use super::contact::{add_touchpoint, ensure};
use super::{Projected, Projection};
use crate::automation::world::World;
use crate::domain::booking::{Booking, BookingStatus};
use crate::domain::event::BookingInput;
use crate::domain::ids::derived_id;
use crate::domain::time::Timestamp;

/// Applies a booking event and names what really happened.
pub fn project(world: &mut World, with: Projection<'_>) -> Projected {
    let Some(input) = &with.event.payload.booking else { return Projected::default() };
    let known = find_named(&world.bookings, input).map(|b| b.id.clone());
    if let Some(reason) = known.as_deref().and_then(|id| stale(world.find_booking(id), input)) {
        return Projected { booking_id: known, ..Projected::ignored(reason) };
    }
    ensure(world, with);
    let Some(id) = known.or_else(|| insert(world, with, input)) else {
        return Projected::ignored("the booking has no appointment time");
    };
    let is_new = world.changes.bookings.contains(&id) && world.find_booking(&id).is_some_and(|b| b.version == 1);
    let before = if is_new { None } else { world.find_booking(&id).cloned() };
    if before.is_some() {
        world.change_booking(&id, with.now, |b| update(b, input, with.now));
    }
    let Some(after) = world.find_booking(&id).cloned() else { return Projected::default() };
    let names = happened(before.as_ref(), &after, &with.event.event_type);
    settle(world, with, before.as_ref(), &after, &names);
    let nothing_because = (!names.contains(&with.event.event_type)).then(|| explain(before.as_ref(), &with.event.event_type));
    Projected { names, booking_id: Some(id), nothing_because, ..Projected::default() }
}

/// The booking that the input names, if we hold it.
pub fn find_named<'a>(bookings: &'a [Booking], input: &BookingInput) -> Option<&'a Booking> {
    bookings.iter().find(|b| {
        input.id.as_ref().is_some_and(|id| *id == b.id)
            || input.wix_booking_id.as_ref().is_some_and(|id| b.wix_booking_id.as_ref() == Some(id))
    })
}

/// Why the input is older than what is known, if it is.
fn stale(known: Option<&Booking>, input: &BookingInput) -> Option<String> {
    let known = known?;
    if let (Some(sequence), true) = (input.sequence, known.provider_sequence > 0) {
        return (sequence <= known.provider_sequence)
            .then(|| format!("older than what is known: sequence {sequence}, known {}", known.provider_sequence));
    }
    match input.revision {
        Some(revision) if known.provider_revision > revision => {
            Some(format!("older than what is known: revision {revision}, known {}", known.provider_revision))
        }
        _ => None,
    }
}

pub fn insert(world: &mut World, with: Projection<'_>, input: &BookingInput) -> Option<String> {
    let appointment = input.appointment_datetime?;
    let contact = world.contact.as_ref()?;
    let event = with.event;
    let booking = Booking {
        id: input.id.clone().unwrap_or_else(|| derived_id(event.timestamp, &[&event.id, "booking"])),
        contact_id: contact.id.clone(),
        wix_booking_id: input.wix_booking_id.clone(),
        source: event.source.clone(),
        service_id: input.service_id.clone(),
        service_name: input.service_name.clone(),
        location: input.location.clone(),
        resource_name: input.resource_name.clone(),
        appointment_datetime: appointment,
        end_datetime: input.end_datetime,
        timezone: input.timezone.clone().unwrap_or_else(|| with.clinic.calendar.tz.name().to_owned()),
        status: input.status.unwrap_or(BookingStatus::Scheduled),
        urgency_level: urgency(input).unwrap_or("routine").to_owned(),
        referral_status: "missing".into(),
        payment_status: input.payment_status.clone(),
        patient_confirmed_at: None,
        confirmed_via: None,
        reschedule_count: 0,
        cancelled_at: (input.status == Some(BookingStatus::Cancelled)).then_some(with.now),
        no_show_at: None,
        checked_in_at: None,
        completed_at: None,
        provider_sequence: input.sequence.unwrap_or(0),
        provider_revision: input.revision.unwrap_or(0),
        said_status: None,
        said_datetime: None,
        is_demo: contact.is_demo,
        version: 1,
        created_at: event.timestamp,
        updated_at: with.now,
    };
    let id = booking.id.clone();
    world.bookings.push(booking);
    world.changes.bookings.insert(id.clone());
    world.changes.contact = true;
    Some(id)
}

fn urgency(input: &BookingInput) -> Option<&'static str> {
    let given = input.urgency_level.as_deref()?.to_lowercase();
    crate::engine::schema::URGENCY.iter().find(|known| **known == given).copied()
}

fn update(booking: &mut Booking, input: &BookingInput, now: Timestamp) {
    // Since staff has said otherwise, what the provider had said before is no news.
    let time = input.appointment_datetime.filter(|at| booking.said_datetime != Some(*at));
    let status = input.status.filter(|status| booking.said_status != Some(*status));
    let moved = time.is_some_and(|t| t != booking.appointment_datetime);
    if let Some(time) = time {
        booking.appointment_datetime = time;
        booking.said_datetime = None;
    }
    if let Some(status) = status {
        booking.status = next_status(booking, status, moved);
        booking.said_status = None;
    }
    if moved {
        booking.reschedule_count += 1;
        booking.patient_confirmed_at = None;
        booking.confirmed_via = None;
    }
    if booking.status == BookingStatus::Cancelled {
        booking.cancelled_at = booking.cancelled_at.or(Some(now));
    } else {
        booking.cancelled_at = None;
    }
    if booking.said_datetime.is_none() {
        replace(&mut booking.end_datetime, input.end_datetime);
    }
    replace(&mut booking.service_id, input.service_id.clone());
    replace(&mut booking.service_name, input.service_name.clone());
    replace(&mut booking.location, input.location.clone());
    replace(&mut booking.resource_name, input.resource_name.clone());
    replace(&mut booking.payment_status, input.payment_status.clone());
    if let Some(zone) = &input.timezone {
        booking.timezone.clone_from(zone);
    }
    if let Some(level) = urgency(input) {
        level.clone_into(&mut booking.urgency_level);
    }
    booking.provider_sequence = booking.provider_sequence.max(input.sequence.unwrap_or(0));
    booking.provider_revision = booking.provider_revision.max(input.revision.unwrap_or(0));
}

fn replace<T>(target: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *target = value;
    }
}

/// What we know better than the provider stays: that the patient said yes, came, or did not come.
fn next_status(booking: &Booking, given: BookingStatus, moved: bool) -> BookingStatus {
    use BookingStatus::{CheckedIn, Completed, Confirmed, NoShow, Pending, Scheduled};
    match (booking.status, given) {
        (Confirmed, Scheduled) if !moved => Confirmed,
        (CheckedIn | Completed | NoShow, Scheduled | Pending) if !moved => booking.status,
        (_, given) => given,
    }
}

/// Which events the difference between two states is.
pub fn happened(before: Option<&Booking>, after: &Booking, delivered: &str) -> Vec<String> {
    use BookingStatus::{Cancelled, CheckedIn, Completed, Confirmed, Declined, NoShow, Scheduled, Waitlisted};
    let mut names: Vec<&str> = Vec::new();
    let was = before.map(|b| b.status);
    if before.is_none() {
        names.push("booking_created");
    }
    let accepted = |s: BookingStatus| matches!(s, Scheduled | Confirmed);
    let expected = |s: BookingStatus| !matches!(s, BookingStatus::Pending | Cancelled | Declined | Waitlisted);
    if accepted(after.status) && !was.is_some_and(expected) {
        names.push("booking_confirmed");
    } else if before.is_some_and(|b| b.appointment_datetime != after.appointment_datetime) && after.status.is_live() {
        names.push("booking_rescheduled");
    }
    for (status, name) in [
        (Cancelled, "booking_cancelled"),
        (Declined, "booking_declined"),
        (Waitlisted, "waitlist_joined"),
        (CheckedIn, "booking_checked_in"),
        (Completed, "booking_completed"),
        (NoShow, "booking_no_show"),
    ] {
        if after.status == status && was != Some(status) {
            names.push(name);
        }
    }
    if names.is_empty() && delivered == "booking_updated" {
        names.push("booking_updated");
    }
    names.into_iter().map(str::to_owned).collect()
}

fn explain(before: Option<&Booking>, delivered: &str) -> String {
    match before {
        None => format!("{delivered} was the first we heard of this booking"),
        Some(_) => format!("{delivered} changed nothing: the booking was already so"),
    }
}

/// That somebody came, was here, or did not come: what the booking and the contact keep of it.
fn note_attendance(world: &mut World, now: Timestamp, booking: &Booking, names: &[String]) {
    let happened = |name: &str| names.iter().any(|n| n == name);
    if happened("booking_checked_in") {
        world.change_booking(&booking.id, now, |b| b.checked_in_at = Some(now));
    }
    if happened("booking_completed") {
        world.change_booking(&booking.id, now, |b| b.completed_at = Some(now));
        world.change_contact(now, |c| {
            c.last_visit_at = Some(now);
            c.is_existing_patient = true;
        });
    }
    if happened("booking_no_show") {
        world.change_booking(&booking.id, now, |b| b.no_show_at = Some(now));
        world.change_contact(now, |c| c.no_shows += 1);
        world.withdraw_sms("booking_no_show", |sms| sms.booking_id.as_deref() == Some(&booking.id));
    }
}

/// What follows from a booking's change before any rule sees it.
pub fn settle(world: &mut World, with: Projection<'_>, before: Option<&Booking>, after: &Booking, names: &[String]) {
    let happened = |name: &str| names.iter().any(|n| n == name);
    if happened("booking_created") {
        add_touchpoint(world, with.event, with.now, "booking", Some(with.event.source.clone()), "in");
    }
    note_attendance(world, with.now, after, names);
    let was_missed = before.is_some_and(|b| b.status == BookingStatus::NoShow);
    let moved = before.is_some_and(|b| b.appointment_datetime != after.appointment_datetime);
    if was_missed && after.status != BookingStatus::NoShow && !moved {
        // They came after all: it was marked by mistake.
        world.change_contact(with.now, |c| c.no_shows = (c.no_shows - 1).max(0));
    }
    let over = happened("booking_cancelled") || happened("booking_declined");
    let revived = before.is_some_and(|b| !b.status.is_live() && after.status.is_live());
    if moved || over || revived {
        let reason = if over { "booking_cancelled" } else { "booking_moved" };
        world.withdraw_sms(reason, |sms| sms.booking_id.as_deref() == Some(&after.id));
    }
}
