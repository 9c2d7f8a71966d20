//! Asking a provider what became of texts whose fate nobody knows.

use super::Price;
use crate::domain::sms::SmsStatus;
use crate::domain::time::{Millis, Timestamp};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

/// A text of unknown fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub sms_id: String,
    /// E.164.
    pub to: String,
    /// When it was handed over.
    pub handed_at: Timestamp,
    /// When the provider's answer was cut off behind it.
    pub provider_message_id: Option<String>,
}

/// The provider has the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub provider_message_id: Option<String>,
    /// In our states; `None` while it is on its way.
    pub status: Option<SmsStatus>,
    /// In the provider's own word.
    pub word: Option<String>,
    pub price: Option<Price>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookedUp {
    Found(Found),
    /// The provider does not show it, or not yet: that does not mean that it was not sent.
    NotFound,
    /// The provider could not be asked.
    Unclear {
        detail: String,
        retry_after: Option<Millis>,
    },
}

pub type Lookups<'a> = Pin<Box<dyn Future<Output = HashMap<String, LookedUp>> + Send + 'a>>;

/// A provider's record of what it sent.
pub trait History: Send + Sync {
    /// Asks for each; answers by `sms_id`. Never sends anything.
    fn look_up<'a>(&'a self, texts: &'a [Asked]) -> Lookups<'a>;
}
