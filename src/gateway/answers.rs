//! What a provider said of the texts that were handed to it.

use super::SendResult;
use crate::domain::sms_provider::HoldReason;
use crate::domain::time::Millis;
use std::collections::HashMap;

/// What is kept of the provider's own words about one text.
pub const RAW_BYTES_MAX: usize = 4 * 1024;

/// By `sms_id`: what became of each text, and what else was said of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    pub results: HashMap<String, SendResult>,
    pub said: HashMap<String, Said>,
    /// No more texts should be handed over for now.
    pub stop: Option<Stop>,
}

/// Why the provider takes no more texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    pub reason: HoldReason,
    /// Holds no personal data.
    pub detail: String,
    /// As the provider asked.
    pub retry_after: Option<Millis>,
}

/// The provider's own words about one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `SUCCESS`, `queued`, `HTTP 502` …
    pub status: Option<String>,
    pub provider_message_id: Option<String>,
    pub price: Option<Price>,
    /// Parts that are charged for.
    pub parts: Option<i32>,
    /// At most [`RAW_BYTES_MAX`].
    pub raw: String,
}

/// Money, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Millionths of the currency.
    pub micros: i64,
    /// `AUD`
    pub currency: String,
}

impl Answers {
    pub(super) fn put(&mut self, sms_id: &str, result: SendResult, said: Said) {
        self.results.insert(sms_id.to_owned(), result);
        self.said.insert(sms_id.to_owned(), said);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.results.extend(other.results);
        self.said.extend(other.said);
        self.stop = self.stop.take().or(other.stop);
    }
}

impl FromIterator<(String, SendResult)> for Answers {
    fn from_iter<I: IntoIterator<Item = (String, SendResult)>>(results: I) -> Self {
        Self { results: results.into_iter().collect(), ..Self::default() }
    }
}

/// The beginning of `bytes` as text, at most [`RAW_BYTES_MAX`].
pub(super) fn raw(bytes: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(RAW_BYTES_MAX)]).replace('\0', "");
    while text.len() > RAW_BYTES_MAX {
        text.pop();
    }
    text
}
