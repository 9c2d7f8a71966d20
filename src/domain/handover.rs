//! What a provider said when a text was handed to it, and what was done about a text of unknown fate.

use super::time::Timestamp;

/// The newest of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    pub sms_id: String,
    pub provider: String,
    pub handed_at: Timestamp,
    pub answered_at: Option<Timestamp>,
    /// In the provider's own word.
    pub provider_status: Option<String>,
    pub provider_message_id: Option<String>,
    /// Millionths of the currency.
    pub price_micros: Option<i64>,
    pub currency: Option<String>,
    pub billed_parts: Option<i32>,
    /// The provider's own words, cut off.
    pub raw: String,
    /// Since then nobody knows whether the text was sent.
    pub unknown_at: Option<Timestamp>,
    /// How often the provider was asked about it.
    pub checks: i64,
    pub checked_at: Option<Timestamp>,
    /// A person was asked.
    pub asked_at: Option<Timestamp>,
    /// Since then the provider is asked for the receipt that did not come.
    pub receipt_asked_at: Option<Timestamp>,
    /// The price is reckoned by us, because the provider names none.
    pub price_is_estimate: bool,
}
