//! A real event as a test: what it said and what was known before, of people who do not exist.

use super::differ::quoted;
use super::mask::{Mask, intent, person, word};
use crate::automation::replay::{booking_then, contact_then};
use crate::domain::booking::Booking;
use crate::domain::clinic::Clinic;
use crate::domain::contact::Contact;
use crate::domain::event::{BookingInput, CampaignInput, ContactInput, Event, OWN_SOURCES, SMS_RECEIPT};
use crate::domain::time::Timestamp;
use crate::engine::ruletest::read_test;
use crate::store::{Conn, StoreResult, bookings, contacts};
use chrono::Timelike;

/// An event with the records it was about, as they were right before it.
pub struct Saved {
    event: Event,
    contact: Option<Contact>,
    booking: Option<Booking>,
    mask: Mask,
}

/// Why an event makes no test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSaved {
    #[error("this event followed from another one: save that one")]
    Follows,
    #[error("a delivery receipt makes no test of its own: save the event that sent the text")]
    Receipt,
    #[error("a delivery that could not be read makes no test")]
    Quarantined,
}

/// True for events that a test can begin with.
///
/// # Errors
/// Why this one cannot.
pub fn can_be_saved(event: &Event) -> Result<(), NotSaved> {
    if event.causation_id.is_some() || OWN_SOURCES.contains(&event.source.as_str()) {
        return Err(NotSaved::Follows);
    }
    if event.event_type == SMS_RECEIPT {
        return Err(NotSaved::Receipt);
    }
    if event.event_type == crate::domain::event::QUARANTINED { Err(NotSaved::Quarantined) } else { Ok(()) }
}

/// Reads what was known before the event.
pub fn load(conn: &mut Conn, event: Event) -> StoreResult<Saved> {
    let at = event.timestamp;
    let found = match &event.contact_id {
        Some(id) => contacts::find(conn, id)?.filter(|c| c.created_at < at),
        None => None,
    };
    let contact = found.map(|c| contact_then(conn, c, at)).transpose()?;
    let booking = match &event.booking_id {
        Some(id) => bookings::find(conn, id)?.and_then(|b| booking_then(b, at)).map(|b| before_the_move(b, &event)),
        None => None,
    };
    let known = event.contact_id.clone().or_else(|| event.payload.message.as_ref().map(|m| m.from.clone()));
    let mask = person(&known.unwrap_or_else(|| event.id.clone()));
    Ok(Saved { event, contact, booking, mask })
}

/// Where the appointment was, when the event says so.
fn before_the_move(mut booking: Booking, event: &Event) -> Booking {
    if let Some(at) = event.payload.booking.as_ref().and_then(|b| b.previous_appointment_datetime) {
        booking.appointment_datetime = at;
    }
    booking
}

/// Lines of one YAML map, `{ a: b }`.
#[derive(Default)]
struct Fields(Vec<String>);

impl Fields {
    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            self.0.push(format!("{name}: {}", quoted(value)));
        }
    }

    fn time(&mut self, name: &str, value: Option<Timestamp>, clinic: &Clinic) {
        if let Some(at) = value {
            self.0.push(format!("{name}: {}", clock(clinic, at)));
        }
    }

    fn plain(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.push(format!("{name}: {}", value.to_string()));
        }
    }

    fn written(&self) -> String {
        format!("{{ {} }}", self.0.join(", "))
    }
}

impl Saved {
    /// The test case, as an item of `tests:` indented by `indent`. It expects nothing yet: that is for a run to fill in.
    #[must_use]
    pub fn written(&self, indent: usize, clinic: &Clinic) -> String {
        let event = &self.event;
        let start = clock(clinic, event.timestamp);
        let mut lines =
            vec![format!("- name: {}", quoted(&format!("{} of {start}", event.event_type))), format!("  start: {start}")];
        lines.extend(self.given(clinic));
        lines.push("  steps:".to_owned());
        lines.push(format!("    - event: {}", event.event_type));
        lines.push(format!("      source: {}", quoted(word(&event.source))));
        lines.push(format!("      actor: {}", event.actor.as_str()));
        lines.extend(self.with(clinic));
        // What waits for the morning belongs to it.
        lines.extend(["      expect: nothing", "    - to: +1d", "      expect: nothing"].map(str::to_owned));
        let pad = " ".repeat(indent);
        let lines: Vec<String> = lines.into_iter().map(|line| format!("{pad}{line}")).collect();
        lines.join("\n") + "\n"
    }

    fn given(&self, clinic: &Clinic) -> Vec<String> {
        let contact = self.contact.as_ref().map(|c| format!("    contact: {}", self.known_contact(c).written()));
        let owned = self.booking.as_ref().filter(|_| self.contact.is_some());
        let booking = owned.map(|b| format!("    booking: {}", known_booking(b, clinic).written()));
        let records: Vec<String> = contact.into_iter().chain(booking).collect();
        if records.is_empty() { records } else { [vec!["  given:".to_owned()], records].concat() }
    }

