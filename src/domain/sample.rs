//! A person, an appointment and a text that are made up: what trial runs, previews and tests begin with, each changing what it is about.

use super::booking::{Booking, BookingStatus};
use super::contact::Contact;
use super::sms::{SmsCategory, SmsMessage, Wording};
use super::time::Timestamp;

/// A number that is given to nobody.
const MOBILE: &str = "+61491570006";

/// Somebody of this name who can be texted, known since `since`, and of whom nothing else is known.
#[must_use]
pub fn contact(id: &str, name: &str, since: Timestamp) -> Contact {
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    Contact {
        id: id.to_owned(),
        name: name.to_owned(),
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        phone: Some(MOBILE.to_owned()),
        phone_status: "valid".to_owned(),
        marketing_consent: "unknown".to_owned(),
        sms_consent: "unknown".to_owned(),
        recall_consent: "unknown".to_owned(),
        source: "wix".to_owned(),
        version: 1,
        created_at: since,
        updated_at: since,
        ..Contact::default()
    }
}

/// An accepted booking for `appointment`, made at `since`, without anything that may be missing.
#[must_use]
pub fn booking(id: &str, contact_id: &str, appointment: Timestamp, since: Timestamp) -> Booking {
    Booking {
        id: id.to_owned(),
        contact_id: contact_id.to_owned(),
        wix_booking_id: None,
        source: "wix".to_owned(),
        service_id: None,
        service_name: None,
        location: None,
        resource_name: None,
        appointment_datetime: appointment,
        end_datetime: None,
        timezone: "Australia/Sydney".to_owned(),
        status: BookingStatus::Scheduled,
        urgency_level: "routine".to_owned(),
        referral_status: "missing".to_owned(),
        payment_status: None,
        patient_confirmed_at: None,
        confirmed_via: None,
        reschedule_count: 0,
        cancelled_at: None,
        no_show_at: None,
        checked_in_at: None,
        completed_at: None,
        provider_sequence: 0,
        provider_revision: 0,
        said_status: None,
        said_datetime: None,
        is_demo: false,
        version: 1,
        created_at: since,
        updated_at: since,
    }
}

/// A text of one part about nothing, that waits to leave for `to`, without anything that may be missing.
#[must_use]
pub fn text(id: &str, to: &str, since: Timestamp) -> SmsMessage {
    let wording = Wording {
        template: None,
        category: SmsCategory::Transactional,
        body: "Hi".to_owned(),
        encoding: "gsm7".to_owned(),
        parts: 1,
    };
    SmsMessage { scheduled_at: Some(since), ..SmsMessage::queued(id.to_owned(), to.to_owned(), wording, since) }
}
