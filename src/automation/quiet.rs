//! Quiet hours: no automatic text leaves before the morning or after the evening, by the clinic's clock.

use crate::domain::clinic::Clinic;
use crate::domain::time::{Millis, Timestamp};

/// `at` itself when texts may leave then, else the next moment when they may.
#[must_use]
pub fn next_allowed(clinic: &Clinic, at: Timestamp) -> Timestamp {
    let hours = clinic.quiet_hours;
    let minute = clinic.calendar.minute_of_day(at);
    if (hours.from_minute..hours.until_minute).contains(&minute) {
        return at;
    }
    let today = clinic.calendar.date_of(at);
    if minute < hours.from_minute {
        return clinic.calendar.at_minute(today, hours.from_minute);
    }
    let tomorrow = today.succ_opt().unwrap_or(today);
    clinic.calendar.at_minute(tomorrow, hours.from_minute).max(at + Millis::MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::Calendar;
    use crate::domain::clinic::{QuietHours, TextSettings};
    use crate::domain::keywords::Keywords;

    fn clinic() -> Clinic {
        Clinic {
            name: "Avatar Imaging".into(),
            phone: "02 5550 1234".into(),
            calendar: Calendar::weekdays(chrono_tz::Australia::Sydney),
            quiet_hours: QuietHours { from_minute: 8 * 60, until_minute: 20 * 60 },
            keywords: Keywords::default(),
            texts: TextSettings::default(),
            teams: vec![],
            task_types: vec![],
            test_contacts: vec![],
        }
    }
    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn a_text_at_night_waits_for_the_morning() {
        let c = clinic();
        assert_eq!(next_allowed(&c, at("2026-11-23T22:15:00+11:00")), at("2026-11-24T08:00:00+11:00"));
        assert_eq!(next_allowed(&c, at("2026-11-24T05:00:00+11:00")), at("2026-11-24T08:00:00+11:00"));
        assert_eq!(next_allowed(&c, at("2026-11-24T08:00:00+11:00")), at("2026-11-24T08:00:00+11:00"));
        assert_eq!(next_allowed(&c, at("2026-11-24T20:00:00+11:00")), at("2026-11-25T08:00:00+11:00"));
    }

    #[test]
    fn the_morning_after_a_dst_night_is_still_eight_o_clock() {
        assert_eq!(next_allowed(&clinic(), at("2026-10-03T23:00:00+10:00")), at("2026-10-04T08:00:00+11:00"));
    }
}
