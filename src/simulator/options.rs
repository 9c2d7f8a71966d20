//! How a simulator is set up.

use super::faults::Rule;
use super::reports::Encoding;
use crate::domain::clock::{SharedClock, SystemClock};
use crate::inbound::sign::MessageMediaSigner;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Whose API is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    ClickSend,
    MessageMedia,
}

impl Provider {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClickSend => "clicksend",
            Self::MessageMedia => "messagemedia",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::ClickSend, Self::MessageMedia].into_iter().find(|provider| provider.as_str() == text)
    }

    /// An id as this provider writes ids: ClickSend in capitals.
    pub(super) fn id(self, uuid: String) -> String {
        match self {
            Self::ClickSend => uuid.to_ascii_uppercase(),
            Self::MessageMedia => uuid,
        }
    }
}

/// Who may call: `Basic username:key`.
#[derive(Clone)]
pub struct Account {
    pub username: String,
    pub key: String,
}

/// What some share of the people answer to a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Answering {
    pub body: String,
    /// From 0 to 1.
    pub share: f64,
}

#[derive(Clone)]
pub struct Options {
    pub provider: Provider,
    pub listen: SocketAddr,
    pub account: Account,
    /// Receipts and replies go here; `{kind}` in it becomes `receipts` or `inbound`. A text's own `callback_url` comes first.
    pub callback: Option<String>,
    /// How receipts and replies of ClickSend are written.
    pub encoding: Option<Encoding>,
    /// Signs what MessageMedia sends.
    pub signer: Option<Arc<MessageMediaSigner>>,
    /// Before each answer.
    pub latency: Duration,
    /// From a text to its first receipt, and from one to the next.
    pub receipt_delay: Duration,
    /// What a late receipt takes, unless it is released.
    pub late: Duration,
    /// Between the first tries of a callback that was not taken; doubles each time.
    pub retry_delay: Duration,
    /// Between two bytes of a slow answer.
    pub drip: Duration,
    pub faults: Vec<Rule>,
    pub answering: Vec<Answering>,
    /// The same seed and the same texts give the same faults, receipts and replies.
    pub seed: u64,
    pub clock: SharedClock,
}

/// What a simulator takes when nobody names another account.
pub const USERNAME_DEFAULT: &str = "simulator";
pub const KEY_DEFAULT: &str = "simulator-key";

impl Options {
    /// Well-behaved, without latency, on any free port of this machine.
    #[must_use]
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            account: Account { username: USERNAME_DEFAULT.to_owned(), key: KEY_DEFAULT.to_owned() },
            callback: None,
            encoding: None,
            signer: None,
            latency: Duration::ZERO,
            receipt_delay: Duration::from_secs(1),
            late: Duration::from_mins(1),
            retry_delay: Duration::from_secs(1),
            drip: Duration::from_secs(1),
            faults: Vec::new(),
            answering: Vec::new(),
            seed: 1,
            clock: Arc::new(SystemClock),
        }
    }
}
