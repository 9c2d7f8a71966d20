//! The event that `avatar events send` makes when nothing is set: a person who does not exist, with an appointment in three days.

use crate::domain::booking::BookingStatus;
use crate::domain::event::{BookingInput, ContactInput, EventPayload, MessageInput};
use crate::domain::time::{Millis, Timestamp};

/// What outside parties report. The rest of the known events follow from these.
pub const SENDABLE: &[&str] = &[
    "booking_created",
    "booking_confirmed",
    "booking_rescheduled",
    "booking_updated",
    "booking_cancelled",
    "booking_declined",
    "booking_checked_in",
    "booking_completed",
    "booking_no_show",
    "waitlist_joined",
    "lead_created",
    "manychat_message",
    "sms_received",
];

/// A number that is kept free for fiction.
const PHONE: &str = "+61491570006";
const AHEAD: Millis = Millis::days(3);
const LENGTH: Millis = Millis::minutes(30);

/// `id` tells this event's booking from those of other events.
pub fn payload(event_type: &str, id: &str, timezone: &str, now: Timestamp) -> EventPayload {
    let some = |text: &str| Some(text.to_owned());
    let contact = ContactInput {
        first_name: some("Test"),
        last_name: some("Patient"),
        phone: some(PHONE),
        email: some("test.patient@example.com"),
        ..ContactInput::default()
    };
    let mut payload = EventPayload { contact: Some(contact), ..EventPayload::default() };
    match event_type {
        "sms_received" => payload.message = Some(message("sms", "Yes")),
        "manychat_message" => payload.message = Some(message("manychat", "How much is an MRI?")),
        "lead_created" => payload.contact.get_or_insert_default().interest = some("MRI"),
        booking if booking.starts_with("booking_") || booking == "waitlist_joined" => {
            payload.booking = Some(appointment(booking, id, timezone, now));
        }
        _ => {}
    }
    payload
}

fn message(channel: &str, body: &str) -> MessageInput {
    let provider = if channel == "sms" { "cli" } else { channel };
    MessageInput { body: body.to_owned(), provider: provider.to_owned(), channel: channel.to_owned(), ..MessageInput::default() }
}

fn appointment(event_type: &str, id: &str, timezone: &str, now: Timestamp) -> BookingInput {
    let past = matches!(event_type, "booking_checked_in" | "booking_completed" | "booking_no_show");
    // On the minute.
    let begins = Timestamp((now + if past { Millis::minutes(-40) } else { AHEAD }).0 / Millis::MINUTE.0 * Millis::MINUTE.0);
    BookingInput {
        wix_booking_id: Some(id.to_owned()),
        status: Some(status(event_type)),
        appointment_datetime: Some(begins),
        end_datetime: Some(begins + LENGTH),
        timezone: Some(timezone.to_owned()),
        service_name: Some("MRI".to_owned()),
        previous_appointment_datetime: (event_type == "booking_rescheduled").then(|| begins - Millis::DAY),
        ..BookingInput::default()
    }
}

fn status(event_type: &str) -> BookingStatus {
    match event_type {
        "booking_cancelled" => BookingStatus::Cancelled,
        "booking_declined" => BookingStatus::Declined,
        "booking_checked_in" => BookingStatus::CheckedIn,
        "booking_completed" => BookingStatus::Completed,
        "booking_no_show" => BookingStatus::NoShow,
        "waitlist_joined" => BookingStatus::Waitlisted,
        _ => BookingStatus::Scheduled,
    }
}
