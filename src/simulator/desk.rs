//! Where both providers take texts in: number, price, book, and what is to follow.

use super::Shared;
use super::courier;
use super::ledger::Text;
use super::numbers::{Fate, fate_of};
use crate::domain::random::Random;
use crate::engine::template::segments;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A text that a client wants sent.
pub(super) struct Order {
    pub id: Option<String>,
    pub to: String,
    pub from: String,
    pub body: String,
    /// Where its receipts go; `None`: where all go.
    pub callback: Option<String>,
}

impl Order {
    pub fn fate(&self) -> Fate {
        fate_of(&self.to)
    }
}

/// What a provider says of a text at once.
pub(super) struct Verdict {
    pub status: Cow<'static, str>,
    /// It leaves for a handset.
    pub is_sent: bool,
    /// There is more to be told of it later.
    pub is_followed: bool,
}

impl Verdict {
    /// The word that texts to this number are to be answered with.
    pub fn told(shared: &Shared, to: &str) -> Option<Self> {
        shared.words.of(to).map(|word| Self { status: Cow::Owned(word), is_sent: false, is_followed: false })
    }
}

/// How many texts a call holds.
pub(super) fn texts_in(body: &[u8]) -> usize {
    serde_json::from_slice::<Call>(body).map_or(0, |call| call.messages.len())
}

#[derive(Deserialize)]
struct Call {
    messages: Vec<IgnoredAny>,
}

/// Writes the text into the book and lets its receipts follow.
pub(super) fn take(shared: &Arc<Shared>, order: Order, verdict: Verdict) -> Text {
    let Verdict { status, is_sent, is_followed } = verdict;
    let fate = order.fate();
    let number = shared.taken.fetch_add(1, Ordering::Relaxed);
    let text = Text {
        message_id: shared.options.provider.id(Random::of(shared.options.seed, &format!("message:{number}")).uuid()),
        parts: segments::count(&order.body).parts,
        id: order.id,
        to: order.to,
        from: order.from,
        body: order.body,
        status,
        is_sent,
        at: shared.options.clock.now(),
        report: None,
        callback: order.callback,
    };
    shared.ledger.write(text.clone());
    if is_followed {
        courier::follow(shared, text.clone(), fate);
    }
    text
}
