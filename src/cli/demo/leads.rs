//! The life of a lead: an advertisement, a few messages, sometimes a booking.

use super::bodies::{manychat_custom, manychat_full};
use super::people::Person;
use super::phrases::{CAMPAIGNS, FIRST_MESSAGES, INTERESTS, LATER_MESSAGES};
use super::request::{Body, DemoRequest, Expect, Kind, Route};
use super::story::{Course, Teller};
use crate::domain::time::{Millis, Timestamp};

const BOOKS: f64 = 0.24;
const BOOKS_AFTER_MEDIAN_DAYS: f64 = 2.0;
/// The chance of one more message after each.
const WRITES_AGAIN: f64 = 0.35;
const MESSAGES_MAX: usize = 4;

impl Teller {
    /// All that a lead sends until now, and what Wix says when the lead books.
    pub fn lead(&mut self, person: &Person) -> Vec<DemoRequest> {
        let first = self.moment();
        let Some(campaign) = self.random.weighted(CAMPAIGNS).copied() else { return Vec::new() };
        let interest = self.random.weighted(INTERESTS).copied().unwrap_or("MRI");
        let text = self.random.pick(FIRST_MESSAGES).copied().unwrap_or_default();
        let event_id = format!("{}-{}", person.manychat, first.0 / 1_000);
        let mut told =
            vec![message(person, first, manychat_custom("lead_created", &event_id, person, text, campaign), Kind::Lead)];
        let mut at = first;
        while told.len() < MESSAGES_MAX && self.random.chance(WRITES_AGAIN) {
            at = at + Millis::minutes(self.random.log_normal(25.0, 1.5) as i64 + 1);
            let text = self.random.pick(LATER_MESSAGES).copied().unwrap_or_default();
            told.push(message(person, at, manychat_full(person, text, interest, campaign, at, self.tz), Kind::Message));
        }
        told.retain(|request| request.at <= self.now);
        if self.random.chance(BOOKS) {
            let days = self.random.log_normal(BOOKS_AFTER_MEDIAN_DAYS, 0.9);
            let booked = first + Millis((days * Millis::DAY.0 as f64) as i64);
            if booked < self.now {
                told.extend(self.booking(person, booked, Course::Any));
            }
        }
        told
    }
}

fn message(person: &Person, at: Timestamp, body: String, kind: Kind) -> DemoRequest {
    DemoRequest {
        at,
        route: Route::ManyChat,
        body: Body::Json(body),
        kind,
        expect: Expect::Accepted,
        key: person.manychat.clone(),
    }
}
