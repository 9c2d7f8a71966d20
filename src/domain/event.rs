//! Events: what happened, who did it, and what a provider said about it in the clinic's own words.

use super::booking::BookingStatus;
use super::sms::SmsStatus;
use super::staff_action::StaffAction;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use super::event_names::*;
pub use super::waiting::{WaitState, WaitingRun};

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Patient,
    Staff,
    System,
    Provider,
}

impl Actor {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Staff => "staff",
            Self::System => "system",
            Self::Provider => "provider",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Patient, Self::Staff, Self::System, Self::Provider].into_iter().find(|a| a.as_str() == text)
    }
}

/// How sure we are of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// A cryptographic signature over the raw body was verified.
    Valid,
    /// A shared secret (header or path segment) was presented.
    Token,
    /// Made by this program itself (timers, chained events, staff).
    Internal,
}

impl SignatureState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Token => "token",
            Self::Internal => "internal",
        }
    }
}

/// One verified and parsed delivery, ready to be recorded. One delivery is one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// `wix`, `manychat`, `clicksend`, `messagemedia`, a declared source, or `timer`, `schedule`, `rule`, `staff`.
    pub source: String,
    /// The provider's event id, or what stands for it; unique per source.
    pub dedupe_key: String,
    pub event_type: String,
    pub occurred_at: Option<Timestamp>,
    pub actor: Actor,
    pub signature_state: SignatureState,
    pub payload: EventPayload,
    /// The provider's own words (the innermost document of a JWT), kept for audit and replay.
    pub raw_payload: String,
    /// SHA-256 of the raw request body, lower-case hex.
    pub raw_sha256: String,
    /// Events with equal keys are worked on in the order of arrival and never two at once.
    pub lane_key: Option<String>,
    /// Why a verified delivery could not be understood; its `event_type` is then `quarantined`.
    pub quarantine_reason: Option<String>,
}

/// What an event says, independent of the provider. Stored as JSON with the event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventPayload {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking: Option<BookingInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerInput>,
    /// The waiting run whose time is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_id: Option<String>,
    /// The task that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// The rule that somebody sets off by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// What a member of staff does by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Box<StaffAction>>,
    /// Which member of staff, or program for them: `staff:ID`, `key:NAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Further fields that rules can read as `event.data.NAME` (flat text).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
}

/// The lane of an event about this person or booking: events with equal lanes are worked on in the order of arrival.
/// The phone comes first, because it is what the different providers have in common.
#[must_use]
pub fn lane_key(contact: Option<&ContactInput>, wix_booking_id: Option<&str>) -> Option<String> {
    let of_contact = contact.and_then(|c| {
        let phone = c.phone.as_ref().map(|phone| phone_lane(phone));
        let wix = || c.wix_contact.as_ref().map(|id| format!("w:{id}"));
        let manychat = || c.manychat.as_ref().map(|id| format!("m:{id}"));
        phone.or_else(wix).or_else(manychat)
    });
    of_contact.or_else(|| wix_booking_id.map(|id| format!("b:{id}")))
}

/// The lane of everything that a number sends.
#[must_use]
pub fn phone_lane(phone: &str) -> String {
    format!("p:{phone}")
}

/// What a provider says of a person. Empty text never arrives here: it is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactInput {
    /// Our own id, when the event was made by this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wix_contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manychat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E.164 when it could be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// As the provider wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_raw: Option<String>,
    /// Lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_existing_patient: Option<bool>,
    /// What the person has just said to marketing texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marketing_consent: Option<bool>,
    /// What the person has just said to texts at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_consent: Option<bool>,
}

/// What a provider says of a booking, at the time of the event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BookingInput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wix_booking_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<BookingStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_datetime: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_datetime: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_appointment_datetime: Option<Timestamp>,
    /// `entityEventSequence`: counts the events of one booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// `revision`: counts the states of one booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// Wix itself texts the patient 24 hours before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_sends_reminder: Option<bool>,
}

/// A message from a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageInput {
    /// E.164 when it could be understood, else as received.
    pub from: String,
    pub to: Option<String>,
    pub body: String,
    pub provider: String,
    pub provider_message_id: Option<String>,
    /// The provider's id of the text that this one answers.
    pub in_reply_to: Option<String>,
    /// Our own SMS id, when the provider carries it back.
    pub reply_to_sms_id: Option<String>,
    /// `sms` or `manychat`.
    pub channel: String,
}

/// A delivery receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptInput {
    pub provider: String,
    pub provider_message_id: Option<String>,
    /// Our own SMS id (`custom_string`, `metadata.sms_id`).
    pub sms_id: Option<String>,
    /// What the receipt says, in our states; `None` when it is only progress.
    pub status: Option<SmsStatus>,
    pub status_code: Option<String>,
    pub detail: Option<String>,
    pub at: Option<Timestamp>,
}

