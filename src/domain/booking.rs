//! Bookings and the transitions they allow.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `scheduled` is accepted by the clinic; `confirmed` is confirmed by the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingStatus {
    Pending,
    Scheduled,
    Confirmed,
    CheckedIn,
    Completed,
    NoShow,
    Cancelled,
    Declined,
    Waitlisted,
}

/// A transition that the booking's life does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {from} booking cannot become {to}", from = .from.as_str(), to = .to.as_str())]
pub struct IllegalTransition {
    pub from: BookingStatus,
    pub to: BookingStatus,
}

impl BookingStatus {
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Scheduled,
        Self::Confirmed,
        Self::CheckedIn,
        Self::Completed,
        Self::NoShow,
        Self::Cancelled,
        Self::Declined,
        Self::Waitlisted,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Scheduled => "scheduled",
            Self::Confirmed => "confirmed",
            Self::CheckedIn => "checked_in",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Cancelled => "cancelled",
            Self::Declined => "declined",
            Self::Waitlisted => "waitlisted",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// The patient is still expected.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Scheduled | Self::Confirmed)
    }

    /// What staff or a rule can make of it.
    pub fn next_possible(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |to| *to != self && self.check_transition(*to).is_ok())
    }

    /// Checks a transition made by staff or a rule. The provider's own word is taken by sequence instead.
    pub fn check_transition(self, to: Self) -> Result<(), IllegalTransition> {
        use BookingStatus::{Cancelled, CheckedIn, Completed, Confirmed, Declined, NoShow, Pending, Scheduled, Waitlisted};
        let legal = self == to
            || matches!(
                (self, to),
                (Pending, Scheduled | Declined | Cancelled)
                    | (Waitlisted, Scheduled | Cancelled)
                    | (Scheduled, Confirmed | CheckedIn | Completed | NoShow | Cancelled)
                    | (Confirmed, Scheduled | CheckedIn | Completed | NoShow | Cancelled)
                    | (CheckedIn, Completed | Cancelled)
                    | (NoShow, Scheduled | Completed)
                    | (Cancelled, Scheduled)
            );
        if legal { Ok(()) } else { Err(IllegalTransition { from: self, to }) }
    }
}

/// One appointment.
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    pub id: String,
    pub contact_id: String,
    pub wix_booking_id: Option<String>,
    pub source: String,
    pub service_id: Option<String>,
    pub service_name: Option<String>,
    pub location: Option<String>,
    pub resource_name: Option<String>,
    pub appointment_datetime: Timestamp,
    pub end_datetime: Option<Timestamp>,
    /// IANA name.
    pub timezone: String,
    pub status: BookingStatus,
    /// `routine`, `soon` or `urgent`.
    pub urgency_level: String,
    /// `not_required`, `missing` or `received`.
    pub referral_status: String,
    pub payment_status: Option<String>,
    pub patient_confirmed_at: Option<Timestamp>,
    pub confirmed_via: Option<String>,
    pub reschedule_count: i32,
    pub cancelled_at: Option<Timestamp>,
    pub no_show_at: Option<Timestamp>,
    pub checked_in_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    /// Highest provider event sequence applied; 0 when none.
    pub provider_sequence: i64,
    /// Highest provider revision applied; 0 when none.
    pub provider_revision: i64,
    /// What the provider said last, since staff has said otherwise: the same again is no news.
    pub said_status: Option<BookingStatus>,
    /// The same of the time of the appointment.
    pub said_datetime: Option<Timestamp>,
    pub is_demo: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
