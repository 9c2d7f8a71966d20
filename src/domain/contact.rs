//! People we know, and what identifies them.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A person. The root of everything about them: every change below raises `version`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    pub id: String,
    pub name: String,
    pub first_name: String,
    pub last_name: String,
    /// E.164, unique.
    pub phone: Option<String>,
    pub phone_raw: Option<String>,
    /// `unknown`, `valid`, `landline`, `invalid` or `unreachable`.
    pub phone_status: String,
    /// Lower case.
    pub email: Option<String>,
    pub is_existing_patient: bool,
    /// Texts for a dependant go to this contact's phone.
    pub guardian_contact_id: Option<String>,
    /// `unknown`, `granted` or `denied`.
    pub marketing_consent: String,
    /// The same of texts at all: who denies it gets none.
    pub sms_consent: String,
    /// The same of recalls.
    pub recall_consent: String,
    pub opted_out_at: Option<Timestamp>,
    /// Where the person first came from: `wix`, `manychat`, `facebook`, `google`, `sms`, `staff` …
    pub source: String,
    pub first_source: Option<String>,
    pub interest: Option<String>,
    pub current_pipeline: Option<String>,
    pub current_stage: Option<String>,
    pub stage_entered_at: Option<Timestamp>,
    /// 0 to 100.
    pub warmness: i32,
    pub warmness_at: Option<Timestamp>,
    pub assigned_to: Option<String>,
    pub last_inbound_at: Option<Timestamp>,
    pub last_outbound_at: Option<Timestamp>,
    pub last_visit_at: Option<Timestamp>,
    pub recall_due_on: Option<Timestamp>,
    pub no_shows: i32,
    /// What rules and staff have tagged the contact with, in the order of tagging.
    pub tags: Vec<String>,
    pub merged_into_id: Option<String>,
    pub is_demo: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What can point at a contact. At most one contact owns a (kind, value).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    WixContact,
    Manychat,
    Phone,
    Email,
}

impl IdentityKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WixContact => "wix_contact",
            Self::Manychat => "manychat",
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::WixContact, Self::Manychat, Self::Phone, Self::Email].into_iter().find(|k| k.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub kind: IdentityKind,
    pub value: String,
}

/// A field of a contact or booking that a rule has set, from what to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    pub id: String,
    pub contact_id: String,
    pub booking_id: Option<String>,
    /// `contact.warmness`, `booking.status` …
    pub field: String,
    pub from: Option<String>,
    pub to: Option<String>,
    pub at: Timestamp,
    /// `rule:ID`
    pub by: String,
    pub run_id: Option<String>,
}

/// Something written down about a contact, by staff or by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub id: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub body: String,
    /// `rule:ID`, `staff:ID` or `system`.
    pub author: String,
    pub run_id: Option<String>,
    pub created_at: Timestamp,
}

/// What the contact has said to one kind of text, as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentSaid {
    pub id: String,
    pub contact_id: String,
    /// `marketing`, `recall` or `sms`.
    pub kind: String,
    /// `unknown`, `granted` or `denied`.
    pub state: String,
    /// How we know.
    pub source: String,
    pub said_at: Timestamp,
    /// `staff:ID`, `key:NAME`.
    pub recorded_by: String,
    pub recorded_at: Timestamp,
}
