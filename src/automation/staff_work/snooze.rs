//! Named moments to put a task off to, by the clinic's clock.

use crate::domain::booking::Booking;
use crate::domain::calendar::Calendar;
use crate::domain::time::{Millis, Timestamp};

/// The names, as a screen offers them.
pub const NAMES: [&str; 5] = ["30_minutes", "2_hours", "this_afternoon", "tomorrow_9am", "after_booking"];

/// When the afternoon is over for somebody who puts things off to it.
const AFTERNOON: [u32; 2] = [14 * 60, 16 * 60];
const MORNING: u32 = 9 * 60;
/// An appointment without an end is over by then.
const BOOKING_LASTS: Millis = Millis::minutes(30);

/// The moment that a name means now; `None` when it means none: the afternoon is over, there is no appointment to come.
#[must_use]
pub fn until(name: &str, calendar: &Calendar, booking: Option<&Booking>, now: Timestamp) -> Option<Timestamp> {
    let today = calendar.date_of(now);
    match name {
        "30_minutes" => Some(now + Millis::minutes(30)),
        "2_hours" => Some(now + Millis::hours(2)),
        "this_afternoon" => AFTERNOON.into_iter().map(|minute| calendar.at_minute(today, minute)).find(|at| *at > now),
        "tomorrow_9am" => Some(calendar.at_minute(today.succ_opt()?, MORNING)),
        "after_booking" => {
            booking.map(|b| b.end_datetime.unwrap_or(b.appointment_datetime + BOOKING_LASTS)).filter(|at| *at > now)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    fn named(name: &str, now: &str) -> Option<Timestamp> {
        let booking = sample::booking("b", "c", at("2026-10-03T15:00:00+10:00"), at("2026-10-01T09:00:00+10:00"));
        until(name, &Calendar::weekdays(chrono_tz::Australia::Sydney), Some(&booking), at(now))
    }

    #[test]
    fn names_are_moments_of_the_clinics_clock_across_its_clock_change() {
        let saturday = "2026-10-03T13:10:00+10:00";
        assert_eq!(named("this_afternoon", saturday), Some(at("2026-10-03T14:00:00+10:00")));
        assert_eq!(named("this_afternoon", "2026-10-03T14:30:00+10:00"), Some(at("2026-10-03T16:00:00+10:00")));
        assert_eq!(named("this_afternoon", "2026-10-03T16:30:00+10:00"), None);
        assert_eq!(named("tomorrow_9am", saturday), Some(at("2026-10-04T09:00:00+11:00")));
        assert_eq!(named("2_hours", "2026-10-04T01:30:00+10:00"), Some(at("2026-10-04T04:30:00+11:00")));
        assert_eq!(named("after_booking", saturday), Some(at("2026-10-03T15:30:00+10:00")));
        assert_eq!(named("after_booking", "2026-10-03T15:30:00+10:00"), None);
        assert_eq!(named("next_year", saturday), None);
    }
}
