//! Texts: states, categories and how many parts a body takes.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Outbound: scheduled → queued → sending → accepted → delivered | failed | expired; sending → failed | unknown | queued (when it
/// surely was not sent); unknown → accepted | delivered | failed | expired; scheduled, queued → cancelled | suppressed. Inbound:
/// received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsStatus {
    Scheduled,
    Queued,
    Sending,
    Accepted,
    Delivered,
    Failed,
    Expired,
    Unknown,
    Suppressed,
    Cancelled,
    Received,
}

impl SmsStatus {
    pub const ALL: [Self; 11] = [
        Self::Scheduled,
        Self::Queued,
        Self::Sending,
        Self::Accepted,
        Self::Delivered,
        Self::Failed,
        Self::Expired,
        Self::Unknown,
        Self::Suppressed,
        Self::Cancelled,
        Self::Received,
    ];
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Suppressed => "suppressed",
            Self::Cancelled => "cancelled",
            Self::Received => "received",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
    /// A receipt that arrives later changes nothing.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Expired | Self::Suppressed | Self::Cancelled | Self::Received)
    }
    /// Nothing has left the clinic yet, so it can still be withdrawn.
    #[must_use]
    pub const fn is_unsent(self) -> bool {
        matches!(self, Self::Scheduled | Self::Queued)
    }
}

/// What kind of text the law sees in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsCategory {
    Transactional,
    Recall,
    Marketing,
}

impl SmsCategory {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Recall => "recall",
            Self::Marketing => "marketing",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Transactional, Self::Recall, Self::Marketing].into_iter().find(|c| c.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SmsMessage {
    pub id: String,
    /// `in` or `out`.
    pub direction: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub template: Option<String>,
    pub category: SmsCategory,
    pub to: String,
    pub from: Option<String>,
    pub body: String,
    /// `gsm7` or `ucs2`.
    pub encoding: String,
    pub parts: i32,
    pub scheduled_at: Option<Timestamp>,
    /// After this time the text is not sent any more.
    pub not_after: Option<Timestamp>,
    pub status: SmsStatus,
    pub status_reason: Option<String>,
    pub provider: Option<String>,
    pub provider_message_id: Option<String>,
    pub attempts: i32,
    pub in_reply_to: Option<String>,
    pub dedupe_key: Option<String>,
    pub run_id: Option<String>,
    pub revision: Option<i64>,
    /// Who of staff wrote it.
    pub sent_by: Option<String>,
    /// The appointment time the text speaks of; the text is stale when the booking has another.
    pub appointment_datetime: Option<Timestamp>,
    /// Leaves at any hour: it answers a message that the patient has just sent.
    pub immediate: bool,
    pub is_demo: bool,
    pub accepted_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The words of a text, and what they cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    pub template: Option<String>,
    pub category: SmsCategory,
    pub body: String,
    /// `gsm7` or `ucs2`.
    pub encoding: String,
    pub parts: i32,
}

impl SmsMessage {
    /// A text that waits to leave for `to` as soon as it may. Whom and what it is about is for the caller to say.
    #[must_use]
    pub fn queued(id: String, to: String, wording: Wording, now: Timestamp) -> Self {
        let Wording { template, category, body, encoding, parts } = wording;
        Self {
            id,
            direction: "out".to_owned(),
            contact_id: None,
            booking_id: None,
            template,
            category,
            to,
            from: None,
            body,
            encoding,
            parts,
            scheduled_at: None,
            not_after: None,
            status: SmsStatus::Queued,
            status_reason: None,
            provider: None,
            provider_message_id: None,
            attempts: 0,
            in_reply_to: None,
            dedupe_key: None,
            run_id: None,
            revision: None,
            sent_by: None,
            appointment_datetime: None,
            immediate: false,
            is_demo: false,
            accepted_at: None,
            delivered_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}