/// Where a person came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CampaignInput {
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
}

/// What a due timer or schedule slot is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimerInput {
    pub rule_id: String,
    /// Of a `date` trigger what identifies it whatever its place; of an `every` trigger its place in the rule, counted from 0.
    pub trigger: i32,
    pub subject_kind: SubjectKind,
    pub subject_id: Option<String>,
    pub contact_id: Option<String>,
    /// What makes one firing different from the next: the clinic-local day of the field, or the slot.
    pub occurrence: String,
    pub due_at: Timestamp,
}

/// The kind of record a timer hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    Contact,
    Booking,
    Clinic,
}

impl SubjectKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Booking => "booking",
            Self::Clinic => "clinic",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Contact, Self::Booking, Self::Clinic].into_iter().find(|k| k.as_str() == text)
    }
}

/// The life of an event row: accepted → processed | ignored | failed; quarantined rows stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    Accepted,
    Processed,
    /// Recorded, but older than what is already known, or about nothing we hold.
    Ignored,
    Failed,
    Quarantined,
}

impl EventStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Processed => "processed",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
            Self::Quarantined => "quarantined",
        }
    }
}

impl EventStatus {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Accepted, Self::Processed, Self::Ignored, Self::Failed, Self::Quarantined].into_iter().find(|s| s.as_str() == text)
    }
}

impl SignatureState {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Valid, Self::Token, Self::Internal].into_iter().find(|s| s.as_str() == text)
    }
}

/// One event as it is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: String,
    pub event_type: String,
    pub source: String,
    pub dedupe_key: String,
    /// When it was received.
    pub timestamp: Timestamp,
    pub occurred_at: Option<Timestamp>,
    pub actor: Actor,
    pub signature_state: SignatureState,
    pub payload: EventPayload,
    pub lane_key: Option<String>,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    /// The event that led to this one.
    pub causation_id: Option<String>,
    /// How many events led to this one.
    pub depth: i32,
    pub status: EventStatus,
    pub status_reason: Option<String>,
    /// Deliveries beyond the first.
    pub duplicates: i32,
    /// The ruleset revision that it was evaluated with.
    pub revision: Option<i64>,
    pub processed_at: Option<Timestamp>,
}

impl Event {
    /// An event of the program itself that nobody has worked on yet. Whom it is about and who caused it is for the caller to say.
    #[must_use]
    pub fn accepted(id: String, event_type: impl Into<String>, at: Timestamp) -> Self {
        Self {
            dedupe_key: id.clone(),
            id,
            event_type: event_type.into(),
            source: "system".to_owned(),
            timestamp: at,
            occurred_at: None,
            actor: Actor::System,
            signature_state: SignatureState::Internal,
            payload: EventPayload::default(),
            lane_key: None,
            contact_id: None,
            booking_id: None,
            causation_id: None,
            depth: 0,
            status: EventStatus::Accepted,
            status_reason: None,
            duplicates: 0,
            revision: None,
            processed_at: None,
        }
    }
}

/// What came of one rule looking at one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    Fired,
    Skipped,
    Failed,
}

impl RunOutcome {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Fired, Self::Skipped, Self::Failed].into_iter().find(|o| o.as_str() == text)
    }
}

/// One rule looking at one event, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: String,
    pub event_id: String,
    pub rule_id: String,
    pub revision: i64,
    pub outcome: RunOutcome,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub at: Timestamp,
    /// The trace as JSON: conditions, values seen, steps and what became of them.
    pub trace: String,
    /// The run whose wait this one ended.
    pub resumes: Option<String>,
}

/// A stored timer of a `date` trigger. `state` is `pending` or `fired`; a fired occurrence never comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    pub rule_id: String,
    pub trigger: i32,
    pub subject_id: String,
    pub occurrence: String,
    pub subject_kind: SubjectKind,
    pub contact_id: String,
    pub due_at: Timestamp,
    /// How much later than due it may still run, in milliseconds.
    pub late_ms: i64,
    pub state: String,
    pub updated_at: Timestamp,
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_named_by_what_most_providers_know() {
        let some = |text: &str| Some(text.to_owned());
        let mut contact =
            ContactInput { phone: some("+61491570006"), wix_contact: some("w"), manychat: some("m"), ..ContactInput::default() };
        assert_eq!(lane_key(Some(&contact), Some("b")), some("p:+61491570006"));
        contact.phone = None;
        assert_eq!(lane_key(Some(&contact), Some("b")), some("w:w"));
        contact.wix_contact = None;
        assert_eq!(lane_key(Some(&contact), Some("b")), some("m:m"));
        contact.manychat = None;
        assert_eq!(lane_key(Some(&contact), Some("b")), some("b:b"));
        assert_eq!(lane_key(None, None), None);
    }
}
