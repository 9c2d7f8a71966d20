//! Outbound SMS: one trait, one folder for each way to send.
//!
//! `live` does what all providers have in common (batches, calls, what an HTTP status means); `clicksend` and `messagemedia` hold
//! what each of them says and expects.

mod account;
mod answers;
mod clicksend;
mod http_client;
mod live;
mod lookup;
mod meaning;
mod messagemedia;
mod reading;
mod sandbox;

pub use account::Account;
pub use answers::{Answers, Price, RAW_BYTES_MAX, Said, Stop};
pub use clicksend::ClickSend;
pub use http_client::{HttpClient, HttpError};
pub use live::{Dialect, Live};
pub use lookup::{Asked, Found, History, LookedUp, Lookups};
pub use messagemedia::MessageMedia;
pub use sandbox::Sandbox;

use crate::domain::time::Millis;
use std::future::Future;
use std::pin::Pin;

/// A text that may leave now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Our own id: goes with the text, so that receipts and replies can be matched.
    pub sms_id: String,
    /// E.164.
    pub to: String,
    pub body: String,
}

/// What the provider said of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendResult {
    Accepted {
        provider_message_id: String,
    },
    /// For good: the same text would be refused again.
    Refused {
        reason: String,
    },
    /// Surely not sent: may be tried again.
    NotProcessed {
        reason: String,
        retry_after: Option<Millis>,
    },
    /// It may have been sent: never tried again by itself.
    Unknown {
        detail: String,
    },
}

pub type Sending<'a> = Pin<Box<dyn Future<Output = Answers> + Send + 'a>>;

/// A way to send texts.
pub trait Gateway: Send + Sync + 'static {
    /// `sandbox`, `clicksend` or `messagemedia`; also the name of the rate limit's bucket.
    fn name(&self) -> &'static str;

    /// Texts really leave the clinic.
    fn is_live(&self) -> bool;

    /// Sends all of them; answers by `sms_id`. A text without an answer counts as unknown.
    fn send<'a>(&'a self, texts: &'a [Outgoing]) -> Sending<'a>;

    /// Where to ask what became of a text; `None` when nobody would know.
    fn history(&self) -> Option<&dyn History> {
        None
    }
}
