//! The life of a booking, as Wix tells it.

use super::bodies::{WixAction, WixBooking, wix_event};
use super::people::Person;
use super::random::Random;
use super::request::{Body, DemoRequest, Expect, Kind, Route};
use super::services::{Diary, SERVICES, Slot, instant};
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::sign::Identity;
use chrono_tz::Tz;

/// When somebody books, by hour of the day: phones are in hand in the evening too.
const BOOKING_HOURS: &[(i64, u32)] = &[
    (7, 4),
    (8, 9),
    (9, 9),
    (10, 7),
    (11, 6),
    (12, 7),
    (13, 5),
    (14, 5),
    (15, 6),
    (16, 6),
    (17, 5),
    (18, 5),
    (19, 6),
    (20, 6),
    (21, 3),
];
const LEAD_TIME_MEDIAN_DAYS: f64 = 5.0;
const LEAD_TIME_SIGMA: f64 = 0.8;
const LEAD_TIME_DAYS_MAX: f64 = 29.0;
const SAME_DAY: f64 = 0.08;

const CONFIRMED_AT_ONCE: f64 = 0.25;
const CONFIRMED_LATER: f64 = 0.90;
const DECLINED: f64 = 0.03;
const RESCHEDULED: f64 = 0.11;
const CANCELLED: f64 = 0.09;
const PAID_BEFORE: f64 = 0.08;

/// Everything that stories are told with.
pub struct Teller {
    pub tz: Tz,
    pub start: Timestamp,
    pub now: Timestamp,
    pub random: Random,
    pub diary: Diary,
}

/// How a booking may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// As life goes.
    Any,
    /// Confirmed, and nothing else happens.
    Plain,
}

/// One thing that happens to a booking.
struct Turn<'a> {
    at: Timestamp,
    action: WixAction<'a>,
    status: &'static str,
    by: Identity,
    paid: bool,
    slot: Slot,
}

impl Teller {
    /// A moment between the start and now at which somebody would book or write.
    pub fn moment(&mut self) -> Timestamp {
        loop {
            let day = self.random.between(self.start.0, self.now.0);
            let hour = self.random.weighted(BOOKING_HOURS).copied().unwrap_or(9);
            let minute = hour * 60 + self.random.between(0, 60);
            let second = Millis::seconds(self.random.between(0, 60));
            let at = instant(self.tz, Timestamp(day).local(self.tz).date_naive(), minute).map(|t| t + second);
            if let Some(at) = at.filter(|at| *at > self.start && *at < self.now) {
                return at;
            }
        }
    }

    /// All deliveries about one booking that are made until now.
    pub fn booking(&mut self, person: &Person, created: Timestamp, course: Course) -> Vec<DemoRequest> {
        let service = self.random.weighted(SERVICES).copied().unwrap_or(SERVICES[0].0);
        let days = match course {
            Course::Plain => 4.0,
            Course::Any if self.random.chance(SAME_DAY) => 0.1,
            Course::Any => self.random.log_normal(LEAD_TIME_MEDIAN_DAYS, LEAD_TIME_SIGMA).min(LEAD_TIME_DAYS_MAX),
        };
        let wanted = created + Millis((days * Millis::DAY.0 as f64) as i64);
        let earliest = created + Millis::hours(2);
        let Some(slot) = self.diary.book(&mut self.random, service, wanted, earliest) else { return Vec::new() };
        let moved = (course == Course::Any && self.random.chance(RESCHEDULED))
            .then(|| {
                let later = slot.start + Millis::days(self.random.between(1, 6));
                self.diary.book(&mut self.random, service, later, slot.start + Millis::HOUR)
            })
            .flatten();
        let turns = self.turns(created, &slot, moved, course);
        self.tell(person, created, turns)
    }

    fn turns<'a>(&mut self, created: Timestamp, slot: &'a Slot, moved: Option<Slot>, course: Course) -> Vec<Turn<'a>> {
        let at_once = course == Course::Any && self.random.chance(CONFIRMED_AT_ONCE);
        let status = if at_once { "CONFIRMED" } else { "CREATED" };
        let turn = |at, action, status, by| Turn { at, action, status, by, paid: false, slot: slot.clone() };
        let mut turns = vec![turn(created, WixAction::Created, status, Identity::Visitor)];
        let mut at = created;
        if !at_once {
            at = created + Millis::minutes(self.random.log_normal(6.0, 0.9) as i64 + 1);
            let fate = if course == Course::Plain { 0.0 } else { self.random.unit() };
            if fate < CONFIRMED_LATER {
                turns.push(turn(at, WixAction::Confirmed, "CONFIRMED", Identity::App));
            } else {
                if fate < CONFIRMED_LATER + DECLINED {
                    at = created + Millis::minutes(self.random.between(60, 600));
                    turns.push(turn(at, WixAction::Declined, "DECLINED", Identity::WixUser));
                }
                return turns;
            }
        }
        let mut current = slot.clone();
        if let Some(new) = moved {
            at = self.during(at, slot.start);
            let action = WixAction::Rescheduled { from: slot };
            turns.push(Turn { slot: new.clone(), ..turn(at, action, "CONFIRMED", Identity::Visitor) });
            current = new;
        }
        if course == Course::Any && self.random.chance(CANCELLED) {
            at = self.during(at, current.start);
            turns.push(Turn { slot: current, ..turn(at, WixAction::Canceled, "CANCELED", Identity::Visitor) });
        } else if course == Course::Any && self.random.chance(PAID_BEFORE) {
            at = self.during(at, current.start);
            turns.push(Turn { slot: current, paid: true, ..turn(at, WixAction::Updated, "CONFIRMED", Identity::Visitor) });
        }
        turns
    }

    /// Some time after `from` and well before `until`.
    fn during(&mut self, from: Timestamp, until: Timestamp) -> Timestamp {
        let last = (until - Millis::HOUR).0.max(from.0 + 2 * Millis::MINUTE.0);
        Timestamp(self.random.between(from.0 + Millis::MINUTE.0, last))
    }

    fn tell(&mut self, person: &Person, created: Timestamp, turns: Vec<Turn<'_>>) -> Vec<DemoRequest> {
        let id = self.random.uuid();
        let mut told = Vec::new();
        for (turn, sequence) in turns.into_iter().zip(1..) {
            let event_id = self.random.uuid();
            if turn.at > self.now {
                break;
            }
            let booking = WixBooking {
                id: &id,
                person,
                slot: &turn.slot,
                status: turn.status,
                paid: turn.paid,
                revision: sequence,
                created,
            };
            let inner = wix_event(&event_id, sequence, &turn.action, &booking, turn.at, self.tz);
            told.push(DemoRequest {
                at: turn.at,
                route: Route::Wix,
                body: Body::Wix { event_type: turn.action.event_type(), inner, identity: turn.by },
                kind: if sequence == 1 { Kind::NewBooking } else { Kind::BookingChange },
                expect: Expect::Accepted,
                key: person.wix_contact.clone(),
            });
        }
        told
    }
}
