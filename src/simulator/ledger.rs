//! The provider's book: every text it was handed, what it said, and whether it sent it. Kept in memory, and nowhere else.

use super::reports::Report;
use crate::domain::time::Timestamp;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Texts in the book; whoever sends more is told that the provider is not available, until the book is cleared.
pub const TEXTS_MAX: usize = 250_000;
/// Texts in one answer of the control API.
pub const LISTED_MAX: usize = 1_000;

/// One text as the provider has it.
#[derive(Clone, Debug, Serialize)]
pub struct Text {
    /// Our own id (`custom_string`, `metadata.sms_id`); `None` when the text came without.
    pub id: Option<String>,
    pub message_id: String,
    pub to: String,
    pub from: String,
    pub body: String,
    pub parts: usize,
    /// What the provider answered: `SUCCESS`, `INVALID_RECIPIENT`, `queued`, …
    pub status: Cow<'static, str>,
    /// It leaves for a handset: paid for, and read by a person.
    pub is_sent: bool,
    pub at: Timestamp,
    pub report: Option<Report>,
    #[serde(skip)]
    pub callback: Option<String>,
}

impl Text {
    /// What its luck is drawn from: our own id, so that it does not depend on which text came first.
    pub(super) fn luck(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.message_id)
    }
}

/// Counts of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Of the provider's API, in all.
    pub calls: u64,
    pub unauthorised: u64,
    /// Calls that went wrong, by the name of the fault.
    pub faults: BTreeMap<String, u64>,
    /// Texts that were sent, copies and all.
    pub sent: u64,
    pub refused: u64,
    /// Different texts of ours, by our own id.
    pub messages: u64,
    /// Those that were sent more than once.
    pub doubled: u64,
    pub without_id: u64,
    pub parts: u64,
    /// Callers that followed a redirect.
    pub redirects_followed: u64,
    pub callbacks_taken: u64,
    /// Tries that were answered with something else than 2xx, or not at all.
    pub callbacks_not_taken: u64,
    pub callbacks_given_up: u64,
}

/// A handle; all handles of one simulator show the same book.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    texts: Vec<Text>,
    by_message: HashMap<String, usize>,
    /// How often each of our texts was sent.
    copies: HashMap<String, u32>,
    totals: Totals,
}

impl Ledger {
    pub fn totals(&self) -> Totals {
        let book = self.book();
        let doubled = book.copies.values().filter(|copies| **copies > 1).count() as u64;
        Totals { messages: book.copies.len() as u64, doubled, ..book.totals.clone() }
    }

    /// How often our text was sent.
    pub fn copies(&self, id: &str) -> u32 {
        self.book().copies.get(id).copied().unwrap_or(0)
    }

    /// Our ids that were sent more than once, with how often.
    pub fn doubled(&self) -> BTreeMap<String, u32> {
        let book = self.book();
        book.copies.iter().filter(|(_, copies)| **copies > 1).map(|(id, copies)| (id.clone(), *copies)).collect()
    }

    /// Everything in the book, in the order in which it came.
    pub fn texts(&self) -> Vec<Text> {
        self.book().texts.clone()
    }

    /// The newest texts that `wanted` picks, newest first.
    pub(super) fn newest(&self, max: usize, wanted: impl Fn(&Text) -> bool) -> Vec<Text> {
        self.book().texts.iter().rev().filter(|text| wanted(text)).take(max).cloned().collect()
    }

    pub fn find(&self, message_id: &str) -> Option<Text> {
        let book = self.book();
        book.by_message.get(message_id).map(|index| book.texts[*index].clone())
    }

    /// A new book.
    pub fn clear(&self) {
        *self.book() = Book::default();
    }

    pub(super) fn is_full(&self) -> bool {
        self.book().texts.len() >= TEXTS_MAX
    }

    pub(super) fn write(&self, text: Text) {
        let mut book = self.book();
        if text.is_sent {
            book.totals.sent += 1;
            book.totals.parts += text.parts as u64;
            match &text.id {
                Some(id) => *book.copies.entry(id.clone()).or_default() += 1,
                None => book.totals.without_id += 1,
            }
        } else {
            book.totals.refused += 1;
        }
        let index = book.texts.len();
        book.by_message.insert(text.message_id.clone(), index);
        book.texts.push(text);
    }

    pub(super) fn note_report(&self, message_id: &str, report: Report) {
        let mut book = self.book();
        if let Some(index) = book.by_message.get(message_id).copied() {
            book.texts[index].report = Some(report);
        }
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.book().totals);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
