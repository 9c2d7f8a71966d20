//! Contacts' interactions with the clinic, one row each.

use super::time::Timestamp;

/// `kind` is one of `ad_click`, `manychat_message`, `form`, `call_in`, `call_out`, `sms_in`, `sms_out`, `booking`, `visit`, `note`, `email`.
pub const TOUCHPOINT_KINDS: &[&str] = &[
    "ad_click",
    "manychat_message",
    "form",
    "call_in",
    "call_out",
    "no_answer",
    "sms_in",
    "sms_out",
    "booking",
    "visit",
    "note",
    "email",
];

#[derive(Clone, Debug, PartialEq)]
pub struct Touchpoint {
    pub id: String,
    pub contact_id: String,
    pub timestamp: Timestamp,
    pub kind: String,
    /// `google`, `facebook`, `referral`, `manychat`, `wix`, `sms`, `phone` …
    pub channel: Option<String>,
    /// `in` or `out`.
    pub direction: String,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub event_id: Option<String>,
}
