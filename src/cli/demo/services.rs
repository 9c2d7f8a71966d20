//! What the demo clinic offers, where, and when somebody is free.

use super::random::Random;
use crate::domain::time::{Millis, Timestamp};
use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;
use std::collections::HashSet;

/// Something that can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    pub id: &'static str,
    pub name: &'static str,
    pub minutes: i64,
}

pub const SERVICES: &[(Service, u32)] = &[
    (Service { id: "9bf5cd2d-32fa-4ee7-952c-5e4b6de14701", name: "Ultrasound", minutes: 30 }, 30),
    (Service { id: "9bf5cd2d-32fa-4ee7-952c-5e4b6de14702", name: "X-ray", minutes: 15 }, 20),
    (Service { id: "9bf5cd2d-32fa-4ee7-952c-5e4b6de14703", name: "CT scan", minutes: 20 }, 18),
    (Service { id: "9bf5cd2d-32fa-4ee7-952c-5e4b6de14704", name: "MRI scan", minutes: 45 }, 17),
    (Service { id: "9bf5cd2d-32fa-4ee7-952c-5e4b6de14705", name: "Mammogram", minutes: 20 }, 9),
    (Service { id: "9bf5cd2d-32fa-4ee7-952c-5e4b6de14706", name: "Bone density (DEXA)", minutes: 20 }, 6),
];

pub const SITES: &[(&str, u32)] = &[("Parramatta", 5), ("Bondi Junction", 3)];
const ROOMS: [&str; 3] = ["Room 1", "Room 2", "Room 3"];

/// Hours of the day in which appointments begin, by how much they are wanted.
const HOURS: &[(i64, u32)] = &[(8, 16), (9, 15), (10, 8), (11, 8), (12, 5), (13, 6), (14, 8), (15, 14), (16, 14), (17, 6)];
/// On Saturdays the clinic closes at noon.
const SATURDAY_HOURS: &[(i64, u32)] = &[(8, 6), (9, 6), (10, 4), (11, 3)];
/// Month and day of holidays that are the same each year.
const HOLIDAYS: [(u32, u32); 5] = [(1, 1), (1, 26), (4, 25), (12, 25), (12, 26)];
/// Appointments begin every so often.
const GRID_MINUTES: i64 = 15;
/// Days that are looked through for a free place.
const DAYS_SEARCHED_MAX: i64 = 21;
const TRIES_PER_DAY: usize = 24;

/// One appointment's place and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    pub start: Timestamp,
    pub end: Timestamp,
    pub service: Service,
    pub site: &'static str,
    pub room: &'static str,
}

/// The diary: nobody gets a place that somebody else has.
pub struct Diary {
    tz: Tz,
    taken: HashSet<(&'static str, &'static str, i64)>,
}

impl Diary {
    #[must_use]
    pub fn new(tz: Tz) -> Self {
        Self { tz, taken: HashSet::new() }
    }

    /// A free place on the day of `wanted` or soon after, and not before `earliest`; `None` when all is full.
    pub fn book(&mut self, random: &mut Random, service: Service, wanted: Timestamp, earliest: Timestamp) -> Option<Slot> {
        let site = *random.weighted(SITES)?;
        let first = wanted.local(self.tz).date_naive();
        for offset in 0..DAYS_SEARCHED_MAX {
            let day = first.checked_add_signed(TimeDelta::days(offset))?;
            let Some(hours) = hours_of(day) else { continue };
            for _ in 0..TRIES_PER_DAY {
                let minute = random.weighted(hours)? * 60 + random.between(0, 60 / GRID_MINUTES) * GRID_MINUTES;
                let room = *random.pick(&ROOMS)?;
                let Some(start) = instant(self.tz, day, minute).filter(|start| *start >= earliest) else { continue };
                if self.take(site, room, start, service) {
                    return Some(Slot { start, end: start + Millis::minutes(service.minutes), service, site, room });
                }
            }
        }
        None
    }

    fn take(&mut self, site: &'static str, room: &'static str, start: Timestamp, service: Service) -> bool {
        let grid = GRID_MINUTES * Millis::MINUTE.0;
        let pieces: Vec<i64> = (0..service.minutes.div_euclid(GRID_MINUTES).max(1)).map(|n| start.0 + n * grid).collect();
        if pieces.iter().any(|piece| self.taken.contains(&(site, room, *piece))) {
            return false;
        }
        self.taken.extend(pieces.into_iter().map(|piece| (site, room, piece)));
        true
    }
}

/// `None` when the clinic is closed all day.
fn hours_of(day: NaiveDate) -> Option<&'static [(i64, u32)]> {
    if HOLIDAYS.contains(&(day.month(), day.day())) {
        return None;
    }
    match day.weekday() {
        Weekday::Sun => None,
        Weekday::Sat => Some(SATURDAY_HOURS),
        _ => Some(HOURS),
    }
}

/// The instant of a minute after midnight on a local day; `None` when the clocks skip it.
pub fn instant(tz: Tz, day: NaiveDate, minute: i64) -> Option<Timestamp> {
    let local = day.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(minute))?;
    tz.from_local_datetime(&local).earliest().map(|t| Timestamp(t.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;

    #[test]
    fn nobody_shares_a_room_and_nobody_comes_on_a_sunday() {
        let tz = chrono_tz::Australia::Sydney;
        let from = Timestamp::parse_rfc3339("2026-03-30T09:00:00+11:00").unwrap();
        let (mut diary, mut random) = (Diary::new(tz), Random::of(3, "diary"));
        let mut slots = Vec::new();
        for n in 0..400 {
            let service = *random.weighted(SERVICES).unwrap();
            slots.push(diary.book(&mut random, service, from + Millis::days(n % 20), from).unwrap());
        }
        for (i, a) in slots.iter().enumerate() {
            let local = a.start.local(tz);
            assert!(local.weekday() != Weekday::Sun && (8..18).contains(&local.hour()), "{local}");
            assert!(a.start >= from);
            let clash = slots[i + 1..].iter().find(|b| a.site == b.site && a.room == b.room && a.start == b.start);
            assert_eq!(clash, None);
        }
        let peaks = slots.iter().filter(|s| [8, 9, 15, 16].contains(&s.start.local(tz).hour())).count();
        assert!(peaks * 100 / slots.len() > 50, "{peaks}");
    }
}
