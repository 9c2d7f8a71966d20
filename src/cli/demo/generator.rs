//! A month of a clinic's webhooks, told from a seed. Pure: the same seed, time and zone give the same requests.

use super::people::{Person, cast};
use super::random::Random;
use super::request::{Body, DemoRequest, Expect, Kind, Route};
use super::services::Diary;
use super::story::{Course, Teller};
use crate::domain::time::{Millis, Timestamp};
use chrono_tz::Tz;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How far back the story begins.
    pub past: Millis,
    /// Beside those of leads.
    pub bookings: usize,
    pub leads: usize,
}

impl Size {
    /// What the demo shows.
    pub const MONTH: Self = Self { past: Millis::days(30), bookings: 310, leads: 200 };
    /// Enough to see everything happen once.
    pub const WEEK: Self = Self { past: Millis::days(8), bookings: 80, leads: 50 };
}

/// People who book by themselves; those from here on are leads, a few are both.
const PATIENTS: usize = 260;
const LEADS_FROM: usize = 240;

const TWICE: f64 = 0.03;
/// The chance that a booking's delivery is overtaken by its next one: about 2 % of all deliveries.
const OVERTAKEN: f64 = 0.06;
const LATE: f64 = 0.01;
/// When a provider sends again what was received already.
const RETRIED_AFTER_MINUTES: [i64; 3] = [1, 10, 60];
/// Who is in the story of this seed.
#[must_use]
pub fn people(seed: u64, size: Size) -> Vec<Person> {
    cast(seed, LEADS_FROM + size.leads)
}

/// Everything that arrives from `size.past` ago until `now`, in the order of arrival, but for what answers our own texts.
#[must_use]
pub fn generate(seed: u64, now: Timestamp, tz: Tz, size: Size) -> Vec<DemoRequest> {
    let people = people(seed, size);
    // Those who want no texts book so long ago that they have been reminded by now.
    let stoppers_booked = now - Millis(size.past.0 / 5 * 2);
    let mut teller = Teller { tz, start: now - size.past, now, random: Random::of(seed, "story"), diary: Diary::new(tz) };
    let mut lives: Vec<Vec<DemoRequest>> = people
        .iter()
        .filter(|person| person.stops)
        .map(|person| teller.booking(person, stoppers_booked, Course::Plain))
        .collect();
    let patients = people.get(..PATIENTS).unwrap_or(&people);
    for number in 0..size.bookings {
        // Everybody books once before anybody books again.
        let person = patients.get(number).or_else(|| teller.random.pick(patients));
        let Some(person) = person.filter(|p| !p.stops) else { continue };
        let created = teller.moment();
        lives.push(teller.booking(person, created, Course::Any));
    }
    for person in people.iter().skip(LEADS_FROM) {
        lives.push(teller.lead(person));
    }
    let mut network = Random::of(seed, "network");
    for life in &mut lives {
        disturb(&mut network, life, now);
    }
    let mut requests: Vec<DemoRequest> = lives.into_iter().flatten().chain(nonsense(now, size)).collect();
    requests.sort_by_key(|request| request.at);
    requests
}

/// What networks and retries do to deliveries that were made in order.
fn disturb(random: &mut Random, life: &mut Vec<DemoRequest>, now: Timestamp) {
    for index in 1..life.len() {
        let overtaking = life[index].at + Millis::minutes(random.between(1, 6));
        if life[index].route == Route::Wix && random.chance(OVERTAKEN) && overtaking <= now {
            life[index - 1].at = overtaking;
        }
    }
    for request in life.iter_mut() {
        let delayed = request.at + Millis::minutes(random.between(40, 480));
        if random.chance(LATE) && delayed <= now {
            request.at = delayed;
        }
    }
    let mut again = Vec::new();
    for request in life.iter() {
        let minutes = random.pick(&RETRIED_AFTER_MINUTES).copied().unwrap_or(1);
        let at = request.at + Millis::minutes(minutes);
        if random.chance(TWICE) && at <= now {
            again.push(DemoRequest { at, expect: Expect::Duplicate, ..request.clone() });
        }
    }
    life.extend(again);
}