    fn known_contact(&self, contact: &Contact) -> Fields {
        let mut fields = Fields::default();
        fields.text("id", Some(&self.mask.id));
        fields.text("first_name", Some(self.mask.first_name));
        fields.text("last_name", Some(self.mask.last_name));
        fields.text("phone", contact.phone.as_ref().map(|_| self.mask.phone));
        fields.text("email", contact.email.as_ref().map(|_| self.mask.email.as_str()));
        fields.plain("is_existing_patient", contact.is_existing_patient.then_some(true));
        fields.plain("opted_out", contact.opted_out_at.map(|_| true));
        fields.text("source", Some(word(&contact.source)));
        fields.text("current_pipeline", contact.current_pipeline.as_deref());
        fields.text("current_stage", contact.current_stage.as_deref());
        fields.plain("warmness", Some(contact.warmness).filter(|w| *w > 0));
        fields.plain("no_shows", Some(contact.no_shows).filter(|n| *n > 0));
        fields
    }

    fn with(&self, clinic: &Clinic) -> Vec<String> {
        let payload = &self.event.payload;
        let mut records = Vec::new();
        if let Some(contact) = &payload.contact {
            records.push(format!("contact: {}", self.said_of_contact(contact).written()));
        }
        if let Some(booking) = &payload.booking {
            records.push(format!("booking: {}", said_of_booking(booking, clinic).written()));
        }
        if let Some(message) = &payload.message {
            let mut fields = Fields::default();
            fields.text("from", message.from.starts_with('+').then_some(self.mask.phone));
            fields.0.push(format!("intent: {:?}", intent(&message.body, clinic)));
            records.push(format!("message: {}", fields.written()));
        }
        if let Some(campaign) = &payload.campaign {
            records.push(format!("campaign: {}", said_of_campaign(campaign).written()));
        }
        if !payload.data.is_empty() {
            let mut fields = Fields::default();
            payload.data.iter().for_each(|(name, value)| fields.text(name, Some(word(value))));
            records.push(format!("data: {}", fields.written()));
        }
        if records.is_empty() {
            return records;
        }
        std::iter::once("      with:".to_owned()).chain(records.into_iter().map(|r| format!("        {r}"))).collect()
    }

    fn said_of_contact(&self, contact: &ContactInput) -> Fields {
        let mut fields = Fields::default();
        // The record that is given is found by its id, as it was found by what the provider said.
        fields.text("id", self.contact.as_ref().map(|_| self.mask.id.as_str()));
        fields.text("wix_contact", contact.wix_contact.as_ref().map(|_| "wix-contact"));
        fields.text("manychat", contact.manychat.as_ref().map(|_| "manychat-contact"));
        fields.text("first_name", contact.first_name.as_ref().map(|_| self.mask.first_name));
        fields.text("last_name", contact.last_name.as_ref().map(|_| self.mask.last_name));
        fields.text("phone", contact.phone.as_ref().map(|_| self.mask.phone));
        fields.text("email", contact.email.as_ref().map(|_| self.mask.email.as_str()));
        fields.text("interest", contact.interest.as_ref().map(|_| "imaging"));
        fields.plain("is_existing_patient", contact.is_existing_patient);
        fields
    }
}

/// What a booking is called in a saved test.
const BOOKING: &str = "b1";

fn known_booking(booking: &Booking, clinic: &Clinic) -> Fields {
    let mut fields = Fields::default();
    fields.text("id", Some(BOOKING));
    fields.time("appointment_datetime", Some(booking.appointment_datetime), clinic);
    fields.text("status", Some(booking.status.as_str()));
    fields.text("urgency_level", Some(&booking.urgency_level));
    fields.text("referral_status", Some(&booking.referral_status));
    fields
}

fn said_of_booking(booking: &BookingInput, clinic: &Clinic) -> Fields {
    let mut fields = Fields::default();
    fields.text("id", Some(BOOKING));
    fields.time("appointment_datetime", booking.appointment_datetime, clinic);
    fields.time("end_datetime", booking.end_datetime, clinic);
    fields.text("status", booking.status.map(crate::domain::booking::BookingStatus::as_str));
    fields.text("service_name", booking.service_name.as_deref());
    fields.text("location", booking.location.as_deref());
    fields.text("payment_status", booking.payment_status.as_deref().map(word));
    fields.text("urgency_level", booking.urgency_level.as_deref().map(word));
    fields
}

fn said_of_campaign(campaign: &CampaignInput) -> Fields {
    let mut fields = Fields::default();
    fields.text("source", campaign.source.as_deref().map(word));
    fields.text("medium", campaign.medium.as_deref().map(word));
    fields.text("campaign", campaign.campaign.as_deref().map(word));
    fields
}

/// To the second where the minute is not enough.
fn clock(clinic: &Clinic, at: Timestamp) -> String {
    let local = at.local(clinic.calendar.tz);
    let format = if local.second() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    local.format(format).to_string()
}

/// A test file with one more case at its end; a new file when there is none. `None` when the case cannot stand there: `tests`
/// must be the file's last key.
#[must_use]
pub fn appended(path: &str, file: Option<&str>, saved: &Saved, clinic: &Clinic) -> Option<String> {
    let Some(text) = file else {
        return Some(format!("# Run with: avatar rules test\ntests:\n{}", saved.written(2, clinic)));
    };
    let mut lines = text.lines().skip_while(|line| !line.starts_with("tests:")).skip(1);
    let first = lines.find(|line| line.trim_start().starts_with("- "));
    let indent = first.map_or(2, |line| line.len() - line.trim_start().len());
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let more = format!("{text}{end}\n{}", saved.written(indent, clinic));
    let cases = |text: &str| read_test(path, text, &clinic.calendar).0.map(|file| file.cases.len());
    (cases(&more)? > cases(text).unwrap_or(0)).then_some(more)
}