/// A signed body that nobody understands, and one that somebody else signed.
fn nonsense(now: Timestamp, size: Size) -> [DemoRequest; 2] {
    let one = |part, body, expect, key: &str| DemoRequest {
        at: now - Millis(size.past.0 / part),
        route: Route::Wix,
        body,
        kind: Kind::Nonsense,
        expect,
        key: key.to_owned(),
    };
    let garbled = r#"{"data":"{\"eventType\":\"wix.bookings.v2.booking_created\",\"data\":\"{cut off"}"#.to_owned();
    let forged = Body::Forged(r#"{"id":"00000000-0000-4000-8000-000000000000","slug":"created"}"#.to_owned());
    [one(10, Body::WixClaims(garbled), Expect::Accepted, "garbled"), one(15, forged, Expect::Refused, "forged")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const NOW: &str = "2026-11-23T13:00:00+11:00";

    fn month(seed: u64) -> Vec<DemoRequest> {
        generate(seed, Timestamp::parse_rfc3339(NOW).unwrap(), chrono_tz::Australia::Sydney, Size::MONTH)
    }

    fn starts(requests: &[DemoRequest]) -> Vec<Timestamp> {
        let inner = requests.iter().filter_map(|r| match &r.body {
            Body::Wix { inner, .. } => serde_json::from_str::<serde_json::Value>(inner).ok(),
            _ => None,
        });
        let start = |v: serde_json::Value| {
            let text = v.pointer("/createdEvent/entity/startDate")?.as_str()?.to_owned();
            Timestamp::parse_rfc3339(&text)
        };
        inner.filter_map(start).collect()
    }

    #[test]
    fn the_same_seed_tells_the_same_month() {
        assert_eq!(month(7), month(7));
        assert_ne!(month(7), month(8));
    }

    #[test]
    fn a_month_has_the_clinics_size_and_its_accidents() {
        let now = Timestamp::parse_rfc3339(NOW).unwrap();
        for seed in [1, 7, 2_026] {
            let requests = month(seed);
            assert!(requests.is_sorted_by_key(|r| r.at));
            assert!(requests.iter().all(|r| r.at >= now - Size::MONTH.past && r.at <= now));
            let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
            for request in requests.iter().filter(|r| r.expect != Expect::Duplicate) {
                *kinds.entry(request.kind).or_default() += 1;
            }
            assert!((320..400).contains(&kinds[&Kind::NewBooking]), "{kinds:?}");
            assert_eq!(kinds[&Kind::Lead], Size::MONTH.leads, "{kinds:?}");
            assert!(kinds[&Kind::BookingChange] > 250 && kinds[&Kind::Message] > 50, "{kinds:?}");
            let share = |count: usize| count as f64 / requests.len() as f64;
            let twice = share(requests.iter().filter(|r| r.expect == Expect::Duplicate).count());
            assert!((0.015..0.05).contains(&twice), "{twice}");
            assert_eq!(requests.iter().filter(|r| r.expect == Expect::Refused).count(), 1);
            let appointments = starts(&requests);
            assert!(appointments.iter().all(|at| *at < now + Millis::days(45)));
            assert!(appointments.iter().filter(|at| **at > now).count() > 40);
        }
    }

    #[test]
    fn some_deliveries_are_overtaken_by_later_ones() {
        let mut seen: BTreeMap<String, i64> = BTreeMap::new();
        let (mut overtaken, mut all) = (0, 0);
        for request in month(7) {
            let Body::Wix { inner, .. } = &request.body else { continue };
            let event: serde_json::Value = serde_json::from_str(inner).unwrap();
            let sequence: i64 = event["entityEventSequence"].as_str().unwrap().parse().unwrap();
            let last = seen.entry(event["entityId"].as_str().unwrap().to_owned()).or_default();
            overtaken += usize::from(sequence < *last && request.expect == Expect::Accepted);
            *last = sequence.max(*last);
            all += 1;
        }
        assert!(overtaken >= 5 && overtaken * 10 < all, "{overtaken} of {all}");
    }
}
